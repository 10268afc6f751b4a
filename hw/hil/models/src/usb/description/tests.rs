use super::*;

fn printer(speed: Speed) -> Description {
    let endpoints = vec![EndpointInfo::bulk(0x01, speed), EndpointInfo::bulk(0x82, speed)];
    let interface = |alternate, protocol| InterfaceInfo {
        number: 0,
        alternate,
        class: [7, 1, protocol],
        functional: Vec::new(),
        endpoints: endpoints.clone(),
    };
    Description {
        speed,
        ids: (0x04B8, 0x0202),
        release: 0x0100,
        class: [0; 3],
        strings: ["HIL".into(), "Printer".into(), String::new()],
        interfaces: vec![interface(0, 1), interface(1, 2)],
    }
}

fn asked(about: &Description, request_type: u8, request: u8, value: u16) -> Option<Vec<u8>> {
    let setup = Setup { request_type, request, value, index: 0, length: 255 };
    about.answer(setup).and_then(Result::ok)
}

#[test]
fn golden_descriptors() {
    let about = printer(Speed::High);
    let device = [18, 1, 0, 2, 0, 0, 0, 64, 0xB8, 0x04, 0x02, 0x02, 0, 1, 1, 2, 0, 1];
    assert_eq!(asked(&about, 0x80, 6, 0x0100).unwrap(), device);
    let endpoints = [7, 5, 1, 2, 0, 2, 0, 7, 5, 0x82, 2, 0, 2, 0];
    let mut configuration = vec![9, 2, 55, 0, 1, 1, 0, 0xC0, 50];
    configuration.extend([9, 4, 0, 0, 2, 7, 1, 1, 0]);
    configuration.extend(endpoints);
    configuration.extend([9, 4, 0, 1, 2, 7, 1, 2, 0]);
    configuration.extend(endpoints);
    assert_eq!(asked(&about, 0x80, 6, 0x0200).unwrap(), configuration);
    assert_eq!(asked(&about, 0x80, 6, 0x0300).unwrap(), [4, 3, 9, 4]);
    assert_eq!(asked(&about, 0x80, 6, 0x0301).unwrap(), [8, 3, b'H', 0, b'I', 0, b'L', 0]);
    assert_eq!(asked(&about, 0x80, 6, 0x0303), None, "an empty string is not there");
    assert_eq!(asked(&about, 0x80, 0, 0).unwrap(), [1, 0]);
    assert_eq!(asked(&about, 0xA1, 0, 0), None, "the class's business");
}

#[test]
fn a_description_is_cut_to_what_the_host_asks_for() {
    let setup = Setup { request_type: 0x80, request: 6, value: 0x0200, index: 0, length: 9 };
    assert_eq!(printer(Speed::Full).answer(setup).unwrap().unwrap().len(), 9);
}

#[test]
fn superspeed_has_companions_and_a_bos() {
    let about = printer(Speed::Super);
    assert_eq!(asked(&about, 0x80, 6, 0x0F00).unwrap().len(), 22);
    let configuration = asked(&about, 0x80, 6, 0x0200).unwrap();
    assert_eq!(configuration.windows(2).filter(|two| *two == [6, 0x30]).count(), 4);
    assert_eq!(asked(&printer(Speed::High), 0x80, 6, 0x0F00), None);
}

#[test]
fn the_active_settings() {
    let about = printer(Speed::High);
    let protocols =
        |alternates: &[u8]| about.active(alternates).map(|it| it.class[2]).collect::<Vec<_>>();
    assert_eq!((protocols(&[]), protocols(&[1])), (vec![1], vec![2]));
}
