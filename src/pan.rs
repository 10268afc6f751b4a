//! [MS-PAN]: the Print System Asynchronous Notification Protocol, on DCE/RPC.
//!
//! ```text
//!   client ── IRPCRemoteObject: Create, Delete ─────────────┐
//!          ── IRPCAsyncNotify:  RegisterClient,             ├─► server ──► notify (channels, registrations)
//!             GetNotification, GetNewChannel,               │
//!             GetNotificationSendResponse, CloseChannel … ──┘
//! ```
//!
//! Not here: who opens channels and what they say (`notify`, `sources`), and the wire below the stubs (`rpc`). Both
//! interfaces are served by one endpoint: a context handle made by the one is used with the other.
//!
//! Where the document leaves something open, the choice is made in one place and said there: results in [`hresult`],
//! names in [`name`], faults in [`server`].

pub mod client;
pub mod hresult;
pub mod name;
pub mod server;
pub mod stub;
#[cfg(test)]
mod world;

use crate::notify::NotificationType;
use crate::rpc::uuid::{SyntaxId, Uuid};
use crate::rpc::wire::ByteOrder;

/// `IRPCRemoteObject`, version 1.0 ([MS-PAN] 6.2).
pub const REMOTE_OBJECT: SyntaxId =
    SyntaxId::new(Uuid::from_u128(0xae33_069b_a2a8_46ee_a235_ddfd_339b_e281), 1, 0);

/// `IRPCAsyncNotify`, version 1.0 ([MS-PAN] 6.1).
pub const ASYNC_NOTIFY: SyntaxId =
    SyntaxId::new(Uuid::from_u128(0x0b6e_dbfa_4a24_4fc6_8a23_942b_1eca_65d1), 1, 0);

/// Operation numbers of `IRPCRemoteObject`.
pub mod remote_object {
    /// `IRPCRemoteObject_Create`
    pub const CREATE: u16 = 0;
    /// `IRPCRemoteObject_Delete`
    pub const DELETE: u16 = 1;
    /// How many there are.
    pub const OPERATIONS: u16 = 2;
}

/// Operation numbers of `IRPCAsyncNotify`. Number 2 is not used on the wire.
pub mod async_notify {
    /// `IRPCAsyncNotify_RegisterClient`
    pub const REGISTER_CLIENT: u16 = 0;
    /// `IRPCAsyncNotify_UnregisterClient`
    pub const UNREGISTER_CLIENT: u16 = 1;
    /// `IRPCAsyncNotify_GetNewChannel`
    pub const GET_NEW_CHANNEL: u16 = 3;
    /// `IRPCAsyncNotify_GetNotificationSendResponse`
    pub const GET_NOTIFICATION_SEND_RESPONSE: u16 = 4;
    /// `IRPCAsyncNotify_GetNotification`
    pub const GET_NOTIFICATION: u16 = 5;
    /// `IRPCAsyncNotify_CloseChannel`
    pub const CLOSE_CHANNEL: u16 = 6;
    /// How many there are.
    pub const OPERATIONS: u16 = 7;
}

/// `PrintAsyncNotifyUserFilter` and `PrintAsyncNotifyConversationStyle` on the wire ([MS-PAN] 2.2.2, 2.2.3).
pub mod wire_enum {
    /// `kPerUser`
    pub const PER_USER: u32 = 0;
    /// `kAllUsers`
    pub const ALL_USERS: u32 = 1;
    /// `kBiDirectional`
    pub const BIDIRECTIONAL: u32 = 0;
    /// `kUniDirectional`
    pub const UNIDIRECTIONAL: u32 = 1;
}

/// The printer configuration type: as the Windows SDK's header has it, and as [MS-PAN] prints it (a digit differs, and a
/// hyphen is missing there). Both are served.
pub const PRINTER_CONFIGURATION: [NotificationType; 2] = [
    NotificationType::new(0x2aba_d223_b994_4aca_82fc_4571_b1b5_85ac),
    NotificationType::new(0x2aba_d223_b994_4aca_82fd_4571_b1b5_85ac),
];

/// A notification type as the wire has it.
pub(crate) fn guid(notification_type: NotificationType) -> Uuid {
    Uuid::from_wire(notification_type.to_wire(), ByteOrder::Little)
}
