//! Registered clients and their queues: `RegisterClient`, `UnregisterClient`, `GetNotification`, `GetNewChannel`
//! ([MS-PAN] 3.1.1.4.1, .2, .5, .3).
//!
//! A bidirectional registration needs no queue of channels: channels are numbered as they open, so it remembers the newest
//! that it has taken.

use std::collections::VecDeque;

use bytes::Bytes;

use super::handle::{Handle, HandleState};
use super::source::Bidirectional;
use super::{ChannelId, Completion, Core, HandleId, Limits, Place, RegistrationId, WaiterId};
use crate::identity::Identity;
use crate::notify::outcome::{Notification, Refusal};
use crate::notify::types::{NotificationType, Object, Style, Topic, UserFilter};

/// A registered client.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) topic: Topic,
    pub(super) identity: Identity,
    pub(super) filter: UserFilter,
    pub(super) waiter: Option<WaiterId>,
    pub(super) inbox: Inbox,
    /// Its printer was deleted.
    released: bool,
}

/// What a registration has not returned yet.
#[derive(Debug)]
pub(super) enum Inbox {
    Notifications(Queue),
    Channels {
        /// The newest that it has taken.
        taken: ChannelId,
    },
}

/// Notifications that wait, oldest first. Payloads are shared with other registrations.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Bytes>,
    bytes: usize,
}

impl Queue {
    /// Puts a notification behind the others; false where there is no room, and this one, the newest, is dropped.
    pub(super) fn push(&mut self, data: &Bytes, limits: &Limits) -> bool {
        let bytes = self.bytes.saturating_add(data.len());
        let room = self.waiting.len() < limits.queue && bytes <= limits.queue_bytes;
        if room {
            self.bytes = bytes;
            self.waiting.push_back(data.clone());
        }
        room
    }

    fn push_front(&mut self, data: Bytes) {
        self.bytes = self.bytes.saturating_add(data.len());
        self.waiting.push_front(data);
    }

    fn pop(&mut self) -> Option<Bytes> {
        let data = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(data.len());
        Some(data)
    }
}

impl Core {
    /// Registers a client (`RegisterClient`). May be done any number of times.
    pub fn register(
        &mut self,
        topic: Topic,
        filter: UserFilter,
        identity: Identity,
    ) -> Result<RegistrationId, Refusal> {
        self.may_register(&topic, filter, &identity)?;
        let id = RegistrationId(self.fresh_id());
        let account = self.account_mut(&identity.id);
        account.registrations = account.registrations.saturating_add(1);
        self.topics.entry(topic.clone()).or_default().registrations.insert(id);
        let inbox = match topic.style {
            Style::Unidirectional => Inbox::Notifications(Queue::default()),
            // Channels that are open already are offered to it, too.
            Style::Bidirectional => Inbox::Channels { taken: ChannelId(0) },
        };
        let registration =
            Registration { topic, identity, filter, waiter: None, inbox, released: false };
        self.registrations.insert(id, registration);
        Ok(id)
    }

    fn may_register(
        &self,
        topic: &Topic,
        filter: UserFilter,
        identity: &Identity,
    ) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Refusal::ShuttingDown);
        }
        if topic.notification_type == NotificationType::RELEASE {
            return Err(Refusal::ReservedType);
        }
        if filter == UserFilter::AllUsers && !identity.admin {
            return Err(Refusal::AccessDenied);
        }
        if !self.exists(&topic.object) {
            return Err(Refusal::NoSuchObject);
        }
        let held = self.accounts.get(&identity.id).map_or(0, |account| account.registrations);
        if self.registrations.len() >= self.limits.registrations
            || held >= self.limits.registrations_per_identity
        {
            return Err(Refusal::TooManyRegistrations);
        }
        Ok(())
    }

    /// Ends a registration (`UnregisterClient`): its waiting call returns with [`Refusal::Terminated`], what is queued is
    /// dropped. Channels that it has been given go on.
    pub fn unregister(&mut self, id: RegistrationId) -> Result<(), Refusal> {
        let registration = self.registrations.remove(&id).ok_or(Refusal::NotRegistered)?;
        if let Some(listed) = self.topics.get_mut(&registration.topic) {
            listed.registrations.remove(&id);
        }
        self.tidy(&registration.topic);
        self.settle(&registration.identity.id, |account| {
            account.registrations = account.registrations.saturating_sub(1);
        });
        if let Some(waiter) = registration.waiter {
            self.complete(waiter, registration.inbox.terminated());
        }
        Ok(())
    }

    /// Asks for the next notification (`GetNotification`). Completed with [`Completion::Notification`].
    pub fn get_notification(&mut self, id: RegistrationId, waiter: WaiterId) {
        if let Some(result) = self.next_notification(id) {
            self.complete(waiter, Completion::Notification(result));
        } else {
            self.park(id, waiter);
        }
    }

    fn next_notification(&mut self, id: RegistrationId) -> Option<Result<Notification, Refusal>> {
        if self.stopped {
            return Some(Err(Refusal::Terminated));
        }
        let Some(registration) = self.registrations.get_mut(&id) else {
            return Some(Err(Refusal::NotRegistered));
        };
        if registration.waiter.is_some() {
            return Some(Err(Refusal::AlreadyParked));
        }
        match &mut registration.inbox {
            Inbox::Channels { .. } => Some(Err(Refusal::WrongStyle)),
            Inbox::Notifications(queue) => match queue.pop() {
                Some(data) => Some(Ok(Notification::Data(data))),
                None => registration.released.then_some(Ok(Notification::Release)),
            },
        }
    }

    /// Asks for the channels that this registration has not been given yet (`GetNewChannel`), all of them at once.
    /// Completed with [`Completion::NewChannels`].
    pub fn get_new_channels(&mut self, id: RegistrationId, waiter: WaiterId) {
        match self.new_channels(id) {
            Ok(handles) if handles.is_empty() => self.park(id, waiter),
            result => self.complete(waiter, Completion::NewChannels(result)),
        }
    }

    fn new_channels(&mut self, id: RegistrationId) -> Result<Vec<HandleId>, Refusal> {
        if self.stopped {
            return Err(Refusal::Terminated);
        }
        let registration = self.registrations.get(&id).ok_or(Refusal::NotRegistered)?;
        let Inbox::Channels { taken } = registration.inbox else { return Err(Refusal::WrongStyle) };
        if registration.waiter.is_some() {
            return Err(Refusal::AlreadyParked);
        }
        if registration.released {
            return Err(Refusal::Terminated);
        }
        let (filter, identity) = (registration.filter, registration.identity.clone());
        let Some(listed) = self.topics.get(&registration.topic) else { return Ok(Vec::new()) };
        let newer = listed.offered.range(ChannelId(taken.0.saturating_add(1))..).copied();
        let is_for = |id: &ChannelId| {
            self.channels
                .get(id)
                .is_some_and(|channel| channel.audience.includes(filter, &identity))
        };
        let channels: Vec<ChannelId> = newer.filter(is_for).collect();
        self.hand_out(id, &identity, &channels)
    }

    /// Gives a registration these channels, as far as its identity may hold so many.
    pub(super) fn hand_out(
        &mut self,
        id: RegistrationId,
        identity: &Identity,
        channels: &[ChannelId],
    ) -> Result<Vec<HandleId>, Refusal> {
        let held = self.accounts.get(&identity.id).map_or(0, |account| account.handles);
        let room = self.limits.handles_per_identity.saturating_sub(held);
        if room == 0 && !channels.is_empty() {
            return Err(Refusal::TooManyHandles);
        }
        let given: Vec<HandleId> = channels
            .iter()
            .take(room)
            .map(|channel| self.make_handle(*channel, identity.clone()))
            .collect();
        let newest = channels.iter().take(room).next_back();
        if let (Some(newest), Some(registration)) = (newest, self.registrations.get_mut(&id)) {
            registration.inbox = Inbox::Channels { taken: *newest };
        }
        Ok(given)
    }

    fn make_handle(&mut self, channel: ChannelId, client: Identity) -> HandleId {
        let id = HandleId(self.fresh_id());
        let account = self.account_mut(&client.id);
        account.handles = account.handles.saturating_add(1);
        if let Some(Bidirectional::Offered { handles, .. }) =
            self.channels.get_mut(&channel).and_then(|channel| channel.conversation.as_mut())
        {
            handles.insert(id);
        }
        self.handles.insert(id, Handle { channel, client, state: HandleState::Offered(None) });
        id
    }

    fn park(&mut self, id: RegistrationId, waiter: WaiterId) {
        if let Some(registration) = self.registrations.get_mut(&id) {
            registration.waiter = Some(waiter);
            self.parked.insert(waiter, Place::Registration(id));
        }
    }

    /// Puts a notification back at the head: the transport could not write it. To be called before the next
    /// `get_notification` of this registration. It may then hold one more than its limit.
    pub fn requeue_notification(&mut self, id: RegistrationId, data: Bytes) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        let Inbox::Notifications(queue) = &mut registration.inbox else { return };
        match registration.waiter.take() {
            Some(waiter) => {
                self.complete(waiter, Completion::Notification(Ok(Notification::Data(data))));
            }
            None => queue.push_front(data),
        }
    }

    /// Takes back handles that the transport could not write, before anything was done with them: the registration is
    /// given their channels again.
    pub fn requeue_channels(&mut self, id: RegistrationId, handles: &[HandleId]) {
        let channels = handles.iter().filter_map(|handle| {
            self.handles.get(handle).map(|handle| ChannelId(handle.channel.0.saturating_sub(1)))
        });
        let before = channels.min();
        for handle in handles {
            self.forget_handle(*handle);
        }
        let registration = self.registrations.get_mut(&id);
        if let (Some(before), Some(registration)) = (before, registration)
            && let Inbox::Channels { taken } = &mut registration.inbox
        {
            *taken = (*taken).min(before);
            if let Some(waiter) = registration.waiter.take() {
                self.parked.remove(&waiter);
                self.get_new_channels(id, waiter);
            }
        }
    }

    /// The printer of these registrations was deleted.
    pub(super) fn release_registrations(&mut self, printer: &Object) {
        let mut waiting = Vec::new();
        for registration in self.registrations.values_mut() {
            if registration.topic.object == *printer && !registration.released {
                registration.released = true;
                let completion = registration.inbox.released();
                waiting.extend(registration.waiter.take().map(|waiter| (waiter, completion)));
            }
        }
        self.topics.retain(|topic, _| topic.object != *printer);
        for (waiter, completion) in waiting {
            self.complete(waiter, completion);
        }
    }

    /// Nobody hears anything any more.
    pub(super) fn terminate_registrations(&mut self) {
        let waiting = |registration: &mut Registration| {
            let completion = registration.inbox.terminated();
            registration.waiter.take().map(|waiter| (waiter, completion))
        };
        let waiting: Vec<_> = self.registrations.values_mut().filter_map(waiting).collect();
        for (waiter, completion) in waiting {
            self.complete(waiter, completion);
        }
    }
}

impl Inbox {
    fn terminated(&self) -> Completion {
        match self {
            Self::Notifications(_) => Completion::Notification(Err(Refusal::Terminated)),
            Self::Channels { .. } => Completion::NewChannels(Err(Refusal::Terminated)),
        }
    }

    fn released(&self) -> Completion {
        match self {
            Self::Notifications(_) => Completion::Notification(Ok(Notification::Release)),
            Self::Channels { .. } => Completion::NewChannels(Err(Refusal::Terminated)),
        }
    }
}
