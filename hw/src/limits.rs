//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

/// One `write` takes at most this much, so that an abort is heard soon …
pub const WRITE_BYTES: usize = 256 * 1024;

/// … and to a tty this much, so that a cancel finds little to flush.
pub const TTY_WRITE_BYTES: usize = 16 * 1024;

/// A device that refuses without saying when it will be ready (`/dev/lpN`) is asked again after this long at first …
pub const RETRY_FIRST: Duration = Duration::from_millis(1);

/// … doubling up to this.
pub const RETRY_LAST: Duration = Duration::from_millis(20);

/// Whether the reader of a FIFO has taken a job's last bytes is looked at after this long at first (the next job waits for
/// it), doubling up to [`RETRY_LAST`].
pub const UNREAD_CHECK_FIRST: Duration = Duration::from_micros(50);

/// A device that does not answer a question for its IEEE 1284 device id is given up on after this long.
pub const DEVICE_ID_WAIT: Duration = Duration::from_secs(2);

/// A device URI is at most this long: longer than any path or name that Linux lets it hold.
pub const URI_BYTES: usize = 4096;

/// A message shows at most this much of a text that is not a device URI.
pub const URI_SHOWN_CHARS: usize = 200;

/// A host name has at most this many bytes (RFC 1035 §2.3.4, without the root).
pub const HOST_BYTES: usize = 253;

/// A connection is held between jobs, and waited for, at most this long: a day.
pub const HOLD_SECONDS: u32 = 86_400;

/// An IEEE 1284 device id is cut to this: what `usblp` and `lp` hand out at most.
pub const DEVICE_ID_BYTES: usize = 1024;

/// A disk (or a device) that said it is full is asked again after at most this long: nobody tells when it has room again.
pub const RETRY_FULL: Duration = Duration::from_secs(1);

/// A driver's real speed may differ this much from the wanted one, in thousandths: a UART tolerates about 3 % between the
/// two ends.
pub const BAUD_TOLERANCE_PERMILLE: u64 = 30;

/// Bytes that came in on a serial line and were not asked for yet. Beyond that they wait in the kernel; under XON/XOFF, where
/// what is behind them must be seen, the oldest give way.
pub const INBOX_BYTES: usize = 64 * 1024;

/// One `read` of a tty takes at most this much: what the kernel's own tty buffer holds.
pub const TTY_READ_BYTES: usize = 4096;

/// A driver that cannot be stopped when the device says stop is given at most this much line time of bytes …
pub const FLOW_WINDOW: Duration = Duration::from_millis(20);

/// … but this many at least. Printers say stop with 16 or more bytes of room left.
pub const FLOW_WINDOW_BYTES: usize = 16;

/// A driver's queue is looked at again when it should be empty by the baud rate: not sooner than this …
pub const QUEUE_CHECK_FIRST: Duration = Duration::from_millis(1);

/// … and not later (a device that holds us back makes the baud rate a poor guess).
pub const QUEUE_CHECK_LAST: Duration = Duration::from_millis(250);

/// Bytes that wait to leave and do not move for this long: the device holds us back …
pub const STALL: Duration = Duration::from_millis(500);

/// … or for the time of this many characters, on lines so slow that it is longer.
pub const STALL_CHARACTERS: u64 = 8;

/// Who waits for a modem line looks again after this long: `TIOCMIWAIT` misses a change that falls between two calls.
pub const LINE_RECHECK: Duration = Duration::from_secs(1);

/// A pty's two buffers hold no more than this: what a cancel there may have thrown away, uncounted.
pub const PTY_HOLDS_BYTES: u64 = 64 * 1024;

/// No UART's transmit FIFO is deeper: what may move out of the driver's queue at one stroke.
pub const CORE_FIFO_BYTES: u64 = 256;

/// A thread asleep in a device call is woken by a signal, and given this long to end …
pub const SLEEPER_WAKE_WAIT: Duration = Duration::from_millis(5);

/// … this many times (a second in all) before it is left behind.
pub const SLEEPER_WAKE_TRIES: u32 = 200;

/// Simulated printer: its input buffer, if nobody says otherwise. A page printer's is of this order.
pub const SIM_BUFFER_BYTES: usize = 64 * 1024;

/// Simulated printer: what it wants to say and the host has not read. A message that does not fit is dropped whole.
pub const SIM_BACK_BYTES: usize = 64 * 1024;

/// Simulated printer: what it still takes after it said that it is busy, where it can be asked for its state then
/// (Epson printers say busy with 256 bytes of room left).
pub const SIM_EXPRESS_BYTES: usize = 256;

/// Simulated printer: a slow one gives room in steps of this time.
pub const SIM_PACE_TICK: Duration = Duration::from_millis(10);

/// Simulated printer: a slow one that was not fed for longer than this does not save up the time.
pub const SIM_PACE_BURST: Duration = Duration::from_millis(100);

/// Simulated printer: a PJL segment longer than this is not a language monitor's.
pub const SIM_SEGMENT_BYTES: usize = 4096;

/// Simulated printer: a PJL command line, as long as the printer's buffer for it.
pub const SIM_PJL_LINE_BYTES: usize = 1024;

/// Simulated printer: PJL jobs inside each other.
pub const SIM_PJL_JOBS: usize = 16;

/// Simulated printer: PJL data that stops coming for this long is over (the TIMEOUT variable of HP printers) …
pub const SIM_PJL_TIMEOUT: Duration = Duration::from_secs(15);

/// … or for this long between JOB and EOJ (HP PJL Technical Reference Manual p. 11-24).
pub const SIM_PJL_JOB_TIMEOUT: Duration = Duration::from_secs(300);

/// Simulated printer: where so many of the last jobs lay is remembered.
pub const SIM_JOB_SPANS: usize = 4096;

/// Simulated printer: so many ends of jobs may wait in the input buffer; further jobs run together.
pub const SIM_JOB_ENDS: usize = 1024;

/// Simulated printer: events kept for a watcher that is slow.
pub const SIM_EVENTS: usize = 1024;

/// Simulated printer: one read from its wire.
pub const SIM_READ_BYTES: usize = 64 * 1024;

/// Simulated printer behind a FIFO: after it got less than this (what a tty's own buffer holds) and has nothing to say …
pub const SIM_PTY_LITTLE_BYTES: usize = 4096;

/// … it rests for this long before it looks for more: about the time of a FIFO of 16 bytes at 115200 baud.
pub const SIM_PTY_REST: Duration = Duration::from_millis(2);

/// Simulated printer: reads from its wire before it looks at anything else.
pub const SIM_READS: usize = 16;

/// Simulated printer: a command that pulls or puts back a cable waits this long for the wire to follow.
pub const SIM_SETTLE_WAIT: Duration = Duration::from_secs(5);

/// Simulated printer: a line on its control socket; `say` with 4 KiB fits.
pub const SIM_CONTROL_LINE_BYTES: usize = 8 * 1024 + 64;

/// Simulated printer: connections to its control socket at a time.
pub const SIM_CONTROL_CLIENTS: usize = 16;

/// Simulated printer: answers that a client of the control socket has not read; more, and it is hung up on.
pub const SIM_CONTROL_ANSWER_BYTES: usize = 64 * 1024;

/// Simulated printer: TCP connections at a time, where more than one is let in.
pub const SIM_TCP_CONNECTIONS: usize = 64;

/// Simulated printer: so many of the last TCP connections are remembered.
pub const SIM_TCP_RECORDS: usize = 1024;

/// Simulated printers in one process.
pub const SIM_DEVICES: usize = 256;

/// Bytes that the kernel holds of a connection beyond those on the way: few, so that what it took is nearly what the
/// printer has, and a cancel finds little.
pub const UNSENT_BYTES: i32 = 128 * 1024;

/// A TCP that has received something acknowledges it within this time (RFC 1122 §4.2.3.2).
pub const ACK_WAIT: Duration = Duration::from_millis(500);

/// A printer that owes us an acknowledgement and says nothing for this long is dead (`TCP_USER_TIMEOUT`; the kernel alone
/// would wait a quarter of an hour). Longer than a switch needs to find its way again. Not counted while the printer's
/// window is closed.
pub const PEER_SILENCE: Duration = Duration::from_secs(60);

/// A printer that owes us nothing is asked whether it lives after this long …
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// … and again after this long …
pub const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// … this many times.
pub const KEEPALIVE_TRIES: u32 = 3;

/// A printer that has acknowledged every byte of a job has this long to close its side; then the job has left all the same
/// (CUPS waits as long).
pub const EOF_WAIT: Duration = Duration::from_secs(90);

/// Acknowledgements at the end of a job are looked for after this long at first (a printer on the same switch has answered
/// by then; the next job waits for it) …
pub const SENT_CHECK_FIRST: Duration = Duration::from_micros(50);

/// … doubling up to this: they are no events.
pub const SENT_CHECK_LAST: Duration = Duration::from_millis(250);

/// Of a host's addresses, so many are tried.
pub const ADDRESSES: usize = 16;

/// Look-ups under way in the process. One hangs for as long as DNS is dead, and cannot be broken off.
pub const LOOKUPS: usize = 16;

/// A node that is there and cannot be opened is tried again after this long at first …
pub const ARRIVAL_FIRST: Duration = Duration::from_millis(100);

/// … doubling up to this. Most reasons (a FIFO without reader, a driver's error) tell nobody when they end.
pub const ARRIVAL_LAST: Duration = Duration::from_secs(10);

/// A host that could not be reached is tried again after this long at first …
pub const HOST_RETRY_FIRST: Duration = Duration::from_millis(500);

/// … doubling up to this: short beside the time a printer needs to start.
pub const HOST_RETRY_LAST: Duration = Duration::from_secs(30);

/// Symbolic links that are followed on the way to a node (the kernel follows as many).
pub const LINKS: usize = 40;

/// Events of one inotify wake that are looked at; the rest is made good by looking at the node itself.
pub const INOTIFY_READS: usize = 1024;

/// Ports that discovery lists.
pub const DISCOVERED: usize = 1024;

/// Entries of one directory that discovery looks at.
pub const DIRECTORY_ENTRIES: usize = 65_536;

/// One sysfs attribute is a page at most.
pub const ATTRIBUTE_BYTES: u64 = 4096;

/// One USB transfer carries at most this much …
pub const USB_TRANSFER_BYTES: usize = 64 * 1024;

/// … and at least this much, where there is as much to send.
pub const USB_TRANSFER_LEAST: usize = 4096;

/// So many transfers are in flight at most: enough that the wire is never idle while we look away.
pub const USB_TRANSFERS: usize = 8;

/// A USB printer has no more in flight than it takes in this time, so that what a status request has to wait behind, and
/// what a cancel finds, stay small …
pub const USB_WINDOW: Duration = Duration::from_millis(250);

/// … but this much at least.
pub const USB_WINDOW_LEAST: usize = 16 * 1024;

/// The transfer that waits for what a USB printer says, rounded up to whole packets. The size that `usblp` uses.
pub const USB_BACK_BYTES: usize = 1024;

/// What a USB printer said and nobody has read: with more it has to wait.
pub const USB_INBOX_BYTES: usize = 16 * 1024;

/// A USB printer that talks without end is listened to so often in [`USB_BACK_EVERY`] …
pub const USB_BACK_TURNS: u32 = 32;

/// … (it can say 1.6 MB a second).
pub const USB_BACK_EVERY: Duration = Duration::from_millis(20);

/// A USB printer that answers that it has nothing to say (many do) is asked again after this long at first …
pub const USB_SILENCE_FIRST: Duration = Duration::from_millis(2);

/// … doubling up to this.
pub const USB_SILENCE_LAST: Duration = Duration::from_millis(250);

/// An endpoint that halts so often without taking a byte is not going to.
pub const USB_HALTS: u32 = 3;

/// The port status of a USB printer is asked for this often while a job is under way: who waits for paper is told within
/// 50 ms …
pub const USB_STATUS_BUSY: Duration = Duration::from_millis(40);

/// … this often while it takes data and asking would hold them up (`usblp` does one thing at a time) …
pub const USB_STATUS_FLOWING: Duration = Duration::from_millis(250);

/// … and this often while it has nothing to do.
pub const USB_STATUS_IDLE: Duration = Duration::from_secs(1);

/// A USB printer that does not answer a class request within this time will not.
pub const USB_REQUEST_WAIT: Duration = Duration::from_secs(2);

/// A reset of a USB printer and of its endpoints takes no longer than this.
pub const USB_RESET_WAIT: Duration = Duration::from_secs(5);

/// Transfers that are taken back come back within this time: that is the host controller's work, not the device's.
pub const USB_CANCEL_WAIT: Duration = Duration::from_secs(1);

/// A USB device's configuration descriptors together: far more than any has.
pub const USB_DESCRIPTOR_BYTES: u64 = 64 * 1024;

/// One message about a device that came or went (the kernel's own bound is 2 KiB and a bit).
pub const UEVENT_BYTES: usize = 8192;

/// Messages about devices that are looked at in one go; more, and the device itself is looked at.
pub const UEVENTS: usize = 1024;

/// Devices whose answers are remembered.
pub const USB_KNOWN: usize = 256;

/// One transfer of `usblp`: what it makes of a longer write too.
pub const USBLP_TRANSFER_BYTES: usize = 8192;

/// A printer behind `usblp` is given so many of them ahead, the one under way among them.
pub const USBLP_TRANSFERS: usize = 2;

/// A thread that waits in `usblp` is woken so many times [`SLEEPER_WAKE_WAIT`] (6 s): a printer that is dead is given 5 s by the
/// driver to tell its status, in which no signal is heard.
pub const USBLP_END_TRIES: u32 = 1200;

/// A printer that takes so long to tell its status is dead: while it has something to take it is not listened to, for that
/// would wait as long.
pub const USBLP_DEAD: Duration = Duration::from_secs(1);

/// If it takes this much …
pub const USBLP_FAST_BYTES: usize = 32 * 1024;

/// … within this time, it is fast: …
pub const USBLP_FAST_TIME: Duration = Duration::from_millis(10);

/// … it is given at most this much at a time, …
pub const USBLP_LOAD_BYTES: usize = 1024 * 1024;

/// … and so many such loads ahead. All that has not begun can be taken back. …
pub const USBLP_LOADS: usize = 4;

/// … More is asked for when so many wait: to be woken for each costs the processor that the driver needs, too. …
pub const USBLP_MORE_AT: usize = 1;

/// … A write is of so many bytes, which are noted before. It bounds how much is uncertain after a crash. …
pub const USBLP_WRITE_BYTES: usize = 256 * 1024;

/// … If a write takes longer than this the printer is not fast any more.
pub const USBLP_WRITE_TIME: Duration = Duration::from_millis(100);

/// A printer that took nothing for this long and goes on is told of at once.
pub const USBLP_STOOD: Duration = Duration::from_secs(1);

/// It is looked this often whether a fast printer has said something: to wait for that would wake us with each transfer.
pub const USBLP_LISTEN: Duration = Duration::from_millis(40);

/// One `write` to a parallel port takes at most this much, so that a cancel is heard soon: byte by byte on the wire, it is tens
/// of milliseconds.
pub const PARALLEL_WRITE_BYTES: usize = 8192;

/// A printer on a parallel port is asked this often whether it has something to say, since nobody tells …
pub const PARALLEL_LISTEN: Duration = Duration::from_millis(250);

/// … and this often while it takes data: turning the port round holds them up (for 3 to 7 ms).
pub const PARALLEL_LISTEN_FLOWING: Duration = Duration::from_millis(500);

/// nInit is held low for this long (IEEE 1284-2000: 50 µs at least).
pub const PARALLEL_RESET: Duration = Duration::from_micros(100);

/// What a printer behind a node said and nobody has read.
pub const NODE_INBOX_BYTES: usize = 4096;
