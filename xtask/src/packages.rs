//! The programs that the tests speak with: what is missing is installed, after it was said what and why.

use std::process::{Command, Stdio};

use crate::run;

/// A program that a test needs, the Debian package that has it, and why.
struct Need {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

const NEEDS: [Need; 11] = [
    Need {
        program: "lp",
        package: "cups-client",
        why: "lp, lpstat and cancel must work against us unchanged",
    },
    Need {
        program: "lpq",
        package: "cups-bsd",
        why: "lpq, lpr and lprm must work against us unchanged",
    },
    Need { program: "ipptool", package: "cups-ipp-utils", why: "CUPS's IPP conformance suite" },
    Need {
        program: "unshare",
        package: "util-linux",
        why: "a full disk of our own (a small tmpfs)",
    },
    Need {
        program: "/usr/lib/python3/dist-packages/samba/__init__.py",
        package: "python3-samba",
        why: "Samba's client side of SPNEGO, NTLM and DCE/RPC",
    },
    Need {
        program: "smbtorture",
        package: "samba-testsuite",
        why: "Samba's own tests of DCE/RPC servers",
    },
    Need {
        program: "/usr/libexec/samba/samba-dcerpcd",
        package: "samba-common-bin",
        why: "Samba's DCE/RPC server, for our client (with smbpasswd)",
    },
    Need {
        program: "tshark",
        package: "tshark",
        why: "another reader of what we send (with dumpcap)",
    },
    Need { program: "ip", package: "iproute2", why: "a network of a test's own" },
    Need {
        program: "ntlm_auth",
        package: "winbind",
        why: "Samba's server side of SPNEGO and NTLM",
    },
    Need {
        program: "/usr/lib/python3.11/ensurepip/__init__.py",
        package: "python3-venv",
        why: "a place for Python packages of our own",
    },
];

/// Installs what is missing.
pub(crate) fn install() -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !is_there(need.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("The tests need programs that are not here:");
    for Need { program, package, why } in &missing {
        println!("  {program:<10} from Debian's {package:<16} {why}");
    }
    run(apt().args(["update", "-q"]))?;
    let packages = missing.iter().map(|need| need.package);
    run(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(packages))?;
    match missing.iter().find(|need| !is_there(need.program)) {
        Some(need) => {
            Err(format!("{} was installed, but there is no {}", need.package, need.program))
        }
        None => Ok(()),
    }
}

/// Has apt ask for its lists where it has none: the bench downloads packages by them, and installs nothing.
pub(crate) fn learn() -> Result<(), String> {
    let known = Command::new("apt-cache").args(["show", "busybox-static"]).output();
    if known.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    println!("apt has no lists of packages yet");
    update()
}

/// Has apt ask for its lists.
pub(crate) fn update() -> Result<(), String> {
    run(apt().args(["update", "-q"]))
}

fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|dir| dir.join(program).is_file())
}

/// `apt-get`, by sudo for those who are not root.
fn apt() -> Command {
    let root = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    let root = root.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.args(["-n", "apt-get"]);
    }
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
