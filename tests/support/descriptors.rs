//! Many open sockets and files at a time. Benches use this too.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Makes room for this many.
pub(crate) fn allow_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let wanted = Rlimit { current: Some(count), ..limit };
        setrlimit(Resource::Nofile, wanted).expect("`ulimit -Hn` allows too few descriptors");
    }
}
