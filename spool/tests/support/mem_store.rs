//! A store in memory that keeps apart what was written and what was made durable.
//!
//! Every operation is counted. The Nth can fail with an error, or be the last: everything from there on fails, as if
//! the process were gone (a write that is cut may leave a part of itself behind). Then [`MemStore::after_kill`] and
//! [`MemStore::after_power_loss`] say what a new process finds.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, Weak};

use despool_spool::Bytes;
use despool_spool::store::{Entry, File, Store};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The Nth operation fails with this error; the others work.
    Fail(u64, io::ErrorKind),
    /// The Nth operation and all after it never happen.
    Cut(u64),
}

/// What a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Only what was synced.
    Strict,
    /// What was synced, and of the rest any part: each 512-byte sector and each name by the toss of a coin.
    Torn(u64),
}

type Inode = Arc<Mutex<Content>>;

#[derive(Clone, Default)]
struct Content {
    now: Image,
    durable: Image,
}

/// A file's bytes; zeros at its end are not kept.
#[derive(Clone, Default)]
struct Image {
    front: Vec<u8>,
    length: usize,
}

impl Image {
    fn of(bytes: &[u8]) -> Self {
        Self { front: bytes.to_vec(), length: bytes.len() }
    }

    fn write(&mut self, bytes: &[u8], at: usize) {
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

    fn read(&self, buf: &mut [u8], at: usize) -> usize {
        let got = self.length.saturating_sub(at).min(buf.len());
        let front = self.front.get(at..).unwrap_or_default();
        let copied = front.len().min(got);
        buf[..copied].copy_from_slice(&front[..copied]);
        buf[copied..got].fill(0);
        got
    }

    fn set_length(&mut self, length: usize) {
        self.length = length;
        self.front.truncate(length);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut all = self.front.clone();
        all.resize(self.length, 0);
        all
    }
}

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

#[derive(Default)]
struct Faults {
    operations: u64,
    fault: Option<Fault>,
    cut: bool,
    log: Vec<String>,
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

    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.disk.lock().unwrap().free_bytes = free_bytes;
    }

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

fn count(faults: &Mutex<Faults>, what: impl FnOnce() -> String) -> io::Result<()> {
    let mut faults = faults.lock().unwrap();
    let n = faults.operations;
    faults.operations += 1;
    let what = what();
    faults.log.push(format!("{n} {what}"));
    match faults.fault {
        _ if faults.cut => Err(io::Error::other("the process is gone")),
        Some(Fault::Fail(at, kind)) if at == n => Err(kind.into()),
        Some(Fault::Cut(at)) if at <= n => {
            faults.cut = true;
            Err(io::Error::other("the process is gone"))
        }
        _ => Ok(()),
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
        self.disk.lock().unwrap().names.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
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

struct MemFile {
    inode: Inode,
    store: Weak<MemStore>,
    faults: Arc<Mutex<Faults>>,
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
