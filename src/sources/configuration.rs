//! What printer-configuration notifications say of a printer: the values of it that have changed.
//!
//! | schema | value |
//! | --- | --- |
//! | `\Printer.Status.Summary:State` | `Idle`, `Processing`, `Stopped` |
//! | `\Printer.Status.Summary:StateReason` | `printer-state-reasons` keywords joined by commas, or `none` |
//! | `\Printer.DeviceInfo:FriendlyName` | what the device calls itself |
//! | `\Printer.DeviceInfo:Location` | `location` of the configuration |
//! | `\Printer.Queue:Accepting` | whether new jobs are taken |

use crate::bidi::{Change, Notification, Value};
use crate::provider::{PrinterState, PrinterView};

/// What was published of a printer.
pub(super) type Known = Vec<(&'static str, Value)>;

/// What has changed since then.
pub(super) fn news(known: &mut Known, view: &PrinterView) -> Option<Notification> {
    let now = values(view);
    let changed = now.iter().filter(|value| !known.contains(value)).cloned();
    let changes: Vec<Change> =
        changed.map(|(name, value)| Change::Schema(name.to_owned(), value)).collect();
    *known = now;
    (!changes.is_empty()).then(|| Notification { printer: view.config.name.to_string(), changes })
}

fn values(view: &PrinterView) -> Known {
    let state = match view.state {
        PrinterState::Idle => "Idle",
        PrinterState::Processing => "Processing",
        PrinterState::Stopped => "Stopped",
    };
    let reasons = if view.reasons.is_empty() { "none".to_owned() } else { view.reasons.join(",") };
    let identity = view.identity.clone().unwrap_or_default();
    vec![
        ("\\Printer.Status.Summary:State", Value::String(state.to_owned())),
        ("\\Printer.Status.Summary:StateReason", Value::String(reasons)),
        ("\\Printer.DeviceInfo:FriendlyName", Value::String(identity)),
        ("\\Printer.DeviceInfo:Location", Value::String(view.config.location.clone())),
        ("\\Printer.Queue:Accepting", Value::Bool(view.accepting)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::printer_view;

    #[test]
    fn what_has_changed_and_nothing_else() {
        let mut known = Known::new();
        let mut view = printer_view("label");
        let first = news(&mut known, &view).unwrap();
        assert_eq!((first.printer.as_str(), first.changes.len()), ("label", 5));
        assert_eq!(Notification::parse(&first.encode(10_000)), Ok(first));
        assert_eq!(news(&mut known, &view), None);
        view.reasons = Vec::new();
        let reason = Change::Schema(
            "\\Printer.Status.Summary:StateReason".into(),
            Value::String("none".into()),
        );
        assert_eq!(news(&mut known, &view).map(|news| news.changes), Some(vec![reason]));
    }
}
