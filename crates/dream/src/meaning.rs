//! Meaning, as far as vectors hold it: sentences that mean nearly the same have vectors of nearly
//! the same direction. The engine only compares vectors; the caller that loads a dream computes
//! them, with a model or with none. Without them it compares words alone, and says so.

use std::collections::HashMap;

/// Why a text has no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sentence model failed: {0}")]
pub struct EmbedError(pub String);

/// Turns texts into vectors.
pub trait Embedder: Send + Sync {
    /// Names the model and its version; vectors of different names cannot be compared.
    fn name(&self) -> &str;

    /// The vectors of texts, in their order.
    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError>;
}

/// The direction of a text's meaning, each part rounded to eight bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    parts: Vec<i8>,
    /// Sum of the squares.
    square: i32,
}

impl Vector {
    /// Rounds a vector of any length; none if it has no direction.
    #[must_use]
    pub fn of(values: &[f32]) -> Option<Self> {
        let most = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        if !most.is_finite() || most <= 0.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
        let parts = values
            .iter()
            .map(|v| (v / most * 127.0).round() as i8)
            .collect();
        Self::from_parts(parts)
    }

    /// The vector of stored parts; none if it has no direction.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_parts(bytes.iter().map(|b| b.cast_signed()).collect())
    }

    fn from_parts(parts: Vec<i8>) -> Option<Self> {
        let square = parts.iter().map(|p| i32::from(*p) * i32::from(*p)).sum();
        (square > 0 && parts.len() <= 65_536).then_some(Self { parts, square })
    }

    /// Its parts, to be stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.parts.iter().map(|p| p.cast_unsigned()).collect()
    }

    /// The parts, between -1 and 1, of a vector of length 1: what a trained head weighs.
    #[must_use]
    pub fn unit(&self) -> Vec<f32> {
        let length = f64::from(self.square).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
        self.parts
            .iter()
            .map(|p| (f64::from(*p) / length) as f32)
            .collect()
    }

    /// Cosine of the angle between two vectors in thousandths, from -1,000 to 1,000; 0 for vectors
    /// of different models.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> i32 {
        if self.parts.len() != other.parts.len() {
            return 0;
        }
        let product: i32 = self
            .parts
            .iter()
            .zip(&other.parts)
            .map(|(a, b)| i32::from(*a) * i32::from(*b))
            .sum();
        let length = (f64::from(self.square) * f64::from(other.square)).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "between -1,000 and 1,000")]
        let thousandths = (f64::from(product) * 1_000.0 / length).round() as i32;
        thousandths
    }
}

/// The vectors of the texts that a dream compares, by text.
#[derive(Debug, Clone, Default)]
pub struct Vectors {
    by_text: HashMap<String, Vector>,
}

impl Vectors {
    /// Adds the vector of a text.
    pub fn put(&mut self, text: String, vector: Vector) {
        self.by_text.insert(text, vector);
    }

    /// The vector of a text, if it has one.
    #[must_use]
    pub fn of(&self, text: &str) -> Option<&Vector> {
        self.by_text.get(text)
    }

    /// True if there are none: then only words are compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_text.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_compared() {
        let vector = |values: &[f32]| Vector::of(values).unwrap();
        let (east, north, east_too) = (
            vector(&[1.0, 0.0]),
            vector(&[0.0, 3.0]),
            vector(&[0.2, 0.0]),
        );
        assert_eq!(
            (
                east.cosine(&east_too),
                east.cosine(&north),
                east.cosine(&vector(&[-2.0, 0.0]))
            ),
            (1_000, 0, -1_000)
        );
        assert_eq!(
            Vector::from_bytes(&vector(&[0.5, -0.25]).to_bytes()),
            Vector::of(&[0.5, -0.25])
        );
        assert_eq!(
            east.cosine(&vector(&[1.0, 0.0, 0.0])),
            0,
            "of another model"
        );
        assert!(
            Vector::of(&[0.0, 0.0]).is_none()
                && Vector::of(&[f32::NAN]).is_none()
                && Vector::from_bytes(&[]).is_none()
        );
    }
}
