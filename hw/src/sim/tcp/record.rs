//! What a TCP printer remembers of its connections.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::limits::SIM_TCP_RECORDS;

/// One connection, which is one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// Bytes that the printer took of it.
    pub bytes: u64,
    /// The first of them, as many as were to be kept.
    pub kept: Vec<u8>,
    /// How it ended; `None`: it has not.
    pub end: Option<ConnectionEnd>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The host closed its side, and everything was printed (or the host did not wait for that).
    Finished,
    /// The printer reset it.
    Reset,
    /// The host, or the network, broke it.
    Broken,
}

/// The last connections, and a reset that is to come.
#[derive(Debug)]
pub(super) struct Records {
    /// So many bytes of each are kept.
    keep_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    list: VecDeque<ConnectionRecord>,
    /// Number of the first one in the list.
    first: u64,
    reset_after: Option<u64>,
}

impl Records {
    pub(super) fn new(keep_bytes: usize) -> Self {
        Self { keep_bytes, inner: Mutex::default() }
    }

    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new connection; its number.
    pub(super) fn open(&self) -> u64 {
        self.with(|inner| {
            if inner.list.len() >= SIM_TCP_RECORDS {
                inner.list.pop_front();
                inner.first = inner.first.saturating_add(1);
            }
            inner.list.push_back(ConnectionRecord::default());
            inner.first.saturating_add(inner.list.len() as u64).saturating_sub(1)
        })
    }

    /// Bytes were taken.
    pub(super) fn took(&self, number: u64, bytes: &[u8]) {
        self.change(number, |record| {
            let room = self.keep_bytes.saturating_sub(record.kept.len());
            record.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            record.bytes = record.bytes.saturating_add(bytes.len() as u64);
        });
    }

    pub(super) fn close(&self, number: u64, end: ConnectionEnd) {
        self.change(number, |record| record.end = Some(end));
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut ConnectionRecord)) {
        self.with(|inner| {
            let at = number.checked_sub(inner.first).and_then(|at| usize::try_from(at).ok());
            if let Some(record) = at.and_then(|at| inner.list.get_mut(at)) {
                change(record);
            }
        });
    }

    pub(super) fn list(&self) -> Vec<ConnectionRecord> {
        self.with(|inner| inner.list.iter().cloned().collect())
    }

    /// The next connection (or the running one) that gets so far is to be reset.
    pub(super) fn reset_after(&self, bytes: u64) {
        self.with(|inner| inner.reset_after = Some(bytes));
    }

    /// How many more bytes may be taken of a connection that had so many, before it is reset.
    pub(super) fn left(&self, had: u64) -> Option<usize> {
        let left = self.with(|inner| inner.reset_after)?.saturating_sub(had);
        Some(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// The reset happened.
    pub(super) fn was_reset(&self) {
        self.with(|inner| inner.reset_after = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_ones() {
        let records = Records::new(3);
        let first = records.open();
        records.took(first, b"abcd");
        records.close(first, ConnectionEnd::Finished);
        let record = ConnectionRecord {
            bytes: 4,
            kept: b"abc".to_vec(),
            end: Some(ConnectionEnd::Finished),
        };
        assert_eq!(records.list(), [record]);
        for _ in 0..SIM_TCP_RECORDS {
            records.open();
        }
        records.took(first, b"gone");
        let list = records.list();
        assert_eq!((list.len(), list[0].bytes), (SIM_TCP_RECORDS, 0));
    }

    #[test]
    fn a_reset_is_for_one_connection() {
        let records = Records::new(0);
        assert_eq!(records.left(0), None);
        records.reset_after(10);
        assert_eq!((records.left(4), records.left(11)), (Some(6), Some(0)));
        records.was_reset();
        assert_eq!(records.left(0), None);
    }
}
