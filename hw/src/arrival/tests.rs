use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;
use crate::testing::*;

fn arrival(path: &Path) -> Arrival {
    Arrival::new(&DeviceUri::File(path.to_owned()))
}

fn dev() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The device comes while (or just before, or just after) somebody waits for it.
fn comes_when(path: &Path, happens: impl FnOnce() + Send) {
    let mut arrival = arrival(path);
    let bell = Bell::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(happens);
        assert_eq!(arrival.wait(&bell, Some(soon())).unwrap(), Arrived::MayBeThere);
    });
    assert!(path.exists());
}

fn nothing(arrival: &mut Arrival) {
    let bell = Bell::new().unwrap();
    assert_eq!(arrival.wait(&bell, Some(shortly())).unwrap(), Arrived::TimedOut);
}

fn tried(arrival: &mut Arrival) {
    let bell = Bell::new().unwrap();
    assert_eq!(arrival.wait(&bell, Some(soon())).unwrap(), Arrived::MayBeThere);
}

#[test]
fn a_node_that_appears() {
    for _ in 0..30 {
        let dev = dev();
        let node = dev.path().join("ttyUSB0");
        comes_when(&node, || drop(File::create(&node).unwrap()));
    }
}

#[test]
fn directories_that_appear_before_it() {
    for _ in 0..30 {
        let dev = dev();
        let node = dev.path().join("serial/by-id/usb-printer");
        comes_when(&node, || {
            fs::create_dir(dev.path().join("serial")).unwrap();
            fs::create_dir(dev.path().join("serial/by-id")).unwrap();
            fs::write(dev.path().join("x"), "").unwrap();
            fs::rename(dev.path().join("x"), &node).unwrap();
        });
    }
}

#[test]
fn a_link_made_again_to_another_node() {
    for _ in 0..5 {
        let dev = dev();
        let by_id = dev.path().join("serial/by-id");
        let link = by_id.join("usb-printer");
        fs::create_dir_all(&by_id).unwrap();
        File::create(dev.path().join("ttyUSB0")).unwrap();
        symlink("../../ttyUSB0", &link).unwrap();
        let mut arrival = arrival(&link);
        tried(&mut arrival);
        // Unplugged: udev takes link and directory away.
        fs::remove_file(dev.path().join("ttyUSB0")).unwrap();
        nothing(&mut arrival);
        fs::remove_dir_all(dev.path().join("serial")).unwrap();
        nothing(&mut arrival);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                File::create(dev.path().join("ttyUSB1")).unwrap();
                fs::create_dir_all(&by_id).unwrap();
                symlink("../../ttyUSB1", &link).unwrap();
            });
            tried(&mut arrival);
        });
    }
}

#[test]
fn the_target_of_a_dangling_link() {
    for _ in 0..30 {
        let dev = dev();
        fs::create_dir(dev.path().join("by-path")).unwrap();
        let link = dev.path().join("printer");
        symlink("by-path/../by-path/next", &link).unwrap();
        symlink("../late/ttyUSB0", dev.path().join("by-path/next")).unwrap();
        comes_when(&link, || {
            fs::create_dir(dev.path().join("late")).unwrap();
            File::create(dev.path().join("late/ttyUSB0")).unwrap();
        });
    }
}

#[test]
fn permissions_that_are_set_later() {
    for _ in 0..30 {
        let dev = dev();
        let node = dev.path().join("lp0");
        File::create(&node).unwrap();
        let mut arrival = arrival(&node);
        tried(&mut arrival);
        std::thread::scope(|scope| {
            scope.spawn(|| fs::set_permissions(&node, Permissions::from_mode(0o660)).unwrap());
            tried(&mut arrival);
        });
    }
}

#[test]
fn a_node_that_another_program_lets_go() {
    let dev = dev();
    let node = dev.path().join("ttyS0");
    let other = File::create(&node).unwrap();
    let mut arrival = arrival(&node);
    let bell = Bell::new().unwrap();
    tried(&mut arrival);
    // Without news it would take this long.
    arrival.due = after(PATIENCE * 2);
    std::thread::scope(|scope| {
        let (waits, go) = crossbeam_channel::bounded::<()>(0);
        scope.spawn(move || {
            go.recv().unwrap();
            drop(other);
            // Again and again, for the first may come before the watch.
            while go.recv_timeout(std::time::Duration::from_millis(5)).is_err() {
                drop(File::open(&node).unwrap());
            }
        });
        waits.send(()).unwrap();
        assert_eq!(arrival.wait(&bell, Some(soon())).unwrap(), Arrived::MayBeThere);
        waits.send(()).unwrap();
    });
}

#[test]
fn what_is_there_is_tried_now_and_then() {
    let dev = dev();
    let node = dev.path().join("ttyS0");
    File::create(&node).unwrap();
    let mut arrival = arrival(&node);
    for round in 0..3 {
        // Our own attempts to open it are no news.
        drop(File::open(&node).unwrap());
        tried(&mut arrival);
        drop(File::open(&node).unwrap());
        nothing(&mut arrival);
        assert!(arrival.due.is_some(), "{round}");
    }
}

#[test]
fn what_does_not_concern_it_does_not_end_the_wait() {
    let dev = dev();
    let mut arrival = arrival(&dev.path().join("ttyUSB0"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..50 {
                File::create(dev.path().join(format!("ttyUSB{number}"))).unwrap();
            }
        });
        nothing(&mut arrival);
    });
    assert_eq!(arrival.due, None, "it is not polled for");
}

#[test]
fn the_bell_and_the_network() {
    let bell = Bell::new().unwrap();
    let mut host = Arrival::new(&"socket://printer".parse().unwrap());
    bell.ring();
    assert_eq!(host.wait(&bell, None).unwrap(), Arrived::Rang);
    nothing(&mut host);
    let due = host.due.unwrap();
    tried(&mut host);
    assert!(Instant::now() >= due);
    let dev = dev();
    bell.ring();
    assert_eq!(arrival(&dev.path().join("x")).wait(&bell, None).unwrap(), Arrived::Rang);
}
