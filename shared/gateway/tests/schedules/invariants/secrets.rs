//! I6: a private key, a cookie or a token is never readable in the store, in a line of log or in an answer, nor a person in
//! the store or an answer.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgekeeper_gateway::decision::Answer;
use http::{HeaderMap, HeaderValue};

use crate::machine::KEYS_SECRET;
use crate::world::World;

/// How every credential begins.
pub(crate) const MARK: &str = "ory-SECRET-";

/// How every person is called.
const PERSON: &str = "person-";

/// How every JWT begins: `{"alg":`.
const TOKEN: &str = "eyJhbGciOi";

/// All that was ever drawn to be a key, as it would be written.
#[derive(Debug, Default)]
pub(crate) struct Secrets(RefCell<Vec<String>>);

/// Something was drawn: what is as long as a private key may be one.
pub(crate) fn drawn(world: &World, bytes: &[u8]) {
    if bytes.len() == 32 {
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut secrets = world.ledger.secrets.0.borrow_mut();
        secrets.extend([URL_SAFE_NO_PAD.encode(bytes), hex]);
    }
}

pub(crate) fn stored(world: &World, name: &str, value: &str) {
    for text in [name, value] {
        look(world, "the store", text, true);
    }
}

pub(crate) fn logged(world: &World, line: &str) {
    look(world, "the log", line, false);
}

pub(crate) fn answer(world: &World, answer: &Answer) {
    look(world, "an answer", &answer.body, true);
    for (_, value) in &answer.headers {
        look(
            world,
            "an answer",
            &String::from_utf8_lossy(value.as_bytes()),
            true,
        );
    }
}

/// A header of an upstream's answer, which is the user's own.
pub(crate) fn told(world: &World, value: &HeaderValue) {
    look(
        world,
        "a cookie",
        &String::from_utf8_lossy(value.as_bytes()),
        true,
    );
}

/// What the browser carries is for the gateway alone.
pub(crate) fn passed_on(world: &World, headers: &HeaderMap) {
    let carried = headers
        .get_all("cookie")
        .iter()
        .any(|cookie| String::from_utf8_lossy(cookie.as_bytes()).contains("edgekeeper_session"));
    if carried {
        world
            .ledger
            .violate("I6", "the gateway's own cookie reaches the upstream");
    }
}

fn look(world: &World, place: &str, text: &str, people: bool) {
    let found = if text.contains(MARK) {
        "a credential"
    } else if text.contains(KEYS_SECRET) {
        "the secret that all is sealed under"
    } else if text.contains(TOKEN) {
        "a token"
    } else if people && text.contains(PERSON) {
        "a person"
    } else if world
        .ledger
        .secrets
        .0
        .borrow()
        .iter()
        .any(|key| text.contains(key))
    {
        "a private key"
    } else {
        return;
    };
    world
        .ledger
        .violate("I6", format!("{found} can be read in {place}: {text}"));
}
