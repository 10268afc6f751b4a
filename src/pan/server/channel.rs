//! One client's part in a bidirectional channel, and the methods on it: exchanging, and closing.

use std::sync::Arc;

use bytes::Bytes;

use super::parked::park;
use super::{Shared, result};
use crate::notify::{Broker, Ended, HandleId, NotificationType, Refusal, Reply as Exchanged};
use crate::pan::guid;
use crate::pan::hresult::HResult;
use crate::pan::stub::{Close, Closed, Notified, Responded, SendResponse, Stub};
use crate::rpc::interface::{Call, Context, Delivery, Handles, Reply};
use crate::rpc::ndr::{ContextHandle, Syntax};
use crate::rpc::status::Status;

/// What a `PNOTIFYOBJECT` stands for.
pub(super) struct Channel {
    broker: Broker,
    id: HandleId,
    notification_type: NotificationType,
}

impl Channel {
    pub(super) fn new(broker: Broker, id: HandleId, notification_type: NotificationType) -> Self {
        Self { broker, id, notification_type }
    }
}

impl Context for Channel {
    fn run_down(self: Arc<Self>) {
        let _ = self.broker.close_channel(self.id, NotificationType::RELEASE, Bytes::new());
    }
}

/// `GetNotificationSendResponse`, [MS-PAN] 3.1.1.4.4
pub(super) fn get_notification_send_response(shared: &Arc<Shared>, call: Call) {
    let (request, channel) = match read(&call) {
        Ok(read) => read,
        Err(status) => return call.reply.fault(status),
    };
    let given = request.notification_type.map(|uuid| NotificationType::from_wire(uuid.to_wire()));
    let answer = Answer {
        broker: shared.broker.clone(),
        syntax: call.syntax,
        handles: call.handles.clone(),
        handle: request.channel,
        id: channel.id,
        notification_type: channel.notification_type,
    };
    park(&shared.broker, call.reply, |reply| {
        let data = request.data.unwrap_or_default();
        let then = move |outcome| answer.exchanged(reply, outcome);
        shared.broker.get_notification_send_response(channel.id, given, data, then)
    });
}

fn read(call: &Call) -> Result<(SendResponse, Arc<Channel>), Status> {
    let request = SendResponse::read(&mut call.reader())?;
    let channel = call.handles.lookup::<Channel>(&request.channel)?;
    Ok((request, channel))
}

/// `CloseChannel`, [MS-PAN] 3.1.1.4.6: whatever it returns, the handle is gone.
pub(super) fn close(shared: &Shared, call: &Call) -> Result<Vec<u8>, Status> {
    let request = Close::read(&mut call.reader())?;
    let channel = call.handles.destroy::<Channel>(&request.channel)?;
    let given = NotificationType::from_wire(request.notification_type.to_wire());
    let reason = request.reason.unwrap_or_default();
    let result = match shared.broker.close_channel(channel.id, given, reason) {
        Ok(Ended::Closed) => HResult::OK,
        Ok(Ended::AcquiredByOther) => HResult::CHANNEL_ACQUIRED,
        Err(refusal) => result(refusal),
    };
    Ok(Closed { channel: ContextHandle::NULL, result }.encode(call.syntax))
}

/// What the answer to a waiting exchange needs.
struct Answer {
    broker: Broker,
    syntax: Syntax,
    handles: Handles,
    handle: ContextHandle,
    id: HandleId,
    notification_type: NotificationType,
}

impl Answer {
    fn exchanged(self, reply: Reply, outcome: Result<Exchanged, Refusal>) {
        match outcome {
            Ok(Exchanged::Notification(data)) => self.notification(reply, data),
            Ok(Exchanged::Closed(last)) => {
                let notification_type =
                    if last.is_some() { self.notification_type } else { NotificationType::RELEASE };
                self.over(reply, Some(notification_type), last, HResult::OK);
            }
            Err(Refusal::ChannelClosed) => {
                self.over(reply, None, None, HResult::CHANNEL_ALREADY_CLOSED);
            }
            Err(Refusal::NoSuchHandle) => {
                let _ = self.handles.destroy::<Channel>(&self.handle);
                reply.fault(Status::CONTEXT_MISMATCH);
            }
            Err(refusal) => {
                let notified = notified(None, None, result(refusal));
                reply.respond(Responded { channel: self.handle, notified }.encode(self.syntax));
            }
        }
    }

    fn notification(self, reply: Reply, data: Bytes) {
        let notified = notified(Some(self.notification_type), Some(data.clone()), HResult::OK);
        let stub = Responded { channel: self.handle, notified }.encode(self.syntax);
        let (broker, id) = (self.broker, self.id);
        reply.respond_tracked(stub, move |delivery| {
            if delivery == Delivery::Lost {
                broker.requeue_reply(id, data);
            }
        });
    }

    /// The channel is over for this client: so is its handle.
    fn over(
        self,
        reply: Reply,
        notification_type: Option<NotificationType>,
        data: Option<Bytes>,
        result: HResult,
    ) {
        let _ = self.handles.destroy::<Channel>(&self.handle);
        let notified = notified(notification_type, data, result);
        let channel = ContextHandle::NULL;
        reply.respond(Responded { channel, notified }.encode(self.syntax));
    }
}

fn notified(
    notification_type: Option<NotificationType>,
    data: Option<Bytes>,
    result: HResult,
) -> Notified {
    let notification_type = notification_type.map(guid);
    Notified { notification_type, data, result }
}
