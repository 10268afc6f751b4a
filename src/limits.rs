//! Every bound of the server, with its unit and its reason.

use std::num::NonZeroU64;
use std::time::Duration;

/// A device that is plugged in is told of in several steps, some milliseconds apart; after this long without one it is
/// looked at.
pub const ARRIVAL_QUIET: Duration = Duration::from_millis(300);

/// A printer's name is at most this long (CUPS allows 127 bytes).
pub const PRINTER_NAME_BYTES: usize = 127;

/// Finished jobs that stay for a reprint, by default.
pub const KEEP_JOBS: usize = 500;

/// How long finished jobs stay for a reprint, by default.
pub const KEEP_FOR: Duration = Duration::from_secs(24 * 3600);

/// How long running jobs may go on when the server is told to stop, by default. Well below systemd's 90 s.
pub const STOP_GRACE: Duration = Duration::from_secs(5);

/// How long a client in the middle of a request may be silent, by default.
pub const CLIENT_IDLE: Duration = Duration::from_secs(60);

/// How long a raw TCP sender may be silent, by default.
pub const APPSOCKET_IDLE: Duration = Duration::from_secs(60);

/// Above this pressure (share of the last 10 s that somebody waited) no new job is begun, by default.
pub const PRESSURE_PERCENT: u8 = 80;

/// Jobs that may run at once on the ports of one USB host controller, by default.
pub const JOBS_PER_CONTROLLER: usize = 8;

/// An actor that lived this long before it died is made anew at once …
pub const RESTART_CALM: Duration = Duration::from_secs(60);

/// … one that dies again sooner after this pause, doubling …
pub const RESTART_PAUSE_FIRST: Duration = Duration::from_secs(1);

/// … up to this.
pub const RESTART_PAUSE_LAST: Duration = Duration::from_secs(60);

/// Whoever asks an actor that is being made anew waits at most this long for it.
pub const REBIRTH_WAIT: Duration = Duration::from_secs(5);

/// Pieces of a document that may be under way to a port at a time. With pieces of 1 MiB this is all the memory that a job
/// of any size takes.
pub const LANE_PIECES: usize = 4;

/// Orders that fit into the lane of a port: the pieces under way, a beginning, an end, and what a language monitor adds.
pub const LANE_ORDERS: usize = 64;

/// Requests beside the lane (aborts) that fit at a time.
pub const LANE_URGENT: usize = 8;

/// One note of what may be offered goes so far ahead, or as far as a port takes in one `write`. It bounds how much is uncertain
/// after a crash.
pub const NOTE_BYTES: usize = 256 * 1024;

/// One `read` of the back channel takes at most this much, so that a flood does not keep data from going out.
pub const READ_BYTES: usize = 4096;

/// How much later than asked for the kernel may wake a port's thread, in ns. Usually that is 50 us, a quarter of what the
/// port may lie idle between two jobs.
pub const TIMER_SLACK_NS: NonZeroU64 = NonZeroU64::MIN;

/// While a port holds bytes of which it does not know whether they have gone, how far it is is noted this often.
pub const NOTE_PACE: Duration = Duration::from_millis(10);

/// While a device takes bytes without a pause, its back channel is looked at this often.
pub const GLANCE: Duration = Duration::from_millis(1);

/// Back-channel bytes that wait for a monitor; what comes beyond is dropped and counted.
pub const BACK_BYTES: usize = 64 * 1024;

/// Events of a port are told at once when it was quiet for this long, else together when this is over.
pub const PACE: Duration = Duration::from_millis(20);

/// A device that takes nothing for this long while bytes wait is reported as stalled.
pub const STALL_AFTER: Duration = Duration::from_secs(3);

/// One attempt to connect to a network printer takes at most this long; then the next begins.
pub const CONNECT_WAIT: Duration = Duration::from_secs(30);

/// Of a printer's status questions, the answer is awaited this long. A busy printer answers within its main loop's round …
pub const STATUS_ANSWER_WAIT: Duration = Duration::from_secs(2);

/// … this many that did not come in a row, and nothing is known of the printer any more …
pub const STATUS_MISSES: u32 = 3;

/// … and it is asked only so often. (A printer that can send nothing at all is asked as often, for nothing.)
pub const STATUS_PACE_SILENT: Duration = Duration::from_secs(60);

/// A printer that must be asked is asked this often while nothing happens …
pub const STATUS_PACE: Duration = Duration::from_secs(1);

/// … this often while it has a fault, or has not yet printed what it was given …
pub const STATUS_PACE_BUSY: Duration = Duration::from_millis(250);

/// … and this often in the middle of a job, where that is wanted: each question is looked for a place in the document.
pub const STATUS_PACE_JOB: Duration = Duration::from_secs(2);

/// Printed jobs that one stroke of the back channel may report.
pub const FINDINGS: usize = 16;

/// Pieces of a running document that wait to be read for a place between two commands; more, and none is looked for any
/// more in this job. With pieces of 1 MiB this bounds one reading, too.
pub const READING_PIECES: usize = 16;

/// Such a reading takes so many bytes at a time.
pub const READING_BYTES: usize = 64 * 1024;

/// Jobs that a device has taken and not yet printed, as far as it is asked about them.
pub const UNPRINTED_JOBS: usize = 16;

/// An answer of a ZPL printer is at most this long (the longest, `~HQES`, has some 150 bytes); longer ones are skipped.
pub const ZPL_ANSWER_BYTES: usize = 1024;

/// Of a ZPL command so many bytes are read to find out how much binary data follow.
pub const ZPL_HEAD_BYTES: usize = 128;
/// A command waits this long for a server's answer to a request without a document.
pub const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// An IEEE 1284.4 packet is at most this long, either way.
pub const D4_PACKET_BYTES: usize = 16 * 1024;

/// Packets of a document that are under way to the port at a time: with their headers they fit into its lane.
pub const D4_PACKETS: usize = 16;

/// Packets that a device may send on a channel before it needs new credit.
pub const D4_CREDIT: u16 = 16;

/// Things that a language wants to say on a channel that is not open, or has no credit.
pub const D4_WAITING: usize = 16;

/// A PJL status message is at most this long; longer ones are skipped.
pub const PJL_MESSAGE_BYTES: usize = 4096;

/// A PJL printer is asked to say how it is this often, whatever happens (`USTATUS TIMED`, 5 to 300 s) …
pub const PJL_TIMED: Duration = Duration::from_secs(30);

/// … and one that has said nothing for this long is told again what to report: a job may have switched it off.
pub const PJL_SILENCE: Duration = Duration::from_secs(95);

/// Supplies that one printer tells of.
pub const PJL_SUPPLIES: usize = 32;

/// A name or a display text in a PJL command is at most this long (PJL Technical Reference Manual, `JOB`).
pub const PJL_NAME_BYTES: usize = 80;

/// Portions of a direct job (each at most what a front end reads at a time) that wait for the print processor.
pub const DIRECT_PORTIONS: usize = 4;

/// News of jobs are told at once after a quiet time, else this long after the last: together, in a burst of short jobs.
pub const NEWS_PACE: Duration = Duration::from_millis(4);

/// Progress of a job is told at most this often.
pub const PROGRESS_PACE: Duration = Duration::from_millis(250);

/// Jobs that are played within this time are prepared together, also where the disk would be faster: it is not to be
/// woken for each of them.
pub const PREPARED_TIME: Duration = Duration::from_millis(8);

/// Jobs that are prepared ahead of the one that is played, where jobs are so short that the disk would be waited for
/// otherwise. After a loss of power so many wait for a person although they may not have begun.
pub const PREPARED_JOBS: usize = 16;

/// What the kernel says of memory and the disk is asked for again after this long: it averages over 10 s, every 2 s.
pub const PRESSURE_PACE: Duration = Duration::from_secs(1);

/// A job that waits for memory, the disk or a host controller is looked at again after this long.
pub const RESOURCE_PAUSE: Duration = Duration::from_secs(1);

/// How often retention is enforced when nothing else happens.
pub const EXPIRY_PACE: Duration = Duration::from_secs(60);

/// A listing of jobs gives at most this many.
pub const LISTED_JOBS: usize = 100_000;

/// Back-channel portions that wait for a sender to take them; what comes beyond is dropped for that sender.
pub const BACK_PORTIONS: usize = 64;

/// Connections that one listener serves at a time.
pub const CONNECTIONS: usize = 512;

/// Raw TCP: one read takes at most this much.
pub const APPSOCKET_READ_BYTES: usize = 256 * 1024;

/// Raw TCP: a sender whose job was accepted is kept on the line while the device may have something to tell it, but not
/// longer than this while the job waits.
pub const APPSOCKET_LINGER: Duration = Duration::from_secs(1);

/// Raw TCP: a sender that takes none of the device's words for this long is let go.
pub const APPSOCKET_WRITE: Duration = Duration::from_secs(10);

/// A port that failed is opened anew after this long, doubling with each failure until a job has ended well or the device has
/// gone …
pub const REOPEN_FIRST: Duration = Duration::from_millis(20);

/// … up to this.
pub const REOPEN_LAST: Duration = Duration::from_secs(5);

/// After a connection could not be accepted (no descriptors left) the next attempt waits this long.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A port that does not answer an abort for this long is stuck in its driver: the job is over without its word. Longer than
/// [`CLOSE_WAIT`].
pub const ABORT_WAIT: Duration = Duration::from_secs(5);

/// A port that is to be closed in the middle of a job may go on for this long with what its driver holds.
pub const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The end of a server waits at most this long for its ports to be closed.
pub const PORTS_CLOSE_WAIT: Duration = Duration::from_secs(5);

/// HTTP: the headers of a request must come within this.
pub const HTTP_HEADER_WAIT: Duration = Duration::from_secs(30);

/// IPP: what has arrived of a document is handed to the spool in portions of up to about this much.
pub const IPP_GATHER_BYTES: usize = 256 * 1024;

/// IPP: a job that was created waits this long for its next document (`multiple-operation-time-out`).
pub const IPP_OPEN_JOB: Duration = Duration::from_secs(300);

/// IPP: jobs that may wait for documents at a time.
pub const IPP_OPEN_JOBS: usize = 256;

/// IPP: of a document that is refused, up to this much is taken and thrown away before the answer: CUPS's programs cannot
/// read one that comes in the middle …
pub const IPP_DRAIN_BYTES: u64 = 4 << 30;

/// … for at most this long.
pub const IPP_DRAIN_WAIT: Duration = Duration::from_secs(60);

/// HTTP: what a client still sends when it has been answered is thrown away for this long, so that it can read the answer.
pub const HTTP_LINGER: Duration = Duration::from_secs(10);

/// HTTP: it is read in portions of this size.
pub const HTTP_LINGER_BYTES: usize = 64 * 1024;

/// Notifications that wait in one unidirectional registration, by default ([MS-PAN] note 10). A newer one is dropped.
pub const NOTIFY_QUEUE: usize = 100;

/// The same, as many as a configuration may ask for.
pub const NOTIFY_QUEUE_MOST: usize = 100_000;

/// Payload bytes that wait in one unidirectional registration. Room for at least one payload of the largest size.
pub const NOTIFY_QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// A notification or a response has at most so many bytes ([MS-PAN] 3.1.1.4.4: 0x00A00000).
pub const NOTIFY_PAYLOAD_BYTES: usize = 0x00A0_0000;

/// Registrations in all.
pub const NOTIFY_REGISTRATIONS: usize = 65_536;

/// Registrations of one identity.
pub const NOTIFY_REGISTRATIONS_PER_IDENTITY: usize = 16_384;

/// Channels that are open at a time (`CreatePrintAsyncNotifyChannel`'s default).
pub const NOTIFY_CHANNELS: usize = 10_000;

/// Channel handles that one identity holds at a time, those of closed channels that it has not noticed included.
pub const NOTIFY_HANDLES_PER_IDENTITY: usize = 16_384;

/// AsyncUI and printer-configuration XML that is read as a client: bytes, in UTF-16.
pub const XML_REQUEST_BYTES: usize = 256 * 1024;

/// An AsyncUI answer that is read as a server: bytes, in UTF-16.
pub const XML_REPLY_BYTES: usize = 64 * 1024;

/// Elements, texts and comments of one XML document that is read.
pub const XML_NODES: u32 = 1024;

/// `despool watch`: notifications that wait to be shown, and lines that wait to be read. What waits beyond waits in the
/// server.
pub const WATCH_WAITING: usize = 64;

/// `despool watch`: at its end the server has this long to hear of it.
pub const WATCH_GOODBYE: Duration = Duration::from_secs(2);

/// `despool watch`: a line by which a person answers is at most this long.
pub const ANSWER_BYTES: usize = 4096;

/// An account's name has at most this many characters (Windows allows 20 in its own accounts).
pub const ACCOUNT_NAME_CHARS: usize = 64;

/// Accounts of a server.
pub const ACCOUNTS: usize = 10_000;

/// The accounts file is at most this long: room for that many accounts.
pub const ACCOUNTS_FILE_BYTES: usize = 4 * 1024 * 1024;

/// A password has at most this many characters (Windows: 256).
pub const PASSWORD_CHARS: usize = 256;

/// Random octets of the secret by which this machine's own commands log on.
pub const LOCAL_SECRET_BYTES: usize = 32;

/// A NetBIOS domain's name is at most this long.
pub const DOMAIN_BYTES: usize = 15;

/// An NTLM message is at most this long (Windows' own are below 3 KiB).
pub const NTLM_MESSAGE_BYTES: usize = 16 * 1024;

/// AV pairs in an NTLM message (there are eleven kinds).
pub const NTLM_AV_PAIRS: usize = 32;

/// Mechanisms that a SPNEGO token may offer (Windows offers up to five).
pub const SPNEGO_MECHANISMS: usize = 32;

/// A piece of a document up to this size may wait in memory for the next piece or for the end.
pub const LATE_BYTES: usize = 64 * 1024;

/// Events that wait for one subscriber. Then what is out of date gives way.
pub const EVENTS_WAITING: usize = 1024;

/// Sources of notifications rest this long between two looks at what has happened, while something happens. The first
/// event after a quiet time is not delayed; in a burst of jobs they need not wake for each.
pub const EVENTS_PACE: Duration = Duration::from_millis(4);

/// Questions that are asked at a time. The jobs of others wait until one is answered or withdrawn.
pub const QUESTIONS: usize = 1024;

/// Jobs that have ended and that the sources still know, so that nobody is told twice.
pub const REMEMBERED_JOBS: usize = 1024;

/// A question that was answered, and whose cause is still there, is asked again after this long.
pub const ASK_AGAIN: Duration = Duration::from_secs(30);
