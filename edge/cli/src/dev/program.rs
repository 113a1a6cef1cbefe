//! The program that is the gateway, with all that it starts.

use std::ffi::OsString;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::files;

/// What makes a gateway tell its decisions in full: on Workers and under wasmtime, and on Spin.
const EXPLAINS: [&str; 2] = ["EXPLAIN", "SPIN_VARIABLE_EXPLAIN"];

/// Starts it, as the head of a process group of its own where there are such.
///
/// # Errors
/// Says why it cannot be started.
pub(super) fn start(command: &[OsString]) -> Result<Child, String> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| "error: there is no command behind `--`".to_owned())?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in EXPLAINS {
        command.env(name, "log");
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| {
        format!(
            "error: `{}` cannot be started: {}",
            program.display(),
            files::reason(&error)
        )
    })
}

/// The code to end with when it ended so: a shell's.
pub(super) fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return of_signal(signal);
    }
    let code = status.code().map(u8::try_from);
    code.and_then(Result::ok).unwrap_or(1)
}

/// The code of what ended by a signal.
pub(super) fn of_signal(signal: i32) -> u8 {
    u8::try_from(signal.saturating_add(128)).unwrap_or(1)
}

/// Sends a signal to all of a group. Whoever is gone gets none.
#[cfg(unix)]
pub(super) fn signal(group: u32, signal: i32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    let group = i32::try_from(group).ok().and_then(Pid::from_raw);
    if let (Some(group), Some(signal)) = (group, Signal::from_named_raw(signal)) {
        let _ = kill_process_group(group, signal);
    }
}

/// Ends what is left of a group.
#[cfg(unix)]
pub(super) fn kill(group: u32) {
    signal(group, rustix::process::Signal::KILL.as_raw());
}

#[cfg(not(unix))]
pub(super) fn kill(_group: u32) {}
