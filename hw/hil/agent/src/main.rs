//! The guest's first process: mounts, loads modules, then runs what the host asks for until it is switched off.
//!
//! What it is *not*: a shell. The host sends words; `/bin/sh` is one of the programs it may name.
#![forbid(unsafe_code)]

mod boot;
mod job;
mod serve;

use std::convert::Infallible;

fn main() {
    // There is nobody to return to: whatever fails here is read on the console, and the machine is switched off.
    let Err(why) = run();
    eprintln!("hil-agent: {why}");
    rustix::fs::sync();
    let _ = rustix::system::reboot(rustix::system::RebootCommand::PowerOff);
}

fn run() -> Result<Infallible, String> {
    boot::mount()?;
    boot::load_modules()?;
    boot::raise_loopback();
    let port = boot::open_port()?;
    serve::Server::new(port)?.run()
}
