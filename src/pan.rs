//! [MS-PAN]: the Print System Asynchronous Notification Protocol, on DCE/RPC.

pub mod hresult;
pub mod name;
pub mod stub;
