//! A request or a response, whole.

use super::attributes::Attributes;
use super::limits::STATUS_MESSAGE_MAX;
use super::operation::Operation;
use super::status::Status;
use super::tag::GroupTag;

/// The first eight octets (RFC 8010 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Major and minor version, e.g. `(1, 1)`.
    pub version: (u8, u8),
    /// The operation-id of a request, the status-code of a response.
    pub code: u16,
    /// Chosen by the client, above 0; the response has the same.
    pub request_id: i32,
}

/// A request or a response. Which of them is known from where it came; the octets do not say.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Major and minor version, e.g. `(1, 1)`.
    pub version: (u8, u8),
    /// The operation-id of a request, the status-code of a response.
    pub code: u16,
    /// Chosen by the client, above 0; the response has the same.
    pub request_id: i32,
    /// The attribute groups, in order. Several may have one tag: a Get-Jobs response has one a job.
    pub groups: Vec<Group>,
}

/// An attribute group.
#[derive(Clone, PartialEq, Eq)]
pub struct Group {
    /// What its attributes belong to.
    pub tag: GroupTag,
    /// Its attributes.
    pub attributes: Attributes,
}

static NO_ATTRIBUTES: Attributes = Attributes::new();

impl Message {
    /// A request of version 1.1, which every printer takes, with the two operation attributes that must come first
    /// (RFC 8011 §4.1.4): charset `utf-8`, natural language `en`.
    pub fn request(operation: Operation, request_id: i32) -> Self {
        Self::begin(Header { version: (1, 1), code: operation.code(), request_id })
    }

    /// The response to a request (a [`Message`], or the [`Header`] of one that could not be decoded): its version, its
    /// request-id, and the two operation attributes that must come first, `utf-8` and `en`.
    pub fn response(request: impl Into<Header>, status: Status) -> Self {
        Self::begin(Header { code: status.code(), ..request.into() })
    }

    fn begin(header: Header) -> Self {
        let mut attributes = Attributes::new();
        attributes
            .put_charset("attributes-charset", "utf-8")
            .put_language("attributes-natural-language", "en");
        let groups = vec![Group { tag: GroupTag::Operation, attributes }];
        let Header { version, code, request_id } = header;
        Self { version, code, request_id, groups }
    }

    /// Its first eight octets.
    pub fn header(&self) -> Header {
        Header { version: self.version, code: self.code, request_id: self.request_id }
    }

    /// What a request asks for.
    pub fn operation(&self) -> Operation {
        self.code.into()
    }

    /// How a request went.
    pub fn status(&self) -> Status {
        self.code.into()
    }

    /// The operation attributes; none where there is no such group, which is to be taken as the same (RFC 8010 §3.3).
    pub fn operation_attributes(&self) -> &Attributes {
        self.attributes(GroupTag::Operation)
    }

    /// The attributes of the first group with that tag; none where there is no such group.
    pub fn attributes(&self, tag: GroupTag) -> &Attributes {
        self.groups_of(tag).next().unwrap_or(&NO_ATTRIBUTES)
    }

    /// The attributes of every group with that tag, in order.
    pub fn groups_of(&self, tag: GroupTag) -> impl Iterator<Item = &Attributes> {
        self.groups.iter().filter(move |group| group.tag == tag).map(|group| &group.attributes)
    }

    /// The attributes of the first group with that tag, to change; of a new one where there is none.
    pub fn attributes_mut(&mut self, tag: GroupTag) -> &mut Attributes {
        let Some(at) = self.groups.iter().position(|group| group.tag == tag) else {
            return self.add_group(tag);
        };
        // Out and in again: this way there is no index that could be wrong.
        let group = self.groups.remove(at);
        &mut self.groups.insert_mut(at, group).attributes
    }

    /// Adds a group, whether or not there is one with that tag: at the end, but the operation attributes at the
    /// beginning, where alone they may stand.
    pub fn add_group(&mut self, tag: GroupTag) -> &mut Attributes {
        let at = if tag == GroupTag::Operation { 0 } else { self.groups.len() };
        &mut self.groups.insert_mut(at, Group { tag, attributes: Attributes::new() }).attributes
    }

    /// Says in words what the status means here: "status-message", cut to the 255 octets it may have.
    pub fn set_status_message(&mut self, sentence: &str) -> &mut Self {
        let cut = sentence.floor_char_boundary(STATUS_MESSAGE_MAX);
        let (kept, _) = sentence.split_at(cut);
        self.attributes_mut(GroupTag::Operation).put_text("status-message", kept);
        self
    }
}

impl From<&Message> for Header {
    fn from(message: &Message) -> Self {
        message.header()
    }
}
