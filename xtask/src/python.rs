//! Python packages that the tests speak with, in a place of our own (`target/venv`).

use std::path::Path;
use std::process::Command;

use crate::run;

/// A package from PyPI, its version, and why.
struct Package {
    name: &'static str,
    version: &'static str,
    why: &'static str,
}

const PACKAGES: [Package; 1] = [Package {
    name: "impacket",
    version: "0.13.1",
    why: "a DCE/RPC and NTLM client that shares no code with Samba",
}];

/// Debian's Python, not whatever else is in front of it in the path.
const PYTHON: &str = "/usr/bin/python3";

/// Installs what is missing.
pub(crate) fn install() -> Result<(), String> {
    let venv = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/venv"));
    let missing: Vec<&Package> =
        PACKAGES.iter().filter(|package| !is_there(venv, package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("The tests need Python packages that are not here:");
    for Package { name, version, why } in &missing {
        println!("  {name:<10} {version:<8} from PyPI, into target/venv: {why}");
    }
    run(Command::new(PYTHON).args(["-m", "venv"]).arg(venv))?;
    let wanted = missing.iter().map(|package| format!("{}=={}", package.name, package.version));
    run(Command::new(venv.join("bin/pip")).args(["install", "-q"]).args(wanted))
}

/// True where this version is installed.
fn is_there(venv: &Path, package: &Package) -> bool {
    let info = format!("{}-{}.dist-info", package.name, package.version);
    let versions = std::fs::read_dir(venv.join("lib")).into_iter().flatten().flatten();
    versions.map(|python| python.path().join("site-packages").join(&info)).any(|dir| dir.is_dir())
}
