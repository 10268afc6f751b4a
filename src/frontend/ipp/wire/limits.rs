//! Every bound of the codec, with its unit and its reason.

/// What a peer may make the decoder hold. A message that would exceed it is refused before it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one message up to and with its end-of-attributes-tag; the document is not counted.
    pub header_bytes: usize,
    /// Attribute groups of one message.
    pub groups: usize,
    /// Attributes of one message, members of collections counted too.
    pub attributes: usize,
    /// Values of one message, those within collections and the collections themselves counted too.
    pub values: usize,
    /// Collections open within one another; never more than [`DEPTH_MAX`].
    pub depth: usize,
    /// Octets of the name of an attribute or a member.
    pub name_bytes: usize,
    /// Octets of one value; never more than [`LENGTH_MAX`].
    pub value_bytes: usize,
}

impl Limits {
    /// For what strangers send. The largest request seen from CUPS, Windows, Android and macOS is under 8 KiB;
    /// a CUPS-Add-Modify-Printer or a Set-Printer-Attributes may have some hundred attributes.
    pub const REQUEST: Self = Self {
        header_bytes: 256 * 1024,
        groups: 256,
        attributes: 4096,
        values: 16 * 1024,
        depth: 8,
        name_bytes: NAME_MAX,
        value_bytes: LENGTH_MAX,
    };

    /// For what a server that we asked answers: ten thousand jobs with twenty attributes each fit, and so does the
    /// "media-col-database" of a large printer.
    pub const RESPONSE: Self = Self {
        header_bytes: 16 * 1024 * 1024,
        groups: 64 * 1024,
        attributes: 256 * 1024,
        values: 512 * 1024,
        ..Self::REQUEST
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::REQUEST
    }
}

/// Lengths are a SIGNED-SHORT (RFC 8010 §3.6, §3.8): more octets than this cannot be said.
pub const LENGTH_MAX: usize = 0x7FFF;

/// A name is a keyword, and a keyword has 255 octets at most (RFC 8011 §5.1.4).
pub const NAME_MAX: usize = 255;

/// Collections within collections, both ways, whatever [`Limits`] say: comparing, printing, encoding and dropping them
/// goes one call deeper for each. PWG 5100.x needs four.
pub const DEPTH_MAX: usize = 32;

/// "status-message" is text(255) (RFC 8011 §4.1.6.2).
pub const STATUS_MESSAGE_MAX: usize = 255;

/// `text` (RFC 8011 §5.1.2).
pub const TEXT_MAX: usize = 1023;

/// `uri` (RFC 8011 §5.1.6).
pub const URI_MAX: usize = 1023;

/// `octetString` (RFC 8011 §5.1.11).
pub const OCTET_STRING_MAX: usize = 1023;

/// `name`, `keyword` and `mimeMediaType` (RFC 8011 §5.1.3, §5.1.4, §5.1.10).
pub const WORD_MAX: usize = 255;

/// `uriScheme`, `charset` and `naturalLanguage` (RFC 8011 §5.1.7–5.1.9).
pub const SHORT_WORD_MAX: usize = 63;
