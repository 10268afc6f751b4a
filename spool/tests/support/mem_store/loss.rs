//! What a new process finds after this one was killed, or after the power was cut.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::image::{Content, Image};
use super::{Disk, Inode, MemStore};

/// What a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Only what was synced.
    Strict,
    /// What was synced, and of the rest any part: each 512-byte sector and each name by the toss of a coin.
    Torn(u64),
}

impl MemStore {
    /// What a new process finds after this one was killed: everything that was written.
    pub fn after_kill(&self) -> Arc<Self> {
        let disk = self.disk.lock().unwrap();
        let copy = copied(&disk.names, |content| content.now.clone());
        Self::with(
            Disk {
                durable_names: copied_durable(&disk, &copy),
                names: copy,
                boot: disk.boot,
                locked: false,
                free_bytes: disk.free_bytes,
                inodes: Vec::new(),
            },
            None,
        )
    }

    /// What a new process finds after the power was cut.
    pub fn after_power_loss(&self, loss: Loss) -> Arc<Self> {
        let disk = self.disk.lock().unwrap();
        let mut coin = Coin(match loss {
            Loss::Strict => 0,
            Loss::Torn(seed) => seed | 1,
        });
        let mut names = disk.durable_names.clone();
        if loss != Loss::Strict {
            let changed: BTreeSet<String> =
                disk.names.keys().chain(disk.durable_names.keys()).cloned().collect();
            for name in changed {
                if coin.toss() {
                    match disk.names.get(&name) {
                        Some(inode) => names.insert(name, inode.clone()),
                        None => names.remove(&name),
                    };
                }
            }
        }
        let names = copied(&names, |content| match loss {
            Loss::Strict => content.durable.clone(),
            Loss::Torn(_) => torn(content, &mut coin),
        });
        let durable_names = names.clone();
        for inode in names.values() {
            let mut content = inode.lock().unwrap();
            content.durable = content.now.clone();
        }
        Self::with(
            Disk {
                names,
                durable_names,
                boot: disk.boot + 1,
                locked: false,
                free_bytes: disk.free_bytes,
                inodes: Vec::new(),
            },
            None,
        )
    }
}

fn copied(
    names: &BTreeMap<String, Inode>,
    content: impl FnMut(&Content) -> Image,
) -> BTreeMap<String, Inode> {
    let mut content = content;
    names
        .iter()
        .map(|(name, inode)| {
            let old = inode.lock().unwrap();
            let new = Content { now: content(&old), durable: old.durable.clone() };
            (name.clone(), Arc::new(Mutex::new(new)))
        })
        .collect()
}

/// Names that were durable point to the same copies, so that a later power cut knows.
fn copied_durable(disk: &Disk, copies: &BTreeMap<String, Inode>) -> BTreeMap<String, Inode> {
    disk.durable_names
        .iter()
        .map(|(name, inode)| {
            let same = disk.names.get(name).is_some_and(|now| Arc::ptr_eq(now, inode));
            let copy = match copies.get(name) {
                Some(copy) if same => copy.clone(),
                _ => Arc::new(Mutex::new(inode.lock().unwrap().clone())),
            };
            (name.clone(), copy)
        })
        .collect()
}

fn torn(content: &Content, coin: &mut Coin) -> Image {
    const SECTOR: usize = 512;
    let length = if coin.toss() { content.now.length } else { content.durable.length };
    let written = content.now.front.len().max(content.durable.front.len()).min(length);
    let mut image = Image { front: Vec::new(), length };
    for at in (0..written).step_by(SECTOR) {
        let from = if coin.toss() { &content.now } else { &content.durable };
        let mut sector = vec![0; SECTOR.min(written - at)];
        let got = from.read(&mut sector, at);
        image.write(&sector[..got], at);
    }
    image
}

struct Coin(u64);

impl Coin {
    fn toss(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 & 8 != 0
    }
}
