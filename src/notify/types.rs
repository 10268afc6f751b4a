//! What a notification is about, and whom it is for ([MS-PAN] 2.2.1 to 2.2.3).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::identity::Identity;

/// `PrintAsyncNotificationType`: a GUID that is only ever compared. Anybody may make up more of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotificationType(u128);

impl NotificationType {
    /// `NOTIFICATION_RELEASE`: who sends this takes no further part.
    pub const RELEASE: Self = Self(0xba9a_5027_a70e_4ae7_9b7d_eb3e_06ad_4157);

    /// The GUID whose text form is this number in hexadecimal.
    pub const fn new(guid: u128) -> Self {
        Self(guid)
    }

    /// From its 16 bytes on the wire: the first three fields are little endian.
    pub fn from_wire(wire: [u8; 16]) -> Self {
        Self(swapped(u128::from_be_bytes(wire)))
    }

    /// Its 16 bytes on the wire.
    pub fn to_wire(self) -> [u8; 16] {
        swapped(self.0).to_be_bytes()
    }
}

/// Turns round the bytes of the first field (4), the second (2) and the third (2).
fn swapped(guid: u128) -> u128 {
    let [a, b, c, d, e, f, g, h, rest @ ..] = guid.to_be_bytes();
    let [i, j, k, l, m, n, o, p] = rest;
    u128::from_be_bytes([d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p])
}

impl fmt::Display for NotificationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guid = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            guid >> 96,
            guid >> 80 & 0xffff,
            guid >> 64 & 0xffff,
            guid >> 48 & 0xffff,
            guid & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for NotificationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a GUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a GUID; write it like ba9a5027-a70e-4ae7-9b7d-eb3e06ad4157")]
pub struct MalformedGuid(String);

impl FromStr for NotificationType {
    type Err = MalformedGuid;

    /// Groups of 8, 4, 4, 4 and 12 hexadecimal digits, in braces or not.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let groups = bare.split('-').map(str::len);
        let hexadecimal = bare.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        let digits = bare.replace('-', "");
        match u128::from_str_radix(&digits, 16) {
            Ok(guid) if hexadecimal && groups.eq(GROUPS) => Ok(Self(guid)),
            _ => Err(MalformedGuid(text.to_owned())),
        }
    }
}

/// What channels and registrations are tied to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// The print server itself.
    Server,
    /// One printer, by its name in lower case. Make it with [`Object::printer`].
    Printer(Arc<str>),
}

impl Object {
    /// A printer, by its name in any case.
    pub fn printer(name: &str) -> Self {
        Self::Printer(name.to_lowercase().into())
    }
}

/// `PrintAsyncNotifyConversationStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// Each notification is answered by one client.
    Bidirectional,
    /// Notifications only.
    Unidirectional,
}

/// What must be equal between a channel and a registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// The server or a printer. The match is exact: a registration for the server does not receive what is sent for a
    /// printer ([MS-PAN] leaves it open).
    pub object: Object,
    /// The notification type.
    pub notification_type: NotificationType,
    /// The conversation style.
    pub style: Style,
}

/// `PrintAsyncNotifyUserFilter` of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserFilter {
    /// What is for everybody, and what is for the registered identity.
    PerUser,
    /// What is for anybody at all. For administrators.
    AllUsers,
}

/// `PrintAsyncNotifyUserFilter` of a channel, with the identity it is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Everybody.
    AllUsers,
    /// The identity with this id (and administrators who listen to all users).
    User(Arc<str>),
}

impl Audience {
    /// Whether a registration with this filter and identity receives it ([MS-PAN] 2.2.2).
    pub fn includes(&self, filter: UserFilter, identity: &Identity) -> bool {
        match (self, filter) {
            (Self::AllUsers, _) | (_, UserFilter::AllUsers) => true,
            (Self::User(id), UserFilter::PerUser) => *id == identity.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden_both_ways() {
        let text = "ba9a5027-a70e-4ae7-9b7d-eb3e06ad4157";
        let wire = *b"\x27\x50\x9a\xba\x0e\xa7\xe7\x4a\x9b\x7d\xeb\x3e\x06\xad\x41\x57";
        assert_eq!(text.parse(), Ok(NotificationType::RELEASE));
        assert_eq!(NotificationType::RELEASE.to_string(), text);
        assert_eq!(NotificationType::RELEASE.to_wire(), wire);
        assert_eq!(NotificationType::from_wire(wire), NotificationType::RELEASE);
        assert_eq!(format!("{{{}}}", text.to_uppercase()).parse(), Ok(NotificationType::RELEASE));
    }

    #[test]
    fn what_is_no_guid() {
        for text in [
            "",
            "ba9a5027",
            "ba9a5027a70e4ae79b7deb3e06ad4157",
            "{ba9a5027-a70e-4ae7-9b7d-eb3e06ad4157",
            "+a9a5027-a70e-4ae7-9b7d-eb3e06ad4157",
            "ba9a5027-a70e-4ae7-9b7deb3e06-ad4157",
        ] {
            assert!(text.parse::<NotificationType>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_guid_both_ways(guid: u128) {
            let guid = NotificationType::new(guid);
            prop_assert_eq!(NotificationType::from_wire(guid.to_wire()), guid);
            prop_assert_eq!(guid.to_string().parse(), Ok(guid));
        }
    }

    #[test]
    fn user_filter_matrix() {
        let who = |id: &str| Identity { id: id.into(), name: id.into(), admin: false };
        let (ann, bob) = (who("w\\ann"), who("w\\bob"));
        let for_ann = Audience::User("w\\ann".into());
        for (audience, filter, identity, expected) in [
            (&Audience::AllUsers, UserFilter::PerUser, &ann, true),
            (&Audience::AllUsers, UserFilter::AllUsers, &ann, true),
            (&for_ann, UserFilter::PerUser, &ann, true),
            (&for_ann, UserFilter::PerUser, &bob, false),
            (&for_ann, UserFilter::AllUsers, &bob, true),
        ] {
            assert_eq!(audience.includes(filter, identity), expected, "{audience:?} {filter:?}");
        }
    }
}
