//! Fuzz targets of what notifications carry: `cargo test --test fuzz_asyncui` runs them on random input,
//! `cargo bolero test --test fuzz_asyncui NAME` fuzzes.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use bolero::check;
use bytes::Bytes;
use despool::asyncui::{Reply, Request, show};
use despool::bidi::Notification;
use despool::xml;

/// Pieces that random documents are put together from: some of them are right.
const PIECES: [&str; 40] = [
    "<?xml version=\"1.0\" ?>",
    "<asyncPrintUIRequest xmlns=\"http://schemas.microsoft.com/2003/print/asyncui/v1/request\">",
    "<asyncPrintUIResponse xmlns=\"http://schemas.microsoft.com/2003/print/asyncui/v1/response\">",
    "<v1>",
    "<requestOpen>",
    "<requestClose>",
    "<balloonUI>",
    "<messageBoxUI>",
    "<customUI dll=\"a\" entrypoint=\"b\" bidi=\"true\">",
    "<customData dll=\"a\" entrypoint=\"b\" bidi=\"true\"/>",
    "<title>",
    "<title stringID=\"104\">",
    "</title>",
    "<body>",
    "</body>",
    "<parameter type=\"PrinterName\"/>",
    "<parameter>x</parameter>",
    "%1!d! %2",
    "<buttons>",
    "<button buttonID=\"IDOK\"/>",
    "<button buttonID=\"3\" stringID=\"600\"/>",
    "</buttons>",
    "<buttonID>",
    "-12",
    "</buttonID>",
    "<CustomUI>",
    "</CustomUI>",
    "</balloonUI>",
    "</messageBoxUI>",
    "</customUI>",
    "</requestOpen>",
    "</requestClose>",
    "</v1>",
    "</asyncPrintUIRequest>",
    "</asyncPrintUIResponse>",
    "<!DOCTYPE a [<!ENTITY x 'y'>]>",
    "<![CDATA[",
    "]]>",
    "&#0;",
    "<bitmap bitmapID=\"1\"/>",
];

/// The pieces that the octets name, as UTF-16; an odd number of octets leaves an odd octet at the end.
fn put_together(octets: &[u8]) -> Vec<u8> {
    let text: String = octets
        .iter()
        .filter_map(|octet| PIECES.get(usize::from(*octet) % PIECES.len()))
        .copied()
        .collect();
    let mut payload = xml::to_utf16(&text);
    payload.extend(octets.iter().take(octets.len() % 2));
    payload
}

/// What was understood can be said again, and is then understood as the same.
fn requests_hold(payload: Bytes) {
    if let Ok(request) = Request::parse(&payload) {
        if let Request::Balloon(balloon) = &request {
            let _ = show(&balloon.body, "label");
        }
        assert_eq!(Request::parse(&request.encode()), Ok(request));
    }
}

fn replies_hold(payload: &[u8]) {
    if let Ok(reply) = Reply::parse(payload) {
        assert_eq!(Reply::parse(&reply.encode()), Ok(reply));
    }
}

#[test]
fn asyncui_requests() {
    check!().for_each(|octets| requests_hold(Bytes::copy_from_slice(octets)));
}

#[test]
fn asyncui_requests_put_together() {
    check!().for_each(|octets| requests_hold(put_together(octets).into()));
}

#[test]
fn asyncui_replies() {
    check!().for_each(replies_hold);
}

#[test]
fn asyncui_replies_put_together() {
    check!().for_each(|octets| replies_hold(&put_together(octets)));
}

#[test]
fn printer_configuration() {
    check!().for_each(|octets| {
        if let Ok(notification) = Notification::parse(octets) {
            assert_eq!(Notification::parse(&notification.encode(usize::MAX)), Ok(notification));
        }
    });
}

/// Random pieces seldom make a whole document; these do, in some variants each.
#[test]
fn whole_documents_are_among_those_put_together() {
    let named = |piece: &str| PIECES.iter().position(|one| *one == piece).unwrap() as u8;
    let octets: Vec<u8> = [
        "<asyncPrintUIRequest xmlns=\"http://schemas.microsoft.com/2003/print/asyncui/v1/request\">",
        "<v1>",
        "<requestOpen>",
        "<messageBoxUI>",
        "<title stringID=\"104\">",
        "<parameter type=\"PrinterName\"/>",
        "</title>",
        "<buttons>",
        "<button buttonID=\"IDOK\"/>",
        "</buttons>",
        "</messageBoxUI>",
        "</requestOpen>",
        "</v1>",
        "</asyncPrintUIRequest>",
    ]
    .map(named)
    .into();
    assert!(Request::parse(&put_together(&octets).into()).is_ok());
}
