//! The broker: the one [`Core`] of a server, shared by sources, transports and listeners on any thread.
//!
//! A lock around the core, held for as long as one operation takes and never while foreign code runs. What follows from
//! operations goes into an outbox in their order; whoever finds it unattended empties it, outside of the lock.
//!
//! ```text
//!   operation ──► lock { core, outbox } ──► nobody at the outbox? ──► run completions one by one, in order
//!                                      └──► somebody is: done, they will run it
//! ```
//!
//! A completion is called exactly once, perhaps before the operation returns, perhaps on another thread: it must be short
//! and must not block. It may call the broker. A call that was canceled in time has its completion dropped uncalled.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::core::{
    Action, ChannelId, Completion, Core, Counts, HandleId, Limits, RegistrationId, WaiterId,
};
use super::outcome::{Ended, Notification, Refusal, Reply, Sent, SourceEvent};
use super::types::{Audience, NotificationType, Object, Topic, UserFilter};
use crate::identity::Identity;

/// See the module. Clones are the same broker.
#[derive(Clone, Default)]
pub struct Broker {
    inner: Arc<Inner>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({:?})", self.counts())
    }
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    last_waiter: AtomicU64,
}

#[derive(Default)]
struct State {
    core: Core,
    callers: HashMap<WaiterId, Caller>,
    sinks: HashMap<ChannelId, Sink>,
    outbox: VecDeque<Item>,
    attended: bool,
}

/// Where the result of a call goes.
enum Caller {
    Notification(Then<Notification>),
    NewChannels(Then<Vec<HandleId>>),
    Reply(Then<Reply>),
}

type Then<T> = Box<dyn FnOnce(Result<T, Refusal>) + Send>;
type Sink = Arc<dyn Fn(SourceEvent) + Send + Sync>;

/// Something to run outside of the lock.
enum Item {
    Notification(Then<Notification>, Result<Notification, Refusal>),
    NewChannels(Then<Vec<HandleId>>, Result<Vec<HandleId>, Refusal>),
    Reply(Then<Reply>, Result<Reply, Refusal>),
    Tell(Sink, SourceEvent),
}

impl Item {
    fn run(self) {
        match self {
            Self::Notification(then, result) => then(result),
            Self::NewChannels(then, result) => then(result),
            Self::Reply(then, result) => then(result),
            Self::Tell(sink, event) => sink(event),
        }
    }
}

/// What a server's components do.
impl Broker {
    /// A broker with these limits, that knows no printer yet.
    pub fn new(limits: Limits) -> Self {
        let state = State { core: Core::new(limits), ..State::default() };
        Self { inner: Arc::new(Inner { state: Mutex::new(state), ..Inner::default() }) }
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        self.lock().core.counts()
    }

    /// A printer is there: channels and registrations can be made for it.
    pub fn add_printer(&self, name: &str) {
        self.with(|state| state.core.add_printer(Object::printer(name)));
    }

    /// A printer was deleted: its channels are closed and their sources told ([`SourceEvent::ObjectDeleted`]), who listens to
    /// it hears [`Notification::Release`] or, bidirectional, [`Refusal::Terminated`].
    pub fn remove_printer(&self, name: &str) {
        self.with(|state| state.core.remove_printer(&Object::printer(name)));
    }

    /// The server stops: every call that waits returns, every source is told, nothing new is taken.
    pub fn shut_down(&self) {
        self.with(|state| state.core.shut_down());
    }

    /// Whether anybody is registered for anything now.
    pub fn has_registrations(&self) -> bool {
        self.lock().core.has_registrations()
    }

    /// Whether anybody is registered for a topic now, so that it is worth while to make something to send.
    pub fn is_listened_to(&self, topic: &Topic) -> bool {
        self.lock().core.is_listened_to(topic)
    }

    /// Opens a channel. Nobody needs to listen; a bidirectional one is also offered to registrations that come later. `sink`
    /// hears what clients do with a bidirectional one, in order, on the thread of whoever does it: it must be short and must
    /// not block, and it may call the broker. It is not called any more once the source has closed the channel.
    ///
    /// Errors: [`Refusal::NoSuchObject`], [`Refusal::ReservedType`], [`Refusal::TooManyChannels`],
    /// [`Refusal::ShuttingDown`].
    pub fn open(
        &self,
        topic: Topic,
        audience: Audience,
        sink: impl Fn(SourceEvent) + Send + Sync + 'static,
    ) -> Result<SourceChannel, Refusal> {
        let id = self.with(|state| {
            let id = state.core.open(topic, audience)?;
            state.sinks.insert(id, Arc::new(sink));
            Ok(id)
        })?;
        Ok(SourceChannel { broker: self.clone(), id })
    }
}

/// A channel, held by its source. Dropping it closes it.
#[derive(Debug)]
pub struct SourceChannel {
    broker: Broker,
    id: ChannelId,
}

impl SourceChannel {
    /// Which.
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// Sends a notification of at most [`crate::limits::NOTIFY_PAYLOAD_BYTES`] bytes. Unidirectional: into the queue of every
    /// registration that matches now. Bidirectional: one at a time, each to be answered before the next
    /// ([`Refusal::Unanswered`]); the first one waits until somebody answers it.
    ///
    /// Other errors: [`Refusal::TooLarge`]; [`Refusal::Undelivered`] where there are listeners and none has room;
    /// [`Refusal::ChannelClosed`] once a client, the printer's end or the server's end has closed it.
    pub fn send(&self, data: Bytes) -> Result<Sent, Refusal> {
        self.broker.with(|state| state.core.send(self.id, data))
    }

    /// Closes it, a bidirectional one with a last notification or without. What was sent on a unidirectional one stays in the
    /// queues.
    ///
    /// Errors: [`Refusal::TooLarge`] (it is then closed without a last notification); [`Refusal::ChannelClosed`] where it was
    /// closed before.
    pub fn close(self, last: Option<Bytes>) -> Result<(), Refusal> {
        self.broker.close(self.id, last)
    }
}

impl Drop for SourceChannel {
    fn drop(&mut self) {
        // Closed already: by `close`, by a client, or with its object.
        let _ = self.broker.close(self.id, None);
    }
}

/// What transports do for their clients. A call that waits is named by the [`WaiterId`] that it returns.
impl Broker {
    /// See [`Core::register`].
    pub fn register(
        &self,
        topic: Topic,
        filter: UserFilter,
        identity: Identity,
    ) -> Result<RegistrationId, Refusal> {
        self.with(|state| state.core.register(topic, filter, identity))
    }

    /// See [`Core::unregister`].
    pub fn unregister(&self, id: RegistrationId) -> Result<(), Refusal> {
        self.with(|state| state.core.unregister(id))
    }

    /// Opnum 5. See [`Core::get_notification`].
    pub fn get_notification(
        &self,
        id: RegistrationId,
        then: impl FnOnce(Result<Notification, Refusal>) + Send + 'static,
    ) -> WaiterId {
        let call = |core: &mut Core, waiter| core.get_notification(id, waiter);
        self.call(Caller::Notification(Box::new(then)), call)
    }

    /// Opnum 3. See [`Core::get_new_channels`].
    pub fn get_new_channels(
        &self,
        id: RegistrationId,
        then: impl FnOnce(Result<Vec<HandleId>, Refusal>) + Send + 'static,
    ) -> WaiterId {
        let call = |core: &mut Core, waiter| core.get_new_channels(id, waiter);
        self.call(Caller::NewChannels(Box::new(then)), call)
    }

    /// Opnum 4. See [`Core::get_notification_send_response`].
    pub fn get_notification_send_response(
        &self,
        id: HandleId,
        notification_type: Option<NotificationType>,
        data: Bytes,
        then: impl FnOnce(Result<Reply, Refusal>) + Send + 'static,
    ) -> WaiterId {
        let call = |core: &mut Core, waiter| {
            core.get_notification_send_response(id, notification_type, data, waiter);
        };
        self.call(Caller::Reply(Box::new(then)), call)
    }

    /// Opnum 6. See [`Core::close_channel`].
    pub fn close_channel(
        &self,
        id: HandleId,
        notification_type: NotificationType,
        data: Bytes,
    ) -> Result<Ended, Refusal> {
        self.with(|state| state.core.close_channel(id, notification_type, data))
    }

    /// The call does not wait any longer. True: its completion is dropped and will never be called. False: it has been
    /// called, or is about to be.
    pub fn cancel(&self, waiter: WaiterId) -> bool {
        // The closure is dropped outside of the lock.
        let canceled = self.with(|state| {
            let waited = state.core.cancel(waiter);
            waited.then(|| state.callers.remove(&waiter))
        });
        canceled.is_some()
    }

    /// See [`Core::requeue_notification`].
    pub fn requeue_notification(&self, id: RegistrationId, data: Bytes) {
        self.with(|state| state.core.requeue_notification(id, data));
    }

    /// See [`Core::requeue_channels`].
    pub fn requeue_channels(&self, id: RegistrationId, handles: &[HandleId]) {
        self.with(|state| state.core.requeue_channels(id, handles));
    }

    /// See [`Core::requeue_reply`].
    pub fn requeue_reply(&self, id: HandleId, data: Bytes) {
        self.with(|state| state.core.requeue_reply(id, data));
    }
}

impl Broker {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, caller: Caller, call: impl FnOnce(&mut Core, WaiterId)) -> WaiterId {
        let last = self.inner.last_waiter.fetch_add(1, Ordering::Relaxed);
        let waiter = WaiterId(last.wrapping_add(1));
        self.with(|state| {
            state.callers.insert(waiter, caller);
            call(&mut state.core, waiter);
        });
        waiter
    }

    fn close(&self, id: ChannelId, last: Option<Bytes>) -> Result<(), Refusal> {
        let (closed, _sink) = self.with(|state| {
            let closed = state.core.close(id, last);
            let sink =
                if closed == Err(Refusal::TooLarge) { None } else { state.sinks.remove(&id) };
            (closed, sink)
        });
        closed
    }

    /// One operation, and whatever follows from it.
    fn with<T>(&self, operation: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = operation(&mut state);
        state.collect();
        if !state.attended && !state.outbox.is_empty() {
            state.attended = true;
            self.attend(state);
        }
        result
    }

    /// Empties the outbox.
    fn attend<'a>(&'a self, mut state: MutexGuard<'a, State>) {
        let mut attendance = Attendance { broker: self, over: false };
        while let Some(item) = state.outbox.pop_front() {
            drop(state);
            item.run();
            state = self.lock();
        }
        state.attended = false;
        attendance.over = true;
    }
}

/// Leaves the outbox to the next one when a completion panics.
struct Attendance<'a> {
    broker: &'a Broker,
    over: bool,
}

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.broker.lock().attended = false;
        }
    }
}

impl State {
    /// Moves what the core has to say into the outbox.
    fn collect(&mut self) {
        while let Some(action) = self.core.poll() {
            let item = match action {
                Action::Tell { channel, event } => self.telling(channel, event),
                Action::Complete { waiter, with } => {
                    self.callers.remove(&waiter).and_then(|caller| completed(caller, with))
                }
            };
            self.outbox.extend(item);
        }
    }

    fn telling(&mut self, channel: ChannelId, event: SourceEvent) -> Option<Item> {
        let sink = match event {
            SourceEvent::Response { .. } => self.sinks.get(&channel).cloned(),
            SourceEvent::ClosedByClient
            | SourceEvent::ObjectDeleted
            | SourceEvent::ShuttingDown => self.sinks.remove(&channel),
        };
        sink.map(|sink| Item::Tell(sink, event))
    }
}

/// The core completes each call with its own kind of result.
fn completed(caller: Caller, with: Completion) -> Option<Item> {
    match (caller, with) {
        (Caller::Notification(then), Completion::Notification(result)) => {
            Some(Item::Notification(then, result))
        }
        (Caller::NewChannels(then), Completion::NewChannels(result)) => {
            Some(Item::NewChannels(then, result))
        }
        (Caller::Reply(then), Completion::Reply(result)) => Some(Item::Reply(then, result)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
