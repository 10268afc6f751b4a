//! What the server publishes, heard in this process: events, balloons, questions and what their answers do.

mod questions;

use super::*;
use crate::asyncui::{Balloon, Reply as Answer, Request, show};
use crate::identity::Identity;
use crate::notify::{
    Broker, ClientChannel, Listener as Hears, Notification, NotificationType, Object, Refusal,
    Reply, Style, Topic, UserFilter,
};
use crate::sources::types;

const UNI: Style = Style::Unidirectional;
const BI: Style = Style::Bidirectional;

fn who(name: &str) -> Identity {
    Identity { id: format!("workgroup\\{name}").into(), name: name.into(), admin: name == "root" }
}

/// Registers: `root` for all users, others for what is theirs.
fn hears(
    broker: &Broker,
    object: Object,
    notification_type: NotificationType,
    style: Style,
    name: &str,
) -> Hears {
    let filter = if name == "root" { UserFilter::AllUsers } else { UserFilter::PerUser };
    let topic = Topic { object, notification_type, style };
    Hears::register(broker, topic, filter, who(name)).unwrap()
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("nothing came")
}

async fn next(hears: &mut Hears) -> Bytes {
    match in_time(hears.next()).await {
        Ok(Notification::Data(data)) => data,
        other => panic!("{other:?}"),
    }
}

async fn next_json(hears: &mut Hears) -> serde_json::Value {
    serde_json::from_slice(&next(hears).await).unwrap()
}

/// Title and text of the next balloon.
async fn next_balloon(hears: &mut Hears) -> (String, String) {
    match Request::parse(&next(hears).await) {
        Ok(Request::Balloon(Balloon { title, body, .. })) => (show(&[title], ""), show(&body, "")),
        other => panic!("{other:?}"),
    }
}

impl Rig {
    fn broker(&self) -> &Broker {
        self.server.broker()
    }

    async fn submit_as(&self, user: &str, printer: &str, document: &[u8]) -> (JobId, Watched) {
        let (follower, following) = follow();
        let ticket = Ticket {
            user: user.into(),
            title: "letter".into(),
            datatype: "".into(),
            ..Ticket::new(printer)
        };
        let follower = Some(follower);
        let start = StartDocPrinter { ticket, expected_bytes: None, announce: false, follower };
        let mut submission = self.server.router.ask(start).await.unwrap().unwrap();
        submission.append(Bytes::copy_from_slice(document)).await.unwrap();
        (submission.finish().await.unwrap(), following.state)
    }
}

#[actix::test]
async fn jobs_are_told_of_on_their_printer_and_on_the_server() {
    let (one, two) = (printer(Language::Plain), printer(Language::Plain));
    let rig = rig(&[("one", serial(&one), ""), ("two", serial(&two), "")]);
    let mut on_one = hears(rig.broker(), Object::printer("ONE"), types::JOB, UNI, "bob");
    let mut on_server = hears(rig.broker(), Object::Server, types::JOB, UNI, "bob");
    for name in ["two", "one"] {
        let (job, mut state) = rig.submit_as("ann", name, b"a letter").await;
        rig.wait_for(job, &mut state, JobState::Completed).await;
    }
    let mut last_seq = 0;
    let mut printed = Vec::new();
    while printed.len() < 2 {
        let event = next_json(&mut on_server).await;
        let seq = event["seq"].as_u64().unwrap();
        assert!(seq > last_seq || last_seq == 0, "{event}");
        last_seq = seq;
        if event["job"]["state"] == "completed" && !printed.contains(&event["printer"]) {
            assert_eq!(event["job"]["bytes_done"], 8);
            assert_eq!(event["job"]["user"], "ann");
            printed.push(event["printer"].clone());
        }
    }
    assert_eq!(printed, ["two", "one"]);
    let first = next_json(&mut on_one).await;
    assert_eq!(first["printer"], "one", "the other printer's jobs are not told of here");
    rig.server.stop().await;
}

#[actix::test]
async fn printers_and_ports_are_told_of() {
    let device = printer(Language::Pjl);
    let rig = rig(&[("laser", serial(&device), "language = \"pjl\"\nlocation = \"cellar\"")]);
    let laser = Object::printer("laser");
    let mut printers = hears(rig.broker(), laser.clone(), types::PRINTER, UNI, "bob");
    let mut configuration =
        hears(rig.broker(), laser.clone(), types::PRINTER_CONFIGURATION, UNI, "bob");
    let misprint = types::PRINTER_CONFIGURATION_AS_PRINTED;
    let mut as_printed = hears(rig.broker(), Object::Server, misprint, UNI, "bob");
    let mut ports = hears(rig.broker(), laser, types::PORT, UNI, "bob");
    let (job, mut state) = rig.submit_as("ann", "laser", b"wakes the printer").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    device.handle().command("cover-open on");
    loop {
        let event = next_json(&mut printers).await;
        if event["reasons"].as_array().unwrap().contains(&"cover-open".into()) {
            assert_eq!(event["printer"], "laser");
            assert!(event["supplies"].is_array() && event["message"].is_string(), "{event}");
            break;
        }
    }
    for hears in [&mut configuration, &mut as_printed] {
        let reason = "\\Printer.Status.Summary:StateReason";
        loop {
            let news = crate::bidi::Notification::parse(&next(hears).await).unwrap();
            assert_eq!(news.printer, "laser");
            if format!("{news:?}").contains("cover-open") {
                assert!(format!("{news:?}").contains(&reason.replace('\\', "\\\\")), "{news:?}");
                break;
            }
        }
    }
    drop(device);
    loop {
        let event = next_json(&mut ports).await;
        assert_eq!(event["printers"], serde_json::json!(["laser"]));
        if event["event"] == "detached" {
            break;
        }
    }
    rig.server.stop().await;
}

#[actix::test]
async fn what_a_device_says_and_nobody_takes_is_told_of_its_port() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    let mut ports = hears(rig.broker(), Object::printer("label"), types::PORT, UNI, "bob");
    let (job, mut state) = rig.submit_as("ann", "label", b"wakes the printer").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    device.handle().command("say 00ff41");
    let mut hex = String::new();
    while hex != "00ff41" {
        let event = next_json(&mut ports).await;
        if event["event"] == "back-channel" {
            assert_eq!((&event["dropped"], &event["printers"][0]), (&0.into(), &"label".into()));
            hex += event["hex"].as_str().unwrap();
        }
    }
    rig.server.stop().await;
}

#[actix::test]
async fn balloons_are_for_the_owner_of_the_job() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    let label = || Object::printer("label");
    let on = |object, name| hears(rig.broker(), object, types::ASYNCUI, UNI, name);
    let mut ann = on(label(), "ann");
    let mut bob = on(label(), "bob");
    let mut root = on(label(), "root");
    let mut root_server = on(Object::Server, "root");
    let topic = Topic { object: label(), notification_type: types::ASYNCUI, style: UNI };
    let mut root_for_root =
        Hears::register(rig.broker(), topic, UserFilter::PerUser, who("root")).unwrap();
    for user in ["ann", "Bob", "root"] {
        let (job, mut state) = rig.submit_as(user, "label", b"a letter").await;
        rig.wait_for(job, &mut state, JobState::Completed).await;
        let text = format!("\u{201c}letter\u{201d} (job {job}) was printed on label.");
        let printed = ("Document printed".to_owned(), text);
        // Had anybody heard of a job that is not theirs, it would come first here.
        match user {
            "ann" => assert_eq!(next_balloon(&mut ann).await, printed),
            "Bob" => assert_eq!(next_balloon(&mut bob).await, printed),
            _ => assert_eq!(next_balloon(&mut root_for_root).await, printed),
        }
        assert_eq!(next_balloon(&mut root).await, printed, "administrators see all");
        assert_eq!(next_balloon(&mut root_server).await, printed);
    }
    rig.server.stop().await;
}

#[actix::test]
async fn a_printer_that_is_removed_releases_its_listeners() {
    let device = printer(Language::Plain);
    let mut rig = rig(&[("old", serial(&device), "")]);
    let mut old = hears(rig.broker(), Object::printer("old"), types::JOB, UNI, "bob");
    let new = config(rig.dir.path(), &[("new", serial(&device), "")]);
    rig.server.reload(new).await.unwrap();
    assert_eq!(in_time(old.next()).await, Ok(Notification::Release));
    let mut new = hears(rig.broker(), Object::printer("new"), types::JOB, UNI, "bob");
    rig.submit_as("ann", "new", b"a letter").await;
    assert_eq!(next_json(&mut new).await["printer"], "new");
    rig.server.stop().await;
}

#[actix::test]
async fn the_end_of_the_server_is_told_to_who_waits() {
    let rig = rig(&[]);
    let mut waits = hears(rig.broker(), Object::Server, types::JOB, UNI, "bob");
    let mut offers = hears(rig.broker(), Object::Server, types::ASYNCUI, BI, "bob");
    let ends = rig.server.stop();
    let (waits, offers, ()) = tokio::join!(waits.next(), offers.new_channels(), ends);
    assert_eq!(waits, Err(Refusal::Terminated));
    assert_eq!(offers.map(drop), Err(Refusal::Terminated));
}

#[actix::test]
async fn sources_that_die_are_made_anew() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    let mut jobs = hears(rig.broker(), Object::Server, types::JOB, UNI, "bob");
    rig.submit_as("ann", "label", b"before").await;
    next(&mut jobs).await;
    rig.server.notifications.crash_for_tests().await;
    // Events between a death and a birth are lost; the next job's are not.
    let (job, mut state) = rig.submit_as("ann", "label", b"after").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    let (job, mut state) = rig.submit_as("ann", "label", b"later").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    while next_json(&mut jobs).await["job"]["id"] != job.number() {}
    rig.server.stop().await;
}
