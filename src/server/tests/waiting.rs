//! Jobs that wait for a better time, and begin by themselves when it has come.

use crate::provider::{ControlPrinter, FollowsProgress, LooksAgain, PrinterControl};

use super::*;

impl Rig {
    async fn control_printer(&self, name: &str, what: PrinterControl) {
        let control = ControlPrinter { name: name.into(), what, why: String::new() };
        self.server.router.ask(control).await.unwrap().unwrap();
    }

    /// Returns when the printer waits for something that nobody tells.
    async fn waits(&self, printer: &str) {
        let waits = async {
            while !self.server.provider.ask(LooksAgain { name: printer.into() }).await.unwrap() {}
        };
        tokio::time::timeout(DEADLINE, waits).await.expect("it does not wait");
    }
}

/// A part of the day that begins in two hours.
fn not_now() -> String {
    let hour = jiff::Zoned::now().hour();
    format!("hours = \"{:02}:00-{:02}:00\"", (hour + 2) % 24, (hour + 3) % 24)
}

#[actix::test]
async fn a_job_that_comes_outside_the_hours_is_not_forgotten() {
    let device = printer(Language::Plain);
    let rig = rig(&[("night", serial(&device), &not_now())]);
    let (job, mut state) = rig.submit("night", b"later").await;
    rig.wait_for(job, &mut state, JobState::Pending).await;
    rig.waits("night").await;
    rig.server.stop().await;
}

#[actix::test]
async fn a_spool_file_that_cannot_be_opened_now_is_waited_for() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    rig.control_printer("label", PrinterControl::Pause).await;
    // Shorter ones are in memory.
    let kept = document(100_000);
    let (job, mut state) = rig.submit("label", &kept).await;
    let file = rig.dir.path().join("spool").join(job.file_name());
    let aside = rig.dir.path().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();
    rig.control_printer("label", PrinterControl::Resume).await;
    rig.waits("label").await;
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    rig.wait_for(job, &mut state, JobState::Completed).await;
    until(device.handle(), |snapshot| snapshot.bytes == 100_000).await;
    assert_eq!(device.handle().take_kept(), kept);
    rig.server.stop().await;
}

#[actix::test]
async fn a_server_that_plays_nothing_is_not_woken() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    let follows = async || rig.server.provider.ask(FollowsProgress).await.unwrap();
    assert!(!follows().await);
    device.handle().command("stall on");
    let (job, mut state) = rig.submit("label", &document(100_000)).await;
    rig.wait_for(job, &mut state, JobState::Processing).await;
    assert!(follows().await, "nobody is told how far it is");
    device.handle().command("stall off");
    rig.wait_for(job, &mut state, JobState::Completed).await;
    let rests = async { while follows().await {} };
    tokio::time::timeout(DEADLINE, rests).await.expect("it is woken for nothing");
    rig.server.stop().await;
}
