//! Following a job: what its sender wants to know while it is on its way.

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::limits::BACK_PORTIONS;
use crate::provider::JobState;

/// The sender's end.
#[derive(Debug)]
pub struct Following {
    /// What the device sends while the job is at it. Portions that are not taken in time are dropped.
    pub back: mpsc::Receiver<Bytes>,
    /// How the job stands; `None` until it is known.
    pub state: watch::Receiver<Option<JobState>>,
}

/// The road's end. Lives as long as the job has not ended.
#[derive(Clone, Debug)]
pub struct Follower {
    back: mpsc::Sender<Bytes>,
    state: std::sync::Arc<watch::Sender<Option<JobState>>>,
}

/// Both ends of a follow.
pub fn follow() -> (Follower, Following) {
    let (back, back_end) = mpsc::channel(BACK_PORTIONS);
    let (state, state_end) = watch::channel(None);
    (Follower { back, state: state.into() }, Following { back: back_end, state: state_end })
}

impl Follower {
    /// Passes on what the device sent.
    pub fn back(&self, bytes: &Bytes) {
        let _ = self.back.try_send(bytes.clone());
    }

    /// Says how the job stands now.
    pub fn state(&self, state: JobState) {
        self.state.send_replace(Some(state));
    }
}
