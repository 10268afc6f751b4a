//! How a printer is made, and what can be seen of it afterwards.

use crate::usb::{Description, EndpointInfo, IdAnswer, InterfaceInfo, Speed};

pub(super) const OUT: u8 = 0x01;
pub(super) const IN: u8 = 0x82;

/// How a printer is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrinterOptions {
    /// How fast its bus is.
    pub speed: Speed,
    /// `idVendor`, `idProduct`
    pub ids: (u16, u16),
    /// Manufacturer, product, serial number; an empty one is not there.
    pub strings: [String; 3],
    /// `bInterfaceProtocol` of each alternate setting: 1 one way, 2 both ways, 4 IPP over USB.
    pub protocols: Vec<u8>,
    /// A vendor's interface comes first, so that the printer's is number 1.
    pub second_interface: bool,
    /// What it answers when asked for its device id.
    pub id: IdAnswer,
}

impl Default for PrinterOptions {
    fn default() -> Self {
        Self {
            speed: Speed::High,
            ids: (0x04B8, 0x0202),
            strings: ["HIL", "Virtual Label Printer", "HIL0001"].map(str::to_owned),
            protocols: vec![2],
            second_interface: false,
            id: IdAnswer::honest(
                "MFG:HIL;CMD:ZPL,ESC/POS;MDL:Virtual Label;CLS:PRINTER;SN:HIL0001;",
            ),
        }
    }
}

/// What the printer has seen of the host, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes given to the engine.
    pub bytes: u64,
    /// Bulk OUT transfers answered.
    pub transfers: u64,
    /// The most of them that waited at one time.
    pub most_waiting: usize,
    /// The longest of them, in bytes.
    pub longest: usize,
    /// SOFT_RESET.
    pub soft_resets: u32,
    /// GET_DEVICE_ID.
    pub id_requests: u32,
    /// GET_PORT_STATUS.
    pub status_requests: u32,
    /// Transfers that the host took back while they waited.
    pub canceled: u64,
    /// Halts that the host cleared.
    pub halts_cleared: u32,
    /// Bus resets.
    pub bus_resets: u32,
}

/// Its descriptors.
pub(super) fn description(options: PrinterOptions, interface: u8) -> Description {
    let PrinterOptions { speed, ids, strings, protocols, .. } = options;
    let decoy = InterfaceInfo {
        number: 0,
        alternate: 0,
        class: [0xFF, 0, 0],
        functional: Vec::new(),
        endpoints: Vec::new(),
    };
    let settings = protocols.into_iter().zip(0u8..).map(|(protocol, alternate)| {
        let back = (protocol > 1).then(|| EndpointInfo::bulk(IN, speed));
        let endpoints = std::iter::once(EndpointInfo::bulk(OUT, speed)).chain(back).collect();
        let class = [7, 1, protocol];
        InterfaceInfo { number: interface, alternate, class, functional: Vec::new(), endpoints }
    });
    let decoy = (interface > 0).then_some(decoy);
    let interfaces = decoy.into_iter().chain(settings).collect();
    Description { speed, ids, release: 0x0100, class: [0; 3], strings, interfaces }
}
