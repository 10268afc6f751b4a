//! QEMU, a kernel and busybox out of Debian's packages, without installing them.
//!
//! `apt-get install` would not do: an installed `qemu-utils` of another version breaks `qemu-system-common`, and the
//! resolver removes one for the other. What QEMU needs and the machine does not have is fetched too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Cache, extract_vmlinux, key_of, run};
use crate::error::{Error, Result, file};
use crate::limits::FETCHES;

/// What the guest is made of. `xz-utils` unpacks the kernel.
const WANTED: [&str; 3] = ["qemu-system-x86", "busybox-static", "xz-utils"];

/// The package whose dependency is the kernel of today: kernels vanish from the mirrors at each update.
const KERNEL: &str = "linux-image-amd64";

/// The parts of the kernel's package that the guest may need.
const KERNEL_PARTS: [&str; 11] = [
    "./boot/vmlinuz*",
    "./lib/modules/*/modules.builtin",
    "./lib/modules/*/kernel/drivers/usb/*",
    "./lib/modules/*/kernel/drivers/parport/*",
    "./lib/modules/*/kernel/drivers/char/*",
    "./lib/modules/*/kernel/drivers/virtio/*",
    "./lib/modules/*/kernel/net/9p/*",
    "./lib/modules/*/kernel/fs/9p/*",
    "./lib/modules/*/kernel/fs/netfs/*",
    "./lib/modules/*/kernel/fs/fscache/*",
    "./lib/modules/*/kernel/lib/*",
];

/// Where apt and dpkg keep what they know: while these do not change, neither do names and versions.
const KNOWLEDGE: [&str; 2] = ["/var/lib/dpkg/status", "/var/lib/apt/lists"];

/// What their entry in the cache is called, with their key behind it.
const ENTRY: &str = "packages-";

const OLDER: &str = "the newest packages cannot be had; older ones are in the cache, and are used";

/// Unpacked packages.
#[derive(Clone, Debug)]
pub struct Packages {
    /// Names and versions, in one word.
    pub key: String,
    dir: PathBuf,
}

impl Packages {
    /// Finds them in the cache, or fetches and unpacks them; `tell` hears what is being done. Where the newest cannot be had,
    /// older ones that are in the cache do as well.
    ///
    /// Errors: a mirror that cannot be reached, package lists that are too old.
    pub fn obtain(cache: &Cache, tell: &dyn Fn(&str)) -> Result<Self> {
        let packages = Self::newest(cache, tell).or_else(|error| {
            let older = cache.any(ENTRY)?;
            let older = older.and_then(|dir| Some((key_in_name(&dir)?, dir)));
            let (key, dir) = older.ok_or(error).inspect(|_| tell(OLDER))?;
            Ok::<_, Error>(Self { key, dir })
        })?;
        packages.check_libraries()?;
        Ok(packages)
    }

    fn newest(cache: &Cache, tell: &dyn Fn(&str)) -> Result<Self> {
        let resolved = cache.entry(&format!("resolved-{}", stamp()), resolve)?;
        let (names, key) = read_resolved(&resolved)?;
        let dir = cache.entry(&format!("{ENTRY}{key}"), |dir| {
            tell(&format!("fetching {} packages from Debian (nothing is installed)", names.len()));
            fetch(&names, dir, tell)?;
            tell("unpacking them");
            unpack(dir)
        })?;
        Ok(Self { key, dir })
    }

    /// Where they lie.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The uncompressed kernel.
    pub fn vmlinux(&self) -> PathBuf {
        self.dir.join("vmlinux")
    }

    /// The directory of the kernel's modules.
    pub fn modules(&self) -> Result<PathBuf> {
        let dir = self.dir.join("kernel/lib/modules");
        let mut entries = std::fs::read_dir(&dir).map_err(file("reading", &dir))?.flatten();
        let only = entries.next().map(|entry| entry.path());
        only.ok_or_else(|| Error::Kernel { why: "there are no modules in it".into() })
    }

    /// A file of the unpacked root.
    pub fn file(&self, path: &str) -> PathBuf {
        self.dir.join("root").join(path)
    }

    /// A program of them, with their libraries before the machine's.
    pub fn program(&self, path: &str) -> Command {
        let mut command = Command::new(self.file(path));
        command.env("LD_LIBRARY_PATH", self.library_path());
        command
    }

    /// Where the loader finds their libraries.
    pub fn library_path(&self) -> String {
        let dirs = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
        dirs.map(|dir| self.file(dir).display().to_string()).join(":")
    }

    /// The first run of a program with a missing library says only which one; this says all, and what to do.
    fn check_libraries(&self) -> Result<()> {
        let mut command = Command::new("ldd");
        command
            .env("LD_LIBRARY_PATH", self.library_path())
            .arg(self.file("usr/bin/qemu-system-x86_64"))
            .arg(self.file("usr/lib/x86_64-linux-gnu/qemu/hw-usb-redirect.so"));
        let said = String::from_utf8_lossy(&run(&mut command)?).into_owned();
        let missing = said.lines().filter(|line| line.contains("not found"));
        let missing: BTreeSet<&str> =
            missing.filter_map(|line| line.split_whitespace().next()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<&str> = missing.into_iter().collect();
        Err(Error::Missing {
            what: format!("QEMU needs libraries that are not here: {}", missing.join(", ")),
            remedy: "find their packages with `apt-file search` and install those".into(),
        })
    }
}

/// Changes whenever apt or dpkg learn something.
fn stamp() -> String {
    let of = |path: &str| {
        let about = std::fs::metadata(path).ok();
        format!("{path} {:?}", about.and_then(|about| Some((about.len(), about.modified().ok()?))))
    };
    let knowledge = KNOWLEDGE.map(of);
    key_of(knowledge.iter().map(String::as_bytes))
}

/// Asks apt what there is; this takes seconds, so the answer is kept.
fn resolve(dir: &Path) -> Result<()> {
    let names = names()?;
    let key = key_of([uris(&names)?.as_bytes()]);
    let path = dir.join("names");
    let text = format!("{key}\n{}\n", names.join("\n"));
    std::fs::write(&path, text).map_err(file("writing", &path))
}

fn read_resolved(dir: &Path) -> Result<(Vec<String>, String)> {
    let path = dir.join("names");
    let text = std::fs::read_to_string(&path).map_err(file("reading", &path))?;
    let mut lines = text.lines().map(str::to_owned);
    let key = lines.next().unwrap_or_default();
    Ok((lines.collect(), key))
}

/// Everything to be fetched, by name.
fn names() -> Result<Vec<String>> {
    let architecture = run(Command::new("dpkg").arg("--print-architecture"))?;
    if architecture.trim_ascii() != b"amd64" {
        return Err(Error::Missing {
            what: "the bench knows x86-64 machines only".into(),
            remedy: "run it on one".into(),
        });
    }
    let mut names = needed()?;
    names.push(kernel()?);
    Ok(names)
}

/// What is wanted and all that it needs, but for what is installed.
fn needed() -> Result<Vec<String>> {
    let no = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
    let mut command = Command::new("apt-cache");
    command.args(["depends", "--recurse"]).args(no.map(|no| format!("--no-{no}"))).args(WANTED);
    let said = apt(&mut command)?;
    let installed =
        run(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Abbrev}${Package}\n"]))?;
    let installed = String::from_utf8_lossy(&installed).into_owned();
    let installed: BTreeSet<&str> =
        installed.lines().filter_map(|line| line.strip_prefix("ii ")).map(str::trim).collect();
    let wanted = said.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let wanted: BTreeSet<&str> = wanted
        .filter(|name| !name.contains(':'))
        .filter(|name| WANTED.contains(name) || !installed.contains(name))
        .collect();
    Ok(wanted.into_iter().map(str::to_owned).collect())
}

fn kernel() -> Result<String> {
    let said = apt(Command::new("apt-cache").args(["depends", KERNEL]))?;
    let kernel = said.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let kernel = kernel.filter(|name| name.starts_with("linux-image-"));
    kernel.map(str::to_owned).ok_or_else(no_lists)
}

fn uris(names: &[String]) -> Result<String> {
    apt(Command::new("apt-get").args(["download", "--print-uris"]).args(names))
}

fn apt(command: &mut Command) -> Result<String> {
    let said = run(command).map_err(|error| match error {
        Error::Program { program, why } if why.contains("Unable to locate") => {
            Error::Missing { what: format!("{program}: {why}"), remedy: UPDATE.into() }
        }
        other => other,
    })?;
    if said.is_empty() { Err(no_lists()) } else { Ok(String::from_utf8_lossy(&said).into_owned()) }
}

const UPDATE: &str = "run `apt-get update` as root";

fn no_lists() -> Error {
    Error::Missing { what: "apt knows no packages".into(), remedy: UPDATE.into() }
}

/// A mirror that does not answer is asked again; what has come by then is not fetched twice.
fn fetch(names: &[String], dir: &Path, tell: &dyn Fn(&str)) -> Result<()> {
    let debs = dir.join("debs");
    std::fs::create_dir(&debs).map_err(file("making", &debs))?;
    let mut tried = 0;
    loop {
        let mut command = Command::new("apt-get");
        command.args(["download", "-q"]).args(PATIENT).args(names).current_dir(&debs);
        match run(&mut command) {
            Ok(_) => return Ok(()),
            Err(error) if tried < FETCHES => {
                tried += 1;
                tell(&format!("that did not go well, once more ({error})"));
            }
            Err(error) => {
                let remedy = format!("is the mirror reachable? are the lists too old? {UPDATE}");
                return Err(Error::Missing { what: error.to_string(), remedy });
            }
        }
    }
}

/// apt tries each file several times, and gives a mirror that has fallen silent up.
const PATIENT: [&str; 4] = ["-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30"];

fn key_in_name(entry: &Path) -> Option<String> {
    Some(entry.file_name()?.to_str()?.strip_prefix(ENTRY)?.to_owned())
}

fn unpack(dir: &Path) -> Result<()> {
    let debs = dir.join("debs");
    let (root, kernel) = (dir.join("root"), dir.join("kernel"));
    std::fs::create_dir(&kernel).map_err(file("making", &kernel))?;
    for deb in std::fs::read_dir(&debs).map_err(file("reading", &debs))?.flatten() {
        let (deb, name) = (deb.path(), deb.file_name());
        if name.to_string_lossy().starts_with("linux-image") {
            unpack_kernel(&deb, &kernel)?;
        } else {
            run(Command::new("dpkg").arg("-x").args([&deb, &root]))?;
        }
    }
    let boot = kernel.join("boot");
    let mut images = std::fs::read_dir(&boot).map_err(file("reading", &boot))?.flatten();
    let image = images.next().map(|entry| entry.path());
    let image = image.ok_or_else(|| Error::Kernel { why: "there is no vmlinuz in it".into() })?;
    let packages = Packages { key: String::new(), dir: dir.to_owned() };
    extract_vmlinux(&image, &packages.vmlinux(), &|| packages.program("usr/bin/xz"))?;
    std::fs::remove_dir_all(&debs).map_err(file("removing", &debs))
}

fn unpack_kernel(deb: &Path, into: &Path) -> Result<()> {
    let parts = KERNEL_PARTS.map(|part| format!("'{part}'")).join(" ");
    let script = format!(
        "dpkg-deb --fsys-tarfile \"$1\" | tar -x -C \"$2\" --no-same-owner --wildcards {parts}"
    );
    run(Command::new("sh").args(["-euc", &script, "sh"]).args([deb, into])).map(drop)
}
