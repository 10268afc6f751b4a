//! The lines that a bench ends with: each ratio beside its limit.

use std::process::ExitCode;

use super::is_set;

/// Collects the ratios of one bench.
pub struct Closing {
    lines: Vec<(String, f64, f64)>,
}

impl Closing {
    pub fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// `ratio` is what was reached of what was to be reached, and must be at least `limit`.
    pub fn ratio(&mut self, name: impl Into<String>, ratio: f64, limit: f64) {
        self.lines.push((name.into(), ratio, limit));
    }

    /// The same for a figure that must stay below a bound: how often it fits into it, at least once.
    pub fn within(&mut self, name: impl Into<String>, figure: f64, bound: f64) {
        self.ratio(name, bound / figure.max(f64::MIN_POSITIVE), 1.0);
    }

    /// Prints them; the status of the bench.
    pub fn end(self) -> ExitCode {
        println!();
        let mut missed = false;
        for (name, ratio, limit) in &self.lines {
            let ok = ratio >= limit;
            missed |= !ok;
            println!(
                "{name}: ratio {ratio:.3} (limit {limit:.2}) {}",
                if ok { "ok" } else { "MISSED" }
            );
        }
        if missed && is_set("DESPOOL_BENCH_ENFORCE") {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}
