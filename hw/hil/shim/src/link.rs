//! The socket to the bench.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use despool_hil_models::shim::{Message, Reader};

/// Connects to the bench's socket, which this variable names. Without the bench there is no port: QEMU is told so and ends.
pub(super) fn connect(name: &str) -> Option<UnixStream> {
    let path = crate::variable(name)?;
    match UnixStream::connect(&path) {
        Ok(stream) => Some(stream),
        Err(error) => {
            eprintln!("hil-shim: {path}: {error}");
            None
        }
    }
}

/// Hears messages on a thread of its own until the bench hangs up.
pub(super) fn listen(stream: UnixStream, mut hear: impl FnMut(Message) + Send + 'static) {
    let body = move || {
        let (mut stream, mut reader) = (stream, Reader::default());
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut bytes) {
            reader.push(bytes.get(..count).unwrap_or_default());
            loop {
                match reader.next_message() {
                    Ok(Some(message)) => hear(message),
                    Ok(None) => break,
                    Err(error) => {
                        eprintln!("hil-shim: {error}");
                        return;
                    }
                }
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("hil-shim".into()).spawn(body) {
        eprintln!("hil-shim: no thread: {error}");
    }
}

/// Tells the bench. It reads all the time; what it does not hear any more does not matter.
pub(super) fn tell(stream: &Mutex<UnixStream>, bytes: &[u8]) {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = stream.write_all(bytes);
}
