//! What is written is read as the same.

use proptest::prelude::*;

use super::*;

/// A text that XML carries as it is.
fn words() -> impl Strategy<Value = String> {
    "[ -~\t\r\n\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{1,12}"
}

/// White space alone is no text beside elements.
fn visible() -> impl Strategy<Value = String> {
    ("[!-~é]", words()).prop_map(|(first, rest)| format!("{first}{rest}"))
}

fn dll() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-z]{1,8}\\.dll")
}

fn parameter() -> impl Strategy<Value = Parameter> {
    prop_oneof![
        Just(Parameter::PrinterName),
        words().prop_map(Parameter::Literal),
        (any::<i64>(), dll(), words())
            .prop_map(|(id, dll, text)| Parameter::Resource(id, dll, text)),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    let words = prop_oneof![
        visible().prop_map(Words::Literal),
        (any::<i64>(), dll()).prop_map(|(id, dll)| Words::Resource(id, dll)),
    ];
    (words, prop::collection::vec(parameter(), 0..3))
        .prop_map(|(words, parameters)| Text { words, parameters })
}

fn code() -> impl Strategy<Value = Code> {
    ("[a-z]{1,8}\\.dll", visible(), words()).prop_map(|(dll, entrypoint, data)| Code {
        dll,
        entrypoint,
        data,
    })
}

fn button() -> impl Strategy<Value = Button> {
    prop_oneof![
        Just(Button { id: ButtonId::Ok, label: None }),
        Just(Button { id: ButtonId::Cancel, label: None }),
        (any::<i64>(), any::<i64>(), dll()).prop_map(|(id, string, dll)| Button {
            id: ButtonId::Number(id),
            label: Some((string, dll)),
        }),
    ]
}

fn any_request() -> impl Strategy<Value = Request> {
    let body = || prop::collection::vec(text(), 0..3);
    let icon = prop::option::of((any::<i64>(), "[a-z]{1,8}"));
    prop_oneof![
        (icon, text(), body(), prop::option::of(code())).prop_map(|(icon, title, body, action)| {
            Request::Balloon(Balloon { icon, title, body, action })
        }),
        (
            text(),
            prop::option::of((any::<i64>(), dll())),
            body(),
            prop::collection::vec(button(), 1..=5),
        )
            .prop_map(|(title, bitmap, body, buttons)| {
                Request::MessageBox(MessageBox { title, bitmap, body, buttons })
            }),
        (code(), any::<bool>()).prop_map(|(code, bidi)| Request::CustomUi { code, bidi }),
        (code(), any::<bool>(), any::<Vec<u8>>()).prop_map(|(code, bidi, data)| {
            let code = Code { data: String::new(), ..code };
            Request::CustomData { code, bidi, data: data.into() }
        }),
    ]
}

proptest! {
    #[test]
    fn requests_both_ways(request in any_request()) {
        prop_assert_eq!(Request::parse(&request.encode()), Ok(request));
    }

    #[test]
    fn replies_both_ways(button: i64, text in words()) {
        for reply in [Reply::Button(button), Reply::CustomUi(text)] {
            prop_assert_eq!(Reply::parse(&reply.encode()), Ok(reply));
        }
    }
}
