//! An operator's machine: the command with secrets in its environment, and a gateway to talk to. The gateway is the real core, behind
//! a listener of the standard library's and over a store in memory.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use edgekeeper_gateway::Deployment;
use edgekeeper_gateway::decision::Decision;
use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, RequestBody, Runtime, Unavailable, Unshared,
};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const OPERATOR: &str = "0123456789abcdef0123456789abcdef-operator";
pub(crate) const KEYS: &str = "0123456789abcdef0123456789abcdef-keys";

pub(crate) type Ended = (Option<i32>, String, String);

/// Runs `edgekeeper` in a folder, with both secrets unless the environment says otherwise (an empty value takes one off).
pub(crate) fn run(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
    input: &str,
) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgekeeper"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1");
    command
        .env("OPERATOR_SECRET", OPERATOR)
        .env("KEYS_SECRET", KEYS);
    for (name, value) in environment {
        if value.is_empty() {
            command.env_remove(name);
        } else {
            command.env(name, value);
        }
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not read may have gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What is known of a gateway from outside, and what goes wrong with it.
#[derive(Default)]
pub(crate) struct Inside {
    pub(crate) store: BTreeMap<String, String>,
    /// Each request: method, host and target.
    pub(crate) asked: Vec<String>,
    /// Whether the store takes nothing.
    pub(crate) fails: bool,
    /// Whether the connection breaks after a change, before its answer.
    pub(crate) breaks: bool,
}

pub(crate) struct Running {
    pub(crate) origin: String,
    pub(crate) inside: Arc<Mutex<Inside>>,
}

/// Starts a gateway with this policy document.
pub(crate) fn start(document: String) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let inside = Arc::new(Mutex::new(Inside::default()));
    let world = World {
        inside: Arc::clone(&inside),
        steps: Steps::default,
    };
    thread::spawn(move || {
        let deployment = Deployment::new(&document).unwrap();
        for stream in listener.incoming() {
            serve(stream.unwrap(), &deployment, &world);
        }
    });
    Running { origin, inside }
}

/// One request: its head, and its body.
pub(crate) fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn serve(mut stream: TcpStream, deployment: &std::rc::Rc<Deployment>, world: &World) {
    let Some((head, body)) = read(&mut stream) else {
        return;
    };
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (
        first.next().unwrap().to_owned(),
        first.next().unwrap().to_owned(),
    );
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value.trim()).unwrap(),
        );
    }
    let host = headers["host"].to_str().unwrap().to_owned();
    world
        .inside
        .lock()
        .unwrap()
        .asked
        .push(format!("{method} {host}{target}"));
    let request = RawRequest {
        url: format!("http://{host}{target}"),
        method: method.clone(),
        headers,
        listener: Listener::Proxy,
        body: Bytes(body),
    };
    let one = Request {
        world: world.clone(),
        steps: (world.steps)(),
    };
    let (_, decision) = run_to_end(deployment.decide(&one, request));
    let is_change = method == "PUT" || method == "POST";
    if is_change && world.inside.lock().unwrap().breaks {
        return;
    }
    let text = match decision {
        Decision::Answer(answer) => {
            let headers: Vec<String> = answer
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
                .collect();
            let body = &answer.body;
            format!(
                "HTTP/1.1 {} x\r\n{}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                answer.status,
                headers.concat(),
                body.len()
            )
        }
        Decision::Forward(forward) => {
            let body = format!("the upstream got it: {}", forward.url);
            format!(
                "HTTP/1.1 200 x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
        }
    };
    let _ = stream.write_all(text.as_bytes());
}

fn run_to_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

struct Bytes(Vec<u8>);

impl RequestBody for Bytes {
    async fn read(&self, largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(Some(self.0.clone()).filter(|body| body.len() <= largest))
    }
}

#[derive(Clone)]
struct World {
    inside: Arc<Mutex<Inside>>,
    steps: fn() -> Steps,
}

#[derive(Clone)]
struct Request {
    world: World,
    steps: Steps,
}

impl Request {
    fn works(&self) -> Result<(), Unavailable> {
        if self.world.inside.lock().unwrap().fails {
            return Err(Unavailable("the disk is full".to_owned()));
        }
        Ok(())
    }
}

impl Runtime for Request {
    type Shared = Unshared;

    const WEBSOCKETS: bool = true;
    const SCHEDULE: bool = false;
    const SETTLE: u64 = 0;
    const EXPLAINS: bool = true;

    fn now(&self) -> u64 {
        u64::try_from(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_millis(),
        )
        .unwrap()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        getrandom::fill(bytes).map_err(|error| Unavailable(error.to_string()))
    }

    async fn secret(&self, name: &str) -> Option<String> {
        match name {
            "OPERATOR_SECRET" => Some(OPERATOR.to_owned()),
            "KEYS_SECRET" => Some(KEYS.to_owned()),
            _ => None,
        }
    }

    async fn fetch(&self, _request: Outbound) -> Result<Inbound, FetchError> {
        Err(FetchError::Unreachable)
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        Ok(self.world.inside.lock().unwrap().store.get(key).cloned())
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        self.works()?;
        self.world
            .inside
            .lock()
            .unwrap()
            .store
            .insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.world.inside.lock().unwrap().store.remove(key);
        Ok(())
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let inside = self.world.inside.lock().unwrap();
        Ok(inside
            .store
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect())
    }

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    async fn sleep(&self, _milliseconds: u64) {
        std::future::pending::<()>().await;
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        run_to_end(task);
    }

    fn log(&self, _line: &str) {}

    fn steps(&self) -> Option<&Steps> {
        Some(&self.steps)
    }
}
