use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::fs::{CWD, FileType, Mode, OFlags, mkfifoat};
use tempfile::TempDir;

use super::*;
use crate::testing::*;

fn open(path: &Path) -> Result<FilePort, Error> {
    FilePort::open(path, &format!("file:{}", path.display()))
}

fn begin(port: &mut FilePort) -> Result<(), Error> {
    port.begin_job(&Bell::new().unwrap(), soon())
}

/// A directory with a FIFO in it, and the FIFO's reading end.
fn fifo() -> (TempDir, PathBuf, File) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let reader = reader(&path);
    (dir, path, reader)
}

fn reader(path: &Path) -> File {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path).unwrap()
}

#[test]
fn a_missing_file_is_made_and_jobs_are_appended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.prn");
    let bell = Bell::new().unwrap();
    let jobs = [pattern(700_000), pattern(3)];
    for job in &jobs {
        let mut port = open(&path).unwrap();
        begin(&mut port).unwrap();
        write_all(&mut port, job);
        port.end_job().unwrap();
        assert!(port.wait(DRAINED, &bell, Some(soon())).unwrap().drained);
        assert_eq!(port.tail().unwrap(), Tail::Empty);
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read(&path).unwrap() == jobs.concat());
}

#[test]
fn devices_take_and_refuse() {
    let mut null = open(Path::new("/dev/null")).unwrap();
    begin(&mut null).unwrap();
    write_all(&mut null, &pattern(100_000));
    null.end_job().unwrap();
    assert_eq!(null.tail().unwrap(), Tail::Unknown);

    let mut full = open(Path::new("/dev/full")).unwrap();
    let bell = Bell::new().unwrap();
    begin(&mut full).unwrap();
    for _ in 0..4 {
        assert_eq!(full.write(Lent::memory(b"x")).unwrap(), 0);
        let ready = full.wait(WRITE, &bell, Some(soon())).unwrap();
        assert_eq!(ready, Ready { write: true, ..Ready::default() });
    }
    assert!(full.wait(LINE, &bell, Some(soon())).unwrap().line);
    assert_eq!(full.line().unwrap().held_back, Some(true));
    assert_eq!(full.wait(LINE, &bell, Some(shortly())).unwrap(), Ready::default());
    bell.ring();
    assert!(full.wait(WRITE, &bell, None).unwrap().bell);
}

#[test]
fn a_fifo_needs_a_reader() {
    let (_dir, path, reading) = fifo();
    drop(reading);
    let error = open(&path).unwrap_err();
    assert!(matches!(&error, Error::Absent { why, .. } if why == "no program reads it"), "{error}");
    let reading = reader(&path);
    let mut port = open(&path).unwrap();
    begin(&mut port).unwrap();
    drop(reading);
    assert!(matches!(begin(&mut port), Err(Error::Absent { .. })));
}

#[test]
fn a_full_fifo_goes_on_when_it_is_read() {
    let (_dir, path, mut reading) = fifo();
    let mut port = open(&path).unwrap();
    let bell = Bell::new().unwrap();
    begin(&mut port).unwrap();
    let job = pattern(300_000);
    let taken = fill(&mut port, &job);
    assert!(taken > 0 && taken < job.len());
    assert_eq!(port.wait(WRITE, &bell, Some(shortly())).unwrap(), Ready::default());
    assert_eq!(port.tail().unwrap(), Tail::Bytes(taken as u64));

    let rest = job.len() - taken;
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| take(&reading, job.len()));
        write_all(&mut port, &job[taken..]);
        assert!(rest > 0 && reader.join().unwrap() == job);
    });
    port.end_job().unwrap();
    assert!(port.wait(DRAINED, &bell, Some(soon())).unwrap().drained);
    assert_eq!(port.tail().unwrap(), Tail::Empty);
    assert!(
        reading.read(&mut [0]).is_err(),
        "nothing more, and not the end: the port is kept open"
    );
}

#[test]
fn a_reader_that_goes_is_a_device_that_goes() {
    let (_dir, path, reading) = fifo();
    let mut port = open(&path).unwrap();
    let bell = Bell::new().unwrap();
    begin(&mut port).unwrap();
    let taken = fill(&mut port, &pattern(1_000_000));
    assert_eq!(take(&reading, 10), pattern(10));
    drop(reading);
    assert!(port.wait(WRITE, &bell, Some(soon())).unwrap().write);
    assert!(matches!(port.write(Lent::memory(b"x")), Err(Error::Gone { .. })));
    assert!(matches!(port.wait(DRAINED, &bell, Some(soon())), Err(Error::Gone { .. })));
    let unknown_bytes = taken as u64 - 10;
    assert_eq!(port.cancel().unwrap(), Canceled { withdrawn_bytes: 0, unknown_bytes });
}

#[test]
fn the_bell_ends_a_wait_for_room() {
    let (_dir, path, _reading) = fifo();
    let mut port = open(&path).unwrap();
    begin(&mut port).unwrap();
    fill(&mut port, &pattern(1_000_000));
    hears_the_bell(&mut port, WRITE);
}

#[test]
fn what_is_no_port_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let refused = |path: &Path, what: &str| match open(path) {
        Err(Error::Unsupported { what: said, .. }) => assert!(said.contains(what), "{said}"),
        other => panic!("{other:?}"),
    };
    refused(dir.path(), "directory");
    let _listener = UnixListener::bind(at("socket")).unwrap();
    refused(&at("socket"), "Unix socket");
    File::create(at("plain")).unwrap();
    symlink(at("plain"), at("link")).unwrap();
    refused(&at("link"), "symbolic link");
    let (_master, slave) = crate::serial::testing::pty();
    refused(&slave, "terminal line");
    symlink("/dev/null", at("null")).unwrap();
    open(&at("null")).unwrap();
    symlink(at("nothing"), at("dangling")).unwrap();
    assert!(matches!(open(&at("dangling")), Err(Error::Absent { .. })));
    assert!(!at("nothing").exists());
    assert!(matches!(open(&at("no/such/dir")), Err(Error::Absent { .. })));
}

#[test]
fn a_block_device_is_refused() {
    let blocks = |entry: &fs::DirEntry| {
        entry.metadata().is_ok_and(|data| {
            FileType::from_raw_mode(data.permissions().mode()) == FileType::BlockDevice
        })
    };
    // Machines without any block device node exist (containers): there is nothing to refuse there.
    let Some(disk) = fs::read_dir("/dev").unwrap().flatten().find(blocks) else { return };
    let error = open(&disk.path()).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. } | Error::Denied { .. }), "{error}");
}

#[test]
fn what_we_may_not_open_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("locked");
    File::create(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    match open(&path) {
        Err(Error::Denied { .. }) => {}
        // Root may.
        Ok(_) => assert!(rustix::process::geteuid().is_root()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_torn_page_is_the_documents_fault() {
    let dir = tempfile::tempdir().unwrap();
    let mut port = open(&dir.path().join("out")).unwrap();
    begin(&mut port).unwrap();
    with_torn_page(|bytes| {
        assert!(matches!(port.write(Lent::memory(bytes)), Err(Error::Document { .. })));
    });
}
