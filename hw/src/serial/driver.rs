//! What kind of driver a tty has: how far its counts and its brakes can be believed.

use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{fstat, major, minor};

/// The driver of a tty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// The kernel's serial core (8250, PL011, …): counts are exact, XON/XOFF and `TCOOFF` stop within the FIFO. With its
    /// directory in sysfs.
    Core(PathBuf),
    /// A pseudo terminal: XON/XOFF works, nothing is counted (`TIOCOUTQ` is always 0), there are no modem lines.
    Pty,
    /// Another, mostly a USB adapter. `TIOCOUTQ` may count whole buffers (cdc_acm), `TCOOFF` does nothing, and XON/XOFF is
    /// done by the chip or by nobody.
    Other(String),
}

/// Adapters whose chip obeys XON/XOFF once the driver has told it to (`ftdi_set_termios`, `cp210x_set_flow_control`).
const CHIP_OBEYS_XOFF: [&str; 2] = ["ftdi_sio", "cp210x"];

impl Driver {
    /// The driver of an open tty; `sys` is `/sys`.
    pub(super) fn of(fd: impl AsFd, sys: &Path) -> Self {
        let Ok(stat) = fstat(fd) else { return Self::Other(String::new()) };
        Self::numbered(major(stat.st_rdev), minor(stat.st_rdev), sys)
    }

    fn numbered(major: u32, minor: u32, sys: &Path) -> Self {
        // Documentation/admin-guide/devices.txt: 136-143 are Unix98 pty slaves.
        if (136..=143).contains(&major) {
            return Self::Pty;
        }
        let node = sys.join(format!("dev/char/{major}:{minor}"));
        // Only the serial core's ttys have this attribute.
        if node.join("uartclk").exists() {
            return Self::Core(node);
        }
        let driver = std::fs::read_link(node.join("device/driver")).unwrap_or_default();
        Self::Other(driver.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// True where bytes stop soon after XOFF without our doing.
    pub(super) fn obeys_xoff(&self) -> bool {
        match self {
            Self::Core(_) | Self::Pty => true,
            Self::Other(name) => CHIP_OBEYS_XOFF.contains(&name.as_str()),
        }
    }

    /// The speed that a classic UART comes nearest to `baud` with. It divides its clock by 16 and a whole number
    /// (`uart_get_divisor`), and its driver does not own up to the difference. `None`: this driver is believed.
    pub(super) fn nearest_speed(&self, baud: u32) -> Option<u32> {
        /// `PORT_8250` to `PORT_16550A` of `linux/serial_core.h`. Others divide in finer steps.
        const CLASSIC: RangeInclusive<u32> = 1..=4;
        let Self::Core(node) = self else { return None };
        let number =
            |name: &str| std::fs::read_to_string(node.join(name)).ok()?.trim().parse::<u32>().ok();
        let base = number("uartclk")? / 16;
        let divisor = base.checked_add(baud / 2)?.checked_div(baud)?.max(1);
        CLASSIC.contains(&number("type")?).then(|| base / divisor)
    }

    /// True where `TCOOFF` stops what the driver holds.
    pub(super) fn can_be_stopped(&self) -> bool {
        matches!(self, Self::Core(_) | Self::Pty)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn kinds_are_told_by_sysfs() {
        let sys = tempfile::tempdir().unwrap();
        let node = |name: &str| sys.path().join("dev/char").join(name);
        fs::create_dir_all(node("4:64")).unwrap();
        fs::write(node("4:64").join("uartclk"), "1843200").unwrap();
        fs::create_dir_all(node("188:0").join("device")).unwrap();
        symlink("../../../../bus/usb-serial/drivers/ftdi_sio", node("188:0/device/driver"))
            .unwrap();
        fs::create_dir_all(node("166:0").join("device")).unwrap();
        symlink("../../bus/usb/drivers/cdc_acm", node("166:0/device/driver")).unwrap();
        let driver = |major, minor| Driver::numbered(major, minor, sys.path());
        assert_eq!(driver(4, 64), Driver::Core(node("4:64")));
        assert_eq!(driver(4, 64).nearest_speed(9600), None, "the kind of chip is not known");
        fs::write(node("4:64").join("type"), "4\n").unwrap();
        for (baud, nearest) in
            [(9600, 9600), (115_200, 115_200), (100_000, 115_200), (250_000, 115_200), (1, 1)]
        {
            assert_eq!(driver(4, 64).nearest_speed(baud), Some(nearest));
        }
        fs::write(node("4:64").join("type"), "32\n").unwrap();
        assert_eq!(driver(4, 64).nearest_speed(9600), None);
        assert_eq!(driver(136, 3), Driver::Pty);
        assert_eq!(driver(188, 0), Driver::Other("ftdi_sio".into()));
        assert!(driver(188, 0).obeys_xoff() && !driver(188, 0).can_be_stopped());
        assert!(!driver(166, 0).obeys_xoff());
        assert_eq!(driver(9, 9), Driver::Other(String::new()));
    }
}
