//! The TEXT datatype: line ends as line printers want them.
//!
//! A lone LF and a lone CR become CR LF; CR LF stays. Everything else passes, form feeds and escape sequences included.

/// The conversion's memory: the last byte decides what a following LF means.
#[derive(Debug, Default)]
pub(super) struct Text {
    after_cr: bool,
}

impl Text {
    /// Converts the next portion.
    pub(super) fn convert(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len().saturating_add(text.len() / 16));
        for byte in text {
            match (byte, std::mem::replace(&mut self.after_cr, *byte == b'\r')) {
                (b'\n', true) => {}
                (b'\n' | b'\r', _) => out.extend(b"\r\n"),
                (byte, _) => out.push(*byte),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_in_any_portions() {
        let cases = [
            ("a\nb", "a\r\nb"),
            ("a\r\nb", "a\r\nb"),
            ("a\rb", "a\r\nb"),
            ("\r\r\n\n", "\r\n\r\n\r\n"),
            ("\x0c\x1b", "\x0c\x1b"),
        ];
        for (text, expected) in cases {
            assert_eq!(Text::default().convert(text.as_bytes()), expected.as_bytes(), "{text:?}");
            let mut bytewise = Text::default();
            let out: Vec<u8> =
                text.as_bytes().chunks(1).flat_map(|byte| bytewise.convert(byte)).collect();
            assert_eq!(out, expected.as_bytes(), "{text:?} byte by byte");
        }
    }
}
