//! An IPP client: one connection, one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use despool::frontend::ipp::wire::{
    GroupTag, JobState, Limits, Message, Operation, Status, decode, encode,
};

/// A connection to an IPP server.
pub struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { address, stream: BufReader::new(stream) }
    }

    /// A request about a printer.
    pub fn request(&self, operation: Operation, printer: &str) -> Message {
        let mut request = Message::request(operation, 1);
        request
            .attributes_mut(GroupTag::Operation)
            .put_uri("printer-uri", &format!("ipp://{}/printers/{printer}", self.address))
            .put_name("requesting-user-name", "warehouse");
        request
    }

    /// Sends a request with `bytes` of document behind it.
    pub fn send(&mut self, request: &Message, document: impl Read, bytes: u64) -> Message {
        let message = encode(request).unwrap();
        let length = u64::try_from(message.len()).unwrap() + bytes;
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/ipp\r\nContent-Length: {length}\r\n\r\n",
            self.address
        );
        let mut first = head.into_bytes();
        first.extend(message);
        let mut document = document.take(bytes);
        if bytes <= 64 * 1024 {
            document.read_to_end(&mut first).unwrap();
            self.stream.get_mut().write_all(&first).unwrap();
        } else {
            self.stream.get_mut().write_all(&first).unwrap();
            std::io::copy(&mut document, self.stream.get_mut()).unwrap();
        }
        self.answer()
    }

    fn answer(&mut self) -> Message {
        let mut length = None;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = Some(value.trim().parse::<usize>().unwrap());
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length.expect("an answer without a length")];
        self.stream.read_exact(&mut body).unwrap();
        let answer = decode(&body, Limits::RESPONSE).unwrap().message;
        assert_eq!(answer.status(), Status::Ok, "{answer:?}");
        answer
    }

    /// Prints; the job's number.
    pub fn print(&mut self, printer: &str, document: impl Read, bytes: u64) -> i32 {
        let request = self.request(Operation::PrintJob, printer);
        let answer = self.send(&request, document, bytes);
        answer.attributes(GroupTag::Job).integer("job-id").unwrap().unwrap()
    }

    /// The state of a job.
    pub fn job_state(&mut self, job: i32) -> JobState {
        let mut request = Message::request(Operation::GetJobAttributes, 1);
        request
            .attributes_mut(GroupTag::Operation)
            .put_uri("job-uri", &format!("ipp://{}/jobs/{job}", self.address))
            .put_keyword("requested-attributes", "job-state");
        let answer = self.send(&request, std::io::empty(), 0);
        let state = answer.attributes(GroupTag::Job).enumeration("job-state").unwrap();
        JobState::from_code(state.unwrap())
    }

    /// An operation without a document.
    pub fn ask(&mut self, operation: Operation, printer: &str) -> Message {
        let request = self.request(operation, printer);
        self.send(&request, std::io::empty(), 0)
    }
}
