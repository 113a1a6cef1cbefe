//! `edgekeeper dev`: the decisions of a running gateway, as they happen.

mod journal;
mod logfile;
mod program;
mod request;
mod row;
mod server;

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::Value;

use crate::decision::{self, Decision};
use crate::files;
use crate::lines::{Lines, Piece};
use journal::Journal;
use logfile::Logfile;

/// Watch the decisions of a running gateway, on a local page and as lines: docs/dev.md
///
/// Runs COMMAND, which starts a gateway, and takes the decisions out of what it prints; everything else it prints is passed on. Without
/// COMMAND they are read from the input, or from a file. COMMAND has `EXPLAIN=log` in its environment, with which a gateway explains
/// each decision.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper dev -- scripts/serve --config oathkeeper.yml --listen 127.0.0.1:4455
  edgekeeper dev -- npx wrangler dev --var EXPLAIN:log
  npx wrangler tail --format pretty | edgekeeper dev
  edgekeeper dev --no-page --log gateway.log

Exit codes: that of COMMAND, 1 when something cannot be started or read, 2 wrong arguments")]
pub(crate) struct Arguments {
    /// Where the page is served. Everybody who reaches this address sees the decisions
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4477")]
    listen: SocketAddr,

    /// Serve no page, only print the decisions
    #[arg(long, conflicts_with = "listen")]
    no_page: bool,

    /// Read this file and what is added to it
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    log: Option<PathBuf>,

    /// The program that starts a gateway, with its arguments
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// How long a program may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long its last words may take when it is gone. What it has left behind may hold its output open for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What happens to the command.
enum Event {
    /// A source of lines has no more, or cannot be read.
    End(io::Result<()>),
    /// The program is gone.
    Gone(io::Result<std::process::ExitStatus>),
    #[cfg(unix)]
    Signal(i32),
}

/// Where lines go.
#[derive(Clone)]
struct Sink {
    journal: Arc<Journal>,
    has_colour: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let is_fed = arguments.log.is_some() || !arguments.command.is_empty();
    if !is_fed && io::stdin().is_terminal() {
        eprintln!(
            "error: there is nothing to watch; name the program that starts your gateway, `edgekeeper dev -- scripts/serve …`, or its log, `--log FILE`, or pipe the log in"
        );
        return ExitCode::from(2);
    }
    match watch(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn watch(arguments: &Arguments) -> Result<u8, String> {
    let mut run = [0_u8; 4];
    crate::keys::random(&mut run)?;
    let run: String = run.iter().map(|byte| format!("{byte:02x}")).collect();
    let sink = Sink {
        journal: Arc::new(Journal::new(run)),
        has_colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let (tell, told) = mpsc::channel();
    #[cfg(unix)]
    listen_to_signals(tell.clone())?;
    let log = arguments.log.clone().map(|path| {
        let shown = path.display().to_string();
        Logfile::open(path)
            .map_err(|error| format!("error: `{shown}` cannot be read: {}", files::reason(&error)))
    });
    let log = log.transpose()?;
    if !arguments.no_page {
        let address = server::serve(arguments.listen, &sink.journal)?;
        eprintln!("edgekeeper dev: http://{address}/");
        if !address.ip().is_loopback() {
            eprintln!("edgekeeper dev: everybody who reaches {address} sees the decisions");
        }
    }
    if !arguments.command.is_empty() {
        return run_program(&arguments.command, &sink, tell, &told);
    }
    match log {
        Some(log) => spawn(log, Output::Out, &sink, tell),
        None => spawn(io::stdin(), Output::Out, &sink, tell),
    }
    loop {
        match told.recv() {
            Ok(Event::End(Err(error))) => {
                return Err(format!("error: the input cannot be read: {error}"));
            }
            Ok(Event::End(Ok(()))) if !arguments.no_page => {
                eprintln!("edgekeeper dev: the input has ended; the page is there until Ctrl-C");
            }
            #[cfg(unix)]
            Ok(Event::Signal(signal)) => return Ok(program::of_signal(signal)),
            Ok(Event::End(Ok(())) | Event::Gone(_)) | Err(_) => return Ok(0),
        }
    }
}

/// Runs a program to its end, or ends it when this process is told to end.
fn run_program(
    command: &[OsString],
    sink: &Sink,
    tell: Sender<Event>,
    told: &Receiver<Event>,
) -> Result<u8, String> {
    let mut child = program::start(command)?;
    let group = child.id();
    let mut open: usize = 0;
    if let Some(out) = child.stdout.take() {
        spawn(out, Output::Out, sink, tell.clone());
        open = open.saturating_add(1);
    }
    if let Some(err) = child.stderr.take() {
        spawn(err, Output::Err, sink, tell.clone());
        open = open.saturating_add(1);
    }
    thread::spawn(move || {
        let _ = tell.send(Event::Gone(child.wait()));
    });
    let mut deadline: Option<Instant> = None;
    let mut gone = None;
    while gone.is_none() || open > 0 {
        let event = match deadline {
            None => told.recv().ok(),
            Some(deadline) => told
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                .ok(),
        };
        match event {
            Some(Event::End(_)) => open = open.saturating_sub(1),
            Some(Event::Gone(status)) => {
                // Whoever is left of its group goes with it.
                program::kill(group);
                gone = Some(status);
                deadline = Instant::now().checked_add(LAST_WORDS);
            }
            #[cfg(unix)]
            Some(Event::Signal(_)) if gone.is_some() => {}
            #[cfg(unix)]
            Some(Event::Signal(signal)) if deadline.is_none() => {
                program::signal(group, signal);
                deadline = Instant::now().checked_add(PATIENCE);
            }
            // It was told twice, or takes too long.
            #[cfg(unix)]
            Some(Event::Signal(_)) => program::kill(group),
            None if gone.is_some() => break,
            None => {
                program::kill(group);
                deadline = None;
            }
        }
    }
    match gone {
        Some(Ok(status)) => Ok(program::code(status)),
        Some(Err(error)) => Err(format!(
            "error: how the program ended is not known: {error}"
        )),
        None => Ok(1),
    }
}

#[cfg(unix)]
fn listen_to_signals(tell: Sender<Event>) -> Result<(), String> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| format!("error: Ctrl-C cannot be listened to: {error}"))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let _ = tell.send(Event::Signal(signal));
        }
    });
    Ok(())
}

/// Where a source's lines are passed on to.
#[derive(Clone, Copy)]
enum Output {
    Out,
    Err,
}

impl Output {
    /// Whoever reads may have gone; the page is still there.
    fn write(self, bytes: &[u8]) {
        let _ = match self {
            Self::Out => io::stdout().write_all(bytes),
            Self::Err => io::stderr().write_all(bytes),
        };
    }
}

fn spawn(from: impl Read + Send + 'static, output: Output, sink: &Sink, tell: Sender<Event>) {
    let sink = sink.clone();
    thread::spawn(move || {
        let result = sink.take(BufReader::new(from), output);
        let _ = io::stdout().flush();
        let _ = tell.send(Event::End(result));
    });
}

impl Sink {
    /// Takes the decisions out of what comes, and passes the rest on.
    fn take(&self, from: impl BufRead, output: Output) -> io::Result<()> {
        let mut lines = Lines::new(from);
        while let Some(piece) = lines.next()? {
            let line = match piece {
                Piece::Part(part) => {
                    output.write(part);
                    continue;
                }
                Piece::Line(line) => line,
            };
            let decisions = std::str::from_utf8(line).map_or_else(|_| Vec::new(), decision::read);
            if decisions.is_empty() {
                output.write(line);
            }
            for decision in decisions {
                self.keep(decision);
            }
        }
        Ok(())
    }

    fn keep(&self, decision: Decision) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let mut row = row::write(&decision, since.as_secs(), self.has_colour);
        row.push('\n');
        Output::Out.write(row.as_bytes());
        let verdict = decision.verdict().word();
        let mut members = decision.into_members();
        let at = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        members.insert("at".to_owned(), Value::from(at));
        members.insert("verdict".to_owned(), Value::from(verdict));
        self.journal.push(Value::Object(members).to_string());
    }
}
