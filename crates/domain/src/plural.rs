//! Counts in words: `1 memory`, `2 memories`; and costs.

use std::fmt::Display;

/// A count with its noun, in the singular or the regular English plural.
#[must_use]
pub fn count<N: Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    if n == N::from(1) {
        return format!("{n} {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{n} {stem}ies"),
        _ => format!("{n} {noun}s"),
    }
}

/// A cost in the operator's currency, from its millionths: `0.0125`.
#[must_use]
pub fn cost(micros: i64) -> String {
    format!("{}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn plurals() {
        assert_eq!(count(1_i64, "memory"), "1 memory");
        assert_eq!(count(2_usize, "memory"), "2 memories");
        assert_eq!(count(0_i64, "copy"), "0 copies");
        assert_eq!(count(3_u64, "day"), "3 days");
        assert_eq!(count(2_i64, "more quote"), "2 more quotes");
    }
}
