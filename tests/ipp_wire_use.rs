//! What a server and a client do with messages: look attributes up, filter, answer, log.

use despool::frontend::ipp::wire::{
    Attribute, AttributeError, Attributes, GroupTag, JobState, Message, NameGroups, Operation,
    OutOfBand, PrinterState, Range, Requested, Resolution, Status, Value, tag,
};

fn job() -> Attributes {
    let mut size = Attributes::new();
    size.put("x-dimension", 21_000).put("y-dimension", 29_700);
    let mut media = Attributes::new();
    media.put_keywords("media-color", ["blue", "red"]).put("media-size", size);
    let mut job = Attributes::new();
    job.put("copies", 2)
        .put_name("job-name", "Zoë's \\ \"x\"")
        .put("job-title", Value::text_in("fr-ca", "fou"))
        .put_all("page-ranges", [Value::from(1..=2), Value::from(5)])
        .put("printer-resolution", Resolution::dpi(600))
        .put("media-col", media)
        .put("job-account-id", OutOfBand::NoValue)
        .put("job-state", JobState::Processing)
        .put_keywords("job-state-reasons", []);
    job
}

#[test]
fn ipp_lookups() {
    let job = job();
    assert_eq!(job.integer("copies"), Ok(Some(2)));
    assert_eq!(job.integer("no-such"), Ok(None));
    assert_eq!(job.text("job-account-id"), Ok(None));
    assert_eq!(job.keywords("job-state-reasons"), Ok(vec![]));
    assert_eq!(job.text("job-name").unwrap().as_deref(), Some("Zoë's \\ \"x\""));
    assert_eq!(job.text("job-title").unwrap().as_deref(), Some("fou"));
    assert_eq!(job.keyword("job-name"), Ok(Some("Zoë's \\ \"x\"")));
    assert_eq!(job.enumeration("job-state"), Ok(Some(5)));
    let pages = [Range { lower: 1, upper: 2 }, Range { lower: 5, upper: 5 }];
    assert_eq!(job.ranges("page-ranges"), Ok(pages.to_vec()));
    assert_eq!(job.resolution("printer-resolution"), Ok(Some(Resolution::dpi(600))));
    let media = job.collection("media-col").unwrap().unwrap();
    assert_eq!(media.keywords("media-color"), Ok(vec!["blue", "red"]));
    let size = media.collection("media-size").unwrap().unwrap();
    assert_eq!(size.integer("y-dimension"), Ok(Some(29_700)));
}

#[test]
fn ipp_lookups_that_fail_say_why() {
    let mut job = job();
    let error = job.integer("job-name").unwrap_err();
    assert_eq!(error.to_string(), "the attribute \"job-name\" is integer, not nameWithoutLanguage");
    assert_eq!((error.name(), error.status()), ("job-name", Status::BadRequest));
    let error = job.range("page-ranges").unwrap_err();
    assert_eq!(error.to_string(), "the attribute \"page-ranges\" has one value, not 2");
    let error = AttributeError::missing("printer-uri");
    assert_eq!(error.to_string(), "the attribute \"printer-uri\" is missing");

    job.put_name("job-name", &"x".repeat(256));
    let error = job.text("job-name").unwrap_err();
    assert_eq!(error.status(), Status::RequestValueTooLong);
    job.put_name("job-name", &"x".repeat(255));
    assert_eq!(job.text("job-name").unwrap().map(|name| name.len()), Some(255));
}

#[test]
fn ipp_put_replaces() {
    let mut attributes = Attributes::new();
    attributes.put("a", 1).put("b", 2).put("a", 3);
    let names: Vec<&str> = attributes.iter().map(Attribute::name).collect();
    assert_eq!((names, attributes.integer("a")), (vec!["a", "b"], Ok(Some(3))));
    assert_eq!(attributes.remove("b"), Some(Attribute::new("b", 2)));
    assert_eq!(attributes.remove("b"), None);
    assert!(attributes.contains("a") && !attributes.contains("b") && !attributes.is_empty());
    let kept: Vec<Value> = attributes.into_iter().flat_map(Attribute::into_values).collect();
    assert_eq!(kept, [Value::Integer(3)]);
}

#[test]
fn ipp_responses() {
    let request = Message { version: (2, 1), ..Message::request(Operation::GetJobs, 77) };
    let mut response = Message::response(&request, Status::NotFound);
    assert_eq!((response.version, response.request_id, response.code), ((2, 1), 77, 0x0406));
    response.set_status_message(&"ü".repeat(200));
    let operation = response.operation_attributes();
    let names: Vec<&str> = operation.iter().map(Attribute::name).collect();
    assert_eq!(names, ["attributes-charset", "attributes-natural-language", "status-message"]);
    assert_eq!(operation.text("status-message").unwrap().as_deref(), Some(&*"ü".repeat(127)));
    response.attributes_mut(GroupTag::Unsupported).put_unsupported("sides");
    response.attributes_mut(GroupTag::Unsupported).put("copies", 3);
    assert_eq!(response.groups_of(GroupTag::Unsupported).count(), 1);
    assert_eq!(response.attributes(GroupTag::Unsupported).len(), 2);

    // The operation attributes come first, even where they are last to come.
    response.groups.remove(0);
    response.set_status_message("not there");
    assert_eq!(response.groups[0].tag, GroupTag::Operation);
}

#[test]
fn ipp_requested_attributes() {
    const TABLE: NameGroups<'_> = NameGroups {
        groups: &[
            ("job-template", &["copies", "sides"]),
            ("printer-description", &["printer-name", "printer-state"]),
        ],
        only_by_name: &["media-col-database"],
    };
    let wants = |keywords: &[&str]| {
        let mut operation = Attributes::new();
        if !keywords.is_empty() {
            operation.put_keywords("requested-attributes", keywords.iter().copied());
        }
        let requested = Requested::read(&operation, TABLE, &["printer-name"]).unwrap();
        let mut printer = Attributes::new();
        for name in ["copies", "printer-name", "printer-state", "media-col-database", "x"] {
            printer.put(name, 1);
        }
        let selected = requested.select(&printer);
        selected.iter().map(|attribute| attribute.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(wants(&[]), ["printer-name"]);
    assert_eq!(wants(&["none"]), [""; 0]);
    assert_eq!(wants(&["all"]), ["copies", "printer-name", "printer-state", "x"]);
    let everything = ["copies", "printer-name", "printer-state", "media-col-database", "x"];
    assert_eq!(wants(&["all", "media-col-database"]), everything);
    assert_eq!(wants(&["job-template", "x", "no-such"]), ["copies", "x"]);
    assert_eq!(wants(&["none", "printer-description"]), ["printer-name", "printer-state"]);

    let mut operation = Attributes::new();
    let keywords = ["x", "job-template", "no-such", "x", "all", "none"];
    operation.put_keywords("requested-attributes", keywords);
    let requested = Requested::read(&operation, TABLE, &[]).unwrap();
    assert_eq!(requested.names().collect::<Vec<_>>(), ["no-such", "x"]);
    operation.put("requested-attributes", 1);
    assert!(Requested::read(&operation, TABLE, &[]).is_err());
}

#[test]
fn ipp_names_of_the_registry() {
    assert_eq!(Operation::from_code(0x0002), Operation::PrintJob);
    assert_eq!(Operation::from_name("CUPS-Get-Printers"), Some(Operation::CupsGetPrinters));
    assert_eq!(Operation::GetUserPrinterAttributes.code(), 0x0066);
    assert_eq!(Operation::from_code(0x4028).to_string(), "CUPS-Create-Local-Printer");
    assert_eq!(Operation::from_code(0x4100), Operation::Other(0x4100));
    assert_eq!(Operation::Other(0x000F).to_string(), "0x000f");
    assert_eq!(Status::NotFound.to_string(), "client-error-not-found");
    assert_eq!(Status::from_code(0x050C), Status::TooManyDocuments);
    assert!(Status::OkTooManyEvents.is_success() && !Status::BadRequest.is_success());
    assert_eq!(PrinterState::from_name("stopped"), Some(PrinterState::Stopped));
    assert!(JobState::Aborted.is_terminal() && !JobState::ProcessingStopped.is_terminal());
    for operation in Operation::ALL {
        assert_eq!(Operation::from_code(operation.code()), *operation);
        assert_eq!(Operation::from_name(operation.name().unwrap()), Some(*operation));
    }
    for status in Status::ALL {
        assert_eq!(Status::from_code(status.code()), *status);
        assert_eq!(Status::from_name(status.name().unwrap()), Some(*status));
    }
}

/// As `ipptool -tv` printed this job, but for the escapes and the password.
#[test]
fn ipp_dump() {
    let mut message = Message::request(Operation::PrintJob, 9);
    let operation = message.attributes_mut(GroupTag::Operation);
    operation.put_name("requesting-user-name", "evil\n\u{1b}[2Juser");
    operation.put("job-password", b"1234".as_slice());
    *message.add_group(GroupTag::Job) = job();
    let lines = [
        "IPP/1.1 Print-Job, request-id 9",
        "  operation-attributes-tag",
        "    attributes-charset (charset) = utf-8",
        "    attributes-natural-language (naturalLanguage) = en",
        "    requesting-user-name (nameWithoutLanguage) = evil\\n\\u{1b}[2Juser",
        "    job-password (octetString) = (not shown)",
        "  job-attributes-tag",
        "    copies (integer) = 2",
        "    job-name (nameWithoutLanguage) = Zoë's \\\\ \"x\"",
        "    job-title (textWithLanguage) = fou[fr-ca]",
        "    page-ranges (1setOf rangeOfInteger) = 1-2,5",
        "    printer-resolution (resolution) = 600dpi",
        "    media-col (collection) = {media-color=blue,red media-size={x-dimension=21000 y-dimension=29700}}",
        "    job-account-id (no-value) = no-value",
        "    job-state (enum) = processing",
        "    job-state-reasons (no-value) = no-value",
    ];
    assert_eq!(message.as_request().to_string(), lines.join("\n"));

    let mut printer = Attributes::new();
    printer
        .put("printer-state", PrinterState::Stopped)
        .put_all("operations-supported", [Operation::PrintJob, Operation::Other(0x4100)])
        .put_enum("job-state", 77)
        .put_mime_type("document-format", "text/plain")
        .put("odd", Value::from_wire(0x60, b"a\xff").unwrap());
    let line = "{printer-state=stopped operations-supported=Print-Job,16640 job-state=77 \
                document-format=text/plain odd=<0x60 a\\xff>}";
    assert_eq!(printer.to_string(), line);

    assert!(message.as_response().to_string().starts_with("IPP/1.1 successful-ok-conflicting"));
    assert!(format!("{message:?}").starts_with("IPP/1.1 0x0002, request-id 9\n"));
}

/// RFC 8011 §5.1: the most octets of each syntax, and one more.
#[test]
fn ipp_what_is_too_long_for_its_syntax() {
    type Kind = fn(&str) -> Value;
    let kinds: [(usize, Kind); 11] = [
        (1023, Value::text),
        (1023, |text| Value::text_in("en", text)),
        (255, Value::name),
        (255, |name| Value::name_in("en", name)),
        (255, Value::keyword),
        (255, Value::mime_type),
        (1023, Value::uri),
        (63, Value::uri_scheme),
        (63, Value::charset),
        (63, Value::language),
        (1023, |octets| Value::from(octets.as_bytes())),
    ];
    for (limit, kind) in kinds {
        assert_eq!(kind(&"x".repeat(limit)).too_long(), None);
        let longer = kind(&"x".repeat(limit + 1));
        assert_eq!(longer.too_long(), Some((limit + 1, limit)), "{}", longer.syntax());
    }
}

#[test]
fn ipp_names_of_syntaxes() {
    let names: Vec<&str> = (0x10..=0xFF).filter_map(tag::syntax).collect();
    let out_of_band =
        "unsupported default unknown no-value not-settable delete-attribute admin-define";
    let numbers = "integer boolean enum octetString dateTime resolution rangeOfInteger";
    let composed = "collection textWithLanguage nameWithLanguage endCollection";
    let strings = "textWithoutLanguage nameWithoutLanguage keyword uri uriScheme charset";
    let more = "naturalLanguage mimeMediaType memberAttrName extension";
    assert_eq!(names.join(" "), [out_of_band, numbers, composed, strings, more].join(" "));
}
