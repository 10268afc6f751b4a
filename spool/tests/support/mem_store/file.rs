//! One open file of the store.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, Weak};

use despool_spool::Bytes;
use despool_spool::store::File;

use super::faults::{Faults, count};
use super::{Inode, MemStore};

pub(super) struct MemFile {
    pub(super) inode: Inode,
    pub(super) store: Weak<MemStore>,
    pub(super) faults: Arc<Mutex<Faults>>,
}

impl MemFile {
    fn operation(&self, what: impl FnOnce() -> String) -> io::Result<()> {
        count(&self.faults, what)
    }
}

impl File for MemFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let written = self.operation(|| format!("write {} at {offset}", bytes.len()));
        // A write that is cut may leave its front behind.
        let front = match &written {
            Ok(()) => bytes,
            Err(_) => &bytes[..bytes.len() / 2],
        };
        self.inode.lock().unwrap().now.write(front, offset as usize);
        written
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.operation(|| format!("read {} at {offset}", buf.len()))?;
        Ok(self.inode.lock().unwrap().now.read(buf, offset as usize))
    }

    fn bytes(&self) -> io::Result<u64> {
        self.operation(|| "length".into())?;
        Ok(self.inode.lock().unwrap().now.length as u64)
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.operation(|| format!("cut to {bytes}"))?;
        self.inode.lock().unwrap().now.set_length(bytes as usize);
        Ok(())
    }

    fn allocate(&self, bytes: u64, keep_length: bool) -> io::Result<()> {
        self.operation(|| format!("allocate {bytes}"))?;
        let mut content = self.inode.lock().unwrap();
        if !keep_length {
            content.now.length = content.now.length.max(bytes as usize);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.operation(|| "sync".into())?;
        let mut content = self.inode.lock().unwrap();
        content.durable = content.now.clone();
        Ok(())
    }

    fn window(self: Arc<Self>, offset: u64, bytes: usize) -> io::Result<Bytes> {
        let mut window = vec![0; bytes];
        let got = self.read_at(&mut window, offset)?;
        window.truncate(got);
        Ok(Bytes::in_memory(window))
    }

    fn name(&self, name: &str) -> io::Result<()> {
        self.operation(|| format!("name {name}"))?;
        let store = self.store.upgrade().ok_or(io::ErrorKind::NotFound)?;
        let mut disk = store.disk.lock().unwrap();
        if disk.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.names.insert(name.to_owned(), self.inode.clone());
        Ok(())
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
