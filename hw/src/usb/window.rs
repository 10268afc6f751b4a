//! How much may be in flight to a USB printer: what it takes in a quarter of a second.
//!
//! A printer that takes 20 KB a second need not have seconds of data in flight, behind which a status request would have
//! to wait; one that takes 40 MB a second must not run dry. The measure is what the printer has taken lately. Pure.

use std::time::{Duration, Instant};

use crate::limits::{
    USB_TRANSFER_BYTES, USB_TRANSFER_LEAST, USB_TRANSFERS, USB_WINDOW, USB_WINDOW_LEAST,
};

/// The most that may be in flight.
const MOST: usize = USB_TRANSFER_BYTES * USB_TRANSFERS;

/// What may be in flight, by what was taken lately.
#[derive(Debug)]
pub(super) struct Window {
    bytes: usize,
    /// When the wire began to work on what comes next: at the last completion, or when something was sent into silence.
    since: Option<Instant>,
}

impl Default for Window {
    fn default() -> Self {
        Self { bytes: 4 * USB_TRANSFER_BYTES, since: None }
    }
}

impl Window {
    /// A transfer was sent; `alone`: nothing was in flight.
    pub(super) fn sent(&mut self, alone: bool, now: Instant) {
        if alone {
            self.since = Some(now);
        }
    }

    /// The oldest transfer has ended: the printer took so many bytes.
    pub(super) fn taken(&mut self, bytes: usize, now: Instant) {
        let time = self.since.replace(now).map(|since| now.saturating_duration_since(since));
        let time = time.unwrap_or_default().max(Duration::from_micros(1));
        let in_window =
            (bytes as u128).saturating_mul(USB_WINDOW.as_micros()) / time.as_micros().max(1);
        let measured = usize::try_from(in_window).unwrap_or(MOST).min(MOST);
        // Up at once, down by halves: one slow transfer (a page being fed) is not a slow printer.
        let next = if measured >= self.bytes { measured } else { (self.bytes / 2).max(measured) };
        self.bytes = next.clamp(USB_WINDOW_LEAST, MOST);
    }

    /// How many bytes the next transfer may carry, with so many in flight; 0: none now.
    pub(super) fn room(&self, in_flight: usize, transfers: usize) -> usize {
        if transfers >= USB_TRANSFERS || in_flight >= self.bytes {
            return 0;
        }
        let share = (self.bytes / 4).next_multiple_of(USB_TRANSFER_LEAST);
        share.clamp(USB_TRANSFER_LEAST, USB_TRANSFER_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_printer_has_little_in_flight_and_a_fast_one_much() {
        let mut window = Window::default();
        let mut now = Instant::now();
        assert_eq!(window.room(0, 0), USB_TRANSFER_BYTES);
        window.sent(true, now);
        for _ in 0..10 {
            now += Duration::from_secs(1);
            window.taken(20_000, now);
        }
        assert_eq!(window.bytes, USB_WINDOW_LEAST, "5000 would do");
        assert_eq!(window.room(0, 0), USB_TRANSFER_LEAST);
        assert_eq!(window.room(USB_WINDOW_LEAST, 4), 0);
        now += Duration::from_micros(100);
        window.taken(4096, now);
        assert_eq!(window.bytes, MOST);
        assert_eq!(window.room(MOST - 1, USB_TRANSFERS - 1), USB_TRANSFER_BYTES);
        assert_eq!(window.room(0, USB_TRANSFERS), 0);
    }

    #[test]
    fn idle_time_is_not_slowness() {
        let mut window = Window::default();
        let start = Instant::now();
        window.sent(true, start);
        window.taken(4096, start + Duration::from_millis(1));
        let wide = window.bytes;
        let later = start + Duration::from_secs(100);
        window.sent(true, later);
        window.taken(4096, later + Duration::from_millis(1));
        assert_eq!(window.bytes, wide);
    }
}
