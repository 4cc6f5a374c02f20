//! How weights are learned. Used by the trainers that `make train` runs, never by a running Lucid;
//! the same examples give the same weights.

use super::{Hashed, Linear, Named, PLACES};

/// How fast and how long [`Linear`] weights are learned.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Passes over all examples.
    pub passes: usize,
    /// Size of a step before it is scaled down by what was learned at its place.
    pub rate: f32,
    /// How strongly weights are drawn to zero at each step.
    pub decay: f32,
}

/// Steps of Newton's method for [`Named`] weights; it has converged long before.
const STEPS: usize = 25;

/// Logistic regression by stochastic gradients with a step of its own for each place (`AdaGrad`),
/// in an order that is always the same.
#[must_use]
pub fn linear(examples: &[(&Hashed, bool)], pace: Pace) -> Linear {
    let mut weights = vec![0.0_f32; PLACES];
    let mut bias = 0.0_f32;
    let mut squares = vec![1e-3_f32; PLACES];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut state = 7_u64;
    for _ in 0..pace.passes {
        for i in (1..order.len()).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            order.swap(i, usize::try_from(state >> 33).unwrap_or(0) % (i + 1));
        }
        for &i in &order {
            let (features, yes) = examples[i];
            let target = if yes { 1.0 } else { 0.0 };
            let score = features
                .iter()
                .fold(bias, |sum, (place, value)| sum + weights[*place] * value);
            let error = 1.0 / (1.0 + (-score).exp()) - target;
            bias -= 0.02 * error;
            for &(place, value) in features {
                let gradient = error * value + pace.decay * weights[place];
                squares[place] += gradient * gradient;
                weights[place] -= pace.rate * gradient / squares[place].sqrt();
            }
        }
    }
    let step = (weights.iter().fold(0.0_f32, |most, w| most.max(w.abs())) / 127.0).max(1e-9);
    #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
    let steps: Vec<u8> = weights
        .iter()
        .map(|w| ((w / step).round() as i8).cast_unsigned())
        .collect();
    Linear {
        bias,
        step,
        weights: steps.into(),
    }
}

impl Linear {
    /// The file that [`Linear::of`] reads: the bias, the step, and each weight as a number of
    /// steps.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.bias.to_le_bytes(), self.step.to_le_bytes()].concat();
        bytes.extend(self.weights.iter());
        bytes
    }
}

/// Logistic regression by Newton's method over values scaled to mean 0 and deviation 1; `decay`
/// draws the scaled weights to zero.
#[must_use]
#[expect(clippy::needless_range_loop, reason = "rows and columns of a matrix")]
pub fn named(rows: &[(Vec<f64>, bool)], decay: f64) -> Named {
    let width = rows.first().map_or(0, |r| r.0.len());
    let count = f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean: Vec<f64> = (0..width)
        .map(|i| rows.iter().map(|r| r.0[i]).sum::<f64>() / count)
        .collect();
    let deviation =
        |i: usize| (rows.iter().map(|r| (r.0[i] - mean[i]).powi(2)).sum::<f64>() / count).sqrt();
    let scale: Vec<f64> = (0..width)
        .map(deviation)
        .map(|d| if d > 1e-9 { 1.0 / d } else { 0.0 })
        .collect();
    // The last value is 1, for the bias.
    let scaled: Vec<Vec<f64>> = rows
        .iter()
        .map(|r| {
            r.0.iter()
                .zip(mean.iter().zip(&scale))
                .map(|(v, (m, s))| (v - m) * s)
                .chain([1.0])
                .collect()
        })
        .collect();
    let mut weights = vec![0.0; width + 1];
    for _ in 0..STEPS {
        let mut gradient = vec![0.0; width + 1];
        let mut curve = vec![vec![0.0; width + 1]; width + 1];
        for i in 0..width {
            gradient[i] = decay * weights[i];
            curve[i][i] = decay;
        }
        curve[width][width] = 1e-9;
        for (x, (_, yes)) in scaled.iter().zip(rows) {
            let p = 1.0 / (1.0 + (-x.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>()).exp());
            let error = p - if *yes { 1.0 } else { 0.0 };
            for i in 0..=width {
                gradient[i] += error * x[i];
                for j in 0..=i {
                    curve[i][j] += p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        for i in 0..=width {
            for j in 0..i {
                curve[j][i] = curve[i][j];
            }
        }
        for (weight, change) in weights.iter_mut().zip(solved(curve, gradient)) {
            *weight -= change;
        }
    }
    let plain: Vec<f64> = weights.iter().zip(&scale).map(|(w, s)| w * s).collect();
    let bias = weights[width] - plain.iter().zip(&mean).map(|(w, m)| w * m).sum::<f64>();
    Named {
        bias,
        weights: plain,
    }
}

/// Solves a system of linear equations (Gauss, with the largest pivot).
#[expect(clippy::needless_range_loop, reason = "rows and columns of a matrix")]
fn solved(mut rows: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for at in 0..n {
        let pivot = (at..n)
            .max_by(|&a, &b| rows[a][at].abs().total_cmp(&rows[b][at].abs()))
            .unwrap_or(at);
        rows.swap(at, pivot);
        right.swap(at, pivot);
        for below in at + 1..n {
            let factor = if rows[at][at].abs() > 1e-12 {
                rows[below][at] / rows[at][at]
            } else {
                0.0
            };
            for column in at..n {
                rows[below][column] -= factor * rows[at][column];
            }
            right[below] -= factor * right[at];
        }
    }
    let mut found = vec![0.0; n];
    for at in (0..n).rev() {
        let rest: f64 = (at + 1..n)
            .map(|column| rows[at][column] * found[column])
            .sum();
        found[at] = if rows[at][at].abs() > 1e-12 {
            (right[at] - rest) / rows[at][at]
        } else {
            0.0
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::features;

    #[test]
    fn named_weights_tell_two_kinds_apart_and_are_read_as_written() {
        let row = |a: f64, b: f64| (vec![a, b], a + b > 1.0);
        let rows: Vec<(Vec<f64>, bool)> = (0..100)
            .map(|n| row(f64::from(n % 10) / 10.0, f64::from(n / 10) / 10.0))
            .collect();
        let learned = named(&rows, 0.1);
        assert!(
            learned.odds(&[0.9, 0.9]) > 2.0 && learned.odds(&[0.1, 0.1]) < -2.0,
            "{learned:?}"
        );
        let read = Named::of(&learned.text(&["a", "b"]), &["a", "b"]).unwrap();
        assert!((read.odds(&[0.3, 0.4]) - learned.odds(&[0.3, 0.4])).abs() < 0.001);
        assert_eq!(
            Named::of("bias\t1\na\t2\n", &["a", "b"]),
            None,
            "a name is missing"
        );
    }

    #[test]
    fn hashed_weights_are_learned_and_read_as_written() {
        let (yes, no) = (
            features("we never deploy on fridays"),
            features("thanks a lot for the file"),
        );
        let learned = linear(
            &[(&yes, true), (&no, false)],
            Pace {
                passes: 10,
                rate: 0.3,
                decay: 1e-4,
            },
        );
        let read = Linear::of(learned.bytes()).unwrap();
        assert!(read.odds(&yes) > 0.0 && read.odds(&no) < 0.0);
        assert!(Linear::of(vec![0; 20]).is_none());
    }
}
