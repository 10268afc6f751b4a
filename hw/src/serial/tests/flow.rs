use super::*;

/// Offers single bytes until the port takes no more; what it took.
fn until_refused(port: &mut SerialPort) -> Vec<u8> {
    let until = soon();
    let mut taken = Vec::new();
    for byte in pattern(4000) {
        match port.write(Lent::memory(&[byte])).unwrap() {
            0 => return taken,
            _ => taken.push(byte),
        }
        // XOFF takes a moment to arrive: look for it between bytes.
        port.wait(READ, &Bell::new().unwrap(), Some(Instant::now())).unwrap();
        assert!(Instant::now() < until);
    }
    panic!("XOFF did not stop it");
}

fn xon_xoff(far: &OwnedFd, port: &mut SerialPort) {
    let bell = Bell::new().unwrap();
    begin(port);
    assert_eq!(port.line().unwrap().held_back, Some(false));
    rustix::io::write(far, b"a\x13b").unwrap();
    let mut sent = until_refused(port);
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    assert_eq!(port.line().unwrap().held_back, Some(true));
    // Any other byte resumes nothing (no IXANY).
    rustix::io::write(far, b"c").unwrap();
    assert_eq!(hear(port, 3), b"abc");
    assert_eq!(port.wait(WRITE, &bell, Some(shortly())).unwrap(), Ready::default());
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 0);
    rustix::io::write(far, b"\x11").unwrap();
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    assert_eq!(port.write(Lent::memory(b"end")).unwrap(), 3);
    sent.extend_from_slice(b"end");
    assert_eq!(take(far, sent.len()), sent);
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    assert_eq!(port.line().unwrap().held_back, Some(false));
}

#[test]
fn xoff_stops_and_xon_goes_on_by_the_kernel() {
    let (far, mut port) = line("flow=soft");
    xon_xoff(&far, &mut port);
}

#[test]
fn xoff_stops_and_xon_goes_on_where_the_adapter_ignores_them() {
    let (far, port) =
        adapter("flow=soft+baud=115200", "cdc_acm", &FakeModem::new(Err(Errno::NOTTY), false));
    let mut port = port.unwrap();
    assert!(matches!(port.brake, Brake::Xoff(_)));
    xon_xoff(&far, &mut port);
    // What it may hold is bounded by line time, whatever is offered.
    let window = port.window_bytes.unwrap();
    assert_eq!(port.write(Lent::memory(&pattern(10_000))).unwrap(), window);
}

#[test]
fn an_xon_behind_bytes_that_nobody_reads_is_seen() {
    for driver in ["cdc_acm", "ftdi_sio"] {
        let (far, port) = adapter("flow=soft", driver, &FakeModem::new(Err(Errno::NOTTY), false));
        let mut port = port.unwrap();
        let bell = Bell::new().unwrap();
        begin(&mut port);
        rustix::io::write(&far, b"\x13").unwrap();
        until_refused(&mut port);
        let flood = [vec![b'.'; 20_000], vec![0x11]].concat();
        let mut sent = 0;
        while sent < flood.len() {
            sent += rustix::io::write(&far, &flood[sent..]).unwrap_or(0);
            port.wait(WRITE, &bell, Some(Instant::now())).unwrap();
        }
        assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write, "{driver}");
    }
}

#[test]
fn dsr_stops_and_starts() {
    let on = Lines { dsr: true, ..Lines::default() };
    let modem = FakeModem::with(Lines::default());
    let (far, port) = adapter("flow=dtrdsr+baud=115200", "other", &modem);
    let mut port = port.unwrap();
    let bell = Bell::new().unwrap();
    begin(&mut port);
    assert_eq!(port.line().unwrap().held_back, Some(true));
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 0);
    assert_eq!(port.wait(WRITE, &bell, Some(shortly())).unwrap(), Ready::default());
    modem.set(on);
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    assert_eq!(port.write(Lent::memory(b"abc")).unwrap(), 3);
    assert_eq!(take(&far, 3), b"abc");
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    assert_eq!(
        port.line().unwrap(),
        Line { held_back: Some(false), modem: Some(on), ..Line::default() }
    );
    modem.set(Lines::default());
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 0);
    assert_eq!(port.line().unwrap().held_back, Some(true));
}

/// The watcher stops the driver itself: what the driver already has does not wait for the port thread to look.
#[test]
fn the_watcher_stops_the_driver_when_dsr_falls() {
    let modem = FakeModem::with(Lines { dsr: true, ..Lines::default() });
    let (far, port) = adapter("flow=dtrdsr", "other", &modem);
    let port = port.unwrap();
    let changed = &port.watcher.as_ref().unwrap().changed;
    let rung = || readable(changed, soon()) && changed.hush();
    assert!(rung(), "it rings when it begins");
    modem.set(Lines::default());
    assert!(rung());
    assert_eq!(rustix::io::write(port.fd().unwrap(), b"x"), Err(Errno::AGAIN));
    modem.set(Lines { dsr: true, ..Lines::default() });
    assert!(rung());
    assert_eq!(rustix::io::write(port.fd().unwrap(), b"x"), Ok(1));
    assert_eq!(take(&far, 1), b"x");
}

#[test]
fn dtrdsr_without_a_way_to_wait_is_unsupported() {
    let (_far, port) =
        adapter("flow=dtrdsr", "other", &FakeModem::new(Ok(Lines::default()), false));
    let mut port = port.unwrap();
    for _ in 0..2 {
        let error = port.wait(WRITE, &Bell::new().unwrap(), Some(soon())).unwrap_err();
        assert!(
            matches!(&error, Error::Unsupported { what, .. } if what == "flow=dtrdsr"),
            "{error}"
        );
    }
    // Whoever does not need to wait for lines is not disturbed.
    let (_far, port) = adapter("", "other", &FakeModem::new(Ok(Lines::default()), false));
    assert!(port.unwrap().wait(WRITE, &Bell::new().unwrap(), Some(soon())).unwrap().write);
}

#[test]
fn modem_lines_are_told_as_they_change() {
    let modem = FakeModem::with(Lines { cts: true, ..Lines::default() });
    let (_far, port) = adapter("flow=hard", "other", &modem);
    let mut port = port.unwrap();
    let bell = Bell::new().unwrap();
    let line = port.line().unwrap();
    assert_eq!((line.held_back, line.online), (Some(false), None), "DSR is not known to be wired");
    for (cts, dsr) in [(true, true), (false, true), (true, false)] {
        let lines = Lines { cts, dsr, dcd: dsr, ri: cts };
        modem.set(lines);
        assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
        let line = port.line().unwrap();
        assert_eq!((line.held_back, line.online, line.modem), (Some(!cts), Some(dsr), Some(lines)));
    }
    assert_eq!(port.wait(LINE, &bell, Some(shortly())).unwrap(), Ready::default());
}

#[test]
fn nothing_is_sent_to_a_printer_that_is_switched_off() {
    let on = Lines { dsr: true, ..Lines::default() };
    let modem = FakeModem::with(on);
    let (far, port) = adapter("flow=none", "other", &modem);
    let mut port = port.unwrap();
    let bell = Bell::new().unwrap();
    begin(&mut port);
    assert_eq!(port.line().unwrap().online, Some(true));
    assert_eq!(port.write(Lent::memory(b"abc")).unwrap(), 3);
    modem.set(Lines::default());
    assert!(port.wait(LINE, &bell, Some(soon())).unwrap().line);
    assert_eq!(port.line().unwrap().online, Some(false));
    assert_eq!(port.write(Lent::memory(b"x")).unwrap(), 0);
    assert_eq!(port.wait(WRITE, &bell, Some(shortly())).unwrap(), Ready::default());
    modem.set(on);
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    assert_eq!(port.write(Lent::memory(b"de")).unwrap(), 2);
    assert_eq!(take(&far, 5), b"abcde");
}

#[test]
fn closing_ends_the_watcher_and_frees_the_port() {
    let (_far, path) = pty();
    for _ in 0..20 {
        let (tty, driver) = tty::open_alone(&path, Path::new("/sys"), "port").unwrap();
        let modem = FakeModem::with(Lines { dsr: true, ..Lines::default() });
        let port = SerialPort::set_up(tty, driver, modem, &uri(&path, "flow=dtrdsr")).unwrap();
        drop(port);
    }
}

#[test]
fn what_an_adapter_held_at_a_cancel_is_unknown() {
    let (_far, port) = adapter("", "ftdi_sio", &FakeModem::new(Err(Errno::NOTTY), false));
    let mut port = port.unwrap();
    begin(&mut port);
    assert_eq!(port.write(Lent::memory(b"abc")).unwrap(), 3);
    // A pty counts none of its queue, so nothing is left to be unknown.
    assert_eq!(port.cancel().unwrap(), Canceled::default());
}
