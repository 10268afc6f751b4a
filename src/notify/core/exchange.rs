//! What clients do with their handles: `GetNotificationSendResponse` and `CloseChannel` ([MS-PAN] 3.1.1.4.4, .6).
//!
//! The tables are in `handle.rs`; here they are carried out.

use bytes::Bytes;

use super::handle::{self, Closing, Exchange, Handle, HandleState, Input};
use super::source::Bidirectional;
use super::{ChannelId, Core, HandleId, Place, WaiterId};
use crate::notify::outcome::{Ended, Refusal, Reply, SourceEvent};
use crate::notify::types::NotificationType;

impl Core {
    /// Answers the last notification, if there was one, and asks for the next (`GetNotificationSendResponse`). Completed
    /// with [`super::Completion::Reply`]. After [`Reply::Closed`] and [`Refusal::ChannelClosed`] the handle is gone; other
    /// refusals leave it as it was.
    pub fn get_notification_send_response(
        &mut self,
        id: HandleId,
        notification_type: Option<NotificationType>,
        data: Bytes,
        waiter: WaiterId,
    ) {
        let Some(handle) = self.handles.get(&id) else {
            return self.reply(waiter, Err(Refusal::NoSuchHandle));
        };
        let input = self.input(handle, notification_type, data);
        match handle::exchange(&handle.state, input) {
            Exchange::Refuse(refusal) => self.reply(waiter, Err(refusal)),
            Exchange::Wait => self.wait(id, waiter),
            Exchange::Respond(data) => {
                self.respond(id, data);
                self.set_state(id, HandleState::OwnerWaiting(None));
                self.wait(id, waiter);
            }
            Exchange::GiveUp => {
                self.give_up(id);
                self.reply(waiter, Ok(Reply::Closed(None)));
            }
            Exchange::End(last) => {
                self.forget_handle(id);
                self.reply(waiter, Ok(Reply::Closed(last)));
            }
            Exchange::Bury => {
                self.forget_handle(id);
                self.reply(waiter, Err(Refusal::ChannelClosed));
            }
        }
    }

    /// Ends a client's part in a channel, with a last response or (`NOTIFICATION_RELEASE`) without (`CloseChannel`). The
    /// handle is gone in each case. A call that waits on it returns with [`Reply::Closed`].
    ///
    /// A transport whose client is gone does the same, with `NOTIFICATION_RELEASE`, having canceled the waiting call.
    pub fn close_channel(
        &mut self,
        id: HandleId,
        notification_type: NotificationType,
        data: Bytes,
    ) -> Result<Ended, Refusal> {
        let handle = self.handles.get(&id).ok_or(Refusal::NoSuchHandle)?;
        let input = self.input(handle, Some(notification_type), data);
        let closing = handle::closing(&handle.state, input);
        let waiter = self.handles.get_mut(&id).and_then(|handle| handle.state.unpark());
        let result = match closing {
            Closing::Respond(data) => {
                self.respond(id, data);
                self.give_up(id);
                Ok(Ended::Closed)
            }
            Closing::GiveUp(result) => {
                self.give_up(id);
                result
            }
            Closing::Return(result) => {
                self.forget_handle(id);
                result
            }
        };
        if let Some(waiter) = waiter {
            self.reply(waiter, Ok(Reply::Closed(None)));
        }
        result
    }

    /// Puts a notification back that the transport could not write: the client will be given it when it asks again.
    pub fn requeue_reply(&mut self, id: HandleId, data: Bytes) {
        let Some(handle) = self.handles.get_mut(&id) else { return };
        match handle.state {
            // The channel still holds its first notification.
            HandleState::AwaitingFirstResponse => handle.state = HandleState::Offered(None),
            HandleState::OwnerMustAnswer => {
                handle.state = HandleState::OwnerWaiting(None);
                let channel = self.channels.get_mut(&handle.channel);
                if let Some(Bidirectional::Acquired { unsent, .. }) =
                    channel.and_then(|channel| channel.conversation.as_mut())
                {
                    *unsent = Some(data);
                }
            }
            _ => {}
        }
    }

    fn input(&self, handle: &Handle, given: Option<NotificationType>, data: Bytes) -> Input {
        // A channel that is gone has no type; then the state alone decides.
        let expected = self
            .channels
            .get(&handle.channel)
            .map_or(NotificationType::RELEASE, |channel| channel.topic.notification_type);
        Input::of(given, data, expected, self.limits.payload_bytes)
    }

    /// Takes the notification that is there, or waits.
    fn wait(&mut self, id: HandleId, waiter: WaiterId) {
        let Some(handle) = self.handles.get_mut(&id) else { return };
        let conversation = self
            .channels
            .get_mut(&handle.channel)
            .and_then(|channel| channel.conversation.as_mut());
        let waiting = match conversation {
            Some(Bidirectional::Offered { first, .. }) => first.clone(),
            Some(Bidirectional::Acquired { unsent, .. }) => unsent.take(),
            None => None,
        };
        handle.state = match (&handle.state, &waiting) {
            (HandleState::Offered(_), None) => HandleState::Offered(Some(waiter)),
            (HandleState::Offered(_), Some(_)) => HandleState::AwaitingFirstResponse,
            (_, None) => HandleState::OwnerWaiting(Some(waiter)),
            (_, Some(_)) => HandleState::OwnerMustAnswer,
        };
        match waiting {
            Some(data) => self.reply(waiter, Ok(Reply::Notification(data))),
            None => {
                self.parked.insert(waiter, Place::Handle(id));
            }
        }
    }

    /// Passes a response to the source. The first one acquires the channel.
    fn respond(&mut self, id: HandleId, data: Bytes) {
        let Some(handle) = self.handles.get(&id) else { return };
        let (channel, from) = (handle.channel, handle.client.clone());
        if !handle.state.is_owner() {
            self.acquire(channel, id);
        }
        self.tell(channel, SourceEvent::Response { from, data });
    }

    fn acquire(&mut self, id: ChannelId, owner: HandleId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let acquired = Bidirectional::Acquired { owner, unsent: None };
        let before = channel.conversation.replace(acquired);
        let topic = channel.topic.clone();
        if let Some(listed) = self.topics.get_mut(&topic) {
            listed.offered.remove(&id);
        }
        self.tidy(&topic);
        self.set_state(owner, HandleState::OwnerWaiting(None));
        if let Some(Bidirectional::Offered { handles, .. }) = before {
            for loser in handles.into_iter().filter(|handle| *handle != owner) {
                self.lose(loser);
            }
        }
    }

    /// Another client was faster.
    fn lose(&mut self, id: HandleId) {
        match self.handles.get_mut(&id).and_then(|handle| handle.state.unpark()) {
            Some(waiter) => {
                self.forget_handle(id);
                self.reply(waiter, Ok(Reply::Closed(None)));
            }
            None => self.set_state(id, HandleState::Lost),
        }
    }

    /// A client leaves a channel: with it, the channel ends if this client had acquired it.
    fn give_up(&mut self, id: HandleId) {
        let Some(handle) = self.forget_handle(id) else { return };
        if handle.state.is_owner() && self.channels.remove(&handle.channel).is_some() {
            self.tell(handle.channel, SourceEvent::ClosedByClient);
        }
    }

    /// The source has closed the channel of this handle.
    pub(super) fn close_handle(&mut self, id: HandleId, last: Option<&Bytes>) {
        let Some(handle) = self.handles.get_mut(&id) else { return };
        if let Some(waiter) = handle.state.unpark() {
            self.forget_handle(id);
            return self.reply(waiter, Ok(Reply::Closed(last.cloned())));
        }
        handle.state = match handle.state {
            HandleState::AwaitingFirstResponse | HandleState::OwnerMustAnswer => {
                HandleState::Tombstone
            }
            _ => HandleState::Closed(last.cloned()),
        };
    }

    pub(super) fn set_state(&mut self, id: HandleId, state: HandleState) {
        if let Some(handle) = self.handles.get_mut(&id) {
            handle.state = state;
        }
    }

    pub(super) fn forget_handle(&mut self, id: HandleId) -> Option<Handle> {
        let mut handle = self.handles.remove(&id)?;
        self.settle(&handle.client.id, |account| {
            account.handles = account.handles.saturating_sub(1);
        });
        let channel = self.channels.get_mut(&handle.channel);
        if let Some(Bidirectional::Offered { handles, .. }) =
            channel.and_then(|channel| channel.conversation.as_mut())
        {
            handles.remove(&id);
        }
        if let Some(waiter) = handle.state.unpark() {
            self.parked.remove(&waiter);
        }
        Some(handle)
    }
}
