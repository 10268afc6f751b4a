//! Commands, watchers, the hook, the cable.

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::SimLanguage;
use crate::sim::{Keep, ModelOptions};

fn printer() -> SimHandle {
    let keep = Keep::Memory { limit_bytes: 100 };
    let options = ModelOptions { keep, ..ModelOptions::default() };
    SimHandle::new(Model::new(SimLanguage::Plain, options, Instant::now()))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[test]
fn commands_are_answered_and_wake_who_waits() {
    let printer = printer();
    let other = printer.clone();
    let waiter =
        std::thread::spawn(move || other.wait_for(|state| state.condition.paper_out, soon()));
    let bell = Bell::new().unwrap();
    let watch = printer.watch(bell.clone());
    assert_eq!(printer.command("paper-out on"), r#"{"ok":true}"#);
    assert!(waiter.join().unwrap());
    assert!(bell.hush());
    drop(watch);
    printer.command("paper-out off");
    assert!(!bell.hush());
    assert!(printer.command("paper").starts_with(r#"{"error":"`paper` is no command"#));
    assert!(!printer.wait_for(|state| state.stalled, Instant::now()));
}

#[test]
fn who_waits_for_bytes_is_woken_by_the_last_of_them() {
    let printer = printer();
    let take = |bytes: &[u8]| printer.with(|state, now| state.model.take(bytes, None, now));
    let other = printer.clone();
    let waiter = std::thread::spawn(move || other.wait_for_bytes(6, soon()));
    take(b"abc");
    take(b"de");
    let is_awaited = |waiters: &[u64]| {
        printer.with(|state, _| {
            let waiting = std::mem::replace(&mut state.waiters, waiters.to_vec());
            let awaited = state.is_awaited();
            state.waiters = waiting;
            awaited
        })
    };
    assert!(!is_awaited(&[]) && !is_awaited(&[6, 7]), "five bytes do not concern them");
    assert!(is_awaited(&[7, 5]) && is_awaited(&[6, 0]));
    take(b"f");
    assert!(waiter.join().unwrap());
    assert!(printer.lock().waiters.is_empty());
    assert!(!printer.wait_for_bytes(7, Instant::now()));
}

#[test]
fn the_hook_hears_everything_in_order_and_may_use_the_handle() {
    let printer = printer();
    let (tx, rx) = mpsc::channel();
    let inner = printer.clone();
    printer.on_event(move |event| {
        if *event == Event::Stalled(true) {
            inner.command("stall off");
        }
        tx.send(event.clone()).unwrap();
    });
    printer.with(|state, now| state.model.take(b"abc", None, now));
    printer.command("stall on");
    printer.command("reset");
    let heard: Vec<Event> = rx.try_iter().collect();
    let stall =
        [Event::Took { bytes: 3 }, Event::Stalled(true), Event::Stalled(false), Event::Reset];
    assert_eq!(heard, stall);
}

#[test]
fn a_command_waits_for_the_wire_to_follow_the_cable() {
    let printer = printer();
    let wire = printer.clone();
    let bell = Bell::new().unwrap();
    let (ready_tx, ready_rx) = mpsc::channel();
    let (done_tx, done_rx) = mpsc::channel::<()>();
    printer.expect_wire();
    let thread = std::thread::spawn(move || {
        wire.follow();
        let _watch = wire.watch(bell.clone());
        ready_tx.send(()).unwrap();
        for fault in [None, Some("no line free".to_owned())] {
            let mut fds = [rustix::event::PollFd::new(&bell, rustix::event::PollFlags::IN)];
            assert!(crate::poll::poll(&mut fds, Some(soon())).unwrap());
            bell.hush();
            let plugs = wire.with(|state, _| state.plugs);
            wire.settled(plugs, fault);
        }
        assert!(done_rx.recv().is_err(), "nothing is sent");
        wire.unfollow();
    });
    ready_rx.recv().unwrap();
    assert_eq!(printer.command("unplug"), r#"{"ok":true}"#);
    assert_eq!(printer.command("plug"), r#"{"error":"no line free"}"#);
    drop(done_tx);
    thread.join().unwrap();
    assert_eq!(printer.command("unplug"), r#"{"ok":true}"#, "no wire, nothing to wait for");
}
