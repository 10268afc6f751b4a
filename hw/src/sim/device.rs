//! The printer that stands in the outside world: a model, who uses it, who watches it.
//!
//! Everybody holds a [`SimHandle`]: the wire's thread, the control socket, a test. The model lies behind one lock;
//! changes that come from outside (a command) ring the bells of those who wait on a descriptor and wake those who
//! wait for a state.
//!
//! ```text
//!   command ──► lock ──► model ──► bells (wires) ──► the wire follows (plug, unplug) ──► settled ──► the answer
//!                          └─────► condition variable (wait_for)
//!                          └─────► events ──► hook, in order, outside the lock
//! ```
//!
//! The one invariant: a command is answered when its effect can be seen, also on the wire.

#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::wire::Wire;
use super::answer::Answer;
use super::command::{Command, parse};
use super::event::Event;
use super::model::{JobSpan, Model, Received, Snapshot};
use crate::Bell;
use crate::poll::earlier;

/// A simulated printer, wherever its wire leads. Cheap to clone; all clones are the same printer.
#[derive(Clone)]
pub struct SimHandle {
    shared: Arc<Shared>,
}

type Hook = Arc<dyn Fn(&Event) + Send + Sync>;

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Somebody is calling the hook.
    telling: AtomicBool,
}

pub(super) struct State {
    pub(super) model: Model,
    /// Hosts at the other end of the wire.
    pub(super) hosts: usize,
    /// How often the cable was pulled or put back.
    pub(super) plugs: u64,
    /// The wire's thread, where there is one.
    wire: Option<Wire>,
    watchers: Vec<(u64, Bell)>,
    next_watcher: u64,
    /// One for each who waits for a state: below so many bytes of jobs it need not be woken (0: every change matters).
    waiters: Vec<u64>,
    hook: Option<Hook>,
}

impl SimHandle {
    /// A printer that no wire leads to yet.
    pub(super) fn new(model: Model) -> Self {
        let state = State {
            model,
            hosts: 0,
            plugs: 0,
            wire: None,
            watchers: Vec::new(),
            next_watcher: 0,
            waiters: Vec::new(),
            hook: None,
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { shared: Arc::new(Shared { state, changed, telling: AtomicBool::new(false) }) }
    }

    /// Carries out one line of the control language (see [`Command`]); the answer is one JSON object.
    pub fn command(&self, line: &str) -> String {
        match parse(line) {
            Ok(command) => self.apply(&command).to_json(),
            Err(why) => Answer::Refused(why).to_json(),
        }
    }

    /// Carries out a command. Pulling and putting back the cable wait (at most [`crate::limits::SIM_SETTLE_WAIT`])
    /// until the wire has followed, unless the wire's own thread asks.
    pub fn apply(&self, command: &Command) -> Answer {
        let (answer, plugs) = self.with(|state, now| {
            let plugged = state.model.plugged();
            let mut answer = state.model.apply(command, now);
            if let Answer::State(snapshot) = &mut answer {
                snapshot.hosts = state.hosts;
            }
            if plugged != state.model.plugged() {
                state.plugs = state.plugs.wrapping_add(1);
                state.hosts = 0;
            }
            state.ring();
            (answer, state.plugs)
        });
        match (command, self.settle(plugs)) {
            (Command::Plug | Command::Unplug, Err(why)) => Answer::Refused(why),
            _ => answer,
        }
    }

    /// What the printer received since the last `reset`.
    pub fn received(&self) -> Received {
        self.with(|state, _| state.model.received())
    }

    /// What can be seen of it from outside.
    pub fn snapshot(&self) -> Snapshot {
        self.with(|state, _| state.snapshot())
    }

    /// Where the last jobs lay in the bytes of jobs, oldest first.
    pub fn jobs(&self) -> Vec<JobSpan> {
        self.with(|state, _| state.model.jobs())
    }

    /// The bytes of jobs kept since the last call (see [`super::Keep`]).
    pub fn take_kept(&self) -> Vec<u8> {
        self.with(|state, _| state.model.take_kept())
    }

    /// Waits until `wanted` holds; false: the deadline came first. Woken by every change, no polling. `wanted` is
    /// called under the printer's lock: it must not use the handle.
    pub fn wait_for(&self, wanted: impl Fn(&Snapshot) -> bool, deadline: Instant) -> bool {
        self.wait(0, wanted, deadline)
    }

    /// Waits until the printer has this many bytes of jobs; false: the deadline came first. Not woken by every piece on
    /// the way there, so that a wait for the end of a job takes nothing from whoever sends it.
    pub fn wait_for_bytes(&self, bytes: u64, deadline: Instant) -> bool {
        self.wait(bytes, |state| state.bytes >= bytes, deadline)
    }

    fn wait(
        &self,
        least_bytes: u64,
        wanted: impl Fn(&Snapshot) -> bool,
        deadline: Instant,
    ) -> bool {
        let mut state = self.lock();
        let held = loop {
            let now = Instant::now();
            state.model.tick(now);
            let held = wanted(&state.snapshot());
            if held || now >= deadline {
                break held;
            }
            let until = earlier(state.model.next_event(now), Some(deadline)).unwrap_or(deadline);
            state = self.doze(state, least_bytes, until);
        };
        self.let_go(state);
        held
    }

    /// Calls `hook` for everything that happens from now on, in order, on the thread that made it happen, outside any
    /// lock (so it may use the handle). It replaces an earlier one. Who is slow misses the oldest of more than
    /// [`crate::limits::SIM_EVENTS`] events.
    pub fn on_event(&self, hook: impl Fn(&Event) + Send + Sync + 'static) {
        let mut state = self.lock();
        state.model.log().watch(true);
        state.hook = Some(Arc::new(hook));
    }

    /// Looks at the printer, or changes it, now.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut State, Instant) -> R) -> R {
        let now = Instant::now();
        let mut state = self.lock();
        state.model.tick(now);
        let result = act(&mut state, now);
        if state.is_awaited() {
            self.shared.changed.notify_all();
        }
        self.let_go(state);
        result
    }

    /// Unlocks, and tells the hook what happened meanwhile.
    fn let_go(&self, mut state: MutexGuard<'_, State>) {
        let news = state.hook.is_some() && !state.model.log().is_empty();
        drop(state);
        if news {
            self.tell();
        }
    }

    /// Rings `bell` at every change that comes from outside, until the guard is dropped.
    pub(super) fn watch(&self, bell: Bell) -> Watch {
        let mut state = self.lock();
        let id = state.next_watcher;
        state.next_watcher = id.wrapping_add(1);
        state.watchers.push((id, bell));
        Watch { handle: self.clone(), id }
    }

    fn doze<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        least_bytes: u64,
        until: Instant,
    ) -> MutexGuard<'a, State> {
        let left = until.saturating_duration_since(Instant::now());
        state.waiters.push(least_bytes);
        let waited = self.shared.changed.wait_timeout(state, left);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let ours = state.waiters.iter().position(|least| *least == least_bytes);
        ours.map(|at| state.waiters.swap_remove(at));
        state
    }

    /// Hands events to the hook. One thread does so at a time; the others' events are handed on by it.
    fn tell(&self) {
        loop {
            if self.shared.telling.swap(true, Ordering::AcqRel) {
                return;
            }
            let telling = Telling(&self.shared.telling);
            loop {
                let mut state = self.lock();
                let (events, hook) = (state.model.log().take(), state.hook.clone());
                drop(state);
                let Some(hook) = hook.filter(|_| !events.is_empty()) else { break };
                events.iter().for_each(|event| hook(event));
            }
            drop(telling);
            if self.lock().model.log().is_empty() {
                return;
            }
        }
    }

    /// A panic of somebody else's hook or predicate leaves a state that is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SimHandle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("SimHandle").field(&self.snapshot()).finish()
    }
}

impl State {
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { hosts: self.hosts, ..self.model.snapshot() }
    }

    /// True where somebody waits whom a change may concern.
    fn is_awaited(&self) -> bool {
        let least = self.waiters.iter().min();
        least.is_some_and(|least| *least == 0 || self.model.snapshot().bytes >= *least)
    }

    /// Wakes those who wait on a descriptor.
    pub(super) fn ring(&self) {
        for (_, bell) in &self.watchers {
            bell.ring();
        }
    }
}

/// Says that nobody is calling the hook any more, also where the hook panics.
struct Telling<'a>(&'a AtomicBool);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Keeps a bell in the printer's list.
#[derive(Debug)]
pub struct Watch {
    handle: SimHandle,
    id: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.lock().watchers.retain(|(id, _)| *id != self.id);
    }
}
