//! A request and its answer on their way through, both at the same time.

use std::time::Duration;

use edgekeeper_gateway::decision::{self, Forward};
use edgekeeper_gateway::runtime::FetchError;
use edgekeeper_gateway::{Gateway, fields};
use wasi::http::types::{
    FutureIncomingResponse, IncomingRequest, IncomingResponse, OutgoingResponse, RequestOptions,
    ResponseOutparam,
};
use wasi::io::poll::{Pollable, poll};

use crate::pipe::{Broken, Pipe, Progress, Source};
use crate::runtime::Wasi;
use crate::{blocking, fetch, respond};

/// How often a silent upstream's client is looked after: without something to write, nothing tells that it has gone.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// How long a connection may take, as in Oathkeeper (the dialer of Go's default transport). wasmtime takes ten minutes.
const CONNECT: Duration = Duration::from_secs(30);

/// An upstream that has been asked, and what of the request is still on its way to it.
struct Asked {
    answer: FutureIncomingResponse,
    upload: Option<Pipe>,
}

/// Sends the request on and its answer back, with the gateway's changes to both. Returns when both are through.
pub(crate) fn pass(
    gateway: &Gateway,
    runtime: &Wasi,
    forward: &Forward,
    request: IncomingRequest,
    out: ResponseOutparam,
) {
    let method = crate::method(&request);
    let failed = |out, error| {
        respond(
            out,
            &gateway.upstream_failed(runtime, forward, error),
            &method,
        )
    };
    let answered = ask(forward, request).and_then(first_answer);
    let (response, upload) = match answered {
        Ok(answered) => answered,
        Err(error) => return failed(out, error),
    };
    let status = response.status();
    let mut received = fields::of_answer(response.headers().entries());
    let source = match response.consume() {
        // The host takes no interim answer, and none is asked for.
        _ if status < 200 => Err(()),
        Ok(incoming) => Source::open(incoming, &received).map_err(|Broken| ()),
        Err(()) => Err(()),
    };
    let Ok(source) = source else {
        return failed(out, FetchError::Unreachable);
    };
    let edits = blocking::wait(gateway.finish(runtime, forward, status, &received));
    decision::apply(&mut received, &edits);
    let fields = match fetch::fields(&received) {
        Ok(fields) => fields,
        Err(error) => return failed(out, error),
    };
    let answer = OutgoingResponse::new(fields);
    if answer.set_status_code(status).is_err() {
        return failed(out, FetchError::Unreachable);
    }
    let download = match source {
        // No body at all, so that the host leaves a Content-Length as it is: HEAD has one of the body it does not send.
        None => None,
        Some(source) => match answer.body() {
            Ok(body) => source.into(body),
            Err(()) => return failed(out, FetchError::Unreachable),
        },
    };
    ResponseOutparam::set(out, Ok(answer));
    stream(upload, download);
}

/// Sends the request's head, with as much of its body as goes at once.
fn ask(forward: &Forward, request: IncomingRequest) -> Result<Asked, FetchError> {
    fetch::refuse_binding(forward.binding.as_deref())?;
    let mut headers = fields::of_answer(request.headers().entries());
    decision::apply(&mut headers, &forward.edits);
    let outgoing = fetch::request(&request.method(), &forward.url, &headers)?;
    let incoming = request.consume().map_err(|()| FetchError::Unreachable)?;
    let upload = match Source::open(incoming, &headers).map_err(|Broken| FetchError::Unreachable)? {
        None => None,
        Some(source) => {
            let body = outgoing.body().map_err(|()| FetchError::Unreachable)?;
            source.into(body)
        }
    };
    let options = RequestOptions::new();
    let connect = u64::try_from(CONNECT.as_nanos()).unwrap_or(u64::MAX);
    // A host may not know this option; it then has a time of its own.
    let options = options
        .set_connect_timeout(Some(connect))
        .is_ok()
        .then_some(options);
    Ok(Asked {
        answer: fetch::send(outgoing, options)?,
        upload,
    })
}

/// Sends the body until the answer's head is there, which may be before the body's end.
fn first_answer(asked: Asked) -> Result<(IncomingResponse, Option<Pipe>), FetchError> {
    let Asked { answer, mut upload } = asked;
    loop {
        if let Some(response) = fetch::answer(&answer) {
            return Ok((response?, upload));
        }
        let head = answer.subscribe();
        let (pipe, body) = step(upload);
        upload = pipe;
        wait([Some(head), body]);
    }
}

/// Moves both bodies until the answer's is through; what the upstream did not want of the request's is then left.
fn stream(mut upload: Option<Pipe>, mut download: Option<Pipe>) {
    while let Some(pipe) = download.take() {
        let answer = match pipe.step() {
            // Dropped before its end: the client sees that it broke off, and the upstream that nobody reads.
            Progress::Ended | Progress::Broken => return,
            Progress::Waits(pipe, ready) => {
                download = Some(pipe);
                ready
            }
        };
        let (pipe, body) = step(upload);
        upload = pipe;
        wait([Some(answer), body, Some(blocking::timer(LOOK_AFTER))]);
    }
}

/// A step of a body that nobody waits for. When it breaks, whoever reads it answers for that.
fn step(pipe: Option<Pipe>) -> (Option<Pipe>, Option<Pollable>) {
    match pipe.map(Pipe::step) {
        Some(Progress::Waits(pipe, ready)) => (Some(pipe), Some(ready)),
        Some(Progress::Ended | Progress::Broken) | None => (None, None),
    }
}

fn wait<const N: usize>(pollables: [Option<Pollable>; N]) {
    let pollables: Vec<&Pollable> = pollables.iter().flatten().collect();
    if !pollables.is_empty() {
        poll(&pollables);
    }
}
