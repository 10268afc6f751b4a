//! A USB stack and a printer on it, for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use super::UsbPort;
use super::pipes::{Outcome, Pipes, Sent, Work};
use super::quirks::Ways;
use crate::Bell;

/// The printer's side of the pipes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Fake {
    state: Arc<Mutex<State>>,
    done: Bell,
}

#[derive(Default)]
pub(super) struct State {
    /// It answers every transfer with NAK.
    pub(super) nak: bool,
    /// It halts when it has taken so many bytes.
    pub(super) halt_at: Option<usize>,
    /// It takes nothing, and halts again whenever that is cleared.
    pub(super) refuses: bool,
    /// It leaves the bus when it has taken so many bytes.
    pub(super) leave_at: Option<usize>,
    /// What it got.
    pub(super) got: Vec<u8>,
    /// What it wants to say; an empty text is an empty transfer.
    pub(super) says: VecDeque<Vec<u8>>,
    /// The port status; `None`: it does not answer.
    pub(super) status: Option<Result<u8, Outcome>>,
    /// It does not answer a reset.
    pub(super) deaf_to_reset: bool,
    pub(super) resets: u32,
    pub(super) halts_cleared: u32,
    pub(super) questions: u32,
    waiting: VecDeque<Vec<u8>>,
    ended: VecDeque<Sent>,
    listening: bool,
    asked: bool,
    halted: bool,
    gone: bool,
}

impl Fake {
    /// A port, and the printer that it leads to.
    pub(super) fn port(two_way: bool) -> (UsbPort, Self) {
        let done = Bell::new().unwrap();
        let state = State { status: Some(Ok(0x18)), ..State::default() };
        let fake = Self { state: Arc::new(Mutex::new(state)), done: done.clone() };
        let pipes = Box::new(fake.clone());
        (UsbPort::over(pipes, done, "usb://A/B", two_way, Ways::default(), None), fake)
    }

    pub(super) fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Does something to the printer.
    pub(super) fn with(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.look();
        act(&mut state);
        state.run();
        self.done.ring();
    }
}

impl State {
    /// Takes what waits.
    fn run(&mut self) {
        while !self.nak && !self.gone {
            let Some(bytes) = self.waiting.pop_front() else { break };
            self.take(bytes);
        }
        if self.gone {
            let rest = self.waiting.drain(..);
            let lost = rest.map(|bytes| Sent { bytes, count: 0, outcome: Outcome::Gone });
            self.ended.extend(lost);
        }
    }

    fn take(&mut self, bytes: Vec<u8>) {
        let room =
            |at: Option<usize>| at.map_or(usize::MAX, |at| at.saturating_sub(self.got.len()));
        let (to_halt, to_leave) = (room(self.halt_at), room(self.leave_at));
        let count =
            if self.halted || self.refuses { 0 } else { bytes.len().min(to_halt).min(to_leave) };
        self.got.extend(&bytes[..count]);
        let outcome = match () {
            () if count == bytes.len() => Outcome::Done,
            () if count == to_leave && !self.halted => Outcome::Gone,
            () => Outcome::Halted,
        };
        self.gone |= outcome == Outcome::Gone;
        if outcome == Outcome::Halted && !self.halted {
            (self.halted, self.halt_at) = (true, None);
        }
        self.ended.push_back(Sent { bytes, count, outcome });
    }
}

impl Pipes for Fake {
    fn send(&mut self, bytes: Vec<u8>) {
        self.with(|state| state.waiting.push_back(bytes));
    }

    fn sent(&mut self) -> Option<Sent> {
        self.look().ended.pop_front()
    }

    fn take_back(&mut self) {
        self.with(|state| {
            let taken = state.waiting.drain(..);
            let taken = taken.map(|bytes| Sent { bytes, count: 0, outcome: Outcome::Canceled });
            state.ended.extend(taken);
        });
    }

    fn listen(&mut self) {
        let mut state = self.look();
        assert!(!state.listening, "one transfer at a time");
        // As the real one: nobody is woken who has not asked yet.
        state.listening = true;
    }

    fn heard(&mut self) -> Option<(Vec<u8>, Outcome)> {
        let mut state = self.look();
        if state.gone {
            return Some((Vec::new(), Outcome::Gone));
        }
        let said = state.says.pop_front().filter(|_| state.listening)?;
        state.listening = false;
        Some((said, Outcome::Done))
    }

    fn ask_status(&mut self) {
        let mut state = self.look();
        assert!(!state.asked, "one question at a time");
        state.asked = true;
        state.questions += 1;
    }

    fn status(&mut self) -> Option<Result<u8, Outcome>> {
        let mut state = self.look();
        let answer = state.status.clone().filter(|_| state.asked)?;
        state.asked = false;
        Some(answer)
    }

    fn clear_halts(&mut self, _out: bool, _back: bool) -> Work {
        let fake = self.clone();
        Box::new(move || {
            fake.with(|state| {
                state.halted = false;
                state.halts_cleared += 1;
            });
            Ok(())
        })
    }

    fn soft_reset(&mut self) -> Work {
        let fake = self.clone();
        Box::new(move || {
            fake.with(|state| state.resets += 1);
            match fake.look().deaf_to_reset {
                true => Err("it does not answer a reset".to_owned()),
                false => Ok(()),
            }
        })
    }
}
