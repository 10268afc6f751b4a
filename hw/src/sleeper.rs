//! A thread that sleeps in a device call, and can be woken from outside.
//!
//! Some device calls (`TIOCMIWAIT`, a `write` that waits) can be neither polled nor given a deadline: only a signal ends them.
//! The signal is one real-time signal, sent to that thread alone; its handler does nothing, so that the call returns `EINTR`.
//! No other signal that waits to be handled by some thread of the process is let through, for it would end the call too.
//!
//! The one invariant: when [`Sleeper::drop`] returns, the thread has ended (and with it its hold on the device), or it has been
//! said that it has not.

use std::io;
use std::os::unix::thread::JoinHandleExt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::limits::SLEEPER_WAKE_WAIT;

/// True once the thread is to end. To be asked after every call that a signal may have ended.
#[derive(Clone, Debug)]
pub(crate) struct Dismissed(Arc<AtomicBool>);

impl Dismissed {
    pub(crate) fn yet(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A running thread; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Sleeper {
    thread: Option<JoinHandle<()>>,
    dismissed: Dismissed,
    /// How often it is woken.
    tries: u32,
    /// Nothing is ever sent: it disconnects when the thread ends.
    ended: Receiver<()>,
}

impl Sleeper {
    /// Runs `body` on a thread of its own until it returns, which it does soon after `Dismissed::yet`: it is waited for
    /// `tries` times [`SLEEPER_WAKE_WAIT`].
    pub(crate) fn start(
        name: &str,
        tries: u32,
        body: impl FnOnce(&Dismissed) + Send + 'static,
    ) -> io::Result<Self> {
        handle_signal()?;
        let dismissed = Dismissed(Arc::new(AtomicBool::new(false)));
        let (ending, ended) = bounded(0);
        let seen = dismissed.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _ending: crossbeam_channel::Sender<()> = ending;
            let_only_ours_through();
            body(&seen);
        });
        Ok(Self { thread: Some(thread?), dismissed, tries, ended })
    }

    /// Ends the thread; false where it is left behind.
    pub(crate) fn end(&mut self) -> bool {
        let Some(thread) = self.thread.take() else { return true };
        self.dismissed.0.store(true, Ordering::Release);
        // A signal that comes just before the call begins is lost: it is sent again until the thread has ended.
        for _ in 0..self.tries {
            wake(&thread);
            if self.ended.recv_timeout(SLEEPER_WAKE_WAIT) == Err(RecvTimeoutError::Disconnected) {
                // It can only have panicked, which the panic hook has told.
                let _ = thread.join();
                return true;
            }
        }
        let name = thread.thread().name().unwrap_or_default();
        tracing::error!(
            name,
            "a thread that sleeps in a device call does not end; it is left behind"
        );
        false
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.end();
    }
}

/// Has this thread run before all ordinary ones when its device call ends, which is when a device waits for it. It is to sleep
/// nearly all the time. Fails where the process may not ask for that (`CAP_SYS_NICE`, `RLIMIT_RTPRIO`).
pub(crate) fn run_first() -> io::Result<()> {
    let least = libc::sched_param { sched_priority: 1 };
    // SAFETY: the parameter is valid and read during the call; 0 is the calling thread.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const least) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn signal() -> i32 {
    // Not the first of them, which debuggers and C libraries like.
    libc::SIGRTMIN() + 5
}

extern "C" fn do_nothing(_signal: i32) {}

/// Makes the signal end device calls (no `SA_RESTART`). Once for the process.
fn handle_signal() -> io::Result<()> {
    static HANDLED: OnceLock<Option<i32>> = OnceLock::new();
    let failed = HANDLED.get_or_init(|| {
        // SAFETY: all zeroes is a valid `sigaction` (no flags, empty mask); the handler touches nothing.
        let outcome = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = do_nothing as extern "C" fn(i32) as usize;
            libc::sigaction(signal(), &raw const action, std::ptr::null_mut())
        };
        if outcome == 0 { None } else { io::Error::last_os_error().raw_os_error() }
    });
    failed.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
}

/// Lets the signal through to this thread, whatever mask it has inherited, and of others only those that tell of its own faults.
fn let_only_ours_through() {
    // SAFETY: the set is initialised by `sigfillset` before it is used.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        for through in [signal(), libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL] {
            libc::sigdelset(&raw mut set, through);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

fn wake(thread: &JoinHandle<()>) {
    // SAFETY: the thread has not been joined, so its id is valid, also if it has ended.
    unsafe { libc::pthread_kill(thread.as_pthread_t(), signal()) };
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rustix::io::Errno;

    use super::*;
    use crate::limits::SLEEPER_WAKE_TRIES;
    use crate::testing::PATIENCE;

    /// A read from an empty pipe stands for the device call: it sleeps for ever, and a signal ends it.
    #[test]
    fn a_thread_asleep_in_a_call_ends_when_dropped() {
        for _ in 0..50 {
            let (reading, writing) = rustix::pipe::pipe().unwrap();
            let (told, tell) = bounded(1);
            let sleeper = Sleeper::start("sleeper", SLEEPER_WAKE_TRIES, move |dismissed| {
                while !dismissed.yet() {
                    let end = rustix::io::read(&reading, &mut [0u8; 1]);
                    told.try_send(end).ok();
                }
            })
            .unwrap();
            let start = Instant::now();
            drop(sleeper);
            assert!(start.elapsed() < PATIENCE);
            assert!(matches!(tell.try_recv(), Ok(Err(Errno::INTR)) | Err(_)));
            // The thread's end of the pipe went with it: nobody reads any more.
            assert_eq!(rustix::io::write(&writing, b"x"), Err(Errno::PIPE));
        }
    }

    #[test]
    fn a_thread_that_has_ended_is_no_trouble() {
        let (told, tell) = bounded(1);
        let sleeper =
            Sleeper::start("short", SLEEPER_WAKE_TRIES, move |_| told.send(()).unwrap()).unwrap();
        tell.recv_timeout(PATIENCE).unwrap();
        drop(sleeper);
    }
}
