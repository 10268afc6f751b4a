use super::*;
use crate::asyncui::{Balloon, Button, ButtonId, MessageBox, Request, Text};
use crate::bidi;

fn about(notification_type: NotificationType) -> About {
    let printer = Some("label".to_owned());
    About { printer, notification_type, style: Style::Unidirectional }
}

fn line(notification_type: NotificationType, payload: impl Into<Bytes>) -> Line {
    Line { about: about(notification_type), seen: Seen::Notification(payload.into()) }
}

#[test]
fn every_type_for_people() {
    let job = r#"{"seq":1,"time":"","printer":"label","job":{"id":7,"state":"processing-stopped","reasons":["media-empty"],"bytes_done":1024,"bytes_total":2048,"title":"letter","user":"ann"}}"#;
    let printer = r#"{"seq":1,"time":"","printer":"label","state":"stopped","reasons":["media-empty"],"message":"PAPER","supplies":[]}"#;
    let port = r#"{"seq":1,"time":"","port":"file:/x","printers":[],"event":"detached","why":"unplugged"}"#;
    let balloon = Request::Balloon(Balloon {
        title: Text::literal("Printed"),
        body: vec![Text::literal("all\x07of it")],
        ..Balloon::default()
    });
    let changes = bidi::Notification {
        printer: "label".to_owned(),
        changes: vec![
            bidi::Change::Schema("\\Printer.X:Y".to_owned(), bidi::Value::Int(3)),
            bidi::Change::Reduced("\\Printer".to_owned()),
        ],
    };
    for (kind, payload, expected) in [
        (
            types::JOB,
            Bytes::from(job),
            "job 7 \u{201c}letter\u{201d} on label: processing-stopped (media-empty), 1.0 KiB of 2.0 KiB",
        ),
        (
            types::PRINTER,
            Bytes::from(printer),
            "printer label: stopped (media-empty), it says \u{201c}PAPER\u{201d}",
        ),
        (types::PORT, Bytes::from(port), "port file:/x: detached: unplugged"),
        (types::ASYNCUI, balloon.encode(), "Printed: all\u{FFFD}of it"),
        (
            types::PRINTER_CONFIGURATION,
            changes.encode(1 << 20),
            "configuration of label: \\Printer.X:Y = 3, \\Printer has changed",
        ),
        (types::JOB, Bytes::from("{}"), "job: 2 bytes 7b7d"),
    ] {
        assert_eq!(line(kind, payload).words(), expected);
    }
}

#[test]
fn every_type_for_programs() {
    let at = Timestamp::UNIX_EPOCH;
    let question = Request::MessageBox(MessageBox {
        title: Text::literal("Paper?"),
        buttons: vec![Button { id: ButtonId::Ok, label: None }],
        ..MessageBox::default()
    });
    let seen = Seen::Question(2, question.encode());
    let asked = Line { about: about(types::ASYNCUI), seen }.json(at);
    let expected = json!({
        "time": "1970-01-01T00:00:00Z", "event": "question", "printer": "label",
        "type": "asyncui", "guid": "f6853f92-eb31-4e23-b6e7-fd69056153f0",
        "style": "unidirectional", "question": 2,
        "data": {
            "kind": "message-box", "title": "Paper?", "body": "",
            "buttons": [{ "id": 1, "label": "OK" }],
        },
    });
    assert_eq!(asked, expected);
    assert_eq!(line(types::JOB, "{\"a\":1}").json(at)["data"], json!({ "a": 1 }));
    let own = line(NotificationType::new(7), "\x01\x02").json(at);
    assert_eq!(own["data"], json!({ "bytes": 2, "hex": "0102" }));
    assert_eq!(own["type"], own["guid"]);
    let pause = Duration::from_millis(1500);
    let seen = Seen::Lost { why: "gone".to_owned(), pause };
    let lost = Line { about: about(types::JOB), seen }.json(at);
    assert_eq!((&lost["why"], &lost["pause_ms"]), (&json!("gone"), &json!(1500)));
}
