//! A store in memory that keeps apart what was written and what was made durable.
//!
//! Every operation is counted. The Nth can fail with an error, or be the last: everything from there on fails, as if
//! the process were gone (a write that is cut may leave a part of itself behind). Then [`MemStore::after_kill`] and
//! [`MemStore::after_power_loss`] say what a new process finds.

mod faults;
mod file;
mod image;
mod loss;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, Weak};

use despool_spool::store::{Entry, File, Store};

pub use faults::Fault;
use faults::{Faults, count};
use file::MemFile;
use image::{Content, Image};
pub use loss::Loss;

type Inode = Arc<Mutex<Content>>;

#[derive(Default)]
struct Disk {
    names: BTreeMap<String, Inode>,
    durable_names: BTreeMap<String, Inode>,
    /// Everything that was ever made, so that a sync of all finds it.
    inodes: Vec<Weak<Mutex<Content>>>,
    boot: u8,
    locked: bool,
    free_bytes: u64,
}

/// See the module.
pub struct MemStore {
    me: Weak<MemStore>,
    disk: Mutex<Disk>,
    faults: Arc<Mutex<Faults>>,
}

impl MemStore {
    pub fn new(fault: Option<Fault>) -> Arc<Self> {
        Self::with(Disk { boot: 1, free_bytes: 1 << 40, ..Disk::default() }, fault)
    }

    fn with(disk: Disk, fault: Option<Fault>) -> Arc<Self> {
        let faults = Faults { fault, ..Faults::default() };
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            disk: Mutex::new(disk),
            faults: Arc::new(Mutex::new(faults)),
        })
    }

    /// The same store, not used yet, with something to go wrong.
    pub fn with_fault(self: Arc<Self>, fault: Fault) -> Arc<Self> {
        self.faults.lock().unwrap().fault = Some(fault);
        self
    }

    /// Nothing goes wrong from here on.
    pub fn mend(&self) {
        self.faults.lock().unwrap().fault = None;
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.faults.lock().unwrap().operations
    }

    /// The operations, for messages.
    pub fn log(&self) -> Vec<String> {
        self.faults.lock().unwrap().log.clone()
    }

    /// This much is free from here on, and what is removed.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.disk.lock().unwrap().free_bytes = free_bytes;
    }

    /// Counts an operation, and lets it happen, fail, or be cut.
    fn operation(&self, what: impl FnOnce() -> String) -> io::Result<()> {
        count(&self.faults, what)
    }

    fn make(&self, name: Option<&str>) -> io::Result<Arc<dyn File>> {
        let mut disk = self.disk.lock().unwrap();
        let inode = Inode::default();
        if let Some(name) = name {
            if disk.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.names.insert(name.to_owned(), inode.clone());
        }
        disk.inodes.push(Arc::downgrade(&inode));
        Ok(Arc::new(MemFile { inode, store: self.me.clone(), faults: self.faults.clone() }))
    }

    /// The content of a file, for tests.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.disk.lock().unwrap().names.get(name).map(|inode| inode.lock().unwrap().now.bytes())
    }

    /// Puts a file there, durably.
    pub fn plant(&self, name: &str, content: &[u8]) {
        let inode =
            Arc::new(Mutex::new(Content { now: Image::of(content), durable: Image::of(content) }));
        let mut disk = self.disk.lock().unwrap();
        disk.names.insert(name.to_owned(), inode.clone());
        disk.durable_names.insert(name.to_owned(), inode);
    }

    pub fn names(&self) -> Vec<String> {
        self.disk.lock().unwrap().names.keys().cloned().collect()
    }
}

struct Lock(Weak<MemStore>);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(store) = self.0.upgrade() {
            store.disk.lock().unwrap().locked = false;
        }
    }
}

impl Store for MemStore {
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        self.operation(|| "lock".into())?;
        let mut disk = self.disk.lock().unwrap();
        if disk.locked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        disk.locked = true;
        Ok(Box::new(Lock(self.me.clone())))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        self.operation(|| "list".into())?;
        let disk = self.disk.lock().unwrap();
        let entry = |(name, inode): (&String, &Inode)| Entry {
            name: name.clone(),
            bytes: inode.lock().unwrap().now.length as u64,
        };
        Ok(disk.names.iter().filter(|(name, _)| !name.contains('/')).map(entry).collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.operation(|| format!("open {name}"))?;
        let disk = self.disk.lock().unwrap();
        let inode = disk.names.get(name).ok_or(io::ErrorKind::NotFound)?.clone();
        Ok(Arc::new(MemFile { inode, store: self.me.clone(), faults: self.faults.clone() }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        self.operation(|| format!("create {name}"))?;
        self.make(Some(name))
    }

    fn create_unnamed(&self) -> io::Result<Arc<dyn File>> {
        self.operation(|| "create".into())?;
        self.make(None)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operation(|| format!("rename {from} {to}"))?;
        let mut disk = self.disk.lock().unwrap();
        let inode = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operation(|| format!("remove {name}"))?;
        let mut disk = self.disk.lock().unwrap();
        let inode = disk.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        disk.free_bytes += (inode.lock().unwrap().now.length as u64).next_multiple_of(4096);
        Ok(())
    }

    fn put_aside(&self, name: &str) -> io::Result<String> {
        self.operation(|| format!("put aside {name}"))?;
        let mut disk = self.disk.lock().unwrap();
        let inode = disk.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        let aside = (0..)
            .map(|n| {
                if n == 0 { format!("lost+found/{name}") } else { format!("lost+found/{name}.{n}") }
            })
            .find(|aside| !disk.names.contains_key(aside))
            .unwrap();
        disk.names.insert(aside.clone(), inode);
        Ok(aside)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.operation(|| "sync names".into())?;
        let mut disk = self.disk.lock().unwrap();
        disk.durable_names = disk.names.clone();
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.operation(|| "sync all".into())?;
        let mut disk = self.disk.lock().unwrap();
        disk.durable_names = disk.names.clone();
        for inode in
            disk.inodes.iter().filter_map(Weak::upgrade).chain(disk.names.values().cloned())
        {
            let mut content = inode.lock().unwrap();
            content.durable = content.now.clone();
        }
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.disk.lock().unwrap().free_bytes)
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        Ok([self.disk.lock().unwrap().boot; 16])
    }

    fn path(&self) -> String {
        "memory".into()
    }
}
