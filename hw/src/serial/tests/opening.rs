use rustix::fs::OFlags;
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OutputModes, Termios, ioctl_tiocexcl, tcgetattr,
};

use super::*;

/// The settings of the near end, as the far end sees them.
fn settings(options: &str) -> Termios {
    let (far, _port) = line(options);
    tcgetattr(&far).unwrap()
}

#[test]
fn the_line_is_raw_and_stays_up() {
    let termios = settings("");
    let input = InputModes::all() - InputModes::IGNBRK - InputModes::IGNPAR - InputModes::IUTF8;
    assert_eq!(termios.input_modes & input, InputModes::empty());
    assert!(!termios.output_modes.contains(OutputModes::OPOST));
    let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
    assert!(!termios.local_modes.intersects(cooked));
    let control = termios.control_modes;
    assert!(control.contains(ControlModes::CLOCAL | ControlModes::CREAD | ControlModes::CS8));
    let off =
        ControlModes::HUPCL | ControlModes::PARENB | ControlModes::CSTOPB | ControlModes::CRTSCTS;
    assert!(!control.intersects(off), "{control:?}");
    assert_eq!((termios.output_speed(), termios.input_speed()), (9600, 9600));
}

#[test]
fn settings_reach_the_line() {
    for baud in [50, 9600, 115_200, 123_457, 250_000, 3_000_000, 12_000_000] {
        assert_eq!(settings(&format!("baud={baud}")).output_speed(), baud);
    }
    assert!(settings("stop=2").control_modes.contains(ControlModes::CSTOPB));
    assert!(settings("flow=hard").control_modes.contains(ControlModes::CRTSCTS));
    let soft = settings("flow=soft").input_modes;
    assert!(
        soft.contains(InputModes::IXON) && !soft.intersects(InputModes::IXANY | InputModes::IXOFF)
    );
}

#[test]
fn what_the_driver_does_not_keep_is_refused_by_name() {
    for (options, what) in [
        ("bits=7", "bits=7"),
        ("bits=5+stop=2", "bits=5"),
        ("parity=even", "this parity"),
        ("parity=odd", "this parity"),
        ("parity=mark", "this parity"),
        ("parity=space", "this parity"),
        ("flow=dtrdsr", "flow=dtrdsr"),
    ] {
        let (_far, path) = pty();
        match SerialPort::open(&uri(&path, options)) {
            Err(Error::Unsupported { what: said, .. }) => assert_eq!(said, what),
            other => panic!("{options}: {other:?}"),
        }
        SerialPort::open(&uri(&path, "")).expect("a refusal leaves the port free");
    }
}

#[test]
fn a_port_is_opened_once() {
    let (_far, path) = pty();
    let uri = uri(&path, "");
    let port = SerialPort::open(&uri).unwrap();
    assert!(matches!(SerialPort::open(&uri), Err(Error::Busy { .. })));
    drop(port);
    let port = SerialPort::open(&uri).unwrap();
    let flags = rustix::fs::fcntl_getfl(port.fd().unwrap()).unwrap();
    assert!(flags.contains(OFlags::NONBLOCK));
    assert!(!ioctl::is_exclusive(port.fd().unwrap()), "on a pty it would outlive us");
}

#[test]
fn another_programs_port_is_left_alone() {
    let (_far, path) = pty();
    let other = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    ioctl_tiocexcl(&other).unwrap();
    assert!(matches!(SerialPort::open(&uri(&path, "")), Err(Error::Busy { .. })));
    assert!(ioctl::is_exclusive(&other));
}

#[test]
fn what_is_no_line_is_refused() {
    let open = |path: &str| SerialPort::open(&uri(Path::new(path), ""));
    assert!(matches!(open("/dev/null"), Err(Error::Unsupported { .. })));
    assert!(matches!(open("/dev/no-such-line"), Err(Error::Absent { .. })));
    assert!(matches!(open("/dev/null/x"), Err(Error::Absent { .. })));
}
