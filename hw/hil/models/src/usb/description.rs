//! What a device says of itself: descriptors (USB 2.0 §9.6, USB 3.2 §9.6), made from one description.

use super::{Setup, Status};
use crate::limits::CONFIGURATION_BYTES;

/// How fast a device is, by the numbers of usbredir.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// 12 Mbit/s.
    Full = 1,
    /// 480 Mbit/s.
    High = 2,
    /// 5 Gbit/s.
    Super = 3,
}

impl Speed {
    /// The largest bulk packet.
    pub fn bulk_packet(self) -> u16 {
        match self {
            Self::Full => 64,
            Self::High => 512,
            Self::Super => 1024,
        }
    }
}

/// What an endpoint carries, by the numbers of `bmAttributes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// Bulk data.
    Bulk = 2,
    /// Small news.
    Interrupt = 3,
}

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointInfo {
    /// With bit 7 set: towards the host.
    pub address: u8,
    /// What it carries.
    pub kind: TransferKind,
    /// `wMaxPacketSize`
    pub max_packet: u16,
    /// `bInterval`
    pub interval: u8,
}

impl EndpointInfo {
    /// A bulk endpoint with the largest packets of this speed.
    pub fn bulk(address: u8, speed: Speed) -> Self {
        Self { address, kind: TransferKind::Bulk, max_packet: speed.bulk_packet(), interval: 0 }
    }

    fn put(self, speed: Speed, out: &mut Vec<u8>) {
        let [low, high] = self.max_packet.to_le_bytes();
        out.extend([7, 5, self.address, self.kind as u8, low, high, self.interval]);
        if speed == Speed::Super {
            // No bursts, no streams.
            out.extend([6, 0x30, 0, 0, 0, 0]);
        }
    }
}

/// One alternate setting of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// `bInterfaceNumber`
    pub number: u8,
    /// `bAlternateSetting`
    pub alternate: u8,
    /// `bInterfaceClass`, `bInterfaceSubClass`, `bInterfaceProtocol`
    pub class: [u8; 3],
    /// Descriptors of the class, as they are.
    pub functional: Vec<u8>,
    /// Its endpoints.
    pub endpoints: Vec<EndpointInfo>,
}

/// A device with one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// How fast it is.
    pub speed: Speed,
    /// `idVendor`, `idProduct`
    pub ids: (u16, u16),
    /// `bcdDevice`
    pub release: u16,
    /// `bDeviceClass`, `bDeviceSubClass`, `bDeviceProtocol`
    pub class: [u8; 3],
    /// Manufacturer, product, serial number; an empty one is not there.
    pub strings: [String; 3],
    /// Every alternate setting of every interface.
    pub interfaces: Vec<InterfaceInfo>,
}

const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const STRING: u8 = 3;
const QUALIFIER: u8 = 6;
const BOS: u8 = 15;

impl Description {
    /// Answers a standard request; `None`: not one that a description can answer.
    pub fn answer(&self, setup: Setup) -> Option<Result<Vec<u8>, Status>> {
        if !setup.is_standard() {
            return None;
        }
        let [index, kind] = setup.value.to_le_bytes();
        let bytes = match (setup.request_type, setup.request) {
            (0x80, 6) => self.descriptor(kind, index),
            // Self-powered; interfaces and endpoints have nothing to tell.
            (0x80, 0) => Some(vec![1, 0]),
            (0x81 | 0x82, 0) => Some(vec![0, 0]),
            // Features and SEL (USB 3): heard, without an effect.
            (0x00..=0x02, 1 | 3) | (0x00, 0x30 | 0x31) => Some(Vec::new()),
            _ => None,
        };
        Some(bytes.ok_or(Status::Stall).map(|mut bytes| {
            bytes.truncate(setup.length.into());
            bytes
        }))
    }

    fn descriptor(&self, kind: u8, index: u8) -> Option<Vec<u8>> {
        match kind {
            DEVICE => Some(self.device()),
            CONFIGURATION if index == 0 => Some(self.configuration()),
            STRING => self.string(index),
            QUALIFIER if self.speed == Speed::High => Some(self.qualifier()),
            BOS if self.speed == Speed::Super => Some(Self::bos()),
            _ => None,
        }
    }

    /// The device descriptor.
    pub fn device(&self) -> Vec<u8> {
        let (version, packet): (u16, u8) = match self.speed {
            Speed::Super => (0x0300, 9),
            Speed::Full | Speed::High => (0x0200, 64),
        };
        let string = |index: u8, text: &str| if text.is_empty() { 0 } else { index };
        let [maker, product, serial] = &self.strings;
        let mut out = vec![18, DEVICE];
        out.extend(version.to_le_bytes());
        out.extend(self.class);
        out.push(packet);
        for word in [self.ids.0, self.ids.1, self.release] {
            out.extend(word.to_le_bytes());
        }
        out.extend([string(1, maker), string(2, product), string(3, serial), 1]);
        out
    }

    /// The configuration descriptor with all that belongs to it.
    pub fn configuration(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for interface in &self.interfaces {
            let InterfaceInfo { number, alternate, class, functional, endpoints } = interface;
            let count = u8::try_from(endpoints.len()).unwrap_or(u8::MAX);
            let [class, subclass, protocol] = *class;
            body.extend([9, 4, *number, *alternate, count, class, subclass, protocol, 0]);
            body.extend_from_slice(functional);
            for endpoint in endpoints {
                endpoint.put(self.speed, &mut body);
            }
        }
        let total = (body.len().saturating_add(9)).min(CONFIGURATION_BYTES);
        let total = u16::try_from(total).unwrap_or(u16::MAX);
        let mut out = vec![9, CONFIGURATION];
        out.extend(total.to_le_bytes());
        // One configuration, number 1, self-powered, 100 mA.
        out.extend([self.interface_count(), 1, 0, 0xC0, 50]);
        out.extend(body);
        out
    }

    fn interface_count(&self) -> u8 {
        let highest = self.interfaces.iter().map(|interface| interface.number).max();
        highest.map_or(0, |number| number.saturating_add(1))
    }

    /// The interfaces with these alternate settings, one of each number. Beyond the list: setting 0.
    pub fn active<'a>(&'a self, alternates: &'a [u8]) -> impl Iterator<Item = &'a InterfaceInfo> {
        self.interfaces.iter().filter(|interface| {
            let chosen = alternates.get(usize::from(interface.number)).copied().unwrap_or(0);
            interface.alternate == chosen
        })
    }

    fn string(&self, index: u8) -> Option<Vec<u8>> {
        if index == 0 {
            // English (United States).
            return Some(vec![4, STRING, 0x09, 0x04]);
        }
        let text = self.strings.get(usize::from(index).checked_sub(1)?)?;
        if text.is_empty() {
            return None;
        }
        let units = text.encode_utf16().take(126).flat_map(u16::to_le_bytes);
        let mut out = vec![0, STRING];
        out.extend(units);
        let length = u8::try_from(out.len()).unwrap_or(u8::MAX);
        if let Some(first) = out.first_mut() {
            *first = length;
        }
        Some(out)
    }

    fn qualifier(&self) -> Vec<u8> {
        let [class, subclass, protocol] = self.class;
        vec![10, QUALIFIER, 0x00, 0x02, class, subclass, protocol, 64, 1, 0]
    }

    fn bos() -> Vec<u8> {
        let usb2 = [7, 0x10, 2, 2, 0, 0, 0];
        let superspeed = [10, 0x10, 3, 0, 0x0E, 0, 1, 10, 0xFF, 0x07];
        let mut out = vec![5, BOS, 22, 0, 2];
        out.extend(usb2);
        out.extend(superspeed);
        out
    }
}

#[cfg(test)]
mod tests;
