use super::*;

fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    Config::parse(Path::new("despool.toml"), text)
}

fn problems(text: &str) -> Vec<String> {
    parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The example of the contract, to the letter.
const EXAMPLE: &str = r#"
[server]
state_dir = "/var/lib/despool"      # spool and state
name      = "printsrv"              # server name in [MS-PAN] printer names: \\printsrv\label

[listen]                            # absent = off; port 0 = any free port, see listeners.json
ipp   = "127.0.0.1:631"
lpd   = "127.0.0.1:515"
http  = "127.0.0.1:8631"
rpc   = "127.0.0.1:0"
epm   = "127.0.0.1:135"

[spool]
max_job_bytes   = "4GiB"
min_free_bytes  = "512MiB"          # below: new jobs are refused, clearly, running ones go on

[[printer]]
name      = "label"
port      = "serial:/dev/ttyUSB0?baud=115200+bits=8+parity=none+flow=hard"
language  = "zpl"                   # none | pjl | escpos | zpl | ieee1284.4 | auto
datatype  = "raw"
start     = "after-last-byte"       # | "immediately": while it is still being received
recover   = "auto"                  # | "restart" | "resume" | "hold": a job cut off half-way
appsocket = "127.0.0.1:9100"        # this printer's own raw TCP port
ask       = ["media-empty", "held-after-crash"]   # where a person is asked (AsyncUI message box); [] = never

[security]
users_file    = "users"             # relative to state_dir; made by `despool user add`
domain        = "WORKGROUP"         # NTLM domain name shown to clients
rpc_min_level = "packet"            # packet | integrity | privacy
"#;

#[test]
fn the_contract_s_example() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.server.name, "printsrv");
    assert_eq!(config.listen.epm, Some("127.0.0.1:135".parse().unwrap()));
    assert_eq!(config.spool.max_job_bytes, 4 << 30);
    let expected = PrinterConfig {
        language: LanguageName::Zpl,
        appsocket: Some("127.0.0.1:9100".parse().unwrap()),
        ..PrinterConfig::new(
            "label",
            "serial:/dev/ttyUSB0?baud=115200+bits=8+parity=none+flow=hard".parse().unwrap(),
        )
    };
    assert_eq!(*config.printers[0], expected);
}

#[test]
fn nothing_at_all_is_a_configuration() {
    let config = parse("").unwrap();
    assert_eq!(config.listen, ListenConfig::default());
    assert!(config.printers.is_empty());
}

#[test]
fn a_problem_names_file_line_key_and_what_would_be_right() {
    let found = problems(
        "[listen]\nipp = \"localhost\"\n\n[[printer]]\nname = \"a b\"\nprot = \"file:/x\"\n\n[[printer]]\nname = \"x\"\nport = \"serial:/dev/ttyS0?baud=fast\"\nstart = \"now\"\nask = \"media-empty\"\n\n[spool]\nmax_job_bytes = 4.5\n",
    );
    let expected = [
        "despool.toml:2: listen.ipp: \"localhost\" is not an address and a port; write it like \"127.0.0.1:631\" or \"[::1]:631\"",
        "despool.toml:4: printer[1].port: is missing; write port = \"serial:/dev/ttyUSB0?baud=9600\", or another device URI",
        "despool.toml:5: printer[1].name: \"a b\" holds ' '; a name has no spaces and none of / \\ , # ? \" ' < >",
        "despool.toml:6: printer[1].prot: there is no such key; did you mean `port`?",
        "despool.toml:10: printer[2].port: serial:/dev/ttyS0?baud=fast: `baud=fast`",
        "despool.toml:11: printer[2].start: \"now\" is none of \"after-last-byte\", \"immediately\"",
        "despool.toml:12: printer[2].ask: is a text; write a list: [\"media-empty\", \"held-after-crash\"]",
        "despool.toml:15: spool.max_job_bytes: is a number; write a number or a text",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn two_printers_have_two_names() {
    let found = problems(
        "[[printer]]\nname='lp'\nport='file:/a'\n[[printer]]\nname='LP'\nport='file:/b'\n",
    );
    assert_eq!(
        found,
        ["despool.toml:5: printer[2].name: \"LP\" is the name of printer[1] already"]
    );
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let found = problems("[server]\nname = printsrv\n");
    assert!(found[0].starts_with("despool.toml:2: "), "{found:?}");
}

#[test]
fn an_unknown_key_far_from_all_lists_the_known() {
    let found = problems("[server]\nturbo = true\n");
    assert_eq!(
        found,
        [
            "despool.toml:2: server.turbo: there is no such key; known here: state_dir, name, stop_grace"
        ]
    );
}

#[test]
fn the_queue_of_a_listener_has_bounds() {
    let read = |text: &str| Config::parse(Path::new("despool.toml"), text).map(|c| c.notify.queue);
    assert_eq!(read(""), Ok(100));
    assert_eq!(read("[notify]\nqueue = 7\n"), Ok(7));
    for queue in ["0", "-1", "100001", "\"many\""] {
        let found = problems(&format!("[notify]\nqueue = {queue}\n"));
        assert!(found[0].starts_with("despool.toml:2: notify.queue: "), "{found:?}");
    }
}
