//! Messages that foreign encoders made (2026-11-21; those of CUPS taken off the wire on loopback), and the `ipp`
//! crate's opinion of ours.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use despool::frontend::ipp::wire::{
    Attribute, Attributes, DateTime, Decoded, GroupTag, Limits, Message, Operation, OutOfBand,
    Range, Resolution, ResolutionUnit, Status, Value, decode, encode,
};

/// CUPS 2.4.2 `lp -d q -t Zoë -n 2 -o media=a4 -o page-ranges=1-2,5 -o collate=true -o Resolution=203x203dpi
/// -o größe=groß doc.ps`: Create-Job, with a name that is not ASCII …
const LP_CREATE_JOB: &str = "
    020000050000000401470012617474726962757465732d6368617273657400057574662d3848001b6174747269627574
    65732d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d75726900206970703a2f2f6c6f63
    616c686f73743a31363331302f7072696e746572732f7142001472657175657374696e672d757365722d6e616d650004
    726f6f744200086a6f622d6e616d6500045a6fc3ab02220007636f6c6c617465000101210006636f7069657300040000
    00024200076772c3b6c39f65000567726fc39f4400056d656469610002613433000b706167652d72616e676573000800
    000001000000023300000008000000050000000542000a5265736f6c7574696f6e000a3230337832303364706903
";

/// … and Send-Document.
const LP_SEND_DOCUMENT: &str = "
    020000060000000501470012617474726962757465732d6368617273657400057574662d3848001b6174747269627574
    65732d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d75726900206970703a2f2f6c6f63
    616c686f73743a31363331302f7072696e746572732f712100066a6f622d696400040000000142001472657175657374
    696e672d757365722d6e616d650004726f6f7442000d646f63756d656e742d6e616d650006646f632e707349000f646f
    63756d656e742d666f726d617400186170706c69636174696f6e2f766e642e637570732d72617722000d6c6173742d64
    6f63756d656e7400010103252150532068656c6c6f0a
";

/// CUPS 2.4.2 `ipptool`: Print-Job with every syntax its test files can say, sets within collections among them.
const IPPTOOL_PRINT_JOB: &str = "
    010100020000ccf801470012617474726962757465732d6368617273657400057574662d3848001b6174747269627574
    65732d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d75726900206970703a2f2f313237
    2e302e302e313a31363331302f7072696e746572732f7142001472657175657374696e672d757365722d6e616d650004
    5a6fc3ab49000f646f63756d656e742d666f726d617400186170706c69636174696f6e2f6f637465742d73747265616d
    02210006636f7069657300040000000233000b706167652d72616e676573000800000001000000023300000008000000
    05000000063200127072696e7465722d7265736f6c7574696f6e0009000002580000025803320005782d726573000900
    00012c0000025804220009706167652d666c616700010122000000010023000a66696e697368696e6773000400000003
    2300000004000000043000106a6f622d6163636f756e742d626c6f62000261623100136a6f622d686f6c642d756e7469
    6c2d74696d65000b07ea0b15091e0f002b011e3400096d656469612d636f6c00004a0000000b6d656469612d636f6c6f
    724400000004626c756544000000037265644a0000000a6d656469612d73697a6534000000004a0000000b782d64696d
    656e73696f6e2100000004000052084a0000000b792d64696d656e73696f6e21000000040000740437000000004a0000
    00057061676573330000000800000001000000023300000008000000050000000637000000003400096f766572726964
    657300004a000000057061676573330000000800000001000000014a000000056d656469614400000002613437000000
    0034000000004a000000057061676573330000000800000002000000034a000000056d65646961440000000261353700
    00000003252150532068656c6c6f0a
";

/// CUPS 2.4.2 `ipptool create-printer-subscription.test`.
const IPPTOOL_SUBSCRIPTION: &str = "
    010100160000831e01470012617474726962757465732d6368617273657400057574662d3848001b6174747269627574
    65732d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d75726900206970703a2f2f313237
    2e302e302e313a31363331302f7072696e746572732f71064400126e6f746966792d70756c6c2d6d6574686f64000669
    707067657444000d6e6f746966792d6576656e747300167072696e7465722d636f6e6669672d6368616e676564440000
    00157072696e7465722d73746174652d6368616e67656403
";

/// pyipp 0.17.2: Print-Job.
const PYIPP_PRINT_JOB: &str = "
    020000020000004d01470012617474726962757465732d6368617273657400057574662d3848001b6174747269627574
    65732d6e61747572616c2d6c616e67756167650005656e2d555345000b7072696e7465722d757269000d6970703a2f2f
    683a3633312f7042001472657175657374696e672d757365722d6e616d650009507974686f6e4950504200086a6f622d
    6e616d6500045a6fc3ab49000f646f63756d656e742d666f726d617400186170706c69636174696f6e2f6f637465742d
    73747265616d02210006636f706965730004000000024200056d65646961001069736f5f61345f323130783239376d6d
    440005736964657300096f6e652d73696465640325215053
";

/// The `ipp` package 1.1.0 of npm: Print-Job, where the values of members are tagged as member names.
const NPM_PRINT_JOB: &str = "
    020000020000006301470012617474726962757465732d6368617273657400057574662d3848001b6174747269627574
    65732d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d75726900096970703a2f2f682f70
    42001472657175657374696e672d757365722d6e616d6500045a6fc3ab4200086a6f622d6e616d6500016a49000f646f
    63756d656e742d666f726d6174000f6170706c69636174696f6e2f70646602210006636f706965730004000000023400
    096d656469612d636f6c00004a0000000c6d656469612d736f757263654a00000006747261792d314a0000000a6d6564
    69612d747970654a0000000a73746174696f6e657279370000000023000a66696e697368696e67730004000000042300
    000004000000050325504446
";

fn octets(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Decodes it, and checks that it encodes to the same octets again. Returns the document too.
#[track_caller]
fn exact(hex: &str) -> (Message, Vec<u8>) {
    let octets = octets(hex);
    let Decoded { message, consumed, duplicates } = decode(&octets, Limits::REQUEST).unwrap();
    assert_eq!(duplicates, []);
    assert_eq!(encode(&message).unwrap(), octets[..consumed]);
    (message, octets[consumed..].to_vec())
}

#[test]
fn ipp_from_lp() {
    let (create, document) = exact(LP_CREATE_JOB);
    assert_eq!((create.operation(), document.len()), (Operation::CreateJob, 0));
    let job = create.attributes(GroupTag::Job);
    assert_eq!(job.integer("copies"), Ok(Some(2)));
    assert_eq!(job.boolean("collate"), Ok(Some(true)));
    assert_eq!(job.keyword("größe"), Ok(Some("groß")));
    let pages = [Range { lower: 1, upper: 2 }, Range { lower: 5, upper: 5 }];
    assert_eq!(job.ranges("page-ranges"), Ok(pages.to_vec()));

    let (send, document) = exact(LP_SEND_DOCUMENT);
    assert_eq!(
        (send.operation(), &*document),
        (Operation::SendDocument, b"%!PS hello\n".as_slice())
    );
    assert_eq!(send.operation_attributes().boolean("last-document"), Ok(Some(true)));
    let format = send.operation_attributes().mime_type("document-format");
    assert_eq!(format, Ok(Some("application/vnd.cups-raw")));
}

/// The right-hand sides are what `ipptool -tv` printed when it sent this.
#[test]
fn ipp_from_ipptool() {
    let (message, document) = exact(IPPTOOL_PRINT_JOB);
    assert_eq!(document, b"%!PS hello\n");
    let lines = [
        "IPP/1.1 Print-Job, request-id 52472",
        "  operation-attributes-tag",
        "    attributes-charset (charset) = utf-8",
        "    attributes-natural-language (naturalLanguage) = en",
        "    printer-uri (uri) = ipp://127.0.0.1:16310/printers/q",
        "    requesting-user-name (nameWithoutLanguage) = Zoë",
        "    document-format (mimeMediaType) = application/octet-stream",
        "  job-attributes-tag",
        "    copies (integer) = 2",
        "    page-ranges (1setOf rangeOfInteger) = 1-2,5-6",
        "    printer-resolution (resolution) = 600dpi",
        "    x-res (resolution) = 300x600dpcm",
        "    page-flag (1setOf boolean) = true,false",
        "    finishings (1setOf enum) = 3,4",
        "    job-account-blob (octetString) = ab",
        "    job-hold-until-time (dateTime) = 2026-11-21T09:30:15+0130",
        "    media-col (collection) = {media-color=blue,red \
         media-size={x-dimension=21000 y-dimension=29700} pages=1-2,5-6}",
        "    overrides (1setOf collection) = {pages=1-1 media=a4},{pages=2-3 media=a5}",
    ];
    assert_eq!(message.as_request().to_string(), lines.join("\n"));

    let (subscribe, _) = exact(IPPTOOL_SUBSCRIPTION);
    let events = subscribe.attributes(GroupTag::Subscription).keywords("notify-events");
    assert_eq!(events, Ok(vec!["printer-config-changed", "printer-state-changed"]));
}

#[test]
fn ipp_from_pyipp() {
    let (message, document) = exact(PYIPP_PRINT_JOB);
    assert_eq!((message.request_id, &*document), (77, b"%!PS".as_slice()));
    let operation = message.operation_attributes();
    assert_eq!(operation.text("job-name").unwrap().as_deref(), Some("Zoë"));
    // A name where a keyword belongs.
    let job = message.attributes(GroupTag::Job);
    assert_eq!(job.keyword("media"), Ok(Some("iso_a4_210x297mm")));
}

/// The one peer whose octets are not ours: its members come without values, and the job is taken all the same.
#[test]
fn ipp_from_npm() {
    let decoded = decode(&octets(NPM_PRINT_JOB), Limits::REQUEST).unwrap();
    let job = decoded.message.attributes(GroupTag::Job);
    assert_eq!(job.enumerations("finishings"), Ok(vec![4, 5]));
    let media = job.collection("media-col").unwrap().unwrap();
    let names: Vec<&str> = media.iter().map(Attribute::name).collect();
    assert_eq!(names, ["media-source", "tray-1", "media-type", "stationery"]);
    assert_eq!(media.keyword("media-source"), Ok(None));
}

/// A response of all that the `ipp` crate gets right: no 1setOf within a collection.
fn for_the_crate() -> Message {
    let mut message = Message::response(&Message::request(Operation::GetJobs, 5), Status::Ok);
    let mut size = Attributes::new();
    size.put("x-dimension", 21_000).put("y-dimension", 29_700);
    let mut media = Attributes::new();
    media.put_keyword("media-color", "blue").put("media-size", size);
    let unit = ResolutionUnit::PerCentimeter;
    let job = message.add_group(GroupTag::Job);
    job.put("integers", -1)
        .put_all("set", [1, 2, 3])
        .put("enum", Value::Enum(4))
        .put("boolean", true)
        .put("range", 1..=9)
        .put("resolution", Resolution { cross_feed: 300, feed: 600, unit })
        .put("moment", DateTime::utc(1_795_248_015))
        .put("octets", b"\0\xff".as_slice())
        .put_text("text", "Größe")
        .put_name("name", "n")
        .put("text-in", Value::text_in("fr", "fou"))
        .put("name-in", Value::name_in("de", "irr"))
        .put_keyword("keyword", "k")
        .put_uri("uri", "ipp://h/p")
        .put("scheme", Value::uri_scheme("ipp"))
        .put_mime_type("mime", "text/plain")
        .put("none", OutOfBand::NoValue)
        .put("media-col", media.clone())
        .put_all("media-col-ready", [media.clone(), media]);
    message.add_group(GroupTag::Job);
    message.add_group(GroupTag::Printer).put_keywords("k", ["a", "b"]);
    message
}

/// The `ipp` crate 8.0.0 reads what we write, and writes what we read.
#[test]
fn ipp_agrees_with_the_crate() {
    let ours = for_the_crate();
    let octets = encode(&ours).unwrap();
    let reader = ipp::reader::IppReader::new(std::io::Cursor::new(octets.clone()));
    let theirs = ipp::parser::IppParser::new(reader).parse().unwrap();
    assert_eq!(theirs.header().request_id, 5);
    let groups = theirs.attributes().groups().iter();
    let (tags, lengths): (Vec<u8>, Vec<usize>) =
        groups.map(|group| (group.tag() as u8, group.attributes().len())).unzip();
    let ours_lengths: Vec<usize> = ours.groups.iter().map(|group| group.attributes.len()).collect();
    assert_eq!((tags, lengths), (vec![1, 2, 2, 4], ours_lengths));
    assert_eq!(theirs.to_bytes(), octets);
}
