//! What sources do: open a channel, send on it, close it ([MS-PAN] 3.1.1.6).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::handle::HandleState;
use super::registration::{Inbox, Registration};
use super::{ChannelId, Completion, Core, HandleId, RegistrationId};
use crate::notify::outcome::{Notification, Refusal, Reply, Sent};
use crate::notify::types::{Audience, NotificationType, Style, Topic};

/// An open channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) topic: Topic,
    pub(super) audience: Audience,
    /// Bidirectional channels have one.
    pub(super) conversation: Option<Bidirectional>,
}

/// How far a bidirectional channel is.
#[derive(Debug)]
pub(super) enum Bidirectional {
    /// Nobody has answered yet. Each client that asks gets a copy of the first notification.
    Offered { first: Option<Bytes>, handles: BTreeSet<HandleId> },
    /// One client has it, for ever.
    Acquired {
        owner: HandleId,
        /// A notification that its owner has not fetched: its call was canceled.
        unsent: Option<Bytes>,
    },
}

impl Core {
    /// Opens a channel. Nobody needs to listen; a bidirectional one is also offered to registrations that come later.
    pub fn open(&mut self, topic: Topic, audience: Audience) -> Result<ChannelId, Refusal> {
        if self.stopped {
            return Err(Refusal::ShuttingDown);
        }
        if topic.notification_type == NotificationType::RELEASE {
            return Err(Refusal::ReservedType);
        }
        if !self.exists(&topic.object) {
            return Err(Refusal::NoSuchObject);
        }
        if self.channels.len() >= self.limits.channels {
            return Err(Refusal::TooManyChannels);
        }
        let id = ChannelId(self.fresh_id());
        let conversation = match topic.style {
            Style::Unidirectional => None,
            Style::Bidirectional => {
                self.topics.entry(topic.clone()).or_default().offered.insert(id);
                Some(Bidirectional::Offered { first: None, handles: BTreeSet::new() })
            }
        };
        self.channels.insert(id, Channel { topic, audience, conversation });
        self.offer(id);
        Ok(id)
    }

    /// Whether there is any registration.
    pub fn has_registrations(&self) -> bool {
        !self.registrations.is_empty()
    }

    /// Whether any registration matches: what would be sent now would be for somebody.
    pub fn is_listened_to(&self, topic: &Topic) -> bool {
        self.topics.get(topic).is_some_and(|listed| !listed.registrations.is_empty())
    }

    /// Gives a new channel to the registrations that wait for one.
    fn offer(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        if channel.conversation.is_none() {
            return;
        }
        let waiting: Vec<RegistrationId> = self
            .listeners(channel)
            .filter_map(|(id, registration)| registration.waiter.map(|_| id))
            .collect();
        for registration in waiting {
            let Some(entry) = self.registrations.get_mut(&registration) else { continue };
            let (waiter, identity) = (entry.waiter.take(), entry.identity.clone());
            let handles = self.hand_out(registration, &identity, &[id]);
            if let Some(waiter) = waiter {
                self.complete(waiter, Completion::NewChannels(handles));
            }
        }
    }

    /// The registrations that a channel is for.
    fn listeners(
        &self,
        channel: &Channel,
    ) -> impl Iterator<Item = (RegistrationId, &Registration)> {
        let listed = self.topics.get(&channel.topic).map(|listed| &listed.registrations);
        let audience = channel.audience.clone();
        listed.into_iter().flatten().filter_map(move |id| {
            let registration = self.registrations.get(id)?;
            audience
                .includes(registration.filter, &registration.identity)
                .then_some((*id, registration))
        })
    }

    /// Sends a notification. Unidirectional: into the queue of every registration that matches now. Bidirectional: one at
    /// a time, each to be answered before the next.
    pub fn send(&mut self, id: ChannelId, data: Bytes) -> Result<Sent, Refusal> {
        if data.len() > self.limits.payload_bytes {
            return Err(Refusal::TooLarge);
        }
        let channel = self.channels.get(&id).ok_or(Refusal::ChannelClosed)?;
        match &channel.conversation {
            None => self.publish(id, &data),
            Some(Bidirectional::Offered { first: Some(_), .. }) => Err(Refusal::Unanswered),
            Some(Bidirectional::Offered { first: None, .. }) => Ok(self.send_first(id, &data)),
            Some(Bidirectional::Acquired { owner, .. }) => self.send_to_owner(id, *owner, data),
        }
    }

    fn publish(&mut self, id: ChannelId, data: &Bytes) -> Result<Sent, Refusal> {
        let Self { channels, topics, registrations, parked, actions, limits, .. } = self;
        let channel = channels.get(&id).ok_or(Refusal::ChannelClosed)?;
        let listed = topics.get(&channel.topic).map(|listed| &listed.registrations);
        let (mut took, mut lost) = (false, false);
        for id in listed.into_iter().flatten() {
            let Some(registration) = registrations.get_mut(id) else { continue };
            if !channel.audience.includes(registration.filter, &registration.identity) {
                continue;
            }
            let Inbox::Notifications(queue) = &mut registration.inbox else { continue };
            if let Some(waiter) = registration.waiter.take() {
                parked.remove(&waiter);
                let with = Completion::Notification(Ok(Notification::Data(data.clone())));
                actions.push_back(super::Action::Complete { waiter, with });
                took = true;
            } else if queue.push(data, limits) {
                took = true;
            } else {
                lost = true;
            }
        }
        match (took, lost) {
            (true, false) => Ok(Sent::ToListeners),
            (true, true) => Ok(Sent::LostForSome),
            (false, true) => Err(Refusal::Undelivered),
            (false, false) => Ok(Sent::NoListeners),
        }
    }

    /// The first notification is held, and given to every client that asks.
    fn send_first(&mut self, id: ChannelId, data: &Bytes) -> Sent {
        let Some(channel) = self.channels.get_mut(&id) else { return Sent::NoListeners };
        let Some(Bidirectional::Offered { first, handles }) = &mut channel.conversation else {
            return Sent::NoListeners;
        };
        *first = Some(data.clone());
        let handles: Vec<HandleId> = handles.iter().copied().collect();
        let mut heard = !handles.is_empty();
        for handle in handles {
            let waiter = self.handles.get_mut(&handle).and_then(|handle| handle.state.unpark());
            if let Some(waiter) = waiter {
                self.set_state(handle, HandleState::AwaitingFirstResponse);
                self.reply(waiter, Ok(Reply::Notification(data.clone())));
            }
        }
        heard |=
            self.channels.get(&id).is_some_and(|channel| self.listeners(channel).next().is_some());
        if heard { Sent::ToListeners } else { Sent::NoListeners }
    }

    fn send_to_owner(
        &mut self,
        id: ChannelId,
        owner: HandleId,
        data: Bytes,
    ) -> Result<Sent, Refusal> {
        let handle = self.handles.get_mut(&owner).ok_or(Refusal::ChannelClosed)?;
        let HandleState::OwnerWaiting(waiter) = handle.state else {
            return Err(Refusal::Unanswered);
        };
        match waiter {
            Some(waiter) => {
                handle.state = HandleState::OwnerMustAnswer;
                self.reply(waiter, Ok(Reply::Notification(data)));
            }
            None => {
                let conversation =
                    self.channels.get_mut(&id).and_then(|channel| channel.conversation.as_mut());
                if let Some(Bidirectional::Acquired { unsent, .. }) = conversation {
                    if unsent.is_some() {
                        return Err(Refusal::Unanswered);
                    }
                    *unsent = Some(data);
                }
            }
        }
        Ok(Sent::ToListeners)
    }

    /// Closes a channel, for a bidirectional one with a last notification or without. What was sent on a unidirectional
    /// channel before stays in the queues.
    pub fn close(&mut self, id: ChannelId, last: Option<Bytes>) -> Result<(), Refusal> {
        if last.as_ref().is_some_and(|last| last.len() > self.limits.payload_bytes) {
            return Err(Refusal::TooLarge);
        }
        self.end_channel(id, last.as_ref()).map(drop).ok_or(Refusal::ChannelClosed)
    }
}
