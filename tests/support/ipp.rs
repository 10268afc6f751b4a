//! An IPP client.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use despool::frontend::ipp::wire::{
    Attributes, GroupTag, JobState, Limits, Message, Operation, PrinterState, Status, decode,
    encode,
};

use super::http::Http;

/// The user that asks, where a test names no other.
pub(crate) const USER: &str = "tester";

/// A connection that was not used for this long is made anew: the server may have closed it.
const FRESH: Duration = Duration::from_secs(10);

/// A client of an IPP server.
pub(crate) struct Ipp {
    http: Http,
    address: SocketAddr,
    used: Instant,
}

/// The names of an IPP server's things.
#[derive(Clone, Copy)]
pub(crate) struct Names(pub(crate) SocketAddr);

impl Names {
    pub(crate) fn server(self, operation: Operation) -> Message {
        self.request(operation, "printer-uri", &format!("ipp://{}/", self.0))
    }

    pub(crate) fn printer(self, operation: Operation, printer: &str) -> Message {
        self.request(operation, "printer-uri", &self.printer_uri(printer))
    }

    pub(crate) fn job(self, operation: Operation, job: i32) -> Message {
        self.request(operation, "job-uri", &format!("ipp://{}/jobs/{job}", self.0))
    }

    pub(crate) fn printer_uri(self, printer: &str) -> String {
        format!("ipp://{}/printers/{printer}", self.0)
    }

    fn request(self, operation: Operation, name: &str, uri: &str) -> Message {
        let mut request = Message::request(operation, 7);
        request
            .attributes_mut(GroupTag::Operation)
            .put_uri(name, uri)
            .put_name("requesting-user-name", USER);
        request
    }
}

impl Ipp {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self { http: Http::connect(address), address, used: Instant::now() }
    }

    fn http(&mut self) -> &mut Http {
        let now = Instant::now();
        if now.duration_since(std::mem::replace(&mut self.used, now)) > FRESH {
            self.http = Http::connect(self.address);
        }
        &mut self.http
    }

    pub(crate) fn names(&self) -> Names {
        Names(self.address)
    }

    /// Sends a request without a document; the answer, whatever it says.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: &Message) -> Message {
        self.send(request, b"")
    }

    /// Sends a request with a document; the answer, whatever it says.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &Message, document: &[u8]) -> Message {
        let message = encode(request).unwrap();
        let http = self.http();
        http.head(&format!("Content-Length: {}\r\n", message.len() + document.len()));
        http.write(&message);
        http.write(document);
        answer(http, request)
    }

    /// The same in chunks of this size; the body is not begun before the server says `100 Continue`.
    #[track_caller]
    pub(crate) fn send_chunked(
        &mut self,
        request: &Message,
        document: &[u8],
        chunk: usize,
    ) -> Message {
        let message = [encode(request).unwrap().as_slice(), document].concat();
        let http = self.http();
        http.head("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n");
        assert_eq!(http.response().unwrap().status, 100);
        message.chunks(chunk).for_each(|chunk| http.chunk(chunk));
        http.chunk(b"");
        answer(http, request)
    }

    /// Carries out an operation that must succeed.
    #[track_caller]
    pub(crate) fn do_it(&mut self, request: &Message) -> Message {
        let answer = self.ask(request);
        assert!(answer.status().is_success(), "{request:?}\n{answer:?}");
        answer
    }

    /// Prints; the job's number.
    #[track_caller]
    pub(crate) fn print(&mut self, printer: &str, document: &[u8]) -> i32 {
        self.print_with(printer, document, |_| ())
    }

    /// Prints with these job attributes; the job's number.
    #[track_caller]
    pub(crate) fn print_with(
        &mut self,
        printer: &str,
        document: &[u8],
        ticket: impl FnOnce(&mut Attributes),
    ) -> i32 {
        let mut request = self.names().printer(Operation::PrintJob, printer);
        ticket(request.attributes_mut(GroupTag::Job));
        let answer = self.send(&request, document);
        assert!(answer.status().is_success(), "{answer:?}");
        job_id(&answer)
    }

    /// Everything about a job.
    #[track_caller]
    pub(crate) fn job(&mut self, job: i32) -> Attributes {
        let request = self.names().job(Operation::GetJobAttributes, job);
        self.do_it(&request).attributes(GroupTag::Job).clone()
    }

    /// Everything about a printer.
    #[track_caller]
    pub(crate) fn printer(&mut self, printer: &str) -> Attributes {
        let request = self.names().printer(Operation::GetPrinterAttributes, printer);
        self.do_it(&request).attributes(GroupTag::Printer).clone()
    }

    /// All jobs of `which-jobs`, with all their attributes.
    #[track_caller]
    pub(crate) fn jobs(&mut self, which: &str) -> Vec<Attributes> {
        let mut request = self.names().server(Operation::GetJobs);
        request
            .attributes_mut(GroupTag::Operation)
            .put_keyword("which-jobs", which)
            .put_keyword("requested-attributes", "all");
        self.do_it(&request).groups_of(GroupTag::Job).cloned().collect()
    }

    /// What is done to a job; how it went.
    #[track_caller]
    pub(crate) fn job_operation(&mut self, operation: Operation, job: i32) -> Status {
        let request = self.names().job(operation, job);
        self.ask(&request).status()
    }

    /// What is done to a printer; how it went.
    #[track_caller]
    pub(crate) fn printer_operation(&mut self, operation: Operation, printer: &str) -> Status {
        let request = self.names().printer(operation, printer);
        self.ask(&request).status()
    }

    /// Moves a job to another printer; how it went.
    #[track_caller]
    pub(crate) fn move_job(&mut self, job: i32, to: &str) -> Status {
        let mut request = self.names().job(Operation::CupsMoveJob, job);
        let to = self.names().printer_uri(to);
        request.attributes_mut(GroupTag::Job).put_uri("job-printer-uri", &to);
        self.ask(&request).status()
    }
}

/// The answer to a request, on a connection where it was sent.
#[track_caller]
pub(crate) fn answer(http: &mut Http, request: &Message) -> Message {
    let response = http.response().expect("an answer, not the end of the connection");
    assert_eq!(response.status, 200, "{response:?}");
    let answer = decode(&response.body, Limits::RESPONSE).unwrap().message;
    assert_eq!((answer.version, answer.request_id), (request.version, request.request_id));
    answer
}

/// The number of the job that an answer tells of.
#[track_caller]
pub(crate) fn job_id(answer: &Message) -> i32 {
    id_of(answer.attributes(GroupTag::Job))
}

/// A job's number.
#[track_caller]
pub(crate) fn id_of(job: &Attributes) -> i32 {
    job.integer("job-id").unwrap().unwrap()
}

/// A job's state, by its name.
#[track_caller]
pub(crate) fn state_of(job: &Attributes) -> String {
    JobState::from_code(job.enumeration("job-state").unwrap().unwrap()).to_string()
}

/// A printer's state, by its name.
#[track_caller]
pub(crate) fn printer_state_of(printer: &Attributes) -> String {
    PrinterState::from_code(printer.enumeration("printer-state").unwrap().unwrap()).to_string()
}

/// The reasons of a job's (`job`) or a printer's (`printer`) state.
#[track_caller]
pub(crate) fn reasons_of<'a>(attributes: &'a Attributes, of: &str) -> Vec<&'a str> {
    attributes.keywords(&format!("{of}-state-reasons")).unwrap()
}

/// A text.
#[track_caller]
pub(crate) fn text_of(attributes: &Attributes, name: &str) -> String {
    attributes.text(name).unwrap().unwrap_or_default().into_owned()
}

/// A number that is told as a text, since it does not fit into IPP's integers.
#[track_caller]
pub(crate) fn bytes_of(job: &Attributes, name: &str) -> Option<u64> {
    job.text(name).unwrap().map(|text| text.parse().unwrap())
}
