use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> DeviceUri {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> UriError {
    text.parse::<DeviceUri>().expect_err(text)
}

/// Text, what it means, and how it is written canonically.
#[test]
fn golden_serial() {
    let full = SerialUri {
        baud: NonZeroU32::new(115_200).unwrap(),
        bits: DataBits::Seven,
        parity: Parity::Even,
        flow: Flow::Hard,
        stop: StopBits::Two,
        ..SerialUri::new("/dev/ttyUSB0")
    };
    let canonical = "serial:/dev/ttyUSB0?baud=115200+bits=7+parity=even+flow=hard+stop=2";
    assert_eq!(parsed(canonical), DeviceUri::Serial(full.clone()));
    assert_eq!(DeviceUri::Serial(full.clone()).to_string(), canonical);
    for pasted in [
        "serial:/dev/ttyUSB0?baud=115200&bits=7&parity=even&flow=rtscts&stop=2",
        "SERIAL:/dev/ttyUSB0?BAUD=115200+stop=2+bits=7+flow=HARD+parity=Even",
        "serial:///dev//./ttyUSB0?baud=115200+bits=7+parity=even+flow=hard+stop=2",
    ] {
        assert_eq!(parsed(pasted), DeviceUri::Serial(full.clone()), "{pasted}");
    }
    let bare = parsed("serial:/dev/ttyS0");
    assert_eq!(bare, DeviceUri::Serial(SerialUri::new("/dev/ttyS0")));
    assert_eq!(bare.to_string(), "serial:/dev/ttyS0?baud=9600+bits=8+parity=none+flow=none+stop=1");
    assert_eq!(parsed("serial:/dev/ttyS0?"), bare);
}

#[test]
fn serial_words() {
    let serial = |text: &str| match parsed(text) {
        DeviceUri::Serial(serial) => serial,
        other => panic!("{other}"),
    };
    for (word, flow) in [
        ("none", Flow::None),
        ("soft", Flow::Soft),
        ("xonxoff", Flow::Soft),
        ("hard", Flow::Hard),
        ("rtscts", Flow::Hard),
        ("dtrdsr", Flow::DtrDsr),
    ] {
        assert_eq!(serial(&format!("serial:/dev/ttyS0?flow={word}")).flow, flow);
    }
    for (word, parity) in [("mark", Parity::Mark), ("space", Parity::Space), ("odd", Parity::Odd)] {
        assert_eq!(serial(&format!("serial:/dev/ttyS0?parity={word}")).parity, parity);
    }
    let odd = serial("serial:/dev/ttyS0?baud=4294967295+bits=5+stop=2+parity=mark");
    assert_eq!((odd.baud.get(), odd.bits.count()), (u32::MAX, 5));
    assert_eq!(odd.bits_a_character(), 1 + 5 + 1 + 2);
}

#[test]
fn golden_others() {
    let usb = UsbUri {
        make: "Zebra Technologies".into(),
        model: "ZTC ZD420/203".into(),
        serial: Some("D2J&19".into()),
        interface: Some(1),
        port: Some("1-2.3".into()),
    };
    let socket = |host| SocketUri::new(host, 9100);
    let v6 = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let held = SocketUri {
        hold_seconds: Some(30),
        connect_seconds: Some(5),
        wait_eof: false,
        ..socket(Host::Name("label-1.example".into()))
    };
    let sim = SimUri { language: SimLanguage::Zpl, control: Some("/run/x y".into()) };
    for (text, value) in [
        (
            "usb://Zebra%20Technologies/ZTC%20ZD420%2F203?serial=D2J%2619&interface=1&port=1-2.3",
            DeviceUri::Usb(usb),
        ),
        ("parallel:/dev/parport0", DeviceUri::Parallel("/dev/parport0".into())),
        (
            "socket://192.0.2.7:9100",
            DeviceUri::Socket(socket(Host::V4(Ipv4Addr::new(192, 0, 2, 7)))),
        ),
        (
            "socket://[fe80::1%25eth0]:9100",
            DeviceUri::Socket(socket(Host::V6(v6, Some("eth0".into())))),
        ),
        (
            "socket://label-1.example:9100?hold=30&contimeout=5&waiteof=false",
            DeviceUri::Socket(held),
        ),
        (
            "file:/tmp/what%3F%FF",
            DeviceUri::File(std::ffi::OsString::from_vec(b"/tmp/what?\xff".to_vec()).into()),
        ),
        ("sim:zpl?control=/run/x%20y", DeviceUri::Sim(sim)),
        ("sim:plain", DeviceUri::Sim(SimUri { language: SimLanguage::Plain, control: None })),
    ] {
        assert_eq!(parsed(text), value);
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn what_people_paste() {
    for (pasted, canonical) in [
        ("socket://Printer", "socket://printer:9100"),
        ("socket://printer:9101/", "socket://printer:9101"),
        ("socket://printer/?waiteof=yes", "socket://printer:9100"),
        ("socket://[::1]", "socket://[::1]:9100"),
        ("socket://[fe80::1%eth0]", "socket://[fe80::1%25eth0]:9100"),
        ("file:///dev/null", "file:/dev/null"),
        ("parallel:///dev/lp0", "parallel:/dev/lp0"),
        ("usb://HP/LaserJet/M15?serial=X", "usb://HP/LaserJet%2FM15?serial=X"),
    ] {
        assert_eq!(parsed(pasted).to_string(), canonical);
    }
}

#[test]
fn refusals_name_part_fault_and_remedy() {
    assert_eq!(
        refused("serial:/dev/ttyS0?baud=fast").to_string(),
        "serial:/dev/ttyS0?baud=fast: `baud=fast` is not a number; \
         write baud=9600, baud=115200 or whatever the printer is set to"
    );
    for (text, part, wrong) in [
        ("", "", "is not a device URI"),
        ("/dev/ttyS0", "/dev/ttyS0", "is not a device URI"),
        ("lpd://host/queue", "lpd", "is not a kind of port that despool knows"),
        ("serial:", "serial:", "is followed by no path"),
        ("serial:?baud=1", "serial:", "is followed by no path"),
        ("serial:ttyS0", "ttyS0", "is not an absolute path"),
        (
            "serial://host/dev/ttyS0",
            "//host/dev/ttyS0",
            "names a host, but the device is on this machine",
        ),
        ("serial:/dev/ttyS0?baud=0", "baud=0", "is not between 1 and 4294967295"),
        ("serial:/dev/ttyS0?baud=4294967296", "baud=4294967296", "is not between 1 and 4294967295"),
        ("serial:/dev/ttyS0?baud=-1", "baud=-1", "is not a number"),
        ("serial:/dev/ttyS0?bits=9", "bits=9", "is not a value it knows"),
        ("serial:/dev/ttyS0?stop=1+stop=1", "stop=1", "is given a second time"),
        ("serial:/dev/ttyS0?speed=9600", "speed=9600", "is not an option of this kind of port"),
        ("serial:/dev/ttyS0?baud", "baud", "is not an option of the form name=value"),
        ("serial:/dev/tty S0", " ", "is not allowed in a URI"),
        ("serial:/dev/tty\u{2028}", "\u{2028}", "is not allowed in a URI"),
        ("serial:/dev/tty%0", "%0", "is not a percent code"),
        ("serial:/dev/tty%+f", "%+f", "is not a percent code"),
        ("serial:/dev/%c3%zz%", "%zz", "is not a percent code"),
        ("file:/tmp/a%00", "/tmp/a%00", "holds a zero byte, which no path can"),
        ("file:/tmp/a?b", "b", "is behind a `?`, but this kind of port has no options"),
        ("usb:/dev/usb/lp0", "/dev/usb/lp0", "does not name make and model"),
        ("usb://HP", "HP", "does not name make and model"),
        ("usb:///M", "/M", "has an empty make"),
        ("usb://HP/M?serial=", "serial=", "names no serial number"),
        ("usb://HP/M?interface=256", "interface=256", "is not between 0 and 255"),
        ("usb://HP/M?port=1", "port=1", "is no place on a USB bus"),
        ("usb://HP/M?port=1-02", "port=1-02", "is no place on a USB bus"),
        ("usb://HP/M?port=1-1.2.3.4.5.6.7", "port=1-1.2.3.4.5.6.7", "is no place on a USB bus"),
        ("usb://HP/%ff", "%ff", "is not UTF-8 when decoded"),
        ("usb://HP/a%0A", "a%0A", "holds a control character"),
        ("socket:host", "host", "names no host"),
        ("socket://", "//", "is followed by no host"),
        ("socket://:9100", "//", "is followed by no host"),
        ("socket://fe80::1", "fe80::1", "is an IPv6 address without brackets"),
        ("socket://[fe80::1", "[fe80::1", "is not an IPv6 address in brackets"),
        ("socket://[::1]9100", "[::1]9100", "is not an IPv6 address in brackets"),
        ("socket://300.1.1.1", "300.1.1.1", "is neither a host name nor an IPv4 address"),
        ("socket://user@host", "user@host", "is not a host name"),
        ("socket://host:0", "0", "is not a TCP port"),
        ("socket://host:70000", "70000", "is not a TCP port"),
        ("socket://host/queue", "queue", "is a path, which a socket does not have"),
        ("socket://host?hold=0", "hold=0", "is not between 1 and 86400"),
        ("sim:", "sim:", "names no language that a simulated printer speaks"),
        ("sim:pcl", "pcl", "names no language that a simulated printer speaks"),
        ("sim:pjl?control=x", "x", "is not an absolute path"),
    ] {
        let error = refused(text);
        assert_eq!((error.part(), error.wrong()), (part, wrong), "{text}");
        assert_eq!(text.get(error.range()), Some(part), "{text}");
        assert!(!error.right().is_empty());
    }
    let long = refused(&format!("file:/{}", "x".repeat(5000)));
    assert_eq!(long.wrong(), "is too long for a device URI");
    assert!(long.to_string().len() < 1000);
    assert!(!refused("serial:\n").to_string().contains('\n'));
}

#[test]
fn keys() {
    let key = |text: &str| parsed(text).port_key();
    assert_eq!(key("serial:/dev/ttyS0?baud=9600"), key("serial:/dev//ttyS0?baud=115200"));
    assert_eq!(key("serial:/dev/ttyS0"), key("file:/dev/ttyS0"));
    assert_eq!(key("parallel:/dev/lp0"), key("file:///dev/lp0"));
    assert_ne!(key("serial:/dev/ttyS0"), key("serial:/dev/ttyS1"));
    assert_eq!(key("socket://PRINTER"), key("socket://printer:9100?hold=5"));
    assert_ne!(key("socket://printer"), key("socket://printer:9101"));
    assert_ne!(key("usb://A/B?serial=1"), key("usb://A/B?serial=2"));
    assert_eq!(key("sim:zpl?control=/run/a"), key("sim:pjl?control=/run/a"));
    assert!(
        parsed("sim:zpl").is_local()
            && !parsed("socket://::1".replace("::1", "[::1]").as_str()).is_local()
    );
}

fn any_path() -> impl Strategy<Value = PathBuf> {
    proptest::collection::vec(1u8..=255, 0..40).prop_map(|mut bytes| {
        bytes.insert(0, b'/');
        PathBuf::from(std::ffi::OsString::from_vec(bytes)).components().collect()
    })
}

fn any_serial() -> impl Strategy<Value = DeviceUri> {
    let bits = prop_oneof![
        Just(DataBits::Five),
        Just(DataBits::Six),
        Just(DataBits::Seven),
        Just(DataBits::Eight)
    ];
    let parity = prop_oneof![
        Just(Parity::None),
        Just(Parity::Even),
        Just(Parity::Odd),
        Just(Parity::Mark),
        Just(Parity::Space)
    ];
    let flow =
        prop_oneof![Just(Flow::None), Just(Flow::Soft), Just(Flow::Hard), Just(Flow::DtrDsr)];
    let stop = prop_oneof![Just(StopBits::One), Just(StopBits::Two)];
    (any_path(), 1u32.., bits, parity, flow, stop).prop_map(
        |(path, baud, bits, parity, flow, stop)| {
            let baud = NonZeroU32::new(baud).unwrap();
            DeviceUri::Serial(SerialUri { path, baud, bits, parity, flow, stop })
        },
    )
}

fn any_socket() -> impl Strategy<Value = DeviceUri> {
    let host = prop_oneof![
        "[a-z][a-z0-9-]{0,20}(\\.[a-z][a-z0-9_-]{0,9}){0,3}".prop_map(Host::Name),
        any::<u32>().prop_map(|bits| Host::V4(bits.into())),
        (any::<u128>(), proptest::option::of("[a-z0-9.]{1,15}"))
            .prop_map(|(bits, zone)| Host::V6(bits.into(), zone)),
    ];
    let seconds = || proptest::option::of(1..=HOLD);
    (host, 1u16.., seconds(), seconds(), any::<bool>()).prop_map(
        |(host, port, hold, connect, eof)| {
            let (hold_seconds, connect_seconds, wait_eof) = (hold, connect, eof);
            DeviceUri::Socket(SocketUri { host, port, hold_seconds, connect_seconds, wait_eof })
        },
    )
}

const HOLD: u32 = crate::limits::HOLD_SECONDS;

fn any_uri() -> impl Strategy<Value = DeviceUri> {
    let name = "[^\\pC]{1,20}";
    let port = proptest::option::of("[1-9]-[1-9](\\.[1-9]){0,4}");
    let usb = (name, name, proptest::option::of(name), any::<Option<u8>>(), port).prop_map(
        |(make, model, serial, interface, port)| {
            DeviceUri::Usb(UsbUri { make, model, serial, interface, port })
        },
    );
    let language = prop_oneof![
        Just(SimLanguage::Plain),
        Just(SimLanguage::Pjl),
        Just(SimLanguage::Escpos),
        Just(SimLanguage::Ieee1284_4),
        Just(SimLanguage::Zpl)
    ];
    let sim = (language, proptest::option::of(any_path()))
        .prop_map(|(language, control)| DeviceUri::Sim(SimUri { language, control }));
    prop_oneof![
        any_serial(),
        any_socket(),
        usb,
        sim,
        any_path().prop_map(DeviceUri::Parallel),
        any_path().prop_map(DeviceUri::File),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(uri in any_uri()) {
        let text = uri.to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(text.parse::<DeviceUri>(), Ok(uri.clone()));
        prop_assert_eq!(text.parse::<DeviceUri>().map(|uri| uri.port_key()), Ok(uri.port_key()));
    }

    #[test]
    fn a_refusal_points_into_the_text(text in "(serial|usb|socket|file|sim):?/{0,3}.{0,30}") {
        if let Err(error) = text.parse::<DeviceUri>() {
            prop_assert!(text.get(error.range()).is_some());
        }
    }
}
