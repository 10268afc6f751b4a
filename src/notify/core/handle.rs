//! The states of one client's handle of a channel, and the table of what a call does in each ([MS-PAN] figure 7).
//!
//! ```text
//!                        first notification               response (op 4)
//!   Offered ─────────────────────────────► AwaitingFirst ─────────────────► OwnerWaiting ◄───────┐
//!      │                                      Response                       │        response   │
//!      │        another client answers          │                            └► OwnerMustAnswer ─┘
//!      └──────────────────┬─────────────────────┘                                notification
//!                         ▼
//!                        Lost          the source closes: Closed, or Tombstone where an answer is owed
//! ```

use bytes::Bytes;

use super::{ChannelId, WaiterId};
use crate::identity::Identity;
use crate::notify::outcome::{Ended, Refusal};
use crate::notify::types::NotificationType;

/// One client's view of a channel.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) channel: ChannelId,
    pub(super) client: Identity,
    pub(super) state: HandleState,
}

/// How far a client is with a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HandleState {
    /// It has not seen the first notification; perhaps it waits for it.
    Offered(Option<WaiterId>),
    /// It has seen the first notification.
    AwaitingFirstResponse,
    /// It has the channel, and waits for the next notification (or its call was canceled).
    OwnerWaiting(Option<WaiterId>),
    /// It has the channel, and a notification to answer.
    OwnerMustAnswer,
    /// Another client has the channel.
    Lost,
    /// The source has closed the channel; this client has yet to hear it.
    Closed(Option<Bytes>),
    /// The source has closed the channel, and this client still owes an answer that nobody wants now.
    Tombstone,
}

impl HandleState {
    /// The call that waits here does not wait any longer.
    pub(super) fn unpark(&mut self) -> Option<WaiterId> {
        match self {
            Self::Offered(waiter) | Self::OwnerWaiting(waiter) => waiter.take(),
            _ => None,
        }
    }

    /// Whether this client has acquired the channel.
    pub(super) fn is_owner(&self) -> bool {
        matches!(self, Self::OwnerWaiting(_) | Self::OwnerMustAnswer)
    }
}

/// What a client passes to a call, once looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// No type: nothing to say.
    Nothing,
    /// `NOTIFICATION_RELEASE`. Data is ignored.
    Release,
    /// A response of the channel's type.
    Response(Bytes),
    /// Neither, and why not.
    Bad(Refusal),
}

impl Input {
    pub(super) fn of(
        given: Option<NotificationType>,
        data: Bytes,
        expected: NotificationType,
        limit_bytes: usize,
    ) -> Self {
        match given {
            None => Self::Nothing,
            Some(NotificationType::RELEASE) => Self::Release,
            Some(_) if data.len() > limit_bytes => Self::Bad(Refusal::TooLarge),
            Some(given) if given != expected => Self::Bad(Refusal::WrongType),
            Some(_) => Self::Response(data),
        }
    }
}

/// What `GetNotificationSendResponse` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// Refuses; the handle stays as it is.
    Refuse(Refusal),
    /// Waits for a notification, or takes the one that is there.
    Wait,
    /// Passes the response to the source, acquiring the channel, and waits.
    Respond(Bytes),
    /// Gives the channel up: the same as closing it.
    GiveUp,
    /// The handle ends with this; `S_OK`.
    End(Option<Bytes>),
    /// The handle ends with [`Refusal::ChannelClosed`].
    Bury,
}

/// The table of `GetNotificationSendResponse` ([MS-PAN] 3.1.1.4.4).
pub(super) fn exchange(state: &HandleState, input: Input) -> Exchange {
    use HandleState as S;
    match (state, input) {
        (S::Offered(Some(_)) | S::OwnerWaiting(Some(_)), _) => {
            Exchange::Refuse(Refusal::AlreadyParked)
        }
        // The first call says nothing, whatever it carries; so does one that comes again after it was canceled.
        (S::Offered(None) | S::OwnerWaiting(None), _) => Exchange::Wait,
        (S::Lost, _) => Exchange::End(None),
        (S::Closed(last), _) => Exchange::End(last.clone()),
        (S::Tombstone, _) => Exchange::Bury,
        (S::AwaitingFirstResponse | S::OwnerMustAnswer, input) => match input {
            Input::Response(data) => Exchange::Respond(data),
            // Figure 10 draws this; the text of 3.1.1.4.4 knows only the other call for it.
            Input::Release => Exchange::GiveUp,
            Input::Nothing => Exchange::Refuse(Refusal::WrongType),
            Input::Bad(refusal) => Exchange::Refuse(refusal),
        },
    }
}

/// What `CloseChannel` does, beside ending the handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Passes the response to the source, acquiring the channel, and closes it.
    Respond(Bytes),
    /// Gives the channel up, and returns this: the source hears of it only where this client had acquired the channel.
    GiveUp(Result<Ended, Refusal>),
    /// There is no channel any more; returns this.
    Return(Result<Ended, Refusal>),
}

/// The table of `CloseChannel` ([MS-PAN] 3.1.1.4.6).
pub(super) fn closing(state: &HandleState, input: Input) -> Closing {
    use HandleState as S;
    match (state, input) {
        (S::Lost, _) => Closing::Return(Ok(Ended::AcquiredByOther)),
        (S::Closed(_) | S::Tombstone, Input::Release) => Closing::Return(Ok(Ended::Closed)),
        (S::Closed(_) | S::Tombstone, _) => Closing::Return(Err(Refusal::ChannelClosed)),
        (_, Input::Response(data)) => Closing::Respond(data),
        (_, Input::Release) => Closing::GiveUp(Ok(Ended::Closed)),
        (_, Input::Nothing) => Closing::GiveUp(Err(Refusal::WrongType)),
        // The handle ends also with a response that cannot be taken.
        (_, Input::Bad(refusal)) => Closing::GiveUp(Err(refusal)),
    }
}
