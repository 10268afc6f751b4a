//! Descriptors as a device sends them (USB 2.0 §9.5, §9.6): which of its interfaces print, and by which endpoints.
//!
//! Pure. Every length comes from the device and is believed only as far as the bytes go.

/// A way to print: one alternate setting of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// `bConfigurationValue` of the configuration it belongs to.
    pub(crate) configuration: u8,
    /// `bInterfaceNumber`
    pub(crate) interface: u8,
    /// `bAlternateSetting`
    pub(crate) alternate: u8,
    /// Class, subclass, protocol.
    pub(crate) class: [u8; 3],
    /// The first bulk endpoint towards the device.
    pub(crate) out: Option<u8>,
    /// The first bulk endpoint from the device, and the size of its packets.
    pub(crate) back: Option<(u8, usize)>,
}

const CONFIGURATION: u8 = 2;
const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;
const BULK: u8 = 2;

impl Setting {
    fn add(&mut self, address: u8, attributes: u8, max_packet: u16) {
        if attributes & 3 != BULK {
            return;
        }
        match address & 0x80 {
            0 => self.out = self.out.or(Some(address)),
            _ => self.back = self.back.or(Some((address, usize::from(max_packet & 0x7FF)))),
        }
    }
}

/// All settings of all interfaces, in the order in which the device has them. `bytes`: as Linux gives them in
/// `descriptors` of a device, the device descriptor first.
pub(crate) fn settings(bytes: &[u8]) -> Vec<Setting> {
    let (mut settings, mut configuration) = (Vec::<Setting>::new(), 0);
    for descriptor in split(bytes) {
        match *descriptor {
            [_, CONFIGURATION, _, _, _, value, ..] => configuration = value,
            [_, INTERFACE, interface, alternate, _, class, subclass, protocol, ..] => {
                let class = [class, subclass, protocol];
                let (out, back) = (None, None);
                settings.push(Setting { configuration, interface, alternate, class, out, back });
            }
            [_, ENDPOINT, address, attributes, low, high, ..] => {
                if let Some(last) = settings.last_mut() {
                    last.add(address, attributes, u16::from_le_bytes([low, high]));
                }
            }
            _ => {}
        }
    }
    settings
}

/// The descriptors one by one; it ends where one has an impossible length.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = usize::from(*bytes.first()?);
        let (descriptor, rest) = bytes.split_at_checked(length).filter(|_| length >= 2)?;
        bytes = rest;
        Some(descriptor)
    })
}

/// The best way to print among the settings of one interface: both ways (protocol 2), else one way (1), else packets
/// over both (3). IPP over USB (4) is no way for raw bytes. `any_class`: the interface calls itself something else.
pub(crate) fn best(settings: &[Setting], any_class: bool) -> Option<Setting> {
    let rank = |setting: &&Setting| match setting.class {
        [7, 1, 2] => 3,
        [7, 1, 1] => 2,
        [7, 1, 3] => 1,
        [7, 1, _] => 0,
        _ if any_class => 2,
        _ => 0,
    };
    let usable = settings.iter().filter(|setting| setting.out.is_some() && rank(setting) > 0);
    // The first of the best.
    let best = usable.clone().map(|setting| rank(&setting)).max()?;
    usable.clone().find(|setting| rank(setting) == best).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 7/1/1, 7/1/2 and 7/1/4 as settings of interface 1, behind a vendor's interface 0.
    const PRINTER: &[u8] = &[
        18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 1, 0, 0, 1, 1, 2, 3, 1, // device
        9, 2, 80, 0, 2, 1, 0, 0xC0, 50, // configuration 1
        9, 4, 0, 0, 0, 255, 0, 0, 0, // vendor
        9, 4, 1, 0, 1, 7, 1, 1, 0, 7, 5, 0x01, 2, 0, 2, 0, // one way
        9, 4, 1, 1, 3, 7, 1, 2, 0, 7, 5, 0x83, 3, 8, 0, 8, 7, 5, 0x82, 2, 0, 2, 0, 7, 5, 1, 2, 0,
        2, 0, // both ways, an interrupt endpoint first
        9, 4, 1, 2, 2, 7, 1, 4, 0, 7, 5, 0x82, 2, 0, 2, 0, 7, 5, 1, 2, 0, 2, 0, // IPP
    ];

    #[test]
    fn golden() {
        let settings = settings(PRINTER);
        let protocols: Vec<_> = settings.iter().map(|it| (it.interface, it.class[2])).collect();
        assert_eq!(protocols, [(0, 0), (1, 1), (1, 2), (1, 4)]);
        assert_eq!((settings[1].out, settings[1].back), (Some(1), None));
        assert_eq!((settings[2].out, settings[2].back), (Some(1), Some((0x82, 512))));
        assert_eq!(settings[2].configuration, 1);
    }

    #[test]
    fn both_ways_before_one_way_and_ipp_never() {
        let all = settings(PRINTER);
        assert_eq!(best(&all, false).unwrap().class, [7, 1, 2]);
        assert_eq!(best(&all[..2], false).unwrap().class, [7, 1, 1]);
        assert_eq!(best(&all[3..], false), None);
        let odd = Setting { class: [255, 0, 0], ..all[1] };
        assert_eq!((best(&[odd], false), best(&[odd], true)), (None, Some(odd)));
    }

    #[test]
    fn lengths_that_lie() {
        for length in 0..PRINTER.len() {
            drop(settings(&PRINTER[..length]));
        }
        assert_eq!(settings(&[0, 4, 0, 0]), []);
        assert_eq!(settings(&[1]), []);
        assert_eq!(settings(&[9, 4, 0, 0]), [], "longer than there are bytes");
    }

    #[test]
    fn fuzz_descriptors() {
        bolero::check!().for_each(|input: &[u8]| {
            let settings = settings(input);
            assert!(settings.len() <= input.len() / 8);
            let _ = best(&settings, true);
        });
    }
}
