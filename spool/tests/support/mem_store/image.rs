//! A file: its bytes as written, and as durable.

#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) now: Image,
    pub(super) durable: Image,
}

/// A file's bytes; zeros at its end are not kept.
#[derive(Clone, Default)]
pub(super) struct Image {
    pub(super) front: Vec<u8>,
    pub(super) length: usize,
}

impl Image {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { front: bytes.to_vec(), length: bytes.len() }
    }

    pub(super) fn write(&mut self, bytes: &[u8], at: usize) {
        let end = at + bytes.len();
        self.length = self.length.max(end);
        if at >= self.front.len() && bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        if self.front.len() < end {
            self.front.resize(end, 0);
        }
        self.front[at..end].copy_from_slice(bytes);
    }

    pub(super) fn read(&self, buf: &mut [u8], at: usize) -> usize {
        let got = self.length.saturating_sub(at).min(buf.len());
        let front = self.front.get(at..).unwrap_or_default();
        let copied = front.len().min(got);
        buf[..copied].copy_from_slice(&front[..copied]);
        buf[copied..got].fill(0);
        got
    }

    pub(super) fn set_length(&mut self, length: usize) {
        self.length = length;
        self.front.truncate(length);
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut all = self.front.clone();
        all.resize(self.length, 0);
        all
    }
}
