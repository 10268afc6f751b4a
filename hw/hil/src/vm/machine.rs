//! What the machine is made of: QEMU's command line.
//!
//! A PC (`-machine pc`): ISA parallel port and second UART without further ado. Three USB controllers, because they differ
//! in what they say of a canceled transfer: xHCI, EHCI (whole transfers), UHCI (full speed, single packets).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::limits::GUEST_MEBIBYTES;
use crate::prepare::Packages;

/// USB ports of the machine, by their controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// USB 3; ports 0 to 9.
    Xhci(u8),
    /// USB 2; ports 0 and 1.
    Ehci(u8),
    /// USB 1.1, for devices of full speed; ports 0 and 1.
    Uhci(u8),
}

impl Slot {
    /// Every port.
    pub fn all() -> impl Iterator<Item = Self> {
        let xhci = (0..10).map(Self::Xhci);
        xhci.chain((0..2).map(Self::Ehci)).chain((0..2).map(Self::Uhci))
    }

    fn parts(self) -> (&'static str, u8) {
        match self {
            Self::Xhci(port) => ("xhci", port),
            Self::Ehci(port) => ("ehci", port),
            Self::Uhci(port) => ("uhci", port),
        }
    }

    fn name(self) -> String {
        let (controller, port) = self.parts();
        format!("{controller}{port}")
    }

    /// The name of its socket.
    pub fn socket(self) -> String {
        format!("{}.sock", self.name())
    }
}

/// How instructions are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accelerator {
    /// By interpretation: works everywhere.
    #[default]
    Tcg,
    /// By KVM, where `DESPOOL_HIL_ACCEL=kvm` asks for it by hand. That `/dev/kvm` can be opened says nothing: inside other
    /// virtual machines it was seen to start, to take minutes, and to die.
    Kvm,
}

impl Accelerator {
    /// As the environment asks.
    pub fn from_environment() -> Self {
        match std::env::var("DESPOOL_HIL_ACCEL") {
            Ok(value) if value == "kvm" => Self::Kvm,
            _ => Self::Tcg,
        }
    }
}

/// Everything that QEMU is given.
#[derive(Clone, Debug)]
pub struct Machine {
    packages: Packages,
    initramfs: PathBuf,
    shim: PathBuf,
    accelerator: Accelerator,
}

/// What the guest's kernel is told. Quiet and short of what takes time under interpretation; on a busy host its watchdog takes the
/// processor's clock for broken, and every look at the time then becomes one at a device.
const KERNEL: &str = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check random.trust_cpu=on \
                      cryptomgr.notests noreplace-smp tsc=reliable";

impl Machine {
    /// A machine with this initramfs, and this shim preloaded.
    pub fn new(
        packages: Packages,
        initramfs: PathBuf,
        shim: PathBuf,
        accelerator: Accelerator,
    ) -> Self {
        Self { packages, initramfs, shim, accelerator }
    }

    /// The words of the command line that decide what a snapshot fits to.
    pub fn words(&self) -> Vec<String> {
        let accelerator = match self.accelerator {
            Accelerator::Tcg => "tcg",
            Accelerator::Kvm => "kvm",
        };
        let memory = GUEST_MEBIBYTES.to_string();
        let mut words: Vec<String> = [
            ["-machine", "pc"],
            ["-accel", accelerator],
            ["-cpu", if self.accelerator == Accelerator::Kvm { "host" } else { "qemu64" }],
            ["-m", &memory],
            ["-smp", "1"],
            ["-display", "none"],
            ["-append", KERNEL],
        ]
        .as_flattened()
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
        words.extend(["-nodefaults", "-no-user-config", "-no-reboot"].map(str::to_owned));
        words.extend(fixed_devices());
        words.extend(usb_devices());
        words
    }

    /// QEMU, to be run in `dir`.
    pub(super) fn command(&self, dir: &Path) -> Command {
        let mut command = self.packages.program("usr/bin/qemu-system-x86_64");
        let data = ["usr/share/seabios", "usr/share/qemu"];
        command
            .current_dir(dir)
            .env("QEMU_MODULE_DIR", self.packages.file("usr/lib/x86_64-linux-gnu/qemu"))
            .env("LD_PRELOAD", &self.shim)
            .env("HIL_PARALLEL", "parallel.dev")
            .env("HIL_PARALLEL_SOCKET", "parallel.sock")
            .env("HIL_SERIAL", "serial.dev")
            .env("HIL_SERIAL_SOCKET", "serial.sock")
            .args(
                data.iter().flat_map(|dir| ["-L".into(), self.packages.file(dir).into_os_string()]),
            )
            .arg("-kernel")
            .arg(self.packages.vmlinux())
            .arg("-initrd")
            .arg(&self.initramfs)
            .args(self.words());
        command
    }
}

/// Console, monitor, agent, parallel port, second UART, the host's file system.
fn fixed_devices() -> Vec<String> {
    let words = [
        ["-chardev", "file,id=console,path=console.log"],
        ["-serial", "chardev:console"],
        ["-qmp", "unix:monitor.sock,server=on,wait=off"],
        ["-device", "virtio-serial-pci"],
        ["-chardev", "socket,id=agent,path=agent.sock,server=on,wait=off"],
        ["-device", "virtserialport,chardev=agent,name=hil.agent"],
        ["-chardev", "parallel,id=parallel,path=parallel.dev"],
        ["-device", "isa-parallel,chardev=parallel"],
        ["-chardev", "serial,id=serial,path=serial.dev"],
        ["-device", "isa-serial,chardev=serial,index=1"],
        ["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"],
        ["-device", "virtio-9p-pci,fsdev=host,mount_tag=host"],
        ["-device", "qemu-xhci,id=xhci,p2=12,p3=12"],
        ["-device", "usb-ehci,id=ehci"],
        ["-device", "piix3-usb-uhci,id=uhci"],
    ];
    words.as_flattened().iter().map(|word| (*word).to_owned()).collect()
}

/// A socket and a port for each slot.
fn usb_devices() -> impl Iterator<Item = String> {
    Slot::all().flat_map(|slot| {
        let ((controller, port), name) = (slot.parts(), slot.name());
        let port = port.saturating_add(1);
        let socket = slot.socket();
        [
            "-chardev".to_owned(),
            format!("socket,id={name},path={socket},server=on,wait=off"),
            "-device".to_owned(),
            format!("usb-redir,chardev={name},id=port-{name},bus={controller}.0,port={port}"),
        ]
    })
}
