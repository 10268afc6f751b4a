//! [MS-PAN] 3.2.3.4.1 and the variants that other senders are known for: one test for each.

use super::*;

const BALLOON: &str = "<balloonUI><title>t</title><body>b</body></balloonUI>";
const QUESTION: &str = "<messageBoxUI><title>t</title><body>b</body><buttons>\
                        <button buttonID=\"IDOK\"/></buttons></messageBoxUI>";

#[track_caller]
fn same(variant: &str, plain: &str) {
    let plain = read(plain);
    assert!(plain.is_ok());
    assert_eq!(read(variant), plain, "{variant}");
}

#[track_caller]
fn same_payload(variant: impl Into<Bytes>) {
    assert_eq!(Request::parse(&variant.into()), read(BALLOON));
}

#[test]
fn byte_order_mark_and_nuls_or_none() {
    let bare = to_utf16(&request(BALLOON));
    same_payload(bare.clone());
    same_payload([b"\xff\xfe", &bare[..]].concat());
    same_payload([&bare[..], b"\0\0\0\0"].concat());
    same_payload([b"\xff\xfe", &bare[..], b"\0\0"].concat());
}

#[test]
fn an_odd_byte_is_rejected() {
    let bare = to_utf16(&request(BALLOON));
    let odd = Bytes::from([&bare[..], b"\0"].concat());
    assert_eq!(Request::parse(&odd), Err(Malformed::OddLength));
    let odd = Bytes::from([&bare[..], b"\0\0\0"].concat());
    assert_eq!(Request::parse(&odd), Err(Malformed::OddLength));
}

#[test]
fn https_for_http() {
    same_payload(payload(&request(BALLOON).replace("http:", "https:")));
    let reply = response("<CustomUI>x</CustomUI>").replace("http:", "https:");
    assert_eq!(Reply::parse(&payload(&reply)), Ok(Reply::CustomUi("x".into())));
}

#[test]
fn a_prefix_for_the_default_namespace() {
    let prefixed = request(BALLOON)
        .replace("xmlns=", "xmlns:p=")
        .replace("</", "\u{1}")
        .replace("<?", "\u{2}")
        .replace('<', "<p:")
        .replace('\u{1}', "</p:")
        .replace('\u{2}', "<?");
    same_payload(payload(&prefixed));
}

#[test]
fn an_encoding_in_the_declaration() {
    let declared = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>";
    same_payload(payload(&request(BALLOON).replace("<?xml version=\"1.0\" ?>", declared)));
    same_payload(payload(&request(BALLOON).replace("<?xml version=\"1.0\" ?>", "")));
}

#[test]
fn white_space_and_comments_between_elements() {
    let airy = request(BALLOON).replace("><", ">\r\n <!-- x --> <");
    same_payload(payload(&airy));
}

#[test]
fn character_data_sections() {
    same("<balloonUI><title><![CDATA[t]]></title><body>&#98;</body></balloonUI>", BALLOON);
}

#[test]
fn names_of_elements_in_any_case() {
    let shouted = request(BALLOON)
        .replace("asyncPrintUIRequest", "ASYNCPRINTUIREQUEST")
        .replace("requestOpen", "RequestOpen")
        .replace("balloonUI", "BALLOONui")
        .replace("title", "Title");
    same_payload(payload(&shouted));
    let reply = response("<MESSAGEBOXUI><ButtonId>3</ButtonId></MESSAGEBOXUI>");
    assert_eq!(Reply::parse(&payload(&reply)), Ok(Reply::Button(3)));
}

#[test]
fn values_in_any_case() {
    same(&QUESTION.replace("IDOK", "idOk"), QUESTION);
    let custom = "<customUI dll=\"a\" entrypoint=\"b\" bidi=\"true\"/>";
    same(&custom.replace("true", "TRUE"), custom);
}

#[test]
fn siblings_in_any_order() {
    same("<balloonUI><body>b</body><title>t</title></balloonUI>", BALLOON);
}

#[test]
fn unknown_attributes() {
    same(
        "<balloonUI colour=\"red\"><title lang=\"en\">t</title><body>b</body></balloonUI>",
        BALLOON,
    );
}

#[test]
fn integers_by_their_leading_digits() {
    for (given, number) in [
        ("7", 7),
        ("+7", 7),
        (" -7x", -7),
        ("7.5", 7),
        ("x7", 0),
        ("", 0),
        ("99999999999999999999", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        let given = format!("<balloonUI><title stringID=\"{given}\"/><body>b</body></balloonUI>");
        let Ok(Request::Balloon(balloon)) = read(&given) else { panic!("{given}") };
        assert_eq!(balloon.title.words, Words::Resource(number, None), "{given}");
    }
}

#[test]
fn bidi_that_is_not_true_is_false() {
    let custom = "<customUI dll=\"a\" entrypoint=\"b\" bidi=\"false\"/>";
    same(&custom.replace("false", "perhaps"), custom);
}

#[test]
fn no_body() {
    assert!(read("<balloonUI><title>t</title></balloonUI>").is_ok());
    assert!(read(&QUESTION.replace("<body>b</body>", "")).is_ok());
}

#[test]
fn attributes_of_ok_and_cancel_are_ignored() {
    same(
        &QUESTION.replace("\"IDOK\"", "\"IDOK\" stringID=\"102\" resourceDll=\"x.dll\""),
        QUESTION,
    );
}

#[test]
fn buttons_answered_by_name() {
    for (given, number) in [("IDOK", 1), ("idcancel", 2), (" 3 ", 3), ("+4", 4)] {
        let reply = response(&format!("<messageBoxUI><buttonID>{given}</buttonID></messageBoxUI>"));
        assert_eq!(Reply::parse(&payload(&reply)), Ok(Reply::Button(number)), "{given}");
    }
}
