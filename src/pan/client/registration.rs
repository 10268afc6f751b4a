//! A registration: a remote object of the server, registered for one topic.

use std::rc::Rc;

use bytes::Bytes;

use super::transport::{Method, Transport};
use super::{Channel, Error};
use crate::notify::{NotificationType, Style, UserFilter};
use crate::pan::stub::{
    Created, Handle, NewChannels, Notified, Register, Registered, Returned, Stub,
};
use crate::pan::{ASYNC_NOTIFY, REMOTE_OBJECT, async_notify, guid, remote_object, wire_enum};
use crate::rpc::ndr::ContextHandle;

const CREATE: Method = Method {
    name: "IRPCRemoteObject_Create",
    interface: REMOTE_OBJECT,
    opnum: remote_object::CREATE,
};
const DELETE: Method = Method {
    name: "IRPCRemoteObject_Delete",
    interface: REMOTE_OBJECT,
    opnum: remote_object::DELETE,
};
const REGISTER: Method = Method {
    name: "RegisterClient",
    interface: ASYNC_NOTIFY,
    opnum: async_notify::REGISTER_CLIENT,
};
const UNREGISTER: Method = Method {
    name: "UnregisterClient",
    interface: ASYNC_NOTIFY,
    opnum: async_notify::UNREGISTER_CLIENT,
};
const GET_NOTIFICATION: Method = Method {
    name: "GetNotification",
    interface: ASYNC_NOTIFY,
    opnum: async_notify::GET_NOTIFICATION,
};
const GET_NEW_CHANNEL: Method =
    Method { name: "GetNewChannel", interface: ASYNC_NOTIFY, opnum: async_notify::GET_NEW_CHANNEL };

/// What a client registers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `\\SERVER\PRINTER`, or the server itself.
    pub name: Option<String>,
    /// The notification type.
    pub notification_type: NotificationType,
    /// Everybody's notifications (for administrators), or those for everybody and for oneself.
    pub filter: UserFilter,
    /// The conversation style.
    pub style: Style,
}

/// What a unidirectional registration hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A notification.
    Data(Bytes),
    /// `NOTIFICATION_RELEASE`: the printer was deleted, nothing more will come.
    Released,
}

/// See the module. Dropping it leaves it to the server to clean up when the association ends; say
/// [`unregister`](Registration::unregister) to end it at once.
pub struct Registration {
    transport: Rc<dyn Transport>,
    object: ContextHandle,
    notification_type: NotificationType,
}

impl Registration {
    /// Makes a remote object and registers it.
    pub async fn new(transport: Rc<dyn Transport>, wanted: &Wanted) -> Result<Self, Error> {
        let created: Created = CREATE.call(&*transport, &|_| Vec::new()).await?;
        CREATE.check(created.result)?;
        let object = created.object;
        let register = Register {
            object,
            name: wanted.name.clone(),
            notification_type: guid(wanted.notification_type),
            filter: match wanted.filter {
                UserFilter::PerUser => wire_enum::PER_USER,
                UserFilter::AllUsers => wire_enum::ALL_USERS,
            },
            style: match wanted.style {
                Style::Bidirectional => wire_enum::BIDIRECTIONAL,
                Style::Unidirectional => wire_enum::UNIDIRECTIONAL,
            },
        };
        let registered = REGISTER
            .call::<Registered>(&*transport, &|syntax| register.encode(syntax))
            .await
            .and_then(|registered| REGISTER.check(registered.result));
        let registration = Self { transport, object, notification_type: wanted.notification_type };
        if let Err(error) = registered {
            // Why it was refused says more than why it could not be deleted.
            let _ = registration.delete().await;
            return Err(error);
        }
        Ok(registration)
    }

    /// The next notification; waits for it.
    pub async fn next(&mut self) -> Result<Heard, Error> {
        let notified: Notified = self.call(GET_NOTIFICATION).await?;
        GET_NOTIFICATION.check(notified.result)?;
        if notified.notification_type == Some(guid(NotificationType::RELEASE)) {
            return Ok(Heard::Released);
        }
        Ok(Heard::Data(notified.data.unwrap_or_default()))
    }

    /// The channels that are new; waits for one.
    pub async fn new_channels(&mut self) -> Result<Vec<Channel>, Error> {
        let new: NewChannels = self.call(GET_NEW_CHANNEL).await?;
        GET_NEW_CHANNEL.check(new.result)?;
        let channel = |handle| Channel::new(self.transport.clone(), handle, self.notification_type);
        Ok(new.channels.into_iter().map(channel).collect())
    }

    /// Ends it. Channels that it was given go on.
    pub async fn unregister(self) -> Result<(), Error> {
        let Returned(result) = self.call(UNREGISTER).await?;
        let deleted = self.delete().await;
        UNREGISTER.check(result).and(deleted)
    }

    async fn delete(&self) -> Result<(), Error> {
        self.call::<Handle>(DELETE).await.map(drop)
    }

    async fn call<A: Stub>(&self, method: Method) -> Result<A, Error> {
        let handle = Handle(self.object);
        method.call(&*self.transport, &|syntax| handle.encode(syntax)).await
    }
}
