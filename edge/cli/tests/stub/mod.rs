//! Somebody who answers by hand.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::operator::read;

/// What a request is answered with by hand: `GET /path` and a status line with headers and body.
pub(crate) fn start(
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some((head, _)) = read(&mut stream) else {
                continue;
            };
            told.lock().unwrap().push(head.clone());
            let _ = stream.write_all(answer(&head).as_bytes());
        }
    });
    (origin, asked)
}
