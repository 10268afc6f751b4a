//! The input buffer: bytes in, bytes out in the same order, always in one piece.

/// A queue of bytes whose content is one slice. Who uses it bounds it.
#[derive(Debug, Default)]
pub(super) struct Fifo {
    bytes: Vec<u8>,
    head: usize,
}

impl Fifo {
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.head)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything in it, oldest first.
    pub(super) fn front(&self) -> &[u8] {
        self.bytes.get(self.head..).unwrap_or_default()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.head > self.bytes.len() / 2 {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Drops the oldest `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.head = self.head.saturating_add(count);
        if self.head >= self.bytes.len() {
            self.clear();
        }
    }

    /// Forgets everything; how many bytes that were.
    pub(super) fn clear(&mut self) -> usize {
        let len = self.len();
        self.bytes.clear();
        self.head = 0;
        len
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_a_queue(steps in prop::collection::vec((0usize..40, 0usize..40), 0..60)) {
            let (mut fifo, mut model, mut next) = (Fifo::default(), VecDeque::new(), 0u8);
            for (put, take) in steps {
                let bytes: Vec<u8> = (0..put).map(|_| { next = next.wrapping_add(1); next }).collect();
                fifo.push(&bytes);
                model.extend(bytes);
                let take = take.min(model.len());
                prop_assert_eq!(fifo.front(), &*model.make_contiguous());
                fifo.consume(take);
                model.drain(..take);
                prop_assert_eq!(fifo.len(), model.len());
            }
            prop_assert_eq!(fifo.clear(), model.len());
            prop_assert!(fifo.is_empty());
        }
    }
}
