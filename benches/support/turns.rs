//! Measuring two things in turns, under Criterion.
//!
//! Criterion times *ours*; before or after each time the limit is taken, so that both see the same machine. Criterion's
//! first round warms up and does not count here.

use std::time::Duration;

use criterion::{Criterion, SamplingMode};

use super::{median, quick_or};

/// One measurement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lap {
    pub took: Duration,
    /// CPU time meanwhile, without that of the sink.
    pub cpu: Duration,
}

/// Laps of both, in pairs.
#[derive(Default)]
pub struct Turns {
    pub limit: Vec<Lap>,
    pub ours: Vec<Lap>,
}

impl Turns {
    /// How fast we are beside the limit: medians.
    pub fn speed(&self) -> f64 {
        seconds(&self.limit) / seconds(&self.ours)
    }

    /// Median times: limit, ours.
    pub fn times(&self) -> (Duration, Duration) {
        let middle = |laps: &[Lap]| median(&laps.iter().map(|lap| lap.took).collect::<Vec<_>>());
        (middle(&self.limit), middle(&self.ours))
    }

    /// Median CPU times: limit, ours.
    pub fn cpu(&self) -> (Duration, Duration) {
        let middle = |laps: &[Lap]| median(&laps.iter().map(|lap| lap.cpu).collect::<Vec<_>>());
        (middle(&self.limit), middle(&self.ours))
    }
}

fn seconds(laps: &[Lap]) -> f64 {
    median(&laps.iter().map(|lap| lap.took.as_secs_f64()).collect::<Vec<_>>())
}

/// How much is to be measured.
#[derive(Clone, Copy)]
pub struct Effort {
    pub samples: usize,
    pub time: Duration,
}

impl Effort {
    /// Samples and seconds: where little time is to be spent, and else.
    pub fn new(quick: (usize, u64), full: (usize, u64)) -> Self {
        let (samples, seconds) = quick_or(quick, full);
        Self { samples, time: Duration::from_secs(seconds) }
    }
}

/// Measures both in turns. `None` where the command line names other benches.
pub fn in_turns(
    criterion: &mut Criterion,
    name: &str,
    effort: Effort,
    mut limit: impl FnMut() -> Lap,
    mut ours: impl FnMut() -> Lap,
) -> Option<Turns> {
    let mut turns = Turns::default();
    let mut warm = false;
    let (group, function) = name.split_once('/').unwrap();
    let mut group = criterion.benchmark_group(group);
    group.sample_size(effort.samples).measurement_time(effort.time);
    group.sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
    group.bench_function(function, |bencher| {
        bencher.iter_custom(|rounds| {
            let mut total = Duration::ZERO;
            for round in 0..rounds {
                let pair = if (round & 1) == 0 {
                    let limit = limit();
                    (limit, ours())
                } else {
                    let ours = ours();
                    (limit(), ours)
                };
                total += pair.1.took;
                if warm {
                    turns.limit.push(pair.0);
                    turns.ours.push(pair.1);
                }
            }
            warm = true;
            total
        });
    });
    group.finish();
    Some(turns).filter(|turns| !turns.ours.is_empty())
}
