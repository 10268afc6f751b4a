//! What can be wrong with a message, where, and what to answer.
//!
//! All of it is the peer's fault. The sentences are for the person who looks into the log.

use super::message::Header;
use super::status::Status;
use super::tag::GroupTag;

/// What is wrong (RFC 8010 §3 unless said otherwise).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The octets ended before the end-of-attributes-tag.
    #[error("the message ends before its end-of-attributes-tag (0x03)")]
    Truncated,
    /// §3.5.1: 0x00 begins no group.
    #[error("0x{tag:02x} begins no attribute group")]
    DelimiterTag {
        /// The tag found.
        tag: u8,
    },
    /// RFC 8011 §4.1.4: the operation attributes are one group, the first.
    #[error(
        "the operation attributes come after another group; they must be the first group, once"
    )]
    LateOperationGroup,
    /// §3.1.1: attributes are within groups.
    #[error("an attribute comes before the first attribute group")]
    NoGroup,
    /// §3.6: a field without a name is a further value of the attribute before it.
    #[error("a further value (empty name), but the group has no attribute yet")]
    NoFirstValue,
    /// §3.7: a name is a keyword.
    #[error("the name of an attribute or member is not UTF-8")]
    NameNotText,
    /// §3.1.7: the names of members are values; nothing within a collection has a name of its own.
    #[error("a field within a collection has a name of its own, where only member names may stand")]
    NamedInCollection,
    /// §3.1.7: a memberAttrName is the name of a member.
    #[error("a member has an empty name")]
    EmptyMemberName,
    /// §3.1.7: members belong to collections.
    #[error("a member name (0x4a) outside of a collection")]
    MemberOutsideCollection,
    /// §3.1.6: every end has its beginning.
    #[error("a collection ends (0x37) that did not begin")]
    EndWithoutBegin,
    /// §3.1.7: a member begins with its name.
    #[error("a value within a collection, but no member name (0x4a) before it")]
    ValueWithoutMember,
    /// §3.1.6: a group cannot end within a collection.
    #[error("the attribute group ends, but a collection within it does not (0x37)")]
    UnclosedCollection,
    /// §3.6, §3.8: lengths are signed, and not below 0.
    #[error("the length 0x{length:04x} is negative; 0x7fff is the most there is")]
    NegativeLength {
        /// The two octets found.
        length: u16,
    },
    /// §3.9: this syntax has another length.
    #[error("a value of syntax {syntax} has {needs} octets, not {length}")]
    WrongLength {
        /// The syntax its tag says.
        syntax: &'static str,
        /// How many octets it has to have.
        needs: &'static str,
        /// How many it has.
        length: usize,
    },
    /// §3.9: the lengths of language and text do not add up to the length of the value.
    #[error("the lengths within a value of syntax {syntax} do not add up to its {length} octets")]
    InnerLengths {
        /// The syntax its tag says.
        syntax: &'static str,
        /// How many octets it has.
        length: usize,
    },
    /// §3.5.2: a delimiter tag, or one that builds collections, cannot be the tag of a value.
    #[error("0x{tag:02x} is not the tag of a value")]
    NotAValue {
        /// The tag found.
        tag: u8,
    },
    /// Our limit, [`Limits::name_bytes`](super::Limits::name_bytes).
    #[error("a name of {length} octets; {limit} are allowed")]
    NameTooLong {
        /// How many octets it has.
        length: usize,
        /// How many we take.
        limit: usize,
    },
    /// Our limit, [`Limits::value_bytes`](super::Limits::value_bytes).
    #[error("a value of {length} octets; {limit} are allowed")]
    ValueTooLong {
        /// How many octets it has.
        length: usize,
        /// How many we take.
        limit: usize,
    },
    /// Our limit on the whole: one of [`Limits`](super::Limits).
    #[error("more than {limit} {of}")]
    TooMuch {
        /// Of what there is too much.
        of: &'static str,
        /// How much we take.
        limit: usize,
    },
}

impl Fault {
    /// The status to answer with (RFC 8011 Appendix B).
    pub fn status(&self) -> Status {
        match self {
            Self::TooMuch { .. } => Status::RequestEntityTooLarge,
            Self::ValueTooLong { .. } => Status::RequestValueTooLong,
            _ => Status::BadRequest,
        }
    }

    pub(super) fn at(self, offset: usize) -> (Self, usize) {
        (self, offset)
    }
}

/// Why a message could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed IPP message, octet {offset}{}: {fault}", begun(.attribute))]
pub struct DecodeError {
    /// What is wrong.
    pub fault: Fault,
    /// Where, counting the message's octets from 0: the tag of the field, or the length that is wrong.
    pub offset: usize,
    /// The attribute that was begun last in the group: the fault is in it or right after it.
    pub attribute: Option<Box<str>>,
    /// Version, operation and request-id, where they were read: with them an IPP response can be given.
    pub header: Option<Header>,
}

impl DecodeError {
    /// The status to answer with.
    pub fn status(&self) -> Status {
        self.fault.status()
    }
}

/// An attribute, or a member of a collection, that came a second time. The first was kept, this one dropped.
///
/// RFC 8011 §4.1.3 leaves the choice between that and `client-error-bad-request` to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The group it came in.
    pub group: GroupTag,
    /// Its name.
    pub name: Box<str>,
}

fn begun(attribute: &Option<Box<str>>) -> String {
    match attribute {
        Some(name) => format!(", in or after attribute \"{}\"", name.escape_debug()),
        None => String::new(),
    }
}
