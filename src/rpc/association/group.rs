//! Association groups: the connections of one client process to one endpoint, and the context handles they share.
//!
//! A client joins a group by its number, from the address that made it ([MS-RPCE] 3.3.1.5.7).
//!
//! Invariant: a group ends with its last member, and its handles are run down then, once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rpc::interface::HandleTable;

/// The groups of an endpoint.
#[derive(Default)]
pub struct Groups(Mutex<HashMap<u32, Group>>);

struct Group {
    client: IpAddr,
    handles: Arc<HandleTable>,
    members: usize,
}

/// A connection's part in a group. Dropping it leaves the group.
pub(super) struct Member {
    groups: Arc<Groups>,
    id: u32,
    handles: Arc<HandleTable>,
}

impl Groups {
    /// Makes a group for a client; `None` where the system has no randomness.
    pub(super) fn create(self: &Arc<Self>, client: IpAddr) -> Option<Member> {
        let mut groups = self.lock();
        // Numbers nobody can guess; the map is far too small for the loop to go round often.
        let id = loop {
            let mut octets = [0; 4];
            getrandom::fill(&mut octets).ok()?;
            let id = u32::from_le_bytes(octets);
            if id != 0 && !groups.contains_key(&id) {
                break id;
            }
        };
        let handles = Arc::new(HandleTable::new());
        groups.insert(id, Group { client, handles: handles.clone(), members: 1 });
        drop(groups);
        Some(Member { groups: self.clone(), id, handles })
    }

    /// Joins a group of the same client; `None` where there is no such group.
    pub(super) fn join(self: &Arc<Self>, id: u32, client: IpAddr) -> Option<Member> {
        let mut groups = self.lock();
        let group = groups.get_mut(&id).filter(|group| group.client == client)?;
        group.members = group.members.saturating_add(1);
        Some(Member { groups: self.clone(), id, handles: group.handles.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Group>> {
        // Nothing panics while it is held: a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// The group's number.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The group's context handles.
    pub(super) fn handles(&self) -> &Arc<HandleTable> {
        &self.handles
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut groups = self.groups.lock();
        let Some(group) = groups.get_mut(&self.id) else { return };
        group.members = group.members.saturating_sub(1);
        if group.members == 0 {
            groups.remove(&self.id);
            drop(groups);
            self.handles.run_down();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::interface::Context;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[derive(Default)]
    struct Thing(AtomicBool);

    impl Context for Thing {
        fn run_down(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_group_lives_as_long_as_one_of_its_members() {
        let groups = Arc::new(Groups::default());
        let client = [10, 0, 0, 1].into();
        let first = groups.create(client).unwrap();
        assert!(groups.join(first.id(), [10, 0, 0, 2].into()).is_none());
        assert!(groups.join(first.id().wrapping_add(1), client).is_none());
        let second = groups.join(first.id(), client).unwrap();
        let thing = Arc::new(Thing::default());
        let handle = first.handles().of(None).create(thing.clone()).unwrap();
        let id = first.id();
        drop(first);
        assert!(second.handles().of(None).lookup::<Thing>(&handle).is_ok());
        assert!(!thing.0.load(Ordering::SeqCst));
        drop(second);
        assert!(thing.0.load(Ordering::SeqCst));
        assert!(groups.join(id, client).is_none());
    }
}
