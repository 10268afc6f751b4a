//! The order in which a printer's jobs are played: highest priority first, and among equals the one that came first.
//!
//! A job that was cut off keeps its place; one that goes on in its middle goes before all others, however urgent, since the
//! device stands in the middle of it. One that is printed again or moved here goes behind those of its priority.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use despool_spool::{JobId, Shadow};

/// Jobs that wait for one printer.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    order: BTreeSet<Place>,
    places: HashMap<JobId, Place>,
    /// The place behind all others.
    next: u64,
}

type Place = (Begun, Reverse<u8>, u64, JobId);

/// Whether the device stands in the middle of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Begun {
    Yes,
    No,
}

impl Queue {
    /// Puts a job where it belongs: first where its device stands in the middle of it, else behind those of its priority.
    pub(crate) fn enter(&mut self, job: &Shadow) {
        if job.is_begun() {
            self.enter_again(job);
        } else {
            self.put(job.id, job.ticket.priority);
        }
    }

    /// Puts a job that was cut off where it belongs: first where its device stands in the middle of it, else where it was.
    pub(crate) fn enter_again(&mut self, job: &Shadow) {
        if job.is_begun() {
            self.put_first(job.id, job.ticket.priority);
        } else {
            self.put_back(job.id, job.ticket.priority);
        }
    }

    /// Puts a job behind those of its priority. One that is in the queue already changes its priority and keeps its turn.
    pub(crate) fn put(&mut self, id: JobId, priority: u8) {
        let (begun, turn) = match self.places.get(&id) {
            Some((begun, _, turn, _)) => (*begun, *turn),
            None => {
                self.next = self.next.max(u64::from(id.number())).saturating_add(1);
                (Begun::No, self.next)
            }
        };
        self.place(id, (begun, Reverse(priority), turn, id));
    }

    /// Puts a job that was cut off back to where it was: before those that came after it.
    fn put_back(&mut self, id: JobId, priority: u8) {
        self.place(id, (Begun::No, Reverse(priority), u64::from(id.number()), id));
    }

    /// Puts a job that goes on in its middle before all others.
    fn put_first(&mut self, id: JobId, priority: u8) {
        self.place(id, (Begun::Yes, Reverse(priority), u64::from(id.number()), id));
    }

    fn place(&mut self, id: JobId, place: Place) {
        self.remove(id);
        self.order.insert(place);
        self.places.insert(id, place);
    }

    /// True where the job waits here.
    pub(crate) fn contains(&self, id: JobId) -> bool {
        self.places.contains_key(&id)
    }

    /// Takes a job out; true if it was in.
    pub(crate) fn remove(&mut self, id: JobId) -> bool {
        self.places.remove(&id).is_some_and(|place| self.order.remove(&place))
    }

    /// The jobs in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = JobId> {
        self.order.iter().map(|(.., id)| *id)
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> JobId {
        JobId::new(number).unwrap()
    }

    fn order(queue: &Queue) -> Vec<u32> {
        queue.iter().map(JobId::number).collect()
    }

    #[test]
    fn priority_then_turn() {
        let mut queue = Queue::default();
        for (number, priority) in [(1, 50), (2, 50), (3, 90), (4, 10)] {
            queue.put(id(number), priority);
        }
        assert_eq!(order(&queue), [3, 1, 2, 4]);
        queue.put(id(1), 10);
        assert_eq!(order(&queue), [3, 2, 1, 4], "a changed priority keeps the turn");
        queue.remove(id(2));
        queue.put(id(2), 90);
        assert_eq!(order(&queue), [3, 2, 1, 4], "one that comes back goes behind its equals");
        assert!(!queue.remove(id(9)));
        assert_eq!(queue.len(), 4);
    }

    #[test]
    fn a_job_that_was_cut_off_keeps_its_place_and_one_in_its_middle_is_first() {
        let mut queue = Queue::default();
        for (number, priority) in [(2, 50), (3, 50), (4, 90)] {
            queue.put(id(number), priority);
        }
        queue.put_back(id(1), 50);
        assert_eq!(order(&queue), [4, 1, 2, 3]);
        queue.put_first(id(3), 50);
        assert_eq!(order(&queue), [3, 4, 1, 2]);
        queue.put(id(3), 1);
        assert_eq!(order(&queue), [3, 4, 1, 2], "whatever its priority");
    }
}
