//! How figures are told: counts, shares, intervals, and dice that fall the same each time.

/// A rule's calls: how many, and how many of them were right.
#[derive(Default)]
pub struct Calls {
    pub called: usize,
    pub good: usize,
}

impl Calls {
    pub fn add(&mut self, good: bool) {
        self.called += 1;
        self.good += usize::from(good);
    }

    pub fn print(&self, what: &str) {
        let (low, high) = wilson(self.good, self.called);
        let precision = ratio(self.good, self.called);
        println!(
            "{what:<34} {:>8} {:>8} {precision:>8.3} ({low:.3}-{high:.3})",
            self.called, self.good
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
pub fn ratio(good: usize, all: usize) -> f64 {
    if all == 0 {
        f64::NAN
    } else {
        good as f64 / all as f64
    }
}

/// Wilson's interval for a share, 95 %.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
pub fn wilson(good: usize, all: usize) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (p, n, z) = (ratio(good, all), all as f64, 1.96_f64);
    let center = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((center - half) / scale, (center + half) / scale)
}

/// Numbers that look random and are the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}
