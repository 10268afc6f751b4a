//! What operations on channels and registrations come to.

use bytes::Bytes;

use crate::identity::Identity;

/// What a unidirectional registration hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// A payload of the registered type.
    Data(Bytes),
    /// The registered printer was deleted (`NOTIFICATION_RELEASE`); every later call says the same.
    Release,
}

/// What a call of `GetNotificationSendResponse` returns with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A notification. The channel goes on.
    Notification(Bytes),
    /// The channel is over for this client and its handle is gone (`pChannel` NULL). With the last notification of the
    /// source, or without one (`NOTIFICATION_RELEASE`): also when another client was faster.
    Closed(Option<Bytes>),
}

/// What a call of `CloseChannel` returns with. The handle is gone in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Closed (`S_OK`).
    Closed,
    /// Another client has acquired the channel; the response was ignored (`0x00040010`).
    AcquiredByOther,
}

/// What became of a notification that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Every matching registration has it. Bidirectional: it waits for the first response.
    ToListeners,
    /// Some registrations have it, others had no room (`UNIRECTIONAL_NOTIFICATION_LOST`).
    LostForSome,
    /// Nobody listens (`NO_LISTENERS`). Bidirectional: it waits for somebody who will.
    NoListeners,
}

/// What the source of a bidirectional channel hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceEvent {
    /// The answer to the last notification. A client may also answer before the first one.
    Response {
        /// Who answers.
        from: Identity,
        /// The answer.
        data: Bytes,
    },
    /// The client that had acquired the channel has closed it, or is gone.
    ClosedByClient,
    /// The printer was deleted.
    ObjectDeleted,
    /// The server stops.
    ShuttingDown,
}

/// Why an operation is refused. Names and numbers in brackets are those of `prnasnot.h` and [MS-PAN].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Peer: not an administrator (`0x80070005`).
    #[error("only an administrator may receive everybody's notifications")]
    AccessDenied,
    /// Peer: nothing has that name (`0x80070709`).
    #[error("there is no such printer")]
    NoSuchObject,
    /// Peer: `NOTIFICATION_RELEASE` is no type of notification.
    #[error("NOTIFICATION_RELEASE is reserved")]
    ReservedType,
    /// Peer, or ours: the limit of registrations (`MAX_REGISTRATION_COUNT_EXCEEDED`).
    #[error("there are too many registrations")]
    TooManyRegistrations,
    /// Ours: the limit of channels (`MAX_CHANNEL_COUNT_EXCEEDED`).
    #[error("there are too many channels")]
    TooManyChannels,
    /// Peer: it holds too many channels that it neither answers nor closes (`0x8007000E`).
    #[error("this account holds too many channels; answer or close some")]
    TooManyHandles,
    /// Peer: the previous call has not returned (`ASYNC_CALL_ALREADY_PARKED`, `0x8004000C`).
    #[error("the previous call has not returned yet")]
    AlreadyParked,
    /// No more notifications: unregistered, or the server stops (`0x8007071A`).
    #[error("notifications were terminated")]
    Terminated,
    /// Peer: there is no such registration (any more) (`0x8007071A`; to unregister, `0x8004000D` or `0x8004000E`).
    #[error("not registered")]
    NotRegistered,
    /// Peer: the operation belongs to the other conversation style.
    #[error("the registration is of the other conversation style")]
    WrongStyle,
    /// Peer: there is no such handle (any more) (fault `0x1C00001A`).
    #[error("there is no such channel")]
    NoSuchHandle,
    /// The channel was closed before (`CHANNEL_ALREADY_CLOSED`, `0x80040008`). A client's handle is gone with it.
    #[error("the channel was closed before")]
    ChannelClosed,
    /// More than the limit (`MAX_NOTIFICATION_SIZE_EXCEEDED`, `0x80040012`).
    #[error("the payload is too large")]
    TooLarge,
    /// Peer: not the channel's type (`INVALID_NOTIFICATION_TYPE`, `0x80040014`).
    #[error("the type is not that of the channel")]
    WrongType,
    /// Source: the notification before this one is not answered (`CHANNEL_WAITING_FOR_CLIENT_NOTIFICATION`).
    #[error("the previous notification is not answered yet")]
    Unanswered,
    /// Source: there are listeners, and none has room (`ASYNC_NOTIFICATION_FAILURE`).
    #[error("no listener has room for the notification")]
    Undelivered,
    /// The server stops.
    #[error("the server is stopping")]
    ShuttingDown,
}
