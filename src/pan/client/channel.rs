//! A bidirectional channel in a client's hands.

use std::rc::Rc;

use bytes::Bytes;

use super::Error;
use super::transport::{Method, Transport};
use crate::notify::NotificationType;
use crate::pan::hresult::HResult;
use crate::pan::stub::{Close, Closed, Responded, SendResponse, Stub};
use crate::pan::{ASYNC_NOTIFY, async_notify, guid};
use crate::rpc::ndr::ContextHandle;

const EXCHANGE: Method = Method {
    name: "GetNotificationSendResponse",
    interface: ASYNC_NOTIFY,
    opnum: async_notify::GET_NOTIFICATION_SEND_RESPONSE,
};
const CLOSE: Method =
    Method { name: "CloseChannel", interface: ASYNC_NOTIFY, opnum: async_notify::CLOSE_CHANNEL };

/// See the module. Whoever does not want it any more says [`close`](Channel::close).
pub struct Channel {
    transport: Rc<dyn Transport>,
    handle: ContextHandle,
    notification_type: NotificationType,
}

/// What a call on a channel comes back with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A notification, to be answered.
    Notification(Bytes),
    /// The channel is over: with the source's last notification, or without: another client was faster, or the source
    /// has closed it.
    Over(Option<Bytes>),
}

/// How a channel was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The answer, if there was one, has reached the source.
    Closed,
    /// Another client was faster; the answer was ignored.
    AcquiredByOther,
    /// The source had closed it before.
    ClosedBefore,
}

impl Channel {
    pub(super) fn new(
        transport: Rc<dyn Transport>,
        handle: ContextHandle,
        notification_type: NotificationType,
    ) -> Self {
        Self { transport, handle, notification_type }
    }

    /// The first notification; waits for it. It may be given to other clients as well: the first answer counts.
    pub async fn first(&mut self) -> Result<Told, Error> {
        self.exchange(None, None).await
    }

    /// Answers, and waits for the next notification.
    pub async fn respond(&mut self, answer: Bytes) -> Result<Told, Error> {
        self.exchange(Some(guid(self.notification_type)), Some(answer)).await
    }

    /// Ends it, with a last answer or without one.
    pub async fn close(self, answer: Option<Bytes>) -> Result<Ended, Error> {
        if self.handle.is_null() {
            return Ok(Ended::ClosedBefore);
        }
        let notification_type =
            if answer.is_some() { self.notification_type } else { NotificationType::RELEASE };
        let close = Close {
            channel: self.handle,
            notification_type: guid(notification_type),
            reason: answer,
        };
        let closed: Closed = CLOSE.call(&*self.transport, &|syntax| close.encode(syntax)).await?;
        match closed.result {
            HResult::CHANNEL_ACQUIRED => Ok(Ended::AcquiredByOther),
            HResult::CHANNEL_ALREADY_CLOSED => Ok(Ended::ClosedBefore),
            result => CLOSE.check(result).map(|()| Ended::Closed),
        }
    }

    async fn exchange(
        &mut self,
        notification_type: Option<crate::rpc::uuid::Uuid>,
        data: Option<Bytes>,
    ) -> Result<Told, Error> {
        if self.handle.is_null() {
            return Ok(Told::Over(None));
        }
        let request = SendResponse { channel: self.handle, notification_type, data };
        let responded: Responded =
            EXCHANGE.call(&*self.transport, &|syntax| request.encode(syntax)).await?;
        self.handle = responded.channel;
        let notified = responded.notified;
        if notified.result == HResult::CHANNEL_ALREADY_CLOSED {
            self.handle = ContextHandle::NULL;
            return Ok(Told::Over(None));
        }
        EXCHANGE.check(notified.result)?;
        if self.handle.is_null() {
            return Ok(Told::Over(notified.data));
        }
        Ok(Told::Notification(notified.data.unwrap_or_default()))
    }
}
