//! The bench's end of the second UART: a pty with a simulated printer for the data, the shim's socket for the lines.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use despool_hil_models::shim::{Message, Reader};
use despool_hw::sim::PtyPrinter;

use super::{ModemLines, Printer, PrinterBuild};
use crate::error::{Error, Result, file};
use crate::patience::Patience;

/// What the guest did to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It set DTR and RTS.
    Outputs {
        /// Data terminal ready.
        dtr: bool,
        /// Request to send.
        rts: bool,
    },
    /// It set speed and format.
    Format {
        /// Bits a second.
        baud: u32,
        /// Data bits.
        bits: u8,
        /// `N`, `O` or `E`.
        parity: char,
        /// Stop bits.
        stop: u8,
    },
    /// It sent a break.
    Break,
}

/// The second UART (`/dev/ttyS1` in the guest) with a printer on it.
#[derive(Debug)]
pub struct SerialPort {
    tty: PtyPrinter,
    printer: Printer,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    to_shim: Mutex<Option<UnixStream>>,
    happened: Mutex<Vec<Happened>>,
    changed: Condvar,
}

impl SerialPort {
    /// Makes the tty and listens in `dir` for QEMU's shim.
    pub(crate) fn listen(dir: &Path, build: PrinterBuild) -> Result<Self> {
        let tty =
            PtyPrinter::start_behind_fifo(super::printer::model(build), dir.join("serial.dev"))?;
        let path = dir.join("serial.sock");
        let listener = UnixListener::bind(&path).map_err(file("listening on", &path))?;
        let shared = Arc::new(Shared::default());
        let weak = Arc::downgrade(&shared);
        let thread = std::thread::Builder::new().name("hil-serial".into());
        let thread = thread.spawn(move || {
            let Ok((stream, _)) = listener.accept() else { return };
            let Some(shared) = weak.upgrade() else { return };
            let ours = stream.try_clone().ok();
            *shared.to_shim.lock().unwrap_or_else(PoisonError::into_inner) = ours;
            listen(stream, &shared);
        });
        thread.map_err(|source| Error::Ours { doing: "starting a thread", source })?;
        let printer = Printer::of(tty.handle().clone());
        Ok(Self { tty, printer, shared })
    }

    /// The printer on it.
    pub fn printer(&self) -> &Printer {
        &self.printer
    }

    /// The tty that QEMU has for a real one.
    pub fn tty(&self) -> &PtyPrinter {
        &self.tty
    }

    /// Sets the lines that the guest reads.
    pub fn set_lines(&self, lines: ModemLines) {
        let mut out = Vec::new();
        Message::Lines(lines).put(&mut out);
        let mut stream = self.shared.to_shim.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = stream.as_mut() {
            // QEMU may have ended.
            let _ = stream.write_all(&out);
        }
    }

    /// What the guest did to the line since QEMU was started, oldest first.
    pub fn happened(&self) -> Vec<Happened> {
        self.shared.happened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the guest has done something to the line.
    pub fn wait_for(&self, wanted: Happened, limit: Duration) -> Result<()> {
        let until = Patience::new(limit);
        let happened = self.shared.happened.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |all: &Vec<Happened>| !all.contains(&wanted);
        let happened = until.wait_while(&self.shared.changed, happened, missing);
        if happened.contains(&wanted) {
            return Ok(());
        }
        let what = format!("{wanted:?} did not happen on the serial line, but {happened:?}");
        Err(Error::TooLate { what, waited: limit })
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        let stream = self.shared.to_shim.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stream) = stream {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn listen(mut stream: UnixStream, shared: &Shared) {
    let (mut reader, mut bytes) = (Reader::default(), vec![0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        reader.push(bytes.get(..count).unwrap_or_default());
        while let Ok(Some(message)) = reader.next_message() {
            let happened = match message {
                Message::Outputs { dtr, rts } => Happened::Outputs { dtr, rts },
                Message::Format { baud, bits, parity, stop } => {
                    Happened::Format { baud, bits, parity: char::from(parity), stop }
                }
                Message::Break => Happened::Break,
                _ => continue,
            };
            shared.happened.lock().unwrap_or_else(PoisonError::into_inner).push(happened);
            shared.changed.notify_all();
        }
    }
}
