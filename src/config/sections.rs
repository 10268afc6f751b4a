//! How each section is read: its keys, and what they are where they are absent.

use std::path::PathBuf;

use super::printer::printers;
use super::reader::Section;
use super::{
    Config, ListenConfig, NotifyConfig, RpcLevel, SchedulerConfig, SecurityConfig, ServerConfig,
    SpoolConfig, UsbConfig, default_state_dir, host_name, units,
};
use crate::limits::{CLIENT_IDLE, NOTIFY_QUEUE_MOST, STOP_GRACE};

/// Reads a whole file.
pub(super) fn read(mut root: Section<'_, '_>) -> Config {
    let config = Config {
        server: server(root.section("server")),
        listen: listen(root.section("listen")),
        spool: spool(root.section("spool")),
        scheduler: scheduler(root.section("scheduler")),
        usb: usb(root.section("usb")),
        notify: notify(root.section("notify")),
        printers: printers(root.sections("printer")),
        security: security(root.section("security")),
    };
    root.finish();
    config
}

fn server(mut section: Section<'_, '_>) -> ServerConfig {
    let server = ServerConfig {
        state_dir: section.text("state_dir", absolute).unwrap_or_else(default_state_dir),
        name: section.text("name", units::printer_name).unwrap_or_else(host_name),
        stop_grace: section.text("stop_grace", units::duration).unwrap_or(STOP_GRACE),
    };
    section.finish();
    server
}

fn listen(mut section: Section<'_, '_>) -> ListenConfig {
    let listen = ListenConfig {
        ipp: section.address("ipp"),
        lpd: section.address("lpd"),
        http: section.address("http"),
        rpc: section.address("rpc"),
        epm: section.address("epm"),
        idle_timeout: section.text("idle_timeout", units::patience).unwrap_or(CLIENT_IDLE),
    };
    section.finish();
    listen
}

fn spool(mut section: Section<'_, '_>) -> SpoolConfig {
    let default = SpoolConfig::default();
    let count = |text: &str| {
        text.parse().map_err(|_| {
            format!("\"{text}\" is not a number of jobs; write 0 to keep none, or more")
        })
    };
    let spool = SpoolConfig {
        max_job_bytes: section
            .number_or_text("max_job_bytes", units::bytes)
            .unwrap_or(default.max_job_bytes),
        max_bytes: section.number_or_text("max_bytes", units::bytes),
        min_free_bytes: section
            .number_or_text("min_free_bytes", units::bytes)
            .unwrap_or(default.min_free_bytes),
        keep_jobs: section.number_or_text("keep_jobs", count).unwrap_or(default.keep_jobs),
        keep_for: section.text("keep_for", units::duration).unwrap_or(default.keep_for),
    };
    section.finish();
    spool
}

fn scheduler(mut section: Section<'_, '_>) -> SchedulerConfig {
    let default = SchedulerConfig::default();
    let count = |text: &str| {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| format!("\"{text}\" is not a number of jobs; write at least 1"))
    };
    let scheduler = SchedulerConfig {
        memory_pressure: section
            .number_or_text("memory_pressure", units::percent)
            .unwrap_or(default.memory_pressure),
        io_pressure: section
            .number_or_text("io_pressure", units::percent)
            .unwrap_or(default.io_pressure),
        jobs_per_controller: section
            .number_or_text("jobs_per_controller", count)
            .unwrap_or(default.jobs_per_controller),
    };
    section.finish();
    scheduler
}

fn usb(mut section: Section<'_, '_>) -> UsbConfig {
    let quirks = section.texts("quirks", str::parse).unwrap_or_default();
    section.finish();
    UsbConfig { quirks }
}

fn notify(mut section: Section<'_, '_>) -> NotifyConfig {
    let count = |text: &str| {
        let number = text.parse().ok().filter(|number| (1..=NOTIFY_QUEUE_MOST).contains(number));
        number.ok_or_else(|| {
            format!("\"{text}\" is not a number of notifications; write 1 to {NOTIFY_QUEUE_MOST}")
        })
    };
    let default = NotifyConfig::default();
    let queue = section.number_or_text("queue", count).unwrap_or(default.queue);
    section.finish();
    NotifyConfig { queue }
}

fn security(mut section: Section<'_, '_>) -> SecurityConfig {
    let default = SecurityConfig::default();
    let file = |text: &str| {
        if text.is_empty() { Err("is empty; write a file name") } else { Ok(PathBuf::from(text)) }
    };
    let security = SecurityConfig {
        users_file: section.text("users_file", file).unwrap_or(default.users_file),
        domain: section.text("domain", units::domain).unwrap_or(default.domain),
        admins: section.texts("admins", account).unwrap_or(default.admins),
        rpc_min_level: section.one_of("rpc_min_level", &LEVELS).unwrap_or(default.rpc_min_level),
    };
    section.finish();
    security
}

fn account(text: &str) -> Result<String, String> {
    crate::accounts::name::check(text).map(|()| text.to_owned())
}

const LEVELS: [(&str, RpcLevel); 3] = [
    ("packet", RpcLevel::Packet),
    ("integrity", RpcLevel::Integrity),
    ("privacy", RpcLevel::Privacy),
];

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(format!("\"{text}\" is not an absolute path; begin with /"))
    }
}
