//! What is known of printers for as long as they are plugged in, beyond the port that was open.
//!
//! What they said of themselves, for those who cannot ask: while a printer is claimed, only its claimer can, and `usblp`,
//! which asks at every plug, is not bound. And which of them stand in the middle of a job that was given up: a port that did
//! not answer is opened anew, and the printer still waits for the rest of that job.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::DeviceId;
use crate::limits::USB_KNOWN;

/// A device for as long as it is plugged in: bus, address (not used again soon), and interface.
pub(super) type Key = (u8, u8, u8);

static SAID: Mutex<VecDeque<(Key, Option<DeviceId>)>> = Mutex::new(VecDeque::new());

static HALF: Mutex<VecDeque<Key>> = Mutex::new(VecDeque::new());

/// Remembers that a printer stands in the middle of a job that was given up.
pub(super) fn remember_half(key: Key) {
    let mut half = HALF.lock().unwrap_or_else(PoisonError::into_inner);
    half.retain(|known| *known != key);
    half.truncate(USB_KNOWN.saturating_sub(1));
    half.push_front(key);
}

/// True where it does; whoever asks sees to it.
pub(super) fn take_half(key: Key) -> bool {
    let mut half = HALF.lock().unwrap_or_else(PoisonError::into_inner);
    let before = half.len();
    half.retain(|known| *known != key);
    half.len() < before
}

/// Remembers an answer; `None`: it has no device id.
pub(super) fn remember(key: Key, id: Option<DeviceId>) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    said.retain(|(known, _)| *known != key);
    said.truncate(USB_KNOWN.saturating_sub(1));
    said.push_front((key, id));
}

/// What it answered; `None`: nobody has asked.
pub(super) fn recall(key: Key) -> Option<Option<DeviceId>> {
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    said.iter().find(|(known, _)| *known == key).map(|(_, id)| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_job_is_seen_to_once() {
        let (one, other) = ((200, 1, 0), (200, 2, 0));
        assert!(!take_half(one));
        remember_half(one);
        remember_half(one);
        assert!(!take_half(other));
        assert!(take_half(one));
        assert!(!take_half(one));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        for number in 0..=255 {
            remember_half((201, number, 0));
        }
        assert!(HALF.lock().unwrap().len() <= USB_KNOWN);
        assert!(take_half((201, 255, 0)));
    }
}
