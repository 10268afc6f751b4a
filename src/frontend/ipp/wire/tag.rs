//! The tags of RFC 8010 §3.5: which octets begin a group, and which say the syntax of a value.

use std::fmt;

/// end-of-attributes-tag (RFC 8010 §3.5.1).
pub const END_OF_ATTRIBUTES: u8 = 0x03;
/// The first value tag: what is below is a delimiter tag (RFC 8010 §3.5.1).
pub const FIRST_VALUE: u8 = 0x10;

/// Out-of-band `unsupported` (RFC 8010 §3.5.2).
pub const UNSUPPORTED: u8 = 0x10;
/// Out-of-band `default`.
pub const DEFAULT: u8 = 0x11;
/// Out-of-band `unknown`.
pub const UNKNOWN: u8 = 0x12;
/// Out-of-band `no-value`.
pub const NO_VALUE: u8 = 0x13;
/// Out-of-band `not-settable` (RFC 3380 §8).
pub const NOT_SETTABLE: u8 = 0x15;
/// Out-of-band `delete-attribute` (RFC 3380 §8).
pub const DELETE_ATTRIBUTE: u8 = 0x16;
/// Out-of-band `admin-define` (RFC 3380 §8).
pub const ADMIN_DEFINE: u8 = 0x17;

/// `integer`, four octets.
pub const INTEGER: u8 = 0x21;
/// `boolean`, one octet.
pub const BOOLEAN: u8 = 0x22;
/// `enum`, four octets.
pub const ENUM: u8 = 0x23;
/// `octetString`.
pub const OCTET_STRING: u8 = 0x30;
/// `dateTime`, eleven octets (RFC 2579 DateAndTime).
pub const DATE_TIME: u8 = 0x31;
/// `resolution`, nine octets.
pub const RESOLUTION: u8 = 0x32;
/// `rangeOfInteger`, eight octets.
pub const RANGE: u8 = 0x33;
/// begCollection: a collection begins.
pub const BEGIN_COLLECTION: u8 = 0x34;
/// `textWithLanguage`.
pub const TEXT_WITH_LANGUAGE: u8 = 0x35;
/// `nameWithLanguage`.
pub const NAME_WITH_LANGUAGE: u8 = 0x36;
/// endCollection: the innermost collection ends.
pub const END_COLLECTION: u8 = 0x37;
/// `textWithoutLanguage`.
pub const TEXT: u8 = 0x41;
/// `nameWithoutLanguage`.
pub const NAME: u8 = 0x42;
/// `keyword`.
pub const KEYWORD: u8 = 0x44;
/// `uri`.
pub const URI: u8 = 0x45;
/// `uriScheme`.
pub const URI_SCHEME: u8 = 0x46;
/// `charset`.
pub const CHARSET: u8 = 0x47;
/// `naturalLanguage`.
pub const NATURAL_LANGUAGE: u8 = 0x48;
/// `mimeMediaType`.
pub const MIME_MEDIA_TYPE: u8 = 0x49;
/// memberAttrName: the value is the name of the member that follows.
pub const MEMBER_NAME: u8 = 0x4A;
/// The true tag is in the first four octets of the value (RFC 8010 §3.5.2).
pub const EXTENSION: u8 = 0x7F;

/// The name of a value tag, as `ipptool` and the RFC write it; `None` where the tag is not assigned.
pub const fn syntax(tag: u8) -> Option<&'static str> {
    Some(match tag {
        UNSUPPORTED => "unsupported",
        DEFAULT => "default",
        UNKNOWN => "unknown",
        NO_VALUE => "no-value",
        NOT_SETTABLE => "not-settable",
        DELETE_ATTRIBUTE => "delete-attribute",
        ADMIN_DEFINE => "admin-define",
        INTEGER => "integer",
        BOOLEAN => "boolean",
        ENUM => "enum",
        OCTET_STRING => "octetString",
        DATE_TIME => "dateTime",
        RESOLUTION => "resolution",
        RANGE => "rangeOfInteger",
        BEGIN_COLLECTION => "collection",
        TEXT_WITH_LANGUAGE => "textWithLanguage",
        NAME_WITH_LANGUAGE => "nameWithLanguage",
        END_COLLECTION => "endCollection",
        TEXT => "textWithoutLanguage",
        NAME => "nameWithoutLanguage",
        KEYWORD => "keyword",
        URI => "uri",
        URI_SCHEME => "uriScheme",
        CHARSET => "charset",
        NATURAL_LANGUAGE => "naturalLanguage",
        MIME_MEDIA_TYPE => "mimeMediaType",
        MEMBER_NAME => "memberAttrName",
        EXTENSION => "extension",
        _ => return None,
    })
}

/// A delimiter tag that begins a group (RFC 8010 §3.5.1, RFC 3995, PWG 5100.5, PWG 5100.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupTag {
    /// operation-attributes-tag
    Operation,
    /// job-attributes-tag
    Job,
    /// printer-attributes-tag
    Printer,
    /// unsupported-attributes-tag
    Unsupported,
    /// subscription-attributes-tag
    Subscription,
    /// event-notification-attributes-tag
    EventNotification,
    /// resource-attributes-tag
    Resource,
    /// document-attributes-tag
    Document,
    /// system-attributes-tag
    System,
    /// 0x0B to 0x0F: a group of a later standard. Whoever does not know it ignores it whole (RFC 8011 §6.2, RFC 3196
    /// §3.1.2.1.4.2), so it is kept as it came.
    Reserved(u8),
}

impl GroupTag {
    /// What the octet begins; `None` where it begins no group: 0x00, the end-of-attributes-tag, a value tag.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
            0x01 => Self::Operation,
            0x02 => Self::Job,
            0x04 => Self::Printer,
            0x05 => Self::Unsupported,
            0x06 => Self::Subscription,
            0x07 => Self::EventNotification,
            0x08 => Self::Resource,
            0x09 => Self::Document,
            0x0A => Self::System,
            0x0B..=0x0F => Self::Reserved(octet),
            _ => return None,
        })
    }

    /// The octet on the wire.
    pub const fn octet(self) -> u8 {
        match self {
            Self::Operation => 0x01,
            Self::Job => 0x02,
            Self::Printer => 0x04,
            Self::Unsupported => 0x05,
            Self::Subscription => 0x06,
            Self::EventNotification => 0x07,
            Self::Resource => 0x08,
            Self::Document => 0x09,
            Self::System => 0x0A,
            Self::Reserved(octet) => octet,
        }
    }
}

impl fmt::Display for GroupTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operation => "operation-attributes-tag",
            Self::Job => "job-attributes-tag",
            Self::Printer => "printer-attributes-tag",
            Self::Unsupported => "unsupported-attributes-tag",
            Self::Subscription => "subscription-attributes-tag",
            Self::EventNotification => "event-notification-attributes-tag",
            Self::Resource => "resource-attributes-tag",
            Self::Document => "document-attributes-tag",
            Self::System => "system-attributes-tag",
            Self::Reserved(octet) => return write!(f, "0x{octet:02x}"),
        })
    }
}
