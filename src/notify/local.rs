//! Listening inside this process: the calls of a client, as futures.
//!
//! A future that is dropped loses nothing: its call goes on waiting, and the next future takes what it returns with.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::broker::Broker;
use super::core::{HandleId, RegistrationId};
use super::outcome::{Ended, Notification, Refusal, Reply};
use super::types::{NotificationType, Topic, UserFilter};
use crate::identity::Identity;

/// A registration of a component of this server. Dropping it unregisters.
#[derive(Debug)]
pub struct Listener {
    broker: Broker,
    id: RegistrationId,
    notification_type: NotificationType,
    notification: Pending<Notification>,
    channels: Pending<Vec<HandleId>>,
}

impl Listener {
    /// Registers. See [`super::Core::register`].
    pub fn register(
        broker: &Broker,
        topic: Topic,
        filter: UserFilter,
        identity: Identity,
    ) -> Result<Self, Refusal> {
        let notification_type = topic.notification_type;
        let id = broker.register(topic, filter, identity)?;
        Ok(Self {
            broker: broker.clone(),
            id,
            notification_type,
            notification: Pending::default(),
            channels: Pending::default(),
        })
    }

    /// Who the server itself is when it listens: an administrator that no account can be.
    pub fn server_identity() -> Identity {
        let name: Arc<str> = "despool".into();
        Identity { id: name.clone(), name, admin: true }
    }

    /// The next notification; waits for it. For unidirectional registrations.
    pub async fn next(&mut self) -> Result<Notification, Refusal> {
        let (broker, id) = (&self.broker, self.id);
        self.notification
            .wait(|told| {
                broker.get_notification(id, |result| drop(told.send(result)));
            })
            .await
    }

    /// The channels that are new to this registration; waits for one. For bidirectional registrations.
    pub async fn new_channels(&mut self) -> Result<Vec<ClientChannel>, Refusal> {
        let (broker, id) = (&self.broker, self.id);
        let handles = self
            .channels
            .wait(|told| {
                broker.get_new_channels(id, |result| drop(told.send(result)));
            })
            .await?;
        let channel = |handle| ClientChannel {
            broker: self.broker.clone(),
            handle: Some(handle),
            notification_type: self.notification_type,
            reply: Pending::default(),
        };
        Ok(handles.into_iter().map(channel).collect())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.broker.unregister(self.id);
    }
}

/// A bidirectional channel in the hands of a client of this process. Dropping it gives it up.
#[derive(Debug)]
pub struct ClientChannel {
    broker: Broker,
    /// None when the channel is over.
    handle: Option<HandleId>,
    notification_type: NotificationType,
    reply: Pending<Reply>,
}

impl ClientChannel {
    /// Waits for a notification: the first one, or the one after a response. [`Reply::Closed`] without a last notification
    /// can also mean that another client was faster.
    pub async fn next(&mut self) -> Result<Reply, Refusal> {
        let handle = self.handle.ok_or(Refusal::ChannelClosed)?;
        let broker = &self.broker;
        let reply = self
            .reply
            .wait(|told| {
                let then = |result| drop(told.send(result));
                broker.get_notification_send_response(handle, None, Bytes::new(), then);
            })
            .await;
        if matches!(reply, Ok(Reply::Closed(_)) | Err(Refusal::ChannelClosed)) {
            self.handle = None;
        }
        reply
    }

    /// Answers the notification that [`ClientChannel::next`] gave. What comes of it, `next` says.
    pub fn respond(&mut self, data: Bytes) -> Result<(), Refusal> {
        let handle = self.handle.ok_or(Refusal::ChannelClosed)?;
        let (broker, ty) = (&self.broker, Some(self.notification_type));
        self.reply.start(|told| {
            let then = |result| drop(told.send(result));
            broker.get_notification_send_response(handle, ty, data, then);
        })
    }

    /// Ends it: with a last answer, or without.
    pub fn close(mut self, last: Option<Bytes>) -> Result<Ended, Refusal> {
        let handle = self.handle.take().ok_or(Refusal::ChannelClosed)?;
        let notification_type = match last {
            Some(_) => self.notification_type,
            None => NotificationType::RELEASE,
        };
        self.broker.close_channel(handle, notification_type, last.unwrap_or_default())
    }
}

impl Drop for ClientChannel {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            let release = NotificationType::RELEASE;
            let _ = self.broker.close_channel(handle, release, Bytes::new());
        }
    }
}

/// A call that waits; it outlives the futures that wait for it.
#[derive(Debug)]
struct Pending<T>(Option<oneshot::Receiver<Result<T, Refusal>>>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(None)
    }
}

type Told<T> = oneshot::Sender<Result<T, Refusal>>;

impl<T> Pending<T> {
    /// Makes a call; there must be none that waits.
    fn start(&mut self, call: impl FnOnce(Told<T>)) -> Result<(), Refusal> {
        if self.0.is_some() {
            return Err(Refusal::AlreadyParked);
        }
        let (told, hears) = oneshot::channel();
        self.0 = Some(hears);
        call(told);
        Ok(())
    }

    /// Waits for the call that waits, or makes one.
    async fn wait(&mut self, call: impl FnOnce(Told<T>)) -> Result<T, Refusal> {
        let hears = self.0.get_or_insert_with(|| {
            let (told, hears) = oneshot::channel();
            call(told);
            hears
        });
        let result = hears.await.unwrap_or(Err(Refusal::Terminated));
        self.0 = None;
        result
    }
}
