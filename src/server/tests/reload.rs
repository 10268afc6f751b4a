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
