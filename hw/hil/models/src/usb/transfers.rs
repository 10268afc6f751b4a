//! Bulk transfers that the device holds back.

use std::collections::VecDeque;

use super::{Reply, Status};
use crate::limits::TRANSFERS;

/// A transfer to the device.
#[derive(Debug)]
pub(super) struct OutTransfer {
    pub(super) id: u64,
    pub(super) endpoint: u8,
    pub(super) data: Vec<u8>,
}

/// A transfer from the device.
#[derive(Debug)]
pub(super) struct InTransfer {
    pub(super) id: u64,
    pub(super) endpoint: u8,
    pub(super) length: usize,
}

/// What waits in both directions, oldest first.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    pub(super) to_device: VecDeque<OutTransfer>,
    pub(super) from_device: VecDeque<InTransfer>,
}

impl OutTransfer {
    /// Answers it: so many bytes were taken.
    pub(super) fn end(self, status: Status, length: usize) -> Reply {
        Reply::BulkOut { id: self.id, endpoint: self.endpoint, status, length }
    }
}

impl InTransfer {
    pub(super) fn end(self, status: Status, data: Vec<u8>) -> Reply {
        Reply::BulkIn { id: self.id, endpoint: self.endpoint, status, data }
    }
}

impl Transfers {
    pub(super) fn push_out(&mut self, id: u64, endpoint: u8, data: &[u8], out: &mut Vec<Reply>) {
        let transfer = OutTransfer { id, endpoint, data: data.to_vec() };
        if self.to_device.len() >= TRANSFERS {
            out.push(transfer.end(Status::Invalid, 0));
        } else {
            self.to_device.push_back(transfer);
        }
    }

    pub(super) fn push_in(&mut self, id: u64, endpoint: u8, length: usize, out: &mut Vec<Reply>) {
        let transfer = InTransfer { id, endpoint, length };
        if self.from_device.len() >= TRANSFERS {
            out.push(transfer.end(Status::Invalid, Vec::new()));
        } else {
            self.from_device.push_back(transfer);
        }
    }

    /// The host takes a transfer back; true if it was still waiting.
    pub(super) fn cancel(&mut self, id: u64, out: &mut Vec<Reply>) -> bool {
        if let Some(at) = self.to_device.iter().position(|transfer| transfer.id == id) {
            let gone = self.to_device.remove(at);
            out.extend(gone.map(|transfer| transfer.end(Status::Cancelled, 0)));
            return true;
        }
        let Some(at) = self.from_device.iter().position(|transfer| transfer.id == id) else {
            return false;
        };
        let gone = self.from_device.remove(at);
        out.extend(gone.map(|transfer| transfer.end(Status::Cancelled, Vec::new())));
        true
    }

    /// Forgets everything: the host reset the device and does not wait any more.
    pub(super) fn clear(&mut self) {
        self.to_device.clear();
        self.from_device.clear();
    }
}
