//! Something that must wait for the device, done on a thread of its own while the port stays awake.

use std::io;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::pipes::Work;
use crate::Bell;

/// Work under way. Dropping it leaves it to its end, which the stack's own timeouts bound.
#[derive(Debug)]
pub(super) struct Errand {
    ended: Receiver<Result<(), String>>,
}

impl Errand {
    /// Does `work`, and rings `done` when it has ended.
    pub(super) fn start(work: Work, done: Bell) -> io::Result<Self> {
        let (tell, ended) = bounded(1);
        std::thread::Builder::new().name("usb-errand".to_owned()).spawn(move || {
            let outcome = work();
            // Nobody may be listening any more.
            let _ = tell.send(outcome);
            done.ring();
        })?;
        Ok(Self { ended })
    }

    /// What it has come to; `None`: it is under way.
    pub(super) fn outcome(&self) -> Option<Result<(), String>> {
        match self.ended.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err("the code that puts it right failed".to_owned()))
            }
        }
    }
}
