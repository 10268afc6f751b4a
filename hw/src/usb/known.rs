//! What printers said of themselves, for those who cannot ask: while a printer is claimed, only its claimer can, and
//! `usblp`, which asks at every plug, is not bound.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::DeviceId;
use crate::limits::USB_KNOWN;

/// A device for as long as it is plugged in: bus, address (not used again soon), and interface.
pub(super) type Key = (u8, u8, u8);

static SAID: Mutex<VecDeque<(Key, Option<DeviceId>)>> = Mutex::new(VecDeque::new());

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
