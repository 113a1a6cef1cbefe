//! The server of the page: two paths, for this machine.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::journal::Journal;
use super::request::{self, Last, Refused, Wanted};
use crate::keys;

/// The page, with `NONCE` where its scripts and styles are told from what is none of the page's.
const PAGE: &str = include_str!("page.html");

/// No more connections are open: a page takes one for its events, and one at times.
const MOST_CONNECTIONS: usize = 32;

/// How long a browser may take for a head, and for taking what it is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so long without a decision a stream says that it is there, and notices a browser that is gone.
const QUIET: Duration = Duration::from_secs(10);

/// Bytes of events that are sent in one go.
const AT_ONCE: usize = 64 << 10;

/// Begins to listen, and serves in threads that end with the process.
///
/// # Errors
/// Says why nobody can listen there, and what to do.
pub(super) fn serve(listen: SocketAddr, journal: &Arc<Journal>) -> Result<SocketAddr, String> {
    let failed = |error: io::Error| {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; stop what listens there, or choose another: `--listen 127.0.0.1:4478`"
            }
            _ => "; choose another address: `--listen 127.0.0.1:4478`",
        };
        format!("error: the page cannot be served at {listen}: {error}{help}")
    };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let journal = Arc::clone(journal);
    thread::spawn(move || accept(&listener, &journal));
    Ok(address)
}

fn accept(listener: &TcpListener, journal: &Arc<Journal>) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else {
            // Too many files are open, say. Trying again at once would keep a core busy.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        if open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            let _ = stream.set_write_timeout(Some(PATIENCE));
            let _ = refuse(&mut stream, (503, "Too many pages are open."));
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (journal, open) = (Arc::clone(journal), Arc::clone(&open));
        thread::spawn(move || {
            // A browser that is gone is no error.
            let _ = answer(&mut stream, &journal);
            let _ = stream.shutdown(Shutdown::Both);
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn answer(stream: &mut TcpStream, journal: &Journal) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = match head(stream)? {
        Ok(head) => head,
        Err(refused) => return refuse(stream, refused),
    };
    match request::read(&head) {
        Ok(Wanted::Page) => page(stream),
        Ok(Wanted::Events { last }) => events(stream, journal, last),
        Err(refused) => refuse(stream, refused),
    }
}

/// Reads a head, with what may be behind it.
fn head(stream: &mut TcpStream) -> io::Result<Result<Vec<u8>, Refused>> {
    let deadline = Instant::now().checked_add(PATIENCE);
    let mut head = Vec::new();
    let mut buffer = [0_u8; 1024];
    loop {
        let left = deadline.and_then(|deadline| deadline.checked_duration_since(Instant::now()));
        let Some(left) = left.filter(|left| !left.is_zero()) else {
            return Ok(Err((408, "The request did not come.")));
        };
        stream.set_read_timeout(Some(left))?;
        let read = match stream.read(&mut buffer) {
            Ok(0) => return Ok(Err((400, "This is no request of HTTP/1.1."))),
            Ok(read) => read,
            Err(error) if is_late(&error) => continue,
            Err(error) => return Err(error),
        };
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            return Ok(Ok(head));
        }
        if head.len() > request::LONGEST {
            return Ok(Err((431, "The request is too long.")));
        }
    }
}

fn is_late(error: &io::Error) -> bool {
    [
        io::ErrorKind::WouldBlock,
        io::ErrorKind::TimedOut,
        io::ErrorKind::Interrupted,
    ]
    .contains(&error.kind())
}

/// The headers of every answer: nobody else may read it, frame it, or keep it.
fn begin(status: u16, kind: &str, more: &str) -> String {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}; charset=utf-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n\
         X-Frame-Options: DENY\r\n{more}Connection: close\r\n"
    )
}

fn refuse(stream: &mut TcpStream, (status, message): Refused) -> io::Result<()> {
    let allow = if status == 405 { "Allow: GET\r\n" } else { "" };
    whole(stream, begin(status, "text/plain", allow), message)
}

fn whole(stream: &mut TcpStream, head: String, body: &str) -> io::Result<()> {
    let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes())
}

fn page(stream: &mut TcpStream) -> io::Result<()> {
    let mut random = [0_u8; 16];
    if keys::random(&mut random).is_err() {
        return refuse(stream, (503, "This machine has no randomness."));
    }
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let policy = format!(
        "Content-Security-Policy: default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
    );
    let body = PAGE.replace("NONCE", &nonce);
    whole(stream, begin(200, "text/html", &policy), &body)
}

/// Sends what is kept, and then each decision as it comes, until the browser is gone.
fn events(stream: &mut TcpStream, journal: &Journal, last: Option<Last>) -> io::Result<()> {
    let mut text = begin(200, "text/event-stream", "");
    text.push_str(&format!(
        "\r\nretry: 1000\nevent: run\ndata: {}\n\n",
        journal.run
    ));
    let last = last.filter(|last| last.run == journal.run);
    let mut seen = last.map_or(0, |last| last.number);
    loop {
        stream.write_all(text.as_bytes())?;
        text.clear();
        let news = journal.after(seen, QUIET);
        if news.missed > 0 {
            text.push_str(&format!("event: missed\ndata: {}\n\n", news.missed));
        }
        for (number, event) in (news.first..).zip(news.events) {
            seen = number;
            text.push_str(&format!("id: {}-{number}\ndata: {event}\n\n", journal.run));
            if text.len() >= AT_ONCE {
                stream.write_all(text.as_bytes())?;
                text.clear();
            }
        }
        if text.is_empty() {
            text.push_str(": nothing new\n\n");
        }
    }
}
