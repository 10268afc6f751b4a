//! The `despool` command.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    despool::cli::run()
}
