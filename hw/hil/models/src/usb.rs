//! USB devices in user space, and the protocol that plugs them into QEMU.
//!
//! A [`Device`] hears the requests that reach it over the bus and answers them, now or later; a transfer that is not
//! answered is one that the device holds back with NAK. [`Session`] speaks usbredir with QEMU on its behalf and
//! answers the standard requests from the device's [`Description`].

mod acm;
mod adapter;

mod description;
mod fault;
mod ftdi;
mod identity;
mod printer;
mod session;
mod transfers;
mod wire;

use std::time::Instant;

pub use acm::CdcAcm;
pub use adapter::{Adapter, Chip, ModemLines, PrinterFlow, SerialPrinter};
pub use description::{Description, EndpointInfo, InterfaceInfo, Speed, TransferKind};
pub use fault::Fault;
pub use ftdi::Ftdi;
pub use identity::IdAnswer;
pub use printer::{PrinterOptions, Seen, UsbPrinter};
pub use session::Session;

/// How a transfer ended, by the numbers of usbredir.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should.
    Ok = 0,
    /// The host took it back.
    Cancelled = 1,
    /// The device has no such endpoint.
    Invalid = 2,
    /// The endpoint is halted.
    Stall = 4,
}

/// The eight bytes that begin a control transfer (USB 2.0 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// `bmRequestType`
    pub request_type: u8,
    /// `bRequest`
    pub request: u8,
    /// `wValue`
    pub value: u16,
    /// `wIndex`
    pub index: u16,
    /// `wLength`
    pub length: u16,
}

impl Setup {
    /// True where data goes to the host.
    pub fn is_in(self) -> bool {
        self.request_type & 0x80 != 0
    }

    /// True for requests that every device knows (USB 2.0 §9.4).
    pub fn is_standard(self) -> bool {
        self.request_type & 0x60 == 0
    }

    /// The endpoint whose halt this request ends.
    pub fn clears_halt(self) -> Option<u8> {
        let clears = (self.request_type, self.request, self.value) == (0x02, 1, 0);
        clears.then(|| self.index.to_le_bytes()[0])
    }
}

/// What reaches a device.
#[derive(Debug)]
pub enum Request<'a> {
    /// A bus reset.
    Reset,
    /// An interface is switched to another alternate setting.
    Alternate {
        /// `bInterfaceNumber`
        interface: u8,
        /// `bAlternateSetting`
        alternate: u8,
    },
    /// A control transfer that is not answered from the description, and those that clear a halt.
    Control {
        /// Names the transfer in the answer.
        id: u64,
        /// What is asked.
        setup: Setup,
        /// What comes with it.
        data: &'a [u8],
    },
    /// A bulk transfer to the device.
    BulkOut {
        /// Names the transfer in the answer.
        id: u64,
        /// The endpoint's address.
        endpoint: u8,
        /// All of its bytes; UHCI hands over single packets.
        data: &'a [u8],
    },
    /// A bulk transfer from the device.
    BulkIn {
        /// Names the transfer in the answer.
        id: u64,
        /// The endpoint's address.
        endpoint: u8,
        /// How many bytes fit.
        length: usize,
    },
    /// The host takes a transfer back. One that was answered already is not answered again.
    Cancel {
        /// Which.
        id: u64,
    },
    /// The host listens to an interrupt endpoint, or does not any more.
    Listen {
        /// The endpoint's address.
        endpoint: u8,
        /// Whether it does.
        on: bool,
    },
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Request::Control`].
    Control {
        /// The transfer.
        id: u64,
        /// What was asked.
        setup: Setup,
        /// How it ended.
        status: Status,
        /// Bytes for the host.
        data: Vec<u8>,
    },
    /// To [`Request::BulkOut`].
    BulkOut {
        /// The transfer.
        id: u64,
        /// The endpoint's address.
        endpoint: u8,
        /// How it ended.
        status: Status,
        /// How many bytes were taken.
        length: usize,
    },
    /// To [`Request::BulkIn`].
    BulkIn {
        /// The transfer.
        id: u64,
        /// The endpoint's address.
        endpoint: u8,
        /// How it ended.
        status: Status,
        /// Bytes for the host.
        data: Vec<u8>,
    },
    /// On an interrupt endpoint that the host listens to.
    Interrupt {
        /// The endpoint's address.
        endpoint: u8,
        /// Bytes for the host.
        data: Vec<u8>,
    },
    /// The device leaves the bus: the cable was pulled.
    Unplug,
}

/// A device on the bus.
pub trait Device: Send {
    /// What it is.
    fn about(&self) -> &Description;

    /// Hears a request; answers go behind what is in `out`.
    fn handle(&mut self, request: Request<'_>, now: Instant, out: &mut Vec<Reply>);

    /// Does what is due by the clock, and what became possible since (the engine has room again).
    fn tick(&mut self, now: Instant, out: &mut Vec<Reply>);

    /// When [`Device::tick`] will have something to do.
    fn next_event(&self, now: Instant) -> Option<Instant>;
}
