//! The server's side of [MS-PAN]: calls come in, the broker of channels and registrations serves them.
//!
//! Not here: which registration gets what, and the states of a channel (`notify::core`). This turns stubs into operations
//! of the [`Broker`] and their outcomes into stubs, and keeps what a context handle stands for.
//!
//! ```text
//!   PRPCREMOTEOBJECT   Fresh ── RegisterClient ──► Registered ── UnregisterClient ──► Unregistered ── RegisterClient ──► …
//!   PNOTIFYOBJECT      one client's part in a bidirectional channel, until it is closed, lost or run down
//! ```
//!
//! Waiting calls are parked with the broker (`parked`): no thread, no task. A notification whose response could not be
//! written goes back to the head of its queue.
//!
//! Open points of the document: `GetNewChannel` and `GetNotification` throw `0x8004000C` and `0x8007071A` as faults
//! ([`Options::throws`]); an unused remote object that is asked for notifications says `NOT_REGISTERED`; a registered one
//! that is deleted is unregistered first.

mod channel;
mod object;
mod parked;

use std::sync::Arc;

use object::RemoteObject;

use super::hresult::HResult;
use super::stub::{Created, Handle, Stub};
use super::{ASYNC_NOTIFY, REMOTE_OBJECT, async_notify, remote_object};
use crate::notify::{Broker, Refusal};
use crate::rpc::auth::Level;
use crate::rpc::interface::{Call, Handler, Interface};
use crate::rpc::ndr::ContextHandle;
use crate::rpc::status::Status;

/// `InSize` may be this large ([MS-PAN] 3.1.1.4.4): 10 MiB. What is larger gets `MAX_NOTIFICATION_SIZE_EXCEEDED`.
pub const RESPONSE_BYTES: usize = 0x00A0_0000;

/// Stub bytes of a request: a response that is a little too large is still told so by its result, one that is larger
/// than this by a fault.
pub const REQUEST_BYTES: usize = RESPONSE_BYTES + 64 * 1024;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's name in `\\SERVER\PRINTER`.
    pub server_name: Arc<str>,
    /// Callers below this are refused.
    pub min_level: Level,
    /// `0x8004000C` and `0x8007071A` of waiting calls are faults, as [MS-PAN] recommends, and not return values.
    pub throws: bool,
}

/// The two interfaces, to be served by one endpoint.
pub fn interfaces(broker: Broker, options: Options) -> [Interface; 2] {
    let min_level = Some(options.min_level);
    let shared = Arc::new(Shared { broker, options });
    let remote = Arc::new(RemoteObjects(shared.clone()));
    let notify = Arc::new(AsyncNotify(shared));
    [
        Interface {
            annotation: "Spooler base remote object endpoint",
            min_level,
            ..Interface::new(REMOTE_OBJECT, "IRPCRemoteObject", remote_object::OPERATIONS, remote)
        },
        Interface {
            annotation: "Spooler function endpoint",
            min_level,
            max_request_bytes: REQUEST_BYTES,
            ..Interface::new(ASYNC_NOTIFY, "IRPCAsyncNotify", async_notify::OPERATIONS, notify)
        },
    ]
}

struct Shared {
    broker: Broker,
    options: Options,
}

/// `IRPCRemoteObject`
struct RemoteObjects(Arc<Shared>);

impl Handler for RemoteObjects {
    fn call(&self, call: Call) {
        call.answer(|call| match call.opnum {
            remote_object::CREATE => Ok(self.create(call)),
            remote_object::DELETE => delete(call),
            _ => Err(Status::OP_RANGE_ERROR),
        });
    }
}

impl RemoteObjects {
    /// [MS-PAN] 3.1.2.4.1
    fn create(&self, call: &Call) -> Vec<u8> {
        let object = RemoteObject::new(self.0.broker.clone());
        let created = match call.handles.create(Arc::new(object)) {
            Ok(object) => Created { object, result: HResult::OK },
            Err(_) => Created { object: ContextHandle::NULL, result: HResult::OUT_OF_MEMORY },
        };
        created.encode(call.syntax)
    }
}

/// [MS-PAN] 3.1.2.4.2: no return value, so a handle that is none is a fault.
fn delete(call: &Call) -> Result<Vec<u8>, Status> {
    let Handle(handle) = Handle::read(&mut call.reader())?;
    call.handles.destroy::<RemoteObject>(&handle)?.end();
    Ok(Handle(ContextHandle::NULL).encode(call.syntax))
}

/// `IRPCAsyncNotify`
struct AsyncNotify(Arc<Shared>);

impl Handler for AsyncNotify {
    fn call(&self, call: Call) {
        match call.opnum {
            async_notify::REGISTER_CLIENT => call.answer(|call| object::register(&self.0, call)),
            async_notify::UNREGISTER_CLIENT => call.answer(object::unregister),
            async_notify::GET_NEW_CHANNEL => object::get_new_channel(&self.0, call),
            async_notify::GET_NOTIFICATION_SEND_RESPONSE => {
                channel::get_notification_send_response(&self.0, call);
            }
            async_notify::GET_NOTIFICATION => object::get_notification(&self.0, call),
            async_notify::CLOSE_CHANNEL => call.answer(|call| channel::close(&self.0, call)),
            _ => call.reply.reject(Status::OP_RANGE_ERROR),
        }
    }
}

/// What a refusal is on the wire. [`Refusal::NotRegistered`] and [`Refusal::NoSuchHandle`] depend on the method.
fn result(refusal: Refusal) -> HResult {
    match refusal {
        Refusal::AccessDenied => HResult::ACCESS_DENIED,
        Refusal::NoSuchObject => HResult::NO_SUCH_PRINTER,
        Refusal::ReservedType | Refusal::WrongStyle => HResult::INVALID_ARGUMENT,
        Refusal::TooManyRegistrations => HResult::TOO_MANY_REGISTRATIONS,
        Refusal::TooManyChannels | Refusal::TooManyHandles | Refusal::Undelivered => {
            HResult::OUT_OF_MEMORY
        }
        Refusal::AlreadyParked | Refusal::Unanswered => HResult::ALREADY_PARKED,
        Refusal::Terminated | Refusal::ShuttingDown | Refusal::NotRegistered => HResult::TERMINATED,
        Refusal::NoSuchHandle | Refusal::ChannelClosed => HResult::CHANNEL_ALREADY_CLOSED,
        Refusal::TooLarge => HResult::TOO_LARGE,
        Refusal::WrongType => HResult::WRONG_TYPE,
    }
}

#[cfg(test)]
mod tests;
