//! What is said to a port monitor, and what it tells those who listen to it.
//!
//! Not the road of a document: that one is common to all monitors ([`monitor`](crate::monitor)).

use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;
use despool_hw::{Line, PortFacts};

use super::lane::{How, Stopped};
use crate::error::Result;
use crate::monitor::PlayId;

/// What a port tells those who listen to it.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct PortNews {
    /// The port, as [`despool_hw::DeviceUri::port_key`] names it.
    pub port: Arc<str>,
    /// What is new.
    pub news: News,
}

/// What is new at a port.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The device is there.
    Present {
        /// What kind of wire it is on.
        facts: PortFacts,
        /// Its IEEE 1284 device id, where the wire can carry one.
        device_id: Option<String>,
    },
    /// The device is not there.
    Absent {
        /// Why, for people.
        why: String,
    },
    /// The lines changed.
    Line(Line),
    /// The device sent bytes.
    Back {
        /// The bytes.
        bytes: Bytes,
        /// How many were dropped before them because nobody took them in time.
        dropped: u64,
    },
    /// The device takes nothing although bytes wait, or takes again.
    Stalled(bool),
}

/// From now on, tell me what is new.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Listen {
    /// Who listens; one of each name.
    pub name: Arc<str>,
    /// Where to tell.
    pub to: Recipient<PortNews>,
}

/// Nobody listens under this name any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Unlisten {
    /// The name given to [`Listen`].
    pub name: Arc<str>,
}

/// Tell the provider what you know of the device: it is new.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct Retell;

/// Stops a playing at once, whatever the device does.
#[derive(Message, Clone, Copy)]
#[rtype(result = "Result<Option<Stopped>>")]
pub struct AbortDoc {
    /// The playing.
    pub play: PlayId,
    /// For good, or to go on later.
    pub how: How,
}

/// Bytes for the device between documents (status requests). Dropped where a job is on its way or nobody is connected.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Say {
    /// The bytes.
    pub bytes: Bytes,
}

/// A question for the device in the middle of a document, where the language allows one: it goes out when `at` bytes of the
/// job have been taken, neither sooner nor later; dropped where the document is beyond that.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Interject {
    /// The playing.
    pub play: PlayId,
    /// Bytes of the job, as played.
    pub at: u64,
    /// The bytes.
    pub bytes: Bytes,
}

/// A playing was stopped: how. For the language monitor, which may have to bring the device to its senses.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct DocAborted {
    /// The playing.
    pub play: PlayId,
    /// For good, or to go on later.
    pub how: How,
    /// Where, as far as the port could say.
    pub stopped: Option<Stopped>,
}
