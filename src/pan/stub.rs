//! The stubs of the eight methods, both ways, in NDR and NDR64 ([MS-PAN] 6.1, 6.2).
//!
//! Every structure is the parameters of one direction of one method, in the order of the IDL. Servers decode requests and
//! encode answers, clients the other way round. Context handles are 20 opaque bytes here.
//!
//! Invariant: decoding what was encoded gives the same, in each syntax; sizes are checked against what the stub holds.

use bytes::Bytes;

use crate::rpc::ndr::{BadStub, ContextHandle, Reader, Syntax, Writer};
use crate::rpc::uuid::Uuid;

use super::hresult::HResult;
use super::name::NAME_UNITS;

/// The parameters of one direction of a method.
pub trait Stub: Sized {
    /// Writes them.
    fn write(&self, to: &mut Writer);

    /// Reads them.
    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub>;

    /// The whole stub.
    fn encode(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        self.write(&mut writer);
        writer.finish()
    }
}

/// `IRPCRemoteObject_Create`, opnum 0: the answer. The request has no parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// `ppRemoteObj`.
    pub object: ContextHandle,
    /// The return value.
    pub result: HResult,
}

impl Stub for Created {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.object).u32(self.result.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        Ok(Self { object: from.context_handle()?, result: HResult(from.u32()?) })
    }
}

/// One context handle and nothing else: the requests of `IRPCRemoteObject_Delete`, `UnregisterClient`, `GetNewChannel`,
/// `GetNotification`; the answer of `IRPCRemoteObject_Delete`, which has no return value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub ContextHandle);

impl Stub for Handle {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        Ok(Self(from.context_handle()?))
    }
}

/// A return value and nothing else: the answer of `UnregisterClient`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned(pub HResult);

impl Stub for Returned {
    fn write(&self, to: &mut Writer) {
        to.u32(self.0.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        Ok(Self(HResult(from.u32()?)))
    }
}

/// `IRPCAsyncNotify_RegisterClient`, opnum 0: the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// `pRegistrationObj`.
    pub object: ContextHandle,
    /// `pName`; `None` is the server.
    pub name: Option<String>,
    /// `pInNotificationType`.
    pub notification_type: Uuid,
    /// `NotifyFilter`: 0 per user, 1 all users.
    pub filter: u32,
    /// `conversationStyle`: 0 bidirectional, 1 unidirectional.
    pub style: u32,
}

impl Stub for Register {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.object).unique_wide_string(self.name.as_deref());
        to.uuid(self.notification_type).u32(self.filter).u32(self.style);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        let object = from.context_handle()?;
        let name = if from.pointer()? { Some(from.wide_string(NAME_UNITS)?) } else { None };
        let notification_type = from.uuid()?;
        Ok(Self { object, name, notification_type, filter: from.u32()?, style: from.u32()? })
    }
}

/// `IRPCAsyncNotify_RegisterClient`: the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// `ppRmtServerReferral`: clients ignore it, servers send NULL.
    pub referral: Option<String>,
    /// The return value.
    pub result: HResult,
}

impl Stub for Registered {
    fn write(&self, to: &mut Writer) {
        to.unique_wide_string(self.referral.as_deref()).u32(self.result.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        let referral = if from.pointer()? { Some(from.wide_string(NAME_UNITS)?) } else { None };
        Ok(Self { referral, result: HResult(from.u32()?) })
    }
}

/// `IRPCAsyncNotify_GetNewChannel`, opnum 3: the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChannels {
    /// `ppChannelCtxt`; NULL and a count of zero where there are none.
    pub channels: Vec<ContextHandle>,
    /// The return value.
    pub result: HResult,
}

impl Stub for NewChannels {
    fn write(&self, to: &mut Writer) {
        // The limits of channels keep the count far below this.
        to.u32(u32::try_from(self.channels.len()).unwrap_or(u32::MAX));
        to.pointer(!self.channels.is_empty());
        if !self.channels.is_empty() {
            to.count(self.channels.len());
            for channel in &self.channels {
                to.context_handle(channel);
            }
        }
        to.u32(self.result.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        const HANDLE_BYTES: usize = 20;
        let told = from.u32()?;
        let mut channels = Vec::new();
        if from.pointer()? {
            let count = from.conformance(HANDLE_BYTES)?;
            if u32::try_from(count) != Ok(told) {
                return Err(from.bad("the channels are not as many as was said"));
            }
            for _ in 0..count {
                channels.push(from.context_handle()?);
            }
        } else if told != 0 {
            return Err(from.bad("there are no channels, but a count of them"));
        }
        Ok(Self { channels, result: HResult(from.u32()?) })
    }
}

/// A type and a payload as calls carry them out of the server: `ppOutNotificationType`, `pOutSize`,
/// `ppOutNotificationData`. Also, with the return value behind it, the answer of `GetNotification`, opnum 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// `ppOutNotificationType`; NULL on failure.
    pub notification_type: Option<Uuid>,
    /// `ppOutNotificationData`; NULL with `NOTIFICATION_RELEASE` and on failure.
    pub data: Option<Bytes>,
    /// The return value.
    pub result: HResult,
}

impl Stub for Notified {
    fn write(&self, to: &mut Writer) {
        to.unique_uuid(self.notification_type);
        write_sized(self.data.as_deref(), to);
        to.u32(self.result.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        let notification_type = from.unique_uuid()?;
        let data = read_sized(from)?;
        Ok(Self { notification_type, data, result: HResult(from.u32()?) })
    }
}

/// `IRPCAsyncNotify_GetNotificationSendResponse`, opnum 4: the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResponse {
    /// `pChannel`.
    pub channel: ContextHandle,
    /// `pInNotificationType`; NULL in the first call on a channel.
    pub notification_type: Option<Uuid>,
    /// `pInNotificationData`, of `InSize` bytes.
    pub data: Option<Bytes>,
}

impl Stub for SendResponse {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.channel).unique_uuid(self.notification_type);
        write_sized(self.data.as_deref(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        let channel = from.context_handle()?;
        let notification_type = from.unique_uuid()?;
        Ok(Self { channel, notification_type, data: read_sized(from)? })
    }
}

/// `IRPCAsyncNotify_GetNotificationSendResponse`: the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responded {
    /// `pChannel`; NULL when the channel is over for this client.
    pub channel: ContextHandle,
    /// The notification.
    pub notified: Notified,
}

impl Stub for Responded {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.channel);
        self.notified.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        Ok(Self { channel: from.context_handle()?, notified: Notified::read(from)? })
    }
}

/// `IRPCAsyncNotify_CloseChannel`, opnum 6: the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// `pChannel`.
    pub channel: ContextHandle,
    /// `pInNotificationType`, a reference: never NULL.
    pub notification_type: Uuid,
    /// `pReason`, of `InSize` bytes.
    pub reason: Option<Bytes>,
}

impl Stub for Close {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.channel).uuid(self.notification_type);
        write_sized(self.reason.as_deref(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        let channel = from.context_handle()?;
        let notification_type = from.uuid()?;
        Ok(Self { channel, notification_type, reason: read_sized(from)? })
    }
}

/// `IRPCAsyncNotify_CloseChannel`: the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// `pChannel`; always NULL.
    pub channel: ContextHandle,
    /// The return value.
    pub result: HResult,
}

impl Stub for Closed {
    fn write(&self, to: &mut Writer) {
        to.context_handle(&self.channel).u32(self.result.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, BadStub> {
        Ok(Self { channel: from.context_handle()?, result: HResult(from.u32()?) })
    }
}

/// `unsigned long size; [size_is(size), unique] byte *data`.
fn write_sized(data: Option<&[u8]>, to: &mut Writer) {
    // Payloads are limited to 10 MiB long before.
    to.u32(u32::try_from(data.map_or(0, <[u8]>::len)).unwrap_or(u32::MAX)).unique_bytes(data);
}

fn read_sized(from: &mut Reader<'_>) -> Result<Option<Bytes>, BadStub> {
    let size = from.u32()?;
    Ok(from.unique_bytes(size)?.map(Bytes::copy_from_slice))
}

#[cfg(test)]
mod tests;
