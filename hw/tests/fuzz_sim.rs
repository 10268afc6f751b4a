//! Whatever a host sends and whatever a control socket is told, a simulated printer stays whole and bounded.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::time::{Duration, Instant};

use despool_hw::Origin;
use despool_hw::limits::{SIM_BACK_BYTES, SIM_EXPRESS_BYTES};
use despool_hw::sim::{Checksum, Keep, Language, Model, ModelOptions, parse_command};

const BUFFER_BYTES: usize = 100;

/// Where bytes come in packets, those of half a packet are not counted yet.
const PACKET_BYTES: u64 = 65_535;

/// Lines that a fuzzer would take long to find.
const LINES: [&str; 12] = [
    "paper-out on",
    "paper-out off",
    "cover-open on",
    "cover-open off",
    "stall on",
    "stall off",
    "speed 500",
    "speed max",
    "unplug",
    "plug",
    "reset",
    "garbage 40000",
];

struct Rig {
    model: Model,
    now: Instant,
    taken: u64,
}

impl Rig {
    fn new(seed: u8) -> Self {
        let language = Language::ALL[usize::from(seed) % Language::ALL.len()];
        let keep = Keep::Memory { limit_bytes: 1 << 20 };
        let options = ModelOptions {
            buffer_bytes: BUFFER_BYTES,
            keep,
            checksum: Checksum::Crc32c,
            ..ModelOptions::default()
        };
        let now = Instant::now();
        Self { model: Model::new(language, options, now), now, taken: 0 }
    }

    fn step(&mut self, kind: u8, bytes: &[u8]) {
        let origin = [None, Some(Origin::Job), Some(Origin::Monitor)][usize::from(kind >> 4) % 3];
        match kind & 0x0F {
            0..=7 => self.taken += self.model.take(bytes, origin, self.now) as u64,
            8 => self.tell(&String::from_utf8_lossy(bytes)),
            9 => self.tell(LINES[usize::from(kind >> 4) % LINES.len()]),
            10 => self.now += Duration::from_millis(u64::from(kind >> 4) << 10),
            11 => drop(self.model.read_back(&mut vec![0; bytes.len()])),
            12 => self.model.begin_job(),
            13 => self.model.end_of_job(self.now),
            14 => self.model.break_job(self.now),
            _ => self.model.tick(self.now),
        }
        self.check();
    }

    fn tell(&mut self, line: &str) {
        let Ok(command) = parse_command(line) else { return };
        let answer = self.model.apply(&command, self.now).to_json();
        assert!(answer.starts_with('{') && answer.ends_with('}'));
        if line.trim_ascii() == "reset" {
            self.taken = 0;
        }
    }

    fn check(&self) {
        let received = self.model.received();
        let counted = received.bytes + received.monitor_bytes;
        let half = if self.model.language() == Language::Ieee1284_4 { PACKET_BYTES } else { 0 };
        assert!(counted.abs_diff(self.taken) <= half, "{counted} of {}", self.taken);
        assert!(self.model.back_waiting() <= SIM_BACK_BYTES);
        assert!(self.model.buffered() <= BUFFER_BYTES + SIM_EXPRESS_BYTES + 8);
    }
}

#[test]
fn fuzz_sim() {
    bolero::check!().for_each(|input: &[u8]| {
        let Some((seed, mut rest)) = input.split_first() else { return };
        let mut rig = Rig::new(*seed);
        while let [kind, len, tail @ ..] = rest {
            let (bytes, after) = tail.split_at(usize::from(*len).min(tail.len()));
            rig.step(*kind, bytes);
            rest = after;
        }
    });
}
