//! Python packages that the tests speak with, in a place of our own (`target/venv`).

use std::path::Path;
use std::process::Command;

use crate::run;

/// A package from PyPI, its version, and why. Its own tests come with its source, which is unpacked beside it.
struct Package {
    name: &'static str,
    version: &'static str,
    why: &'static str,
}

const PACKAGES: [Package; 1] = [Package {
    name: "impacket",
    version: "0.13.1",
    why: "a DCE/RPC and NTLM client that shares no code with Samba, and its tests",
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
    // What an older attempt, or another Python, left there is no use.
    run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(venv))?;
    let wanted = missing.iter().map(|package| format!("{}=={}", package.name, package.version));
    run(Command::new(venv.join("bin/pip")).args(["install", "-q"]).args(wanted))?;
    missing.iter().try_for_each(|package| unpack(venv, package))
}

/// Puts a package's source where its tests are found.
fn unpack(venv: &Path, Package { name, version, .. }: &Package) -> Result<(), String> {
    let download = ["download", "-q", "--no-deps", "--no-binary", name, "-d"];
    let mut pip = Command::new(venv.join("bin/pip"));
    run(pip.args(download).arg(venv).arg(format!("{name}=={version}")))?;
    let archive = venv.join(format!("{name}-{version}.tar.gz"));
    run(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(venv))
}

/// True where this version is installed, and its source is there.
fn is_there(venv: &Path, package: &Package) -> bool {
    if !venv.join(format!("{}-{}", package.name, package.version)).is_dir() {
        return false;
    }
    let info = format!("{}-{}.dist-info", package.name, package.version);
    let versions = std::fs::read_dir(venv.join("lib")).into_iter().flatten().flatten();
    versions.map(|python| python.path().join("site-packages").join(&info)).any(|dir| dir.is_dir())
}
