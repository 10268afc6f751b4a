//! A real server in a process of its own: the binary, `despool serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::inotify;

/// A server that does not come up in this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `despool serve`.
pub struct Process {
    child: Child,
    listeners: serde_json::Value,
}

/// What the kernel says of a process' memory, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Everything that is resident.
    pub rss: u64,
    /// Of that, what belongs to the process alone (`RssAnon`).
    pub anon: u64,
    /// Of that, mapped files (`RssFile`): page cache that is there anyway, the binary included.
    pub file: u64,
}

impl Process {
    /// Starts the server; returns when every listener accepts.
    pub fn serve(state_dir: &Path, config: &str) -> Self {
        std::fs::create_dir_all(state_dir).unwrap();
        let file: PathBuf = state_dir.join("despool.toml");
        std::fs::write(&file, config).unwrap();
        let news = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&news, state_dir, inotify::WatchFlags::MOVED_TO).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_despool"))
            .args(["serve", "--config"])
            .arg(&file)
            .env("DESPOOL_LOG", "error")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let said = state_dir.join("listeners.json");
        let until = Instant::now() + PATIENCE;
        while !said.exists() {
            let left =
                until.checked_duration_since(Instant::now()).expect("the server does not come up");
            let wait = left.try_into().unwrap();
            let mut fds = [rustix::event::PollFd::new(&news, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut fds, Some(&wait)).unwrap();
            let _ = rustix::io::read(&news, &mut [0; 4096]);
        }
        let listeners = serde_json::from_str(&std::fs::read_to_string(said).unwrap()).unwrap();
        Self { child, listeners }
    }

    /// Where it speaks IPP.
    pub fn ipp(&self) -> SocketAddr {
        self.listeners["ipp"].as_str().unwrap().parse().unwrap()
    }

    /// Its memory now.
    pub fn memory(&self) -> Memory {
        memory_of(self.child.id())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

/// The memory of a process now.
pub fn memory_of(process: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let kib = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    Memory { rss: kib("VmRSS:") * 1024, anon: kib("RssAnon:") * 1024, file: kib("RssFile:") * 1024 }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(id) = rustix::process::Pid::from_raw(self.child.id().try_into().unwrap()) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
