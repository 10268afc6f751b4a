//! The settings of a serial line: set, then read back and compared.
//!
//! `serialport` sets speed and format; the rest is done here, because it knows no mark and space parity, couples XON/XOFF
//! out with XON/XOFF in, and leaves `HUPCL` on. Drivers take settings that they cannot do and keep what they had (ptys
//! force 8 bits, an 8250 clamps the speed): what does not read back as asked is refused, by name.
//!
//! Decisions:
//! - `IXANY` off: any byte of a status reply would resume output (apple/cups#287).
//! - `IXOFF` off: with it the *kernel* puts XOFF and XON into our output when its input fills, and DC3 deselects a printer
//!   that speaks ESC/P. RAW means not one byte added; our input is read all the time anyway.
//! - `HUPCL` off, so that closing does not drop DTR (which resets many printers); `CLOCAL` on, so that opening does not
//!   wait for carrier.
//! - `IGNPAR` and `IGNBRK` on: bytes damaged on the wire and breaks (a printer being switched on) are dropped.

use std::os::fd::AsFd;

use rustix::termios::{
    ControlModes, InputModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use serialport::{SerialPort as _, TTYPort};

use super::driver::Driver;
use super::tty::borrow;
use crate::fault::{failed, unsupported};
use crate::limits::BAUD_TOLERANCE_PERMILLE;
use crate::{DataBits, Error, Flow, Parity, SerialUri, StopBits};

const DOING: &str = "setting up the line";
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// Puts the line as `uri` says.
pub(super) fn apply(
    tty: &mut TTYPort,
    driver: &Driver,
    uri: &SerialUri,
    name: &str,
) -> Result<(), Error> {
    format(tty, uri).or_else(|refused| {
        // serialport does not keep the error number: a device that is gone fails here too, and says so.
        tcgetattr(borrow(tty)).map_err(|errno| failed(name, DOING, errno))?;
        Err(unsupported(name, "this speed or format", refused.to_string()))
    })?;
    let wanted = raw(borrow(tty), uri, driver.obeys_xoff(), name)?;
    let actual = tcgetattr(borrow(tty)).map_err(|errno| failed(name, DOING, errno))?;
    let speed = actual.output_speed();
    let speed = driver.nearest_speed(speed).unwrap_or(speed);
    if !near(uri.baud.get(), speed) {
        let what = format!("baud={}", uri.baud);
        return Err(unsupported(name, what, format!("the driver would run it at {speed}")));
    }
    compare(&wanted, &actual, uri, name)
}

/// Speed and format, as far as `serialport` knows them.
fn format(tty: &mut TTYPort, uri: &SerialUri) -> serialport::Result<()> {
    tty.set_baud_rate(uri.baud.get())?;
    tty.set_data_bits(match uri.bits {
        DataBits::Five => serialport::DataBits::Five,
        DataBits::Six => serialport::DataBits::Six,
        DataBits::Seven => serialport::DataBits::Seven,
        DataBits::Eight => serialport::DataBits::Eight,
    })?;
    tty.set_stop_bits(match uri.stop {
        StopBits::One => serialport::StopBits::One,
        StopBits::Two => serialport::StopBits::Two,
    })?;
    tty.set_parity(match uri.parity {
        Parity::None => serialport::Parity::None,
        // With CMSPAR, odd is mark and even is space.
        Parity::Odd | Parity::Mark => serialport::Parity::Odd,
        Parity::Even | Parity::Space => serialport::Parity::Even,
    })
}

const PARITY: ControlModes =
    ControlModes::PARENB.union(ControlModes::PARODD).union(ControlModes::CMSPAR);
const FORMAT: ControlModes =
    PARITY.union(ControlModes::CSIZE).union(ControlModes::CSTOPB).union(ControlModes::CRTSCTS);

/// What [`FORMAT`] is to be.
fn format_modes(uri: &SerialUri) -> ControlModes {
    let mut modes = match uri.bits {
        DataBits::Five => ControlModes::CS5,
        DataBits::Six => ControlModes::CS6,
        DataBits::Seven => ControlModes::CS7,
        DataBits::Eight => ControlModes::CS8,
    };
    modes.set(ControlModes::CSTOPB, uri.stop == StopBits::Two);
    modes.set(ControlModes::CRTSCTS, uri.flow == Flow::Hard);
    modes
        | match uri.parity {
            Parity::None => ControlModes::empty(),
            Parity::Even => ControlModes::PARENB,
            Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
            Parity::Mark => PARITY,
            Parity::Space => ControlModes::PARENB | ControlModes::CMSPAR,
        }
}

/// Everything else; what was set. `kernel_xoff`: the driver obeys XON/XOFF (else the port does).
fn raw(fd: impl AsFd, uri: &SerialUri, kernel_xoff: bool, name: &str) -> Result<Termios, Error> {
    let mut termios = tcgetattr(&fd).map_err(|errno| failed(name, DOING, errno))?;
    let speed = termios.control_modes;
    termios.make_raw();
    termios.control_modes = speed - FORMAT - ControlModes::HUPCL;
    termios.control_modes |= format_modes(uri) | ControlModes::CREAD | ControlModes::CLOCAL;
    termios.input_modes.remove(InputModes::IXANY | InputModes::IXOFF);
    termios.input_modes.insert(InputModes::IGNBRK | InputModes::IGNPAR);
    termios.input_modes.set(InputModes::INPCK, uri.parity != Parity::None);
    termios.input_modes.set(InputModes::IXON, uri.flow == Flow::Soft && kernel_xoff);
    termios.special_codes[SpecialCodeIndex::VSTART] = XON;
    termios.special_codes[SpecialCodeIndex::VSTOP] = XOFF;
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&fd, OptionalActions::Now, &termios).map_err(|errno| failed(name, DOING, errno))?;
    Ok(termios)
}

/// Refuses the first setting that the driver did not keep.
fn compare(wanted: &Termios, actual: &Termios, uri: &SerialUri, name: &str) -> Result<(), Error> {
    for (modes, what) in [
        (ControlModes::CSIZE, format!("bits={}", uri.bits.count())),
        (PARITY, "this parity".to_owned()),
        (ControlModes::CSTOPB, "this number of stop bits".to_owned()),
        (ControlModes::CRTSCTS, "flow=hard".to_owned()),
    ] {
        if wanted.control_modes & modes != actual.control_modes & modes {
            return Err(unsupported(name, what, "the driver keeps another setting"));
        }
    }
    Ok(())
}

/// True where a UART at `actual` understands one at `wanted`.
fn near(wanted: u32, actual: u32) -> bool {
    u64::from(wanted.abs_diff(actual)) * 1000 <= u64::from(wanted) * BAUD_TOLERANCE_PERMILLE
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn speeds_that_are_near_enough() {
        assert!(near(115_200, 115_200) && near(115_200, 117_647) && near(9600, 9615));
        assert!(!near(250_000, 115_200) && !near(9600, 4800) && near(1, 1) && !near(1, 2));
        assert!(!near(u32::MAX, 0));
    }
}
