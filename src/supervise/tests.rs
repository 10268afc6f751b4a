//! Actors that die, and who is made anew.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counter {
    born: Arc<AtomicUsize>,
    obituary: Obituary,
}

impl Actor for Counter {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.born.fetch_add(1, Ordering::SeqCst);
    }
}

crashes!(Counter);

#[derive(Message)]
#[rtype(result = "Incarnation")]
struct Which;

impl Handler<Which> for Counter {
    type Result = MessageResult<Which>;

    fn handle(&mut self, _: Which, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.obituary.incarnation())
    }
}

fn counter(wards: &Wards) -> (Live<Counter>, Arc<AtomicUsize>) {
    let born = Arc::new(AtomicUsize::new(0));
    let count = born.clone();
    let live = wards.keep("counter", &Arbiter::current(), move |obituary| Counter {
        born: count.clone(),
        obituary,
    });
    (live, born)
}

#[actix::test]
async fn a_dead_actor_is_made_anew_behind_the_same_handle() {
    let wards = Wards::new(&Arbiter::current());
    let (live, born) = counter(&wards);
    assert_eq!(live.ask(Which).await.unwrap(), 0);
    assert!(live.ask(Crash).await.is_err());
    assert_eq!(live.ask(Which).await.unwrap(), 1);
    assert_eq!(born.load(Ordering::SeqCst), 2);
}

#[actix::test]
async fn the_supervisor_can_die_too() {
    let wards = Wards::new(&Arbiter::current());
    let (live, _) = counter(&wards);
    assert!(wards.supervisor.ask(Crash).await.is_err());
    assert!(live.ask(Crash).await.is_err());
    assert_eq!(live.ask(Which).await.unwrap(), 1);
}

#[actix::test]
async fn a_released_actor_stays_dead() {
    let wards = Wards::new(&Arbiter::current());
    let (live, born) = counter(&wards);
    assert_eq!(live.ask(Which).await.unwrap(), 0);
    wards.release("counter");
    assert!(live.ask(Crash).await.is_err());
    assert!(wards.dead().is_empty());
    assert_eq!(born.load(Ordering::SeqCst), 1);
}

#[actix::test]
async fn the_death_of_a_released_actor_is_not_that_of_its_successor() {
    let wards = Wards::new(&Arbiter::current());
    let (old, _) = counter(&wards);
    assert_eq!(old.ask(Which).await.unwrap(), 0);
    wards.release("counter");
    let (new, born) = counter(&wards);
    assert_eq!(new.ask(Which).await.unwrap(), 0);
    assert!(old.ask(Crash).await.is_err());
    // The supervisor has heard of it when it has heard of this.
    let nobody = Died { ward: "nobody".into(), life: Life::first(), panicked: false };
    wards.supervisor.ask(nobody).await.unwrap();
    assert_eq!(new.ask(Which).await.unwrap(), 0);
    assert_eq!(born.load(Ordering::SeqCst), 1, "the successor was made anew");
}
