//! Actors that die at a bad moment.

use despool_spool::Change;

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
