//! The printer behind whatever wire: despool's simulated printer, as an engine of the wire models.

use std::time::{Duration, Instant};

use despool_hil_models::{Condition, Engine};
use despool_hw::sim::{Answer, Checksum, Keep, Language, Model, ModelOptions, SimHandle, Snapshot};

use crate::error::{Error, Result};
use crate::limits::{EVENT, PRINTER_BYTES};
use crate::patience::Patience;

/// How a printer is made.
#[derive(Clone, Copy, Debug)]
pub struct PrinterBuild {
    /// What it speaks.
    pub language: Language,
    /// Its input buffer: the longest transfer must fit.
    pub buffer_bytes: usize,
    /// So many bytes of jobs are kept, to be compared.
    pub keep_bytes: usize,
}

impl Default for PrinterBuild {
    fn default() -> Self {
        let keep_bytes = 256 << 20;
        Self { language: Language::Plain, buffer_bytes: PRINTER_BYTES, keep_bytes }
    }
}

/// A simulated printer. Cheap to clone; all clones are the same printer.
#[derive(Clone, Debug)]
pub struct Printer {
    handle: SimHandle,
}

impl Default for Printer {
    fn default() -> Self {
        Self::new(PrinterBuild::default())
    }
}

impl Printer {
    /// A printer that is on line and empty.
    pub fn new(build: PrinterBuild) -> Self {
        let model = model(build);
        Self { handle: SimHandle::without_wire(model) }
    }

    pub(super) fn of(handle: SimHandle) -> Self {
        Self { handle }
    }

    /// The simulated printer itself.
    pub fn handle(&self) -> &SimHandle {
        &self.handle
    }

    /// What a wire has at its end.
    pub fn behind(&self) -> Behind {
        Behind { handle: self.handle.clone() }
    }

    /// Tells it what happens to it, such as `paper-out on` (see [`despool_hw::sim::Command`]).
    pub fn tell(&self, command: &str) -> Result<()> {
        let command = despool_hw::sim::parse_command(command).map_err(Error::Unexpected)?;
        match self.handle.apply(&command) {
            Answer::Refused(why) => Err(Error::Unexpected(why)),
            _ => Ok(()),
        }
    }

    /// Bytes of jobs that it has taken since the last `reset`.
    pub fn bytes(&self) -> u64 {
        self.handle.received().bytes
    }

    /// Waits until it has taken this many bytes of jobs.
    pub fn wait_for_bytes(&self, bytes: u64) -> Result<()> {
        let wait = |deadline| self.handle.wait_for_bytes(bytes, deadline);
        self.wait(&format!("{bytes} bytes"), EVENT, wait)
    }

    /// Waits for anything that can be seen of it.
    pub fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Result<()> {
        self.wait(what, limit, |deadline| self.handle.wait_for(&wanted, deadline))
    }

    fn wait(&self, what: &str, limit: Duration, wait: impl Fn(Instant) -> bool) -> Result<()> {
        let until = Patience::new(limit);
        loop {
            let left = until.left();
            if wait(Instant::now() + left) {
                return Ok(());
            }
            if left.is_zero() {
                break;
            }
        }
        let seen = self.handle.snapshot();
        let what = format!("the printer does not have {what}: {seen:?}");
        Err(Error::TooLate { what, waited: limit })
    }

    /// It forgets what it had not printed, and what it wanted to say.
    pub fn switch_off_and_on(&self) {
        self.handle.with_model(Model::power_cycle);
    }

    /// The bytes of jobs that came since the last call.
    pub fn take(&self) -> Vec<u8> {
        self.handle.take_kept()
    }

    /// Compares what came since the last call with what should have come, to the byte.
    pub fn expect(&self, expected: &[u8]) -> Result<()> {
        let got = self.take();
        let differs = got.iter().zip(expected).position(|(got, wanted)| got != wanted);
        match differs {
            None if got.len() == expected.len() => Ok(()),
            None => Err(Error::Unexpected(format!(
                "the printer got {} bytes instead of {}, the same as far as they go",
                got.len(),
                expected.len()
            ))),
            Some(at) => Err(Error::Unexpected(format!(
                "the printer got {} bytes; of the {} expected the one at {at} differs",
                got.len(),
                expected.len()
            ))),
        }
    }
}

pub(super) fn model(build: PrinterBuild) -> Model {
    let PrinterBuild { language, buffer_bytes, keep_bytes } = build;
    let keep = Keep::Memory { limit_bytes: keep_bytes };
    let checksum = Checksum::Off;
    let options = ModelOptions { buffer_bytes, checksum, keep, ..ModelOptions::default() };
    Model::new(language, options, Instant::now())
}

/// The end of a wire at a printer.
#[derive(Clone, Debug)]
pub struct Behind {
    handle: SimHandle,
}

impl Behind {
    /// The printer.
    pub fn handle(&self) -> &SimHandle {
        &self.handle
    }
}

/// All of it at the time that the caller says: when there will be room is asked for after it was asked whether there is, and a
/// moment that falls between the two would be lost.
impl Engine for Behind {
    fn room(&self, now: Instant) -> usize {
        self.handle.with_model(|model, _| model.wire_room(now))
    }

    fn take(&mut self, bytes: &[u8], now: Instant) -> usize {
        self.handle.with_model(|model, _| model.take(bytes, None, now))
    }

    fn say(&mut self, limit_bytes: usize, _now: Instant) -> Vec<u8> {
        self.handle.with_model(|model, _| {
            let mut words = vec![0; model.back_waiting().min(limit_bytes)];
            let count = model.read_back(&mut words);
            words.truncate(count);
            words
        })
    }

    fn condition(&self) -> Condition {
        let condition = self.handle.with_model(|model, _| model.condition());
        Condition {
            paper_out: condition.paper_out,
            offline: !condition.online(),
            fault: condition.faulty(),
        }
    }

    fn reset(&mut self, _now: Instant) {
        self.handle.with_model(Model::power_cycle);
    }

    fn next_event(&self, now: Instant) -> Option<Instant> {
        self.handle.with_model(|model, _| model.next_event(now))
    }
}
