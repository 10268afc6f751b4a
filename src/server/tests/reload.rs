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
