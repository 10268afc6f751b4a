//! Supervision: actors that die are made anew, and nobody has to know.
//!
//! A panic in a handler kills an actix actor together with actix' own `Supervisor`. So supervision is ours: every actor
//! carries an [`Obituary`] whose `Drop` tells the [`Supervisor`], which holds a factory for each. The address of an
//! actor is a [`Live`] handle that always leads to the living one.
//!
//! ```text
//!            factory                    panic or stop                    back-off
//!   ward ──────────────► actor (n) ───────────────────► Died ──────────────────────► actor (n+1)
//!                            ▲                                                            │
//!   Live ── tell, ask ───────┴────────────────────────────────────────────────────────────┘
//! ```
//!
//! The wards live in a registry outside the supervisor, so that the supervisor itself can die: whoever holds the
//! [`Wards`] starts another, which looks for the dead.
//!
//! The invariant: a message told to a living actor is handled or lost with that actor; what must not be lost is on disk
//! (the spool), and an actor made anew begins by asking for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix::prelude::*;
use tokio::sync::watch;

use crate::error::Error;
use crate::limits::{REBIRTH_WAIT, RESTART_CALM, RESTART_PAUSE_FIRST, RESTART_PAUSE_LAST};

/// Which of its kind an actor is: 0 for the first, counting up with each rebirth.
pub type Incarnation = u64;

/// One life of an actor. The same name can be kept twice, one after the other (a printer that is configured anew): the
/// death of the first is none of the second's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    /// Which keeping of the name.
    keeping: u64,
    incarnation: Incarnation,
}

impl Life {
    /// The first life of an actor that is kept from now on.
    fn first() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { keeping: NEXT.fetch_add(1, Ordering::Relaxed), incarnation: 0 }
    }

    fn next(self) -> Self {
        Self { incarnation: self.incarnation.saturating_add(1), ..self }
    }
}

/// A handle that always leads to the living actor.
pub struct Live<A: Actor> {
    addr: watch::Receiver<Option<Addr<A>>>,
}

impl<A: Actor> Clone for Live<A> {
    fn clone(&self) -> Self {
        Self { addr: self.addr.clone() }
    }
}

impl<A: Actor<Context = Context<A>>> Live<A> {
    /// Sends without waiting. A message to an actor that is just being made anew is lost: send only what the newborn will
    /// ask for anyway. Callers bound how many of their messages are under way; mailboxes do not.
    #[allow(clippy::disallowed_methods)]
    pub fn tell<M>(&self, message: M)
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
    {
        if let Some(addr) = &*self.addr.borrow() {
            addr.do_send(message);
        }
    }

    /// Sends and waits for the answer. Waits (at most [`REBIRTH_WAIT`]) for an actor that is being made anew.
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, Error>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
    {
        let now = self.addr.borrow().clone().filter(Addr::connected);
        let addr = match now {
            Some(addr) => addr,
            None => self.living().await.ok_or(Error::Restarting)?,
        };
        addr.send(message).await.map_err(|_| Error::Restarting)
    }

    /// Waits for an actor that is being made anew.
    async fn living(&self) -> Option<Addr<A>> {
        let mut watched = self.addr.clone();
        let living = watched.wait_for(|addr| addr.as_ref().is_some_and(Addr::connected));
        tokio::time::timeout(REBIRTH_WAIT, living).await.ok()?.ok()?.clone()
    }
}

/// The place of an actor that is yet to be started.
pub struct Slot<A: Actor>(watch::Sender<Option<Addr<A>>>);

/// A handle to an actor that is yet to be started, and the place to start it in. Actors that know each other are made
/// with it.
pub fn vacant<A: Actor>() -> (Slot<A>, Live<A>) {
    let (slot, addr) = watch::channel(None);
    (Slot(slot), Live { addr })
}

/// The last field of every supervised actor: dropped with it, it tells the supervisor.
pub struct Obituary {
    ward: Arc<str>,
    life: Life,
    supervisor: Live<Supervisor>,
}

impl Obituary {
    /// Which of its kind this actor is.
    pub fn incarnation(&self) -> Incarnation {
        self.life.incarnation
    }
}

impl Drop for Obituary {
    fn drop(&mut self) {
        let panicked = std::thread::panicking();
        self.supervisor.tell(Died { ward: self.ward.clone(), life: self.life, panicked });
    }
}

/// An actor is gone.
#[derive(Message)]
#[rtype(result = "()")]
struct Died {
    ward: Arc<str>,
    life: Life,
    panicked: bool,
}

/// All supervised actors, and how to make them.
#[derive(Clone)]
pub struct Wards {
    registry: Arc<Mutex<HashMap<Arc<str>, Ward>>>,
    supervisor: Live<Supervisor>,
    supervisor_slot: Arc<watch::Sender<Option<Addr<Supervisor>>>>,
}

struct Ward {
    make: Box<dyn Fn(Life) + Send>,
    alive: Box<dyn Fn() -> bool + Send>,
    life: Life,
    born: Instant,
    pause: Duration,
}

impl Wards {
    /// No wards yet, and a supervisor on `arbiter`.
    pub fn new(arbiter: &ArbiterHandle) -> Self {
        let (slot, addr) = watch::channel(None);
        let wards = Self {
            registry: Arc::default(),
            supervisor: Live { addr },
            supervisor_slot: Arc::new(slot),
        };
        wards.start_supervisor(arbiter.clone());
        wards
    }

    fn start_supervisor(&self, arbiter: ArbiterHandle) {
        let (wards, guarded) = (self.clone(), arbiter.clone());
        // The guard is made where the actor is: an arbiter that has ended starts nothing, and guards nothing.
        let slot = self.supervisor_slot.clone();
        Supervisor::start_in_arbiter(&arbiter, move |ctx| {
            slot.send_replace(Some(ctx.address()));
            Supervisor { _guard: SupervisorGuard { wards: wards.clone(), arbiter: guarded }, wards }
        });
    }

    /// Starts an actor on `arbiter` and keeps it alive: `make` is called for the first one and after each death.
    pub fn keep<A>(
        &self,
        name: impl Into<Arc<str>>,
        arbiter: &ArbiterHandle,
        make: impl Fn(Obituary) -> A + Send + Sync + 'static,
    ) -> Live<A>
    where
        A: Actor<Context = Context<A>>,
    {
        let (slot, live) = vacant();
        self.keep_in(slot, name, arbiter, make);
        live
    }

    /// The same behind a handle that was given out before.
    pub fn keep_in<A>(
        &self,
        slot: Slot<A>,
        name: impl Into<Arc<str>>,
        arbiter: &ArbiterHandle,
        make: impl Fn(Obituary) -> A + Send + Sync + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let name = name.into();
        let slot = Arc::new(slot.0);
        let (make, arbiter) = (Arc::new(make), arbiter.clone());
        let (supervisor, ward) = (self.supervisor.clone(), name.clone());
        let living = slot.clone();
        let start = move |life| {
            let obituary = Obituary { ward: ward.clone(), life, supervisor: supervisor.clone() };
            let (make, slot) = (make.clone(), slot.clone());
            // The address is given out before the actor does anything: what it starts may talk to it at once.
            A::start_in_arbiter(&arbiter, move |ctx| {
                slot.send_replace(Some(ctx.address()));
                make(obituary)
            });
        };
        let life = Life::first();
        start(life);
        // One that has not begun yet is not dead.
        let alive = move || living.borrow().as_ref().is_none_or(Addr::connected);
        let ward = Ward {
            make: Box::new(start),
            alive: Box::new(alive),
            life,
            born: Instant::now(),
            pause: Duration::ZERO,
        };
        self.lock().insert(name, ward);
    }

    /// Stops keeping an actor alive. It ends with its last address.
    pub fn release(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Stops keeping anybody alive: the server ends.
    pub fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Ward>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long to wait before the next of this kind is made; `None` where nobody wants it any more.
    fn mourn(&self, name: &str, life: Life) -> Option<Duration> {
        let mut registry = self.lock();
        let ward = registry.get_mut(name).filter(|ward| ward.life == life)?;
        let calm = ward.born.elapsed() >= RESTART_CALM;
        let pause = if calm { Duration::ZERO } else { ward.pause };
        ward.pause = if pause.is_zero() {
            RESTART_PAUSE_FIRST
        } else {
            pause.saturating_mul(2).min(RESTART_PAUSE_LAST)
        };
        Some(pause)
    }

    fn revive(&self, name: &str, life: Life) {
        let mut registry = self.lock();
        let Some(ward) = registry.get_mut(name).filter(|ward| ward.life == life) else { return };
        ward.life = life.next();
        ward.born = Instant::now();
        (ward.make)(ward.life);
    }

    /// Wards that died while there was no supervisor.
    fn dead(&self) -> Vec<(Arc<str>, Life)> {
        let registry = self.lock();
        let dead = registry.iter().filter(|(_, ward)| !(ward.alive)());
        dead.map(|(name, ward)| (name.clone(), ward.life)).collect()
    }
}

/// Starts another supervisor when this one is dropped by a panic.
struct SupervisorGuard {
    wards: Wards,
    arbiter: ArbiterHandle,
}

impl Drop for SupervisorGuard {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.wards.lock().is_empty() {
            tracing::error!("the supervisor died; starting another");
            self.wards.start_supervisor(self.arbiter.clone());
        }
    }
}

/// Hears of deaths and makes anew.
pub struct Supervisor {
    wards: Wards,
    _guard: SupervisorGuard,
}

impl Supervisor {
    fn bury(&self, died: &Died, ctx: &mut Context<Self>) {
        let Some(pause) = self.wards.mourn(&died.ward, died.life) else { return };
        tracing::error!(
            actor = %died.ward,
            panicked = died.panicked,
            pause_ms = pause.as_millis(),
            "an actor died; it is made anew, nothing on disk is lost"
        );
        let (ward, life) = (died.ward.clone(), died.life);
        if pause.is_zero() {
            self.wards.revive(&ward, life);
        } else {
            ctx.run_later(pause, move |this, _| this.wards.revive(&ward, life));
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for (ward, life) in self.wards.dead() {
            self.bury(&Died { ward, life, panicked: true }, ctx);
        }
    }
}

impl Handler<Died> for Supervisor {
    type Result = ();

    fn handle(&mut self, died: Died, ctx: &mut Self::Context) {
        self.bury(&died, ctx);
    }
}

/// Kills the actor that handles it. For tests of what survives.
#[cfg(test)]
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub(crate) struct Crash;

/// Lets actors be killed by tests.
#[cfg(test)]
macro_rules! crashes {
    ($($actor:ty),*) => {$(
        impl Handler<Crash> for $actor {
            type Result = ();

            fn handle(&mut self, _: Crash, _: &mut Self::Context) {
                panic!("injected: {} dies", stringify!($actor));
            }
        }
    )*};
}

#[cfg(test)]
pub(crate) use crashes;

#[cfg(test)]
crashes!(Supervisor);

#[cfg(test)]
mod tests;
