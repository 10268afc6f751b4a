//! SIGHUP: the configuration is read again while jobs are on their way.

use super::*;

impl Rig {
    async fn reload(&mut self, printers: &Printers<'_>) -> Result<()> {
        self.server.reload(config(self.dir.path(), printers)).await
    }

    async fn printers(&self) -> Vec<String> {
        let views = self.server.router.ask(crate::provider::Printers).await.unwrap();
        views.iter().map(|view| view.config.name.to_string()).collect()
    }
}

#[actix::test]
async fn a_provider_made_anew_has_the_configuration_that_was_read_last() {
    let (one, two) = (printer(Language::Plain), printer(Language::Plain));
    let mut rig = rig(&[("one", serial(&one), "")]);
    rig.reload(&[("two", serial(&two), "")]).await.unwrap();
    rig.crash("provider", "two").await;
    assert_eq!(rig.printers().await, ["two"]);
    let (job, mut state) = rig.submit("two", b"to the second").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    rig.server.stop().await;
}

/// Connects, sends something and falls silent; returns when the connection was ended.
async fn silent_sender(to: SocketAddr) {
    let sender = move || {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"half a lab").unwrap();
        stream.read(&mut [0]).unwrap_err().kind()
    };
    let ended = tokio::task::spawn_blocking(sender).await.unwrap();
    assert_eq!(ended, std::io::ErrorKind::ConnectionReset);
}

#[actix::test]
async fn a_raw_listener_goes_by_the_settings_that_were_read_last() {
    let device = printer(Language::Plain);
    let before = "appsocket = \"127.0.0.1:0\"";
    let mut rig = rig(&[("label", serial(&device), before)]);
    let address = rig.server.address("appsocket label").unwrap();
    let after = format!("{before}\nidle = \"hold\"\nidle_timeout = \"50ms\"");
    rig.reload(&[("label", serial(&device), &after)]).await.unwrap();
    assert_eq!(rig.server.address("appsocket label"), Some(address));
    silent_sender(address).await;
    let jobs = rig.server.router.ask(crate::provider::Jobs::default()).await.unwrap().unwrap();
    let states: Vec<JobState> = jobs.iter().map(|view| view.state).collect();
    assert_eq!(states, [JobState::PendingHeld]);
    rig.server.stop().await;
}

#[actix::test]
async fn a_printer_can_be_renamed_and_keep_its_address() {
    let device = printer(Language::Plain);
    let mut rig = rig(&[("old", serial(&device), "appsocket = \"127.0.0.1:0\"")]);
    let address = rig.server.address("appsocket old").unwrap();
    let kept = format!("appsocket = \"{address}\"");
    rig.reload(&[("new", serial(&device), &kept)]).await.unwrap();
    assert_eq!(rig.server.address("appsocket new"), Some(address));
    assert_eq!(rig.server.address("appsocket old"), None);
    rig.server.stop().await;
}

#[actix::test]
async fn a_listener_that_cannot_be_had_does_not_keep_the_others_away() {
    let device = printer(Language::Plain);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut rig = rig(&[("one", serial(&device), "")]);
    let one = format!("appsocket = \"{}\"", taken.local_addr().unwrap());
    let two = "appsocket = \"127.0.0.1:0\"";
    let refused =
        rig.reload(&[("one", serial(&device), &one), ("two", serial(&device), two)]).await;
    assert!(refused.unwrap_err().to_string().contains("another program listens there"));
    assert!(rig.server.address("appsocket two").is_some());
    rig.server.stop().await;
}

#[actix::test]
async fn a_port_that_is_given_up_can_be_opened_again() {
    let device = printer(Language::Plain);
    let mut rig = rig(&[("old", serial(&device), "")]);
    let (job, mut state) = rig.submit("old", b"one ").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    rig.reload(&[("new", serial(&device), "")]).await.unwrap();
    let (job, mut state) = rig.submit("new", b"two").await;
    rig.wait_for(job, &mut state, JobState::Completed).await;
    until(device.handle(), |snapshot| snapshot.bytes == 7).await;
    rig.server.stop().await;
}

#[actix::test]
async fn an_idle_port_is_closed_at_once() {
    for _ in 0..20 {
        let device = printer(Language::Plain);
        let rig = rig(&[("label", serial(&device), "")]);
        let (job, mut state) = rig.submit("label", b"one").await;
        rig.wait_for(job, &mut state, JobState::Completed).await;
        let begun = Instant::now();
        rig.server.stop().await;
        assert!(begun.elapsed() < crate::limits::PORTS_CLOSE_WAIT, "the port's thread overslept");
    }
}

/// A job that is half-way at a device that takes no more for now.
async fn half_way(rig: &Rig, device: &PtyPrinter, printer: &str, sent: &[u8]) -> (JobId, Watched) {
    let (job, mut state) = rig.submit(printer, sent).await;
    rig.wait_for(job, &mut state, JobState::Processing).await;
    until(device.handle(), |snapshot| snapshot.bytes > 100_000).await;
    device.handle().command("stall on");
    (job, state)
}

#[actix::test]
async fn a_running_job_goes_on_where_it_stood_when_its_printer_changes() {
    let device = printer(Language::Pjl);
    let mut rig = rig(&[("laser", serial(&device), "")]);
    let sent = document(1_000_000);
    let (job, mut state) = half_way(&rig, &device, "laser", &sent).await;
    device.handle().command("stall off");
    rig.reload(&[("laser", serial(&device), "language = \"pjl\"")]).await.unwrap();
    rig.wait_for(job, &mut state, JobState::Completed).await;
    until(device.handle(), |snapshot| snapshot.bytes >= 1_000_000).await;
    assert!(device.handle().take_kept() == sent);
    rig.server.stop().await;
}

#[actix::test]
async fn a_running_job_begins_again_when_its_printer_hangs_elsewhere() {
    let (here, there) = (printer(Language::Plain), printer(Language::Plain));
    let mut rig = rig(&[("label", serial(&here), "")]);
    let sent = document(1_000_000);
    let (job, mut state) = half_way(&rig, &here, "label", &sent).await;
    here.handle().command("stall off");
    rig.reload(&[("label", serial(&there), "")]).await.unwrap();
    rig.wait_for(job, &mut state, JobState::Completed).await;
    until(there.handle(), |snapshot| snapshot.bytes >= 1_000_000).await;
    assert!(there.handle().take_kept() == sent);
    rig.server.stop().await;
}
