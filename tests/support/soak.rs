//! How long the long checks are: seconds in `make test`, with fixed seeds; the real thing in `make
//! soak`.

/// The short number, or the long one under `make soak`.
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("LUCID_SOAK").is_some() {
        long
    } else {
        short
    }
}

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    /// With this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
