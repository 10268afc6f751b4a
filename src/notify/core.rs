//! The state machine of the notification server ([MS-PAN] 3.1.1.1): registrations, channels, and who has which.
//!
//! Operations are methods; what follows from them are [`Action`]s, taken with [`Core::poll`]. A call that has to wait is
//! a [`WaiterId`] of the caller's; it is completed by exactly one action, or unhooked by [`Core::cancel`].
//!
//! ```text
//!   open (unidirectional) ── send ──► queue of each matching registration ──► get_notification
//!
//!   open (bidirectional) ──► offered to matching registrations ──► get_new_channels: a handle for each client
//!        │                                                                │
//!        └── send: held until somebody answers ──────────────────────────►│ get_notification_send_response
//!                                                                         │ close_channel
//!                                     first response: acquired ◄──────────┘ everybody else: lost
//! ```
//!
//! The states of a handle and their table are in `handle.rs`.
//!
//! The invariant: `topics.offered` holds exactly the bidirectional channels that nobody has acquired; each waiter in
//! `parked` is held by exactly one registration or handle.

mod exchange;
mod handle;
mod registration;
mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use self::handle::Handle;
use self::registration::Registration;
use self::source::{Bidirectional, Channel};
use super::outcome::{Notification, Refusal, Reply, SourceEvent};
use super::types::{Object, Topic};
use crate::limits::{
    NOTIFY_CHANNELS, NOTIFY_HANDLES_PER_IDENTITY, NOTIFY_PAYLOAD_BYTES, NOTIFY_QUEUE,
    NOTIFY_QUEUE_BYTES, NOTIFY_REGISTRATIONS, NOTIFY_REGISTRATIONS_PER_IDENTITY,
};

/// A registered client (a registered `PRPCREMOTEOBJECT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationId(u64);

/// A channel, as its source names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(u64);

/// One client's view of a bidirectional channel (`PNOTIFYOBJECT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandleId(u64);

/// A call that may have to wait. Chosen by the caller, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WaiterId(pub u64);

/// Bounds; the defaults are those of [`crate::limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Notifications that wait in one registration.
    pub queue: usize,
    /// Payload bytes that wait in one registration.
    pub queue_bytes: usize,
    /// Bytes of one notification or response.
    pub payload_bytes: usize,
    /// Registrations in all.
    pub registrations: usize,
    /// Registrations of one identity.
    pub registrations_per_identity: usize,
    /// Channels open at a time.
    pub channels: usize,
    /// Handles that one identity holds.
    pub handles_per_identity: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: NOTIFY_QUEUE,
            queue_bytes: NOTIFY_QUEUE_BYTES,
            payload_bytes: NOTIFY_PAYLOAD_BYTES,
            registrations: NOTIFY_REGISTRATIONS,
            registrations_per_identity: NOTIFY_REGISTRATIONS_PER_IDENTITY,
            channels: NOTIFY_CHANNELS,
            handles_per_identity: NOTIFY_HANDLES_PER_IDENTITY,
        }
    }
}

/// What follows from an operation. To be carried out in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A waiting call returns.
    Complete {
        /// Which.
        waiter: WaiterId,
        /// With what.
        with: Completion,
    },
    /// The source of a channel is told something.
    Tell {
        /// The channel.
        channel: ChannelId,
        /// What.
        event: SourceEvent,
    },
}

/// What a waiting call returns with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// `get_notification`.
    Notification(Result<Notification, Refusal>),
    /// `get_new_channels`: one handle for each channel.
    NewChannels(Result<Vec<HandleId>, Refusal>),
    /// `get_notification_send_response`.
    Reply(Result<Reply, Refusal>),
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registrations.
    pub registrations: usize,
    /// Channels that are open.
    pub channels: usize,
    /// Handles that clients hold.
    pub handles: usize,
    /// Calls that wait.
    pub parked: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Core {
    limits: Limits,
    /// Registrations, channels and handles are numbered as they come; channels' numbers say which is newer.
    last_id: u64,
    stopped: bool,
    /// Printers; the server is always there.
    printers: HashSet<Object>,
    topics: HashMap<Topic, Listed>,
    registrations: BTreeMap<RegistrationId, Registration>,
    channels: BTreeMap<ChannelId, Channel>,
    handles: BTreeMap<HandleId, Handle>,
    accounts: HashMap<Arc<str>, Account>,
    parked: HashMap<WaiterId, Place>,
    actions: VecDeque<Action>,
}

/// What there is of one topic.
#[derive(Debug, Default)]
struct Listed {
    registrations: BTreeSet<RegistrationId>,
    /// Bidirectional channels that nobody has acquired yet.
    offered: BTreeSet<ChannelId>,
}

/// What one identity holds.
#[derive(Debug, Default)]
struct Account {
    registrations: usize,
    handles: usize,
}

/// Where a call waits.
#[derive(Clone, Copy, Debug)]
enum Place {
    Registration(RegistrationId),
    Handle(HandleId),
}

impl Core {
    /// Nothing yet, but the server object.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        Counts {
            registrations: self.registrations.len(),
            channels: self.channels.len(),
            handles: self.handles.len(),
            parked: self.parked.len(),
        }
    }

    /// A printer is there. Registrations and channels can be made for it.
    pub fn add_printer(&mut self, printer: Object) {
        if printer != Object::Server {
            self.printers.insert(printer);
        }
    }

    /// A printer was deleted ([MS-PAN] figure 5): its channels are closed, its unidirectional registrations hear what is
    /// queued and then `NOTIFICATION_RELEASE`, its bidirectional ones are terminated. They stay so, also when a printer of
    /// that name comes again.
    pub fn remove_printer(&mut self, printer: &Object) {
        if self.printers.remove(printer) {
            self.close_channels_of(Some(printer), &SourceEvent::ObjectDeleted);
            self.release_registrations(printer);
        }
    }

    /// The server stops: every waiting call returns, every source is told, and nothing new is taken.
    pub fn shut_down(&mut self) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.close_channels_of(None, &SourceEvent::ShuttingDown);
            self.terminate_registrations();
        }
    }

    /// A call will not wait any longer (canceled, orphaned, its connection gone). False where it has been completed
    /// already: then its result is on the way, and what could not be delivered can be put back with
    /// [`Core::requeue_notification`], [`Core::requeue_channels`] or [`Core::requeue_reply`].
    pub fn cancel(&mut self, waiter: WaiterId) -> bool {
        match self.parked.remove(&waiter) {
            Some(Place::Registration(id)) => {
                if let Some(registration) = self.registrations.get_mut(&id) {
                    registration.waiter = None;
                }
                true
            }
            Some(Place::Handle(id)) => {
                if let Some(handle) = self.handles.get_mut(&id) {
                    handle.state.unpark();
                }
                true
            }
            None => false,
        }
    }

    fn exists(&self, object: &Object) -> bool {
        *object == Object::Server || self.printers.contains(object)
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }

    fn complete(&mut self, waiter: WaiterId, with: Completion) {
        self.parked.remove(&waiter);
        self.actions.push_back(Action::Complete { waiter, with });
    }

    fn reply(&mut self, waiter: WaiterId, reply: Result<Reply, Refusal>) {
        self.complete(waiter, Completion::Reply(reply));
    }

    fn tell(&mut self, channel: ChannelId, event: SourceEvent) {
        self.actions.push_back(Action::Tell { channel, event });
    }

    /// Forgets a topic that nobody has anything to do with.
    fn tidy(&mut self, topic: &Topic) {
        let unused = |listed: &Listed| listed.registrations.is_empty() && listed.offered.is_empty();
        if self.topics.get(topic).is_some_and(unused) {
            self.topics.remove(topic);
        }
    }

    fn account_mut(&mut self, id: &Arc<str>) -> &mut Account {
        self.accounts.entry(id.clone()).or_default()
    }

    fn settle(&mut self, id: &Arc<str>, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(id) {
            change(account);
            if account.registrations == 0 && account.handles == 0 {
                self.accounts.remove(id);
            }
        }
    }

    /// Closes the channels of a printer, or all of them.
    fn close_channels_of(&mut self, printer: Option<&Object>, event: &SourceEvent) {
        let affected = |channel: &Channel| printer.is_none_or(|p| channel.topic.object == *p);
        let ids: Vec<ChannelId> = self
            .channels
            .iter()
            .filter_map(|(id, channel)| affected(channel).then_some(*id))
            .collect();
        for id in ids {
            self.end_channel(id, None);
            self.tell(id, event.clone());
        }
    }

    /// Takes a channel away from everybody but its source: clients that wait return with `last`, others find out later.
    fn end_channel(&mut self, id: ChannelId, last: Option<&Bytes>) -> Option<Channel> {
        let channel = self.channels.remove(&id)?;
        match &channel.conversation {
            None => {}
            Some(Bidirectional::Offered { handles, .. }) => {
                if let Some(listed) = self.topics.get_mut(&channel.topic) {
                    listed.offered.remove(&id);
                }
                self.tidy(&channel.topic);
                for handle in handles {
                    self.close_handle(*handle, last);
                }
            }
            Some(Bidirectional::Acquired { owner, .. }) => self.close_handle(*owner, last),
        }
        Some(channel)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
