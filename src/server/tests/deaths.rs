//! Actors that die at a bad moment.

use despool_spool::Change;

use super::languages::Device;
use super::*;

#[actix::test]
async fn a_provider_made_anew_stops_what_was_canceled_in_its_last_moment() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    device.handle().command("stall on");
    let (job, mut state) = rig.submit("label", &document(1_000_000)).await;
    let (next, mut state_next) = rig.submit("label", b"next").await;
    rig.wait_for(job, &mut state, JobState::Processing).await;
    let cancel = Change::Cancel { at_ms: 1, why: "by a test".into() };
    rig.server.spool.update(job, cancel, None).unwrap();
    rig.crash("provider", "label").await;
    device.handle().command("stall off");
    rig.wait_for(next, &mut state_next, JobState::Completed).await;
    rig.server.stop().await;
}

#[actix::test]
async fn a_port_that_is_stuck_in_its_driver_keeps_nobody_from_canceling() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    device.handle().command("stall on");
    let (job, mut state) = rig.submit("label", &document(1_000_000)).await;
    let (next, mut state_next) = rig.submit("label", b"next").await;
    rig.wait_for(job, &mut state, JobState::Processing).await;
    let (wakes, hangs) = crossbeam_channel::bounded(0);
    let (_, _, port) = rig.server.parts.parts_for_tests("label");
    port.ask(crate::monitor::port::HangThread(hangs)).await.unwrap();
    rig.control(job, JobControl::Cancel { why: "by a test".into() }).await;
    rig.wait_for(next, &mut state_next, JobState::Processing).await;
    drop(wakes);
    device.handle().command("stall off");
    rig.wait_for(next, &mut state_next, JobState::Completed).await;
    rig.server.stop().await;
}

#[actix::test]
async fn a_job_that_begins_on_a_cable_that_was_just_pulled_is_printed_when_it_is_back() {
    let device = Device::new(Language::Plain);
    let rig = rig(&[("label", device.uri.clone(), "")]);
    let (first, mut state) = rig.submit("label", b"first").await;
    rig.wait_for(first, &mut state, JobState::Completed).await;
    let (wakes, hangs) = crossbeam_channel::bounded(0);
    let (_, _, port) = rig.server.parts.parts_for_tests("label");
    port.ask(crate::monitor::port::HangThread(hangs)).await.unwrap();
    let mut hung = crossbeam_channel::Select::new();
    hung.send(&wakes);
    hung.ready_deadline(soon()).unwrap();
    device.tell("unplug");
    device.tell("plug");
    let (job, mut state) = rig.submit("label", b"second").await;
    rig.wait_for(job, &mut state, JobState::Processing).await;
    // It hears of the job before it hears of the cable.
    drop(hung);
    drop(wakes);
    rig.wait_for(job, &mut state, JobState::Completed).await;
    rig.server.stop().await;
}
