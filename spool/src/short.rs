//! Short documents of jobs that have not ended, in memory: so a label is played without its file being opened.
//!
//! Not where they are safe: that is the journal, and the file that has their name. What does not fit here is read from
//! there.
//!
//! The invariant: `bytes` is the length of all of them, at most [`SHORT_BYTES`].

use std::collections::HashMap;
use std::sync::Arc;

use crate::JobId;
use crate::limits::{COPIED_BYTES, SHORT_BYTES};

#[derive(Default)]
pub(crate) struct Short {
    documents: HashMap<JobId, Arc<Vec<u8>>>,
    bytes: usize,
}

impl Short {
    /// Keeps a document, if it is short and there is room.
    pub(crate) fn keep(&mut self, id: JobId, document: Vec<u8>) {
        self.forget(id);
        let bytes = self.bytes.saturating_add(document.len());
        if document.len() <= COPIED_BYTES && bytes <= SHORT_BYTES {
            self.bytes = bytes;
            self.documents.insert(id, Arc::new(document));
        }
    }

    pub(crate) fn of(&self, id: JobId) -> Option<Arc<Vec<u8>>> {
        self.documents.get(&id).cloned()
    }

    pub(crate) fn forget(&mut self, id: JobId) {
        if let Some(document) = self.documents.remove(&id) {
            self.bytes = self.bytes.saturating_sub(document.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_or_too_much_is_not_kept() {
        let id = |number| JobId::new(number).unwrap();
        let mut short = Short::default();
        short.keep(id(1), vec![1; COPIED_BYTES + 1]);
        assert_eq!(short.of(id(1)), None);
        let most = SHORT_BYTES / COPIED_BYTES;
        for number in 1..=most + 1 {
            short.keep(id(number as u32), vec![2; COPIED_BYTES]);
        }
        assert!(short.of(id(most as u32)).is_some() && short.of(id(most as u32 + 1)).is_none());
        short.forget(id(1));
        short.forget(id(1));
        short.keep(id(2), vec![3; 4]);
        assert_eq!(
            (short.bytes, short.of(id(2)).as_deref()),
            (SHORT_BYTES - 2 * COPIED_BYTES + 4, Some(&vec![3; 4]))
        );
    }
}
