//! Documents that never become whole: nobody waits for them, and everybody hears of it.

use crate::follow::Following;
use crate::provider::{ControlPrinter, PrinterControl};
use crate::submission::Submission;

use super::*;

impl Rig {
    async fn begin(&self, printer: &str) -> (Submission, Following) {
        let (follower, following) = follow();
        let mut ticket = Ticket::new(printer);
        ticket.datatype = "".into();
        let start = StartDocPrinter {
            ticket,
            expected_bytes: None,
            announce: false,
            follower: Some(follower),
        };
        let mut submission = self.server.router.ask(start).await.unwrap().unwrap();
        submission.append(Bytes::from_static(b"half a la")).await.unwrap();
        (submission, following)
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("nothing is heard of it")
}

#[actix::test]
async fn a_direct_job_whose_sender_is_gone_does_not_wait_for_its_device() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "direct = true")]);
    let pause =
        ControlPrinter { name: "label".into(), what: PrinterControl::Pause, why: String::new() };
    rig.server.router.ask(pause).await.unwrap().unwrap();
    let (submission, mut following) = rig.begin("label").await;
    let job = submission.job();
    submission.abort("the sender was silent for 60 s").await;
    soon(following.state.wait_for(|state| *state == Some(JobState::Aborted))).await.ok();
    let State::Aborted { why, .. } = rig.shadow(job).state else {
        panic!("{:?}", rig.shadow(job).state)
    };
    assert_eq!(&*why, "the submission was broken off: the sender was silent for 60 s");
    rig.server.stop().await;
}
