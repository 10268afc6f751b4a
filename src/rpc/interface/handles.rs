//! Context handles: what a server keeps for a client, between its calls and over its connections.
//!
//! A handle belongs to an association group, not to an interface: one made by one interface may be used with another of
//! the same endpoint ([MS-PAN] does). It is 16 random bytes, is never used twice, has a kind (a Rust type) and an owner.
//! Handles are not serialised: several calls may use one at a time.
//!
//! Invariant: after [`HandleTable::run_down`] the table stays empty, and each object in it was run down exactly once.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::identity::Identity;
use crate::rpc::limits::HANDLES_PER_GROUP;
use crate::rpc::ndr::ContextHandle;
use crate::rpc::status::Status;
use crate::rpc::uuid::Uuid;

/// Something that a server keeps for a client.
pub trait Context: Any + Send + Sync {
    /// The client is gone, without having closed this. Called once, after the calls of the client are gone; must not
    /// block.
    fn run_down(self: Arc<Self>);
}

struct Entry {
    object: Arc<dyn Context>,
    owner: Option<Identity>,
}

/// The handles of one association group.
pub struct HandleTable(Mutex<Option<HashMap<Uuid, Entry>>>);

impl Default for HandleTable {
    fn default() -> Self {
        Self(Mutex::new(Some(HashMap::new())))
    }
}

impl HandleTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The handles, as one caller may use them.
    pub fn of(self: &Arc<Self>, owner: Option<Identity>) -> Handles {
        Handles { table: self.clone(), owner }
    }

    /// Ends the table: everything in it is run down, and nothing new is taken.
    pub fn run_down(&self) {
        let entries = self.entries().take();
        for entry in entries.into_iter().flat_map(HashMap::into_values) {
            entry.object.run_down();
        }
    }

    fn entries(&self) -> MutexGuard<'_, Option<HashMap<Uuid, Entry>>> {
        // Nothing panics while it is held: a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handles of an association group, as one caller may use them.
#[derive(Clone)]
pub struct Handles {
    table: Arc<HandleTable>,
    owner: Option<Identity>,
}

impl Handles {
    /// Keeps an object, and gives the handle to send to the client.
    ///
    /// # Errors
    /// [`Status::SERVER_TOO_BUSY`] where the group has [`HANDLES_PER_GROUP`] already, [`Status::CANCELED`] where the
    /// group has ended (the object is not run down then: it never was the client's).
    pub fn create<C: Context>(&self, object: Arc<C>) -> Result<ContextHandle, Status> {
        let uuid = Uuid::random().ok_or(Status::OUT_OF_RESOURCES)?;
        let mut entries = self.table.entries();
        let entries = entries.as_mut().ok_or(Status::CANCELED)?;
        if entries.len() >= HANDLES_PER_GROUP {
            return Err(Status::SERVER_TOO_BUSY);
        }
        entries.insert(uuid, Entry { object, owner: self.owner.clone() });
        Ok(ContextHandle::new(uuid))
    }

    /// The object of a handle.
    ///
    /// # Errors
    /// [`Status::CONTEXT_MISMATCH`] for a handle that is null, unknown, of another group or another kind;
    /// [`Status::ACCESS_DENIED`] for one that another identity made.
    pub fn lookup<C: Context>(&self, handle: &ContextHandle) -> Result<Arc<C>, Status> {
        let entries = self.table.entries();
        let entry = entries.as_ref().and_then(|entries| entries.get(&handle.uuid));
        self.check(handle, entry)
    }

    /// Forgets a handle and gives its object, which is not run down. Errors are those of [`lookup`](Self::lookup).
    pub fn destroy<C: Context>(&self, handle: &ContextHandle) -> Result<Arc<C>, Status> {
        let mut entries = self.table.entries();
        let entries = entries.as_mut().ok_or(Status::CONTEXT_MISMATCH)?;
        let object = self.check(handle, entries.get(&handle.uuid))?;
        entries.remove(&handle.uuid);
        Ok(object)
    }

    fn check<C: Context>(
        &self,
        handle: &ContextHandle,
        entry: Option<&Entry>,
    ) -> Result<Arc<C>, Status> {
        let entry = entry.filter(|_| handle.attributes == 0).ok_or(Status::CONTEXT_MISMATCH)?;
        let object: Arc<dyn Any + Send + Sync> = entry.object.clone();
        let object = object.downcast().map_err(|_| Status::CONTEXT_MISMATCH)?;
        let id = |identity: &Option<Identity>| identity.as_ref().map(|who| who.id.clone());
        if id(&entry.owner) == id(&self.owner) { Ok(object) } else { Err(Status::ACCESS_DENIED) }
    }
}
