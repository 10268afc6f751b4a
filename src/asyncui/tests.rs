//! Golden payloads both ways, everything that is to be tolerated, and properties.

mod properties;
mod tolerance;

use bytes::Bytes;

use super::*;
use crate::xml::to_utf16;

/// A request around this.
fn request(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" ?><asyncPrintUIRequest \
         xmlns=\"http://schemas.microsoft.com/2003/print/asyncui/v1/request\"><v1><requestOpen>{inside}</requestOpen></v1>\
         </asyncPrintUIRequest>"
    )
}

/// A response around this.
fn response(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" ?><asyncPrintUIResponse \
         xmlns=\"http://schemas.microsoft.com/2003/print/asyncui/v1/response\"><v1><requestClose>{inside}</requestClose>\
         </v1></asyncPrintUIResponse>"
    )
}

fn payload(xml: &str) -> Bytes {
    [to_utf16(xml), vec![0, 0]].concat().into()
}

fn resource(id: i64) -> Text {
    Text { words: Words::Resource(id, Some("IHV.dll".into())), parameters: vec![] }
}

fn read(inside: &str) -> Result<Request, Malformed> {
    Request::parse(&payload(&request(inside)))
}

#[track_caller]
fn golden(value: &Request, inside: &str) {
    let expected = payload(&request(inside));
    assert_eq!(value.to_xml(), request(inside));
    assert_eq!(value.encode(), expected);
    assert_eq!(Request::parse(&expected).as_ref(), Ok(value));
}

#[test]
fn balloons() {
    golden(
        &Request::Balloon(Balloon {
            title: Text::literal("Printed"),
            body: vec![Text::literal("\"a & b\" <1>"), Text::literal("2 pages")],
            ..Balloon::default()
        }),
        "<balloonUI><title>Printed</title><body>\"a &amp; b\" &lt;1&gt;</body><body>2 pages</body></balloonUI>",
    );
    // The structure of the sample of [MS-PAN] 4.2, with an action.
    golden(
        &Request::Balloon(Balloon {
            icon: Some((1, "IHV.dll".into())),
            title: resource(1234),
            body: vec![Text {
                parameters: vec![
                    Parameter::PrinterName,
                    Parameter::Literal("two".into()),
                    Parameter::Resource(2000, None, "cyan".into()),
                ],
                ..resource(100)
            }],
            action: Some(Code {
                dll: "IHV.dll".into(),
                entrypoint: "Clicked".into(),
                data: "x".into(),
            }),
        }),
        "<balloonUI iconID=\"1\" resourceDll=\"IHV.dll\"><title stringID=\"1234\" resourceDll=\"IHV.dll\"></title>\
         <body stringID=\"100\" resourceDll=\"IHV.dll\"><parameter type=\"PrinterName\"/><parameter>two</parameter>\
         <parameter stringID=\"2000\">cyan</parameter></body>\
         <action dll=\"IHV.dll\" entrypoint=\"Clicked\">x</action></balloonUI>",
    );
}

#[test]
fn message_boxes() {
    let button = |id| Button { id, label: None };
    golden(
        &Request::MessageBox(MessageBox {
            title: Text::literal("Out of paper"),
            bitmap: None,
            body: vec![Text::literal("OK: try again.")],
            buttons: vec![button(ButtonId::Ok), button(ButtonId::Cancel)],
        }),
        "<messageBoxUI><title>Out of paper</title><body>OK: try again.</body><buttons><button buttonID=\"IDOK\"/>\
         <button buttonID=\"IDCANCEL\"/></buttons></messageBoxUI>",
    );
    // The structure of the sample of [MS-PAN] 4.4, with a picture.
    let label = |string, id| Button {
        id: ButtonId::Number(id),
        label: Some((string, Some("IHV.dll".into()))),
    };
    golden(
        &Request::MessageBox(MessageBox {
            title: resource(100),
            bitmap: Some((5, None)),
            body: vec![resource(101)],
            buttons: vec![label(102, 3), label(103, 4)],
        }),
        "<messageBoxUI><title stringID=\"100\" resourceDll=\"IHV.dll\"></title><bitmap bitmapID=\"5\"/>\
         <body stringID=\"101\" resourceDll=\"IHV.dll\"></body><buttons>\
         <button buttonID=\"3\" stringID=\"102\" resourceDll=\"IHV.dll\"/>\
         <button buttonID=\"4\" stringID=\"103\" resourceDll=\"IHV.dll\"/></buttons></messageBoxUI>",
    );
}

#[test]
fn custom_ui_and_custom_data() {
    let code =
        |data: &str| Code { dll: "IHV.dll".into(), entrypoint: "Open".into(), data: data.into() };
    golden(
        &Request::CustomUi { code: code("hello\r\n"), bidi: true },
        "<customUI dll=\"IHV.dll\" entrypoint=\"Open\" bidi=\"true\">hello&#13;\n</customUI>",
    );
    let data = Request::CustomData {
        code: code(""),
        bidi: false,
        data: Bytes::from_static(b"\x01\0\0\0\x02"),
    };
    let xml = "<customData dll=\"IHV.dll\" entrypoint=\"Open\" bidi=\"false\"/>";
    let expected: Bytes = [&payload(&request(xml))[..], b"\x01\0\0\0\x02"].concat().into();
    assert_eq!(data.encode(), expected);
    assert_eq!(Request::parse(&expected), Ok(data));
}

#[test]
fn replies() {
    for (reply, inside) in [
        (Reply::Button(1), "<messageBoxUI><buttonID>1</buttonID></messageBoxUI>"),
        (Reply::Button(-4), "<messageBoxUI><buttonID>-4</buttonID></messageBoxUI>"),
        (Reply::CustomUi("a<b".into()), "<CustomUI>a&lt;b</CustomUI>"),
    ] {
        let expected = payload(&response(inside));
        assert_eq!(reply.encode(), expected);
        assert_eq!(Reply::parse(&expected), Ok(reply));
    }
    // Byte for byte: UTF-16LE, no byte-order mark, one NUL.
    let bytes = Reply::Button(2).encode();
    assert_eq!(bytes[..8], *b"<\0?\0x\0m\0");
    assert_eq!(bytes[bytes.len() - 6..], *b"e\0>\0\0\0");
}

#[test]
fn what_is_no_request() {
    let many = format!(
        "<messageBoxUI><title>t</title><body>b</body><buttons>{}</buttons></messageBoxUI>",
        "<button buttonID=\"IDOK\"/>".repeat(6)
    );
    for inside in [
        "",
        "<balloonUI><title>t</title></balloonUI><balloonUI><title>t</title></balloonUI>",
        "<otherUI/>",
        "<balloonUI><body>no title</body></balloonUI>",
        "<balloonUI><title>t</title><title>t</title></balloonUI>",
        "<balloonUI><title/><body>b</body></balloonUI>",
        "<balloonUI><title stringID=\"1\">both</title><body>b</body></balloonUI>",
        "<balloonUI><title><parameter>p</parameter>after</title><body>b</body></balloonUI>",
        "<balloonUI><title>t<parameter/></title></balloonUI>",
        "<balloonUI iconID=\"1\"><title>t</title><body>b</body></balloonUI>",
        "<messageBoxUI><title>t</title><body>b</body></messageBoxUI>",
        "<messageBoxUI><title>t</title><body>b</body><buttons/></messageBoxUI>",
        "<messageBoxUI><title>t</title><buttons><button/></buttons></messageBoxUI>",
        "<messageBoxUI><title>t</title><buttons><button buttonID=\"3\"/></buttons></messageBoxUI>",
        &many,
        "<customUI dll=\"a/b.dll\" entrypoint=\"e\" bidi=\"true\">x</customUI>",
        "<customUI dll=\"b.dll\" bidi=\"true\">x</customUI>",
        "<customUI dll=\"b.dll\" entrypoint=\"e\">x</customUI>",
    ] {
        assert!(matches!(read(inside), Err(Malformed::Schema(_))), "{inside}");
    }
}

#[test]
fn what_is_no_reply() {
    for inside in [
        "",
        "<messageBoxUI/>",
        "<messageBoxUI><buttonID/></messageBoxUI>",
        "<messageBoxUI><buttonID>1</buttonID><buttonID>2</buttonID></messageBoxUI>",
        "<messageBoxUI><buttonID>1</buttonID></messageBoxUI><CustomUI/>",
    ] {
        let read = Reply::parse(&payload(&response(inside)));
        assert!(matches!(read, Err(Malformed::Schema(_))), "{inside}");
    }
    let right = response("<CustomUI/>");
    for wrong in [
        right.replace("/response", "/request"),
        right.replace("/v1/", "/v2/"),
        right.replace("xmlns", "xmlns:other"),
        right.replace("asyncPrintUIResponse", "asyncPrintUIRequest"),
    ] {
        assert!(matches!(Reply::parse(&payload(&wrong)), Err(Malformed::Schema(_))), "{wrong}");
    }
    let long = Reply::CustomUi("x".repeat(40_000)).encode();
    assert!(matches!(Reply::parse(&long), Err(Malformed::TooLong { .. })));
    assert!(matches!(Reply::parse(b""), Err(Malformed::Xml(_))));
}
