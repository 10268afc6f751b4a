//! `despool ports`: attached devices as device URIs.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::say;
use super::{At, Outcome};

#[derive(Args, Debug)]
pub(super) struct Ports {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

pub(super) fn run(args: &Ports) -> Outcome {
    args.at.must_be_here()?;
    let found = despool_hw::discover();
    for port in &found {
        let id = port.device_id.as_ref().map(|id| id.raw.clone());
        if args.json {
            let line = json!({
                "uri": port.uri.to_string(),
                "description": port.description,
                "device_id": id,
                "controller": port.controller,
            });
            say(line)?;
        } else {
            let id = id.map_or(String::new(), |id| format!("\n    {id}"));
            say(format_args!("{}\n    {}{id}", port.uri, port.description))?;
        }
    }
    if found.is_empty() && !args.json {
        eprintln!(
            "no serial, USB or parallel port was found; network printers are written socket://HOST:9100"
        );
    }
    Ok(ExitCode::SUCCESS)
}
