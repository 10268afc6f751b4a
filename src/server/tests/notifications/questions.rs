//! Questions: asked, answered, carried out, withdrawn, asked again.

use super::*;
use crate::asyncui::{ButtonId, MessageBox};
use crate::notify::Ended;
use crate::sources::{Asking, Links, Sources};

/// The next channel of a listener and the question on it.
async fn asked(hears: &mut Hears) -> (ClientChannel, MessageBox) {
    let mut channel = in_time(hears.new_channels()).await.unwrap().remove(0);
    match in_time(channel.next()).await {
        Ok(Reply::Notification(data)) => match Request::parse(&data) {
            Ok(Request::MessageBox(question)) => (channel, question),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn answer(channel: ClientChannel, button: ButtonId) -> Result<Ended, Refusal> {
    channel.close(Some(Answer::Button(button.number()).encode()))
}

/// A laser printer without paper, and ann's job that waits for it.
async fn out_of_paper(device: &PtyPrinter, more: &str) -> (Rig, JobId, Watched) {
    let settings = format!("language = \"pjl\"\n{more}");
    let rig = rig(&[("laser", serial(device), &settings)]);
    device.handle().command("paper-out on");
    let (job, mut state) = rig.submit_as("ann", "laser", &document(300_000)).await;
    rig.wait_for(job, &mut state, JobState::ProcessingStopped).await;
    (rig, job, state)
}

impl Rig {
    fn hears_questions(&self, object: Object, name: &str) -> Hears {
        hears(self.broker(), object, types::ASYNCUI, BI, name)
    }
}

#[actix::test]
async fn paper_out_answered_with_cancel_cancels_the_job() {
    let device = printer(Language::Pjl);
    let (rig, job, mut state) = out_of_paper(&device, "").await;
    let laser = || Object::printer("laser");
    let mut bob = rig.hears_questions(laser(), "bob");
    let (mut ann, mut root) =
        (rig.hears_questions(laser(), "ann"), rig.hears_questions(laser(), "root"));
    let mut elsewhere = rig.hears_questions(Object::Server, "ann");
    let (for_ann, question) = asked(&mut ann).await;
    let (for_root, _) = asked(&mut root).await;
    let (mut on_server, _) = asked(&mut elsewhere).await;
    assert_eq!(show(&[question.title], ""), "Printer out of paper");
    assert!(show(&question.body, "").contains("\u{201c}letter\u{201d}"));
    let ids: Vec<ButtonId> = question.buttons.iter().map(|button| button.id).collect();
    assert_eq!(ids, [ButtonId::Ok, ButtonId::Cancel]);

    assert_eq!(answer(for_ann, ButtonId::Cancel), Ok(Ended::Closed));
    assert_eq!(answer(for_root, ButtonId::Ok), Ok(Ended::AcquiredByOther), "too late");
    rig.wait_for(job, &mut state, JobState::Canceled).await;
    let State::Canceled { why, .. } = rig.shadow(job).state else { panic!() };
    assert_eq!(&*why, "by ann, who was asked");
    // The same question on the server object was withdrawn before the job was canceled.
    on_server.respond(Answer::Button(1).encode()).unwrap();
    assert_eq!(in_time(on_server.next()).await, Err(Refusal::ChannelClosed));
    // Nobody else's questions are for bob: his own is the first that he sees.
    device.handle().command("paper-out off");
    device.handle().command("paper-out on");
    rig.submit_as("bob", "laser", &document(300_000)).await;
    let (for_bob, question) = asked(&mut bob).await;
    assert!(!show(&question.body, "").contains(&format!("(job {job})")));
    drop(for_bob);
    rig.server.stop().await;
}

#[actix::test]
async fn two_who_wait_at_once_race_for_the_answer() {
    let device = printer(Language::Pjl);
    let (rig, job, mut state) = out_of_paper(&device, "").await;
    let laser = || Object::printer("laser");
    let (mut ann, mut root) =
        (rig.hears_questions(laser(), "ann"), rig.hears_questions(laser(), "root"));
    let ((ann, _), (root, _)) = tokio::join!(asked(&mut ann), asked(&mut root));
    let race = |channel| tokio::task::spawn_blocking(move || answer(channel, ButtonId::Cancel));
    let (ann, root) = (race(ann), race(root));
    let mut ended = [ann.await.unwrap().unwrap(), root.await.unwrap().unwrap()];
    ended.sort_by_key(|ended| *ended == Ended::AcquiredByOther);
    assert_eq!(ended, [Ended::Closed, Ended::AcquiredByOther]);
    rig.wait_for(job, &mut state, JobState::Canceled).await;
    rig.server.stop().await;
}

#[actix::test]
async fn a_question_is_withdrawn_when_there_is_paper_again() {
    let device = printer(Language::Pjl);
    let (rig, job, mut state) = out_of_paper(&device, "").await;
    let mut ann = rig.hears_questions(Object::printer("laser"), "ann");
    let (channel, _) = asked(&mut ann).await;
    let mut jobs = hears(rig.broker(), Object::Server, types::JOB, UNI, "ann");
    device.handle().command("paper-out off");
    rig.wait_for(job, &mut state, JobState::Completed).await;
    while next_json(&mut jobs).await["job"]["state"] != "completed" {}
    assert_eq!(answer(channel, ButtonId::Cancel), Err(Refusal::ChannelClosed));
    assert_eq!(rig.shadow(job).state.name(), "completed");
    rig.server.stop().await;
}

#[actix::test]
async fn a_printer_that_does_not_ask_is_told_of_all_the_same() {
    let device = printer(Language::Pjl);
    let (rig, _, _) = out_of_paper(&device, "ask = []").await;
    let mut balloons = hears(rig.broker(), Object::printer("laser"), types::ASYNCUI, UNI, "ann");
    let mut ann = rig.hears_questions(Object::printer("laser"), "ann");
    let mut asked = std::pin::pin!(ann.new_channels());
    std::future::poll_fn(|context| {
        assert!(asked.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    device.handle().command("cover-open on");
    loop {
        let (title, _) = next_balloon(&mut balloons).await;
        if title == "Printer needs attention" {
            break;
        }
    }
    assert_eq!(rig.broker().counts().handles, 0, "nothing was asked");
    rig.server.stop().await;
}

/// As long as it takes a slow printer many seconds.
const LONG: usize = 2_000_000;

/// A job that was cut off and held, because a part of the server died.
async fn held(device: &PtyPrinter) -> (Rig, JobId, Watched) {
    let rig = rig(&[("laser", serial(device), "language = \"pjl\"\nrecover = \"hold\"")]);
    device.handle().command("speed 200000");
    let (job, mut state) = rig.submit_as("ann", "laser", &document(LONG)).await;
    until(device.handle(), |snapshot| snapshot.bytes > 20_000).await;
    rig.crash("processor", "laser").await;
    rig.wait_for(job, &mut state, JobState::PendingHeld).await;
    device.handle().command("speed max");
    (rig, job, state)
}

/// All that came to a device, once it ends so: the port is done a moment before the device has it.
async fn printed_to_the_end(device: &PtyPrinter, end: &[u8]) -> Vec<u8> {
    let (mut printed, mut bytes) = (device.handle().take_kept(), 0);
    while !printed.ends_with(end) {
        until(device.handle(), move |snapshot| snapshot.bytes > bytes).await;
        bytes = device.handle().snapshot().bytes;
        printed.extend(device.handle().take_kept());
    }
    printed
}

#[actix::test]
async fn a_job_held_after_a_crash_does_what_is_answered() {
    for (button, expected) in [
        (ButtonId::Ok, JobState::Completed),
        (ButtonId::Number(3), JobState::Completed),
        (ButtonId::Cancel, JobState::Canceled),
    ] {
        let device = printer(Language::Pjl);
        let (rig, job, mut state) = held(&device).await;
        let mut ann = rig.hears_questions(Object::Server, "ann");
        let (channel, question) = asked(&mut ann).await;
        assert_eq!(question.buttons.len(), 3);
        assert_eq!(answer(channel, button), Ok(Ended::Closed));
        rig.wait_for(job, &mut state, expected).await;
        if expected == JobState::Completed {
            // Reprinted, all of it comes behind what came before; continued, there is nothing twice.
            let reprinted = button == ButtonId::Number(3);
            let kept = printed_to_the_end(&device, &document(LONG)).await;
            assert_eq!(kept.len() > LONG, reprinted, "{button:?}");
        }
        rig.server.stop().await;
    }
}

#[actix::test]
async fn a_question_is_withdrawn_when_somebody_releases_the_job() {
    let device = printer(Language::Pjl);
    let (rig, job, mut state) = held(&device).await;
    let mut ann = rig.hears_questions(Object::Server, "ann");
    let (channel, _) = asked(&mut ann).await;
    let mut jobs = hears(rig.broker(), Object::Server, types::JOB, UNI, "ann");
    rig.control(job, JobControl::Release).await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    while next_json(&mut jobs).await["job"]["state"] != "completed" {}
    assert_eq!(answer(channel, ButtonId::Cancel), Err(Refusal::ChannelClosed));
    rig.server.stop().await;
}

#[actix::test]
async fn the_death_of_the_sources_does_not_lose_a_question() {
    let device = printer(Language::Pjl);
    let (rig, job, mut state) = held(&device).await;
    let mut ann = rig.hears_questions(Object::Server, "ann");
    let (old, _) = asked(&mut ann).await;
    rig.server.notifications.crash_for_tests().await;
    let (new, _) = asked(&mut ann).await;
    assert_eq!(answer(old, ButtonId::Cancel), Err(Refusal::ChannelClosed));
    assert_eq!(answer(new, ButtonId::Cancel), Ok(Ended::Closed));
    rig.wait_for(job, &mut state, JobState::Canceled).await;
    rig.server.stop().await;
}

impl Rig {
    /// Sources beside the server's, that ask in another way.
    fn other_sources(&self, printers: &[&str], asking: Asking) -> (Broker, Wards) {
        let broker = Broker::default();
        for printer in printers {
            broker.add_printer(printer);
        }
        let wards = Wards::new(&Arbiter::current());
        let (slot, myself) = vacant();
        let (_, config) = watch::channel(self.server.config.clone());
        let (to, router) = (broker.clone(), self.server.router.clone());
        wards.keep_in(slot, "sources", &Arbiter::current(), move |obituary| {
            let links = Links {
                broker: to.clone(),
                router: router.clone(),
                config: config.clone(),
                myself: myself.clone(),
            };
            Sources::new(links, asking, obituary)
        });
        (broker, wards)
    }
}

#[actix::test]
async fn what_was_not_solved_or_not_understood_is_asked_again() {
    let device = printer(Language::Pjl);
    let (rig, job, mut state) = out_of_paper(&device, "").await;
    let asking = Asking { again: Duration::from_millis(1), ..Asking::default() };
    let (broker, wards) = rig.other_sources(&["laser"], asking);
    let mut ann = hears(&broker, Object::printer("laser"), types::ASYNCUI, BI, "ann");
    let (channel, _) = asked(&mut ann).await;
    assert_eq!(answer(channel, ButtonId::Ok), Ok(Ended::Closed));
    let (channel, _) = asked(&mut ann).await;
    assert_eq!(answer(channel, ButtonId::Number(77)), Ok(Ended::Closed));
    let (mut channel, _) = asked(&mut ann).await;
    channel.respond(Bytes::from_static(b"what?")).unwrap();
    assert_eq!(in_time(channel.next()).await, Ok(Reply::Closed(None)));
    let (channel, _) = asked(&mut ann).await;
    assert_eq!(answer(channel, ButtonId::Cancel), Ok(Ended::Closed));
    rig.wait_for(job, &mut state, JobState::Canceled).await;
    wards.close();
    rig.server.stop().await;
}

#[actix::test]
async fn where_too_much_is_to_be_asked_one_question_waits_for_another() {
    let (one, two) = (printer(Language::Pjl), printer(Language::Pjl));
    let pjl = "language = \"pjl\"";
    let rig = rig(&[("one", serial(&one), pjl), ("two", serial(&two), pjl)]);
    let mut jobs = Vec::new();
    for (name, device) in [("one", &one), ("two", &two)] {
        device.handle().command("paper-out on");
        let (job, mut state) = rig.submit_as("ann", name, &document(300_000)).await;
        rig.wait_for(job, &mut state, JobState::ProcessingStopped).await;
        jobs.push((job, state));
    }
    let asking = Asking { most: 1, ..Asking::default() };
    let (broker, wards) = rig.other_sources(&["one", "two"], asking);
    let mut ann = hears(&broker, Object::Server, types::ASYNCUI, BI, "ann");
    let (first, text) = asked(&mut ann).await;
    // One on the printer and one on the server: this is the only question.
    assert_eq!(broker.counts().channels, 2);
    assert_eq!(answer(first, ButtonId::Cancel), Ok(Ended::Closed));
    let (second, other) = asked(&mut ann).await;
    assert_ne!(show(&text.body, ""), show(&other.body, ""));
    assert_eq!(answer(second, ButtonId::Cancel), Ok(Ended::Closed));
    for (job, mut state) in jobs {
        rig.wait_for(job, &mut state, JobState::Canceled).await;
    }
    wards.close();
    rig.server.stop().await;
}
