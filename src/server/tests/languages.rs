//! The road end to end for each language: a fault in the middle of a job shows at once, with its reason, and goes away by
//! itself; the printer gets every byte of the job and no other.

use despool_hw::sim::{self, Key};
use despool_spool::Confirmed;
use tokio::sync::mpsc;

use super::*;
use crate::event::{Events, What};
use crate::provider::{PrinterView, Subscribe};

/// A simulated printer inside the server, and where its port leads to.
pub(super) struct Device {
    key: Key,
    pub(super) uri: String,
    handle: SimHandle,
    _dir: tempfile::TempDir,
}

impl Device {
    pub(super) fn new(language: Language) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control");
        let uri = format!("sim:{}?control={}", language.word(), path.display());
        let key = Key::control(language, path);
        let keep = Keep::Memory { limit_bytes: 64 << 20 };
        let options = ModelOptions { keep, buffer_bytes: 4096, ..ModelOptions::default() };
        let handle = sim::device_with(&key, options).unwrap();
        Self { key, uri, handle, _dir: dir }
    }

    pub(super) fn tell(&self, command: &str) {
        assert_eq!(self.handle.command(command), r#"{"ok":true}"#, "{command}");
    }

    async fn has(&self, bytes: u64) {
        until(&self.handle, move |snapshot| snapshot.bytes >= bytes).await;
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        sim::retire(&self.key);
    }
}

/// Passes on what is told.
struct Listener(mpsc::UnboundedSender<What>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<Events> for Listener {
    type Result = ();

    fn handle(&mut self, events: Events, _: &mut Self::Context) {
        for event in events.each() {
            // The test may be over.
            let _ = self.0.send(event.what);
        }
    }
}

/// What is told of the printer of a rig with one.
struct News {
    rig: Rig,
    told: mpsc::UnboundedReceiver<What>,
}

impl News {
    async fn new(device: &Device, settings: &str) -> Self {
        let rig = rig(&[("it", device.uri.clone(), settings)]);
        let (tell, told) = mpsc::unbounded_channel();
        let to = Listener(tell).start().recipient();
        rig.server.provider.ask(Subscribe { to }).await.unwrap();
        Self { rig, told }
    }

    /// Waits until the printer is as wanted.
    async fn wait(
        &mut self,
        what: &str,
        wanted: impl Fn(&PrinterView) -> bool,
    ) -> Arc<PrinterView> {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let ask = crate::provider::Printer { name: "it".into() };
            let view = self.rig.server.router.ask(ask).await.unwrap().unwrap();
            if wanted(&view) {
                return view;
            }
            let told = tokio::time::timeout_at(deadline, self.told.recv()).await;
            assert!(matches!(told, Ok(Some(_))), "{what}: {view:?}");
        }
    }

    /// Waits until the device has confirmed so much of a job.
    async fn confirmed(&mut self, job: JobId, pages: u32, bytes: usize) {
        let wanted = Confirmed { pages, bytes: bytes as u64 };
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while self.rig.shadow(job).confirmed != wanted {
            let told = tokio::time::timeout_at(deadline, self.told.recv()).await;
            assert!(matches!(told, Ok(Some(_))), "{:?}", self.rig.shadow(job).confirmed);
        }
    }

    async fn wait_for_reasons(&mut self, reasons: &[&str]) -> Arc<PrinterView> {
        self.wait(&format!("{reasons:?}"), |view| view.reasons == reasons).await
    }
}

/// Runs into a fault in the middle of a job, and out of it again.
async fn fault_and_back(
    device: &Device,
    news: &mut News,
    fault: &str,
    reasons: &[&str],
    sent: &[u8],
) -> JobId {
    let half = sent.len() as u64 / 2;
    device.tell("reset");
    device.tell(&format!("speed {}", half.max(1000)));
    let (job, mut state) = news.rig.submit("it", sent).await;
    device.has(half / 4).await;
    device.tell(&format!("{fault} on"));
    news.rig.wait_for(job, &mut state, JobState::ProcessingStopped).await;
    news.wait_for_reasons(reasons).await;
    assert!(device.handle.snapshot().bytes < sent.len() as u64, "in the middle of the job");
    device.tell("speed max");
    device.tell(&format!("{fault} off"));
    news.rig.wait_for(job, &mut state, JobState::Completed).await;
    news.wait_for_reasons(&[]).await;
    assert!(device.handle.take_kept() == sent, "{fault}: the bytes differ");
    job
}

/// Pages of a length that no buffer holds.
fn pages(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| [&[b'a' + (n % 26) as u8; 20_000][..], b"\x0c"].concat()).collect()
}

#[actix::test]
async fn pjl() {
    let device = Device::new(Language::Pjl);
    device.tell("toner 44");
    let mut news = News::new(&device, "language = \"pjl\"\nenvelope = true").await;
    let told = news.wait("supplies", |view| !view.supplies.is_empty()).await;
    assert_eq!((&*told.supplies[0].name, told.supplies[0].percent), ("TONER", Some(44)));
    let sent = pages(5);
    for (fault, reason) in [("paper-out", "media-empty"), ("cover-open", "cover-open")] {
        let job = fault_and_back(&device, &mut news, fault, &[reason], &sent).await;
        news.confirmed(job, 5, sent.len()).await;
    }
    device.tell("toner 5");
    news.wait_for_reasons(&["toner-low-warning"]).await;
    news.rig.server.stop().await;
}

/// Receipts that end in a cut.
fn receipts(count: usize) -> Vec<u8> {
    let line = b"1 x something        9.99\n";
    (0..count).flat_map(|_| [&line.repeat(800)[..], b"\x1dVA\x00"].concat()).collect()
}

#[actix::test]
async fn escpos_reports_by_itself() {
    let device = Device::new(Language::Escpos);
    let mut news = News::new(&device, "language = \"escpos\"").await;
    let sent = receipts(5);
    for (fault, reason) in [
        ("paper-out", "media-empty"),
        ("cover-open", "cover-open"),
        ("cutter-jam", "trimmer-jam"),
        ("overheated", "subunit-recoverable-failure"),
        ("broken", "subunit-unrecoverable-failure"),
    ] {
        let job = fault_and_back(&device, &mut news, fault, &[reason], &sent).await;
        news.confirmed(job, 0, sent.len()).await;
    }
    device.tell("paper-low on");
    news.wait_for_reasons(&["media-low-warning"]).await;
    device.tell("drawer-open on");
    news.wait("the drawer", |view| view.message == "the cash drawer is open").await;
    news.rig.server.stop().await;
}

#[actix::test]
async fn escpos_is_asked_in_a_job_that_switched_its_reports_off() {
    let device = Device::new(Language::Escpos);
    let mut news = News::new(&device, "language = \"escpos\"").await;
    let sent = [b"\x1b@", &receipts(5)[..]].concat();
    // The port's lines know of an error, and of no more.
    fault_and_back(&device, &mut news, "cover-open", &["cover-open"], &sent).await;
    news.rig.server.stop().await;
}

#[actix::test]
async fn escpos_is_not_asked_in_the_middle_of_an_image() {
    let device = Device::new(Language::Escpos);
    let mut news =
        News::new(&device, "language = \"escpos\"\nstatus_queries = \"while-printing\"").await;
    let sent =
        [&b"\x1b@\x1dv0\x00\x40\x00\x00\x04"[..], &b"\x10\x04\x09\xaa".repeat(0x4000)].concat();
    let greeting = b"\x1da\x0f\x10\x04\x01\x10\x04\x02\x10\x04\x04\x10\x04\x03".len() as u64;
    let last = b"\x1dr\x01".len() as u64;
    until(&device.handle, move |snapshot| snapshot.monitor_bytes >= greeting).await;
    fault_and_back(&device, &mut news, "cover-open", &["other"], &sent).await;
    // What was said since the job began is what is said after it.
    until(&device.handle, move |snapshot| snapshot.monitor_bytes >= last + greeting).await;
    assert_eq!(device.handle.snapshot().monitor_bytes, last + greeting);
    news.rig.server.stop().await;
}

/// Three labels of a length that no buffer holds, most of it between commands.
fn labels() -> Vec<u8> {
    [&b"^XA^FO10,10^FDa line of text^FS"[..], &b"\r\n".repeat(20_000), b"^XZ\r\n"]
        .concat()
        .repeat(3)
}

/// A label that is one image.
fn image() -> Vec<u8> {
    [&b"^XA^FO0,0^GFB,65536,65536,64,"[..], &b"^FS^XZ ^XA^FS\r\n".repeat(4096), b"^FS^XZ"].concat()
}

#[actix::test]
async fn zpl() {
    let device = Device::new(Language::Zpl);
    let settings = "language = \"zpl\"\nstatus_queries = \"while-printing\"";
    let mut news = News::new(&device, settings).await;
    news.wait("the count of labels", |view| view.page_count == Some(0)).await;
    let sent = labels();
    for (nth, (fault, reason)) in [
        ("paper-out", "media-empty"),
        ("cover-open", "cover-open"),
        ("ribbon-out", "marker-supply-empty"),
        ("cutter-jam", "trimmer-jam"),
        ("overheated", "subunit-over-temperature"),
    ]
    .into_iter()
    .enumerate()
    {
        let job = fault_and_back(&device, &mut news, fault, &[reason], &sent).await;
        news.confirmed(job, 3, sent.len()).await;
        let labels = 3 * (nth as u64 + 1);
        news.wait("the count of labels", |view| view.page_count == Some(labels)).await;
    }
    device.tell("paper-low on");
    news.wait_for_reasons(&["media-low-warning"]).await;
    device.tell("offline on");
    news.wait("the pause", |view| view.message == "paused at the printer").await;
    news.rig.server.stop().await;
}

#[actix::test]
async fn zpl_is_not_asked_in_the_middle_of_an_image() {
    let device = Device::new(Language::Zpl);
    let settings = "language = \"zpl\"\nstatus_queries = \"while-printing\"";
    let mut news = News::new(&device, settings).await;
    news.wait("the count of labels", |view| view.page_count == Some(0)).await;
    fault_and_back(&device, &mut news, "cover-open", &["other"], &image()).await;
    news.rig.server.stop().await;
}

#[actix::test]
async fn ieee1284_4() {
    let device = Device::new(Language::Ieee1284_4);
    device.tell("toner 44");
    let mut news = News::new(&device, "language = \"ieee1284.4\"").await;
    news.wait("supplies", |view| !view.supplies.is_empty()).await;
    let sent = pages(5);
    for (fault, reason) in [("paper-out", "media-empty"), ("cover-open", "cover-open")] {
        fault_and_back(&device, &mut news, fault, &[reason], &sent).await;
    }
    news.rig.server.stop().await;
}

#[actix::test]
async fn auto_speaks_what_the_device_id_tells() {
    for (language, fault, reason) in [
        (Language::Pjl, "cover-open", "cover-open"),
        (Language::Escpos, "cutter-jam", "trimmer-jam"),
        (Language::Zpl, "ribbon-out", "marker-supply-empty"),
        (Language::Ieee1284_4, "cover-open", "cover-open"),
        (Language::Plain, "paper-out", "media-empty"),
    ] {
        let device = Device::new(language);
        let mut news = News::new(&device, "language = \"auto\"").await;
        device.tell(&format!("{fault} on"));
        news.wait_for_reasons(&[reason]).await;
        device.tell(&format!("{fault} off"));
        news.wait_for_reasons(&[]).await;
        let sent = auto_job(language);
        // The second as the first: what a job brings with it does not make another device of this one.
        for _ in 0..2 {
            fault_and_back(&device, &mut news, fault, &[reason], &sent).await;
        }
        news.rig.server.stop().await;
    }
}

#[actix::test]
async fn a_printer_is_still_there_when_another_server_has_stopped() {
    let device = Device::new(Language::Plain);
    rig(&[]).server.stop().await;
    let mut news = News::new(&device, "").await;
    device.tell("paper-out on");
    news.wait_for_reasons(&["media-empty"]).await;
    news.rig.server.stop().await;
}

/// A job in that language.
fn auto_job(language: Language) -> Vec<u8> {
    match language {
        Language::Escpos => receipts(5),
        Language::Zpl => labels(),
        Language::Pjl | Language::Ieee1284_4 | Language::Plain => pages(5),
    }
}
