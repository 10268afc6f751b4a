//! One machine with its ports, ready for a test.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use despool_hil_models::usb::Device;

use crate::device::{ParallelPort, Plugged, Printer, PrinterBuild, Registers, SerialPort};
use crate::error::{Error, Result, file};
use crate::limits::NODE;
use crate::prepare::{Cache, Initramfs, Packages, key_of, module_order, run};
use crate::vm::{Accelerator, Guest, Machine, Slot, Vm};

/// Modules of the guest: 9p for the host's file system, the USB controllers, and the drivers under test.
const MODULES: [&str; 17] = [
    "virtio_pci",
    "virtio_console",
    "9p",
    "9pnet_virtio",
    "xhci_pci",
    "ehci_pci",
    "uhci_hcd",
    "usblp",
    "ftdi_sio",
    "cdc_acm",
    "pl2303",
    "cp210x",
    "ch341",
    "usbmon",
    "parport_pc",
    "lp",
    "ppdev",
];

/// The device id of the printer on the parallel port.
pub const PARALLEL_ID: &str = "MFG:HIL;CMD:ZPL,ESC/POS;MDL:Parallel Label;CLS:PRINTER;SN:PAR0001;";

/// Where the bench's own programs lie, and everything that was prepared.
#[derive(Debug)]
pub struct Setup {
    machine: Machine,
    snapshot: PathBuf,
    /// Keeps others from removing them.
    _cache: Cache,
}

impl Setup {
    /// Makes everything ready, as far as the cache does not have it; `tell` hears what is being done. `programs`: the
    /// directory of `hil-agent` and `libdespool_hil_shim.so`.
    pub fn prepare(programs: &Path, tell: &dyn Fn(&str)) -> Result<Self> {
        let cache = Cache::open()?;
        let packages = Packages::obtain(&cache, tell)?;
        let shim = programs.join("libdespool_hil_shim.so");
        let initramfs = initramfs(&packages, &programs.join("hil-agent"))?;
        let accelerator = Accelerator::from_environment();
        let machine =
            |initrd: PathBuf| Machine::new(packages.clone(), initrd, shim.clone(), accelerator);
        let words = machine(PathBuf::new()).words();
        let parts = [packages.key.as_bytes(), initramfs.as_slice()];
        let key = key_of(parts.into_iter().chain(words.iter().map(String::as_bytes)));
        let snapshot = cache.entry(&format!("snapshot-{key}"), |dir| {
            let initrd = dir.join("initramfs");
            std::fs::write(&initrd, &initramfs).map_err(file("writing", &initrd))?;
            tell("booting the guest once, for a snapshot");
            take_snapshot(&machine(initrd), dir)
        })?;
        let machine = machine(snapshot.join("initramfs"));
        cache.remove_unused()?;
        Ok(Self { machine, snapshot, _cache: cache })
    }

    /// A machine out of the snapshot.
    pub fn start(&self) -> Result<Bench> {
        let begun = Instant::now();
        let ports = Ports::make()?;
        let registers = registers_of(&self.snapshot)?;
        let state = self.snapshot.join("state");
        let mut vm = Vm::restore(&self.machine, ports.dir, &state)?;
        ports.parallel.restore(registers).map_err(|error| vm.explain(error))?;
        vm.go_on()?;
        let (parallel, serial) = (ports.parallel, ports.serial);
        Ok(Bench { vm, parallel, serial, took: begun.elapsed() })
    }

    /// A machine that was booted just now: to see that a snapshot hides nothing.
    pub fn boot(&self) -> Result<Bench> {
        let begun = Instant::now();
        let Ports { dir, parallel, serial } = Ports::make()?;
        let vm = Vm::boot(&self.machine, dir)?;
        Ok(Bench { vm, parallel, serial, took: begun.elapsed() })
    }
}

/// The ports that must be there before QEMU is.
struct Ports {
    dir: tempfile::TempDir,
    parallel: ParallelPort,
    serial: SerialPort,
}

impl Ports {
    fn make() -> Result<Self> {
        let dir = Vm::directory()?;
        let length = u16::try_from(PARALLEL_ID.len() + 2).unwrap_or(u16::MAX);
        let id = [&length.to_be_bytes(), PARALLEL_ID.as_bytes()].concat();
        let parallel = ParallelPort::listen(dir.path(), Printer::default(), id)?;
        let serial = SerialPort::listen(dir.path(), PrinterBuild::default())?;
        Ok(Self { dir, parallel, serial })
    }
}

/// A running machine with its ports. Dropping it kills the machine.
#[derive(Debug)]
pub struct Bench {
    vm: Vm,
    parallel: ParallelPort,
    serial: SerialPort,
    took: Duration,
}

impl Bench {
    /// How long it took until the machine answered.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Programs in the guest.
    pub fn guest(&self) -> &Guest {
        self.vm.guest()
    }

    /// The machine.
    pub fn vm(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// The parallel port (`/dev/parport0`, `/dev/lp0`).
    pub fn parallel(&self) -> &ParallelPort {
        &self.parallel
    }

    /// The second UART (`/dev/ttyS1`).
    pub fn serial(&self) -> &SerialPort {
        &self.serial
    }

    /// Plugs a USB device with this printer behind it into a free port.
    pub fn plug<D: Device + 'static>(
        &self,
        slot: Slot,
        device: D,
        printer: &Printer,
    ) -> Result<Plugged<D>> {
        Plugged::plug(&self.vm.usb_socket(slot), device, printer)
    }

    /// Waits until a device node (or any file) is there in the guest.
    pub fn wait_for_node(&self, path: &str) -> Result<()> {
        self.until("[ -e \"$0\" ]", path, NODE)
    }

    /// Waits until it is not there any more.
    pub fn wait_for_no_node(&self, path: &str) -> Result<()> {
        self.until("! [ -e \"$0\" ]", path, NODE)
    }

    /// Waits, in the guest, until a line of shell is true of `word`. In the guest there is nothing better than looking
    /// again: busybox has no way to wait for a file.
    pub fn until(&self, condition: &str, word: &str, limit: Duration) -> Result<()> {
        let script = format!("until {condition}; do usleep 10000; done");
        let waiting = self.guest().spawn(&["/bin/sh", "-c", &script, word])?;
        let what = format!("in the guest, `{condition}` does not hold for {word}");
        match waiting.wait(limit) {
            Ok(output) => output.successful().map(drop),
            Err(Error::TooLate { waited, .. }) => Err(Error::TooLate { what, waited }),
            Err(error) => Err(error),
        }
    }
}

/// The guest's root: busybox, the agent with its libraries, the modules.
fn initramfs(packages: &Packages, agent: &Path) -> Result<Vec<u8>> {
    let mut root = Initramfs::default();
    for dir in ["bin", "dev", "mods", "lib", "lib64", "etc"] {
        root.directory(dir);
    }
    // Without it the kernel has nowhere to send the agent's complaints.
    root.device("dev/console", (5, 1));
    let busybox = ["bin/busybox", "usr/bin/busybox"].map(|path| packages.file(path));
    let busybox = busybox.iter().find(|path| path.exists());
    let busybox = busybox.ok_or_else(|| Error::Kernel { why: "there is no busybox".into() })?;
    root.copy("bin/busybox", busybox)?;
    for applet in ["sh", "mount", "cat", "dd", "stty", "sleep", "ls", "usleep", "sync"] {
        root.link(&format!("bin/{applet}"), "busybox");
    }
    root.copy("init", agent)?;
    for library in libraries(agent)? {
        let name = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let dir = if name.starts_with("ld-linux") { "lib64" } else { "lib" };
        root.copy(&format!("{dir}/{name}"), &library)?;
    }
    let mut order = String::new();
    for (name, path) in module_order(&packages.modules()?, &MODULES)? {
        root.copy(&format!("mods/{name}.ko"), &path)?;
        order.push_str(&name);
        order.push('\n');
    }
    root.program("mods/order", order.as_bytes());
    Ok(root.finish())
}

/// The shared libraries of a program, its loader among them.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let said = run(std::process::Command::new("ldd").arg(program)).map_err(|error| {
        let remedy = "build it first: `cargo xtask hil` does";
        Error::Missing { what: error.to_string(), remedy: remedy.into() }
    })?;
    let said = String::from_utf8_lossy(&said).into_owned();
    let paths =
        said.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    Ok(paths.map(PathBuf::from).collect())
}

/// Boots, and writes what a restore needs: the state, and the registers of the parallel port, which QEMU does not write
/// again.
fn take_snapshot(machine: &Machine, dir: &Path) -> Result<()> {
    let Ports { dir: place, parallel, serial } = Ports::make()?;
    let vm = Vm::boot(machine, place)?;
    let Registers { data, control } = parallel.state()?.registers;
    let path = dir.join("registers");
    std::fs::write(&path, [data, control]).map_err(file("writing", &path))?;
    vm.save(&dir.join("state"))?;
    drop((parallel, serial));
    Ok(())
}

fn registers_of(snapshot: &Path) -> Result<Registers> {
    let path = snapshot.join("registers");
    let bytes = std::fs::read(&path).map_err(file("reading", &path))?;
    match *bytes.as_slice() {
        [data, control] => Ok(Registers { data, control }),
        _ => Err(Error::Unexpected(format!("{} is damaged; remove it", path.display()))),
    }
}
