//! The words of a request as a person reads them: resources looked up, parameters put in ([MS-PAN] 2.2.7.1.3 to .5).

use super::request::{Parameter, Text, Words};
use super::strings::default_string;

/// Joins texts by blanks. `printer` is what the client calls the printer. A string of a resource file that we do not have
/// (all but the default one) is shown as its number and its file.
pub fn show(texts: &[Text], printer: &str) -> String {
    let shown: Vec<String> = texts.iter().map(|text| show_one(text, printer)).collect();
    shown.join(" ")
}

fn show_one(text: &Text, printer: &str) -> String {
    let parameters: Vec<String> =
        text.parameters.iter().map(|parameter| parameter_words(parameter, printer)).collect();
    let words = match &text.words {
        Words::Literal(words) => words.clone(),
        Words::Resource(id, dll) => {
            resource(*id, dll.as_deref()).unwrap_or_else(|| named(*id, dll.as_deref(), &parameters))
        }
    };
    substituted(&words, &parameters)
}

fn parameter_words(parameter: &Parameter, printer: &str) -> String {
    match parameter {
        Parameter::PrinterName => printer.to_owned(),
        Parameter::Literal(text) => text.clone(),
        Parameter::Resource(id, dll, fallback) => {
            let named = || match fallback.is_empty() {
                true => named(*id, dll.as_deref(), &[]),
                false => fallback.clone(),
            };
            resource(*id, dll.as_deref()).unwrap_or_else(named)
        }
    }
}

fn resource(id: i64, dll: Option<&str>) -> Option<String> {
    dll.map_or_else(|| default_string(id).map(str::to_owned), |_| None)
}

/// What is shown of a string that we do not have: nothing that a parameter says is lost.
fn named(id: i64, dll: Option<&str>, parameters: &[String]) -> String {
    let of = dll.map(|dll| format!(" of {dll}")).unwrap_or_default();
    let with: String = parameters.iter().map(|parameter| format!(", {parameter}")).collect();
    format!("(string {id}{of}{with})")
}

/// Replaces `%1` … `%99` and `%1!format!`. A number that has no parameter stays as it is.
fn substituted(words: &str, parameters: &[String]) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('%') {
        shown.push_str(before);
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let (number, after_number) = after.split_at_checked(digits).unwrap_or(("", after));
        let parameter = number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1))
            .and_then(|index| parameters.get(index));
        match parameter {
            Some(parameter) => {
                let (format, after_format) = format_of(after_number);
                shown.push_str(&formatted(parameter, format));
                rest = after_format;
            }
            None => {
                shown.push('%');
                rest = after;
            }
        }
    }
    shown.push_str(rest);
    shown
}

/// `!d! documents` is the format `d` and what follows it.
fn format_of(text: &str) -> (&str, &str) {
    text.strip_prefix('!').and_then(|text| text.split_once('!')).unwrap_or(("s", text))
}

fn formatted(parameter: &str, format: &str) -> String {
    match format {
        "d" | "i" | "u" => super::integer(parameter).to_string(),
        _ => parameter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: Words, parameters: &[&str]) -> Text {
        let literal = |text: &&str| Parameter::Literal((*text).to_owned());
        Text { words, parameters: parameters.iter().map(literal).collect() }
    }

    fn literal(words: &str, parameters: &[&str]) -> String {
        show(&[text(Words::Literal(words.to_owned()), parameters)], "label")
    }

    #[test]
    fn parameters_are_put_in() {
        for (words, expected) in [
            ("%1 on %2", "a %2 on b"),
            ("%2%1", "ba %2"),
            ("%1!s!, %2!s!", "a %2, b"),
            ("100%", "100%"),
            ("%3 %0 %", "%3 %0 %"),
            ("%1!", "a %2!"),
        ] {
            assert_eq!(literal(words, &["a %2", "b"]), expected, "{words}");
        }
        assert_eq!(literal("%1!d! left", &["+12 pages"]), "12 left");
        assert_eq!(literal("%10", &["a"; 10]), "a");
        let made = Text::literal("50%1 off, 100%");
        assert_eq!(show(&[made], ""), "50%\u{2060}1 off, 100%");
    }

    #[test]
    fn resources_and_their_fallbacks() {
        let known = text(Words::Resource(104, None), &["label"]);
        assert!(show(&[known], "").contains("label"));
        let unknown = text(Words::Resource(7, Some("IHV.dll".into())), &["label"]);
        assert_eq!(show(&[unknown], ""), "(string 7 of IHV.dll, label)");
        let parameter =
            |parameter| Text { words: Words::Literal("<%1>".into()), parameters: vec![parameter] };
        assert_eq!(show(&[parameter(Parameter::PrinterName)], "label"), "<label>");
        let own = |fallback: &str| Parameter::Resource(7, Some("IHV.dll".into()), fallback.into());
        assert_eq!(show(&[parameter(own("seven"))], ""), "<seven>");
        assert_eq!(show(&[parameter(own(""))], ""), "<(string 7 of IHV.dll)>");
        let parts = [Text::literal("one"), Text::literal("two")];
        assert_eq!(show(&parts, ""), "one two");
    }
}
