//! ESC/POS commands as far as their length matters (Epson ESC/POS command reference).

pub(super) const ESC: u8 = 0x1b;
pub(super) const FS: u8 = 0x1c;
pub(super) const GS: u8 = 0x1d;

/// What the bytes of a command amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// More must come.
    Short,
    Initialize,
    Watch(u8),
    Transmit(u8),
    Cut,
    /// So many bytes of data follow, which mean nothing here.
    Data(u64),
}

/// Reads a command that begins with ESC, FS or GS.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match *bytes {
        [_]
        | [GS, b'a' | b'r' | b'V' | b'v' | b'k' | b'8']
        | [ESC, b'*']
        | [ESC | FS | GS, b'(']
        | [ESC | FS | GS, b'(', _]
        | [ESC | FS | GS, b'(', _, _]
        | [ESC, b'*', _]
        | [ESC, b'*', _, _]
        | [GS, b'v', b'0']
        | [GS, b'k', 65..=255]
        | [GS, b'V', 65..=68 | 97..=104] => Parsed::Short,
        [GS, b'v', b'0', ..] if bytes.len() < 8 => Parsed::Short,
        [GS, b'8', ..] if bytes.len() < 7 => Parsed::Short,
        [ESC, b'@'] => Parsed::Initialize,
        [GS, b'a', items] => Parsed::Watch(items),
        [GS, b'r', n] => Parsed::Transmit(n),
        [GS, b'V', ..] => Parsed::Cut,
        [ESC | FS | GS, b'(', _, low, high] => Parsed::Data(word(low, high)),
        [ESC, b'*', mode, low, high] => {
            Parsed::Data(word(low, high).saturating_mul(if mode >= 32 { 3 } else { 1 }))
        }
        [GS, b'k', _, len] => Parsed::Data(len.into()),
        [GS, b'8', _, a, b, c, d] => Parsed::Data(u32::from_le_bytes([a, b, c, d]).into()),
        [GS, b'v', b'0', _, x_low, x_high, y_low, y_high] => {
            Parsed::Data(word(x_low, x_high).saturating_mul(word(y_low, y_high)))
        }
        _ => Parsed::Data(0),
    }
}

fn word(low: u8, high: u8) -> u64 {
    u16::from_le_bytes([low, high]).into()
}
