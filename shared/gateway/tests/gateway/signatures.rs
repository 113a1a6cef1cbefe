//! A runtime that checks and makes signatures itself: everything else is judged as where the gateway does so.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use edgekeeper_gateway::request::RawRequest;
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SignatureCheck, Unavailable, Unshared, Unsigned,
    Verdict,
};
use edgekeeper_policy::authenticator::ALGORITHMS;
use edgekeeper_token::foreign::set::{JwkSet, Reading};
use edgekeeper_token::foreign::token::{Options, verify};
use serde_json::{Value, json};

use crate::foreign::{golang, import, private, public, set, signed};
use crate::imported_keys::{self, with_alg};
use crate::jwt::{jwt, user};
use crate::memory::{Memory, NOW, like_memory};
use crate::policy::{header, policy, rule, set as with};
use crate::site::{Sent, Site, get, header as header_of};

const FILE: &str = "file:///etc/jwks.json";
const NAMES: [&str; 6] = ["RS", "P-256", "P-384", "P-521", "Ed25519", "oct"];

/// Memory, with signatures of its own. Clones share what they did.
#[derive(Clone)]
struct Signing {
    memory: Memory,
    fails: Rc<Cell<bool>>,
    did: Rc<RefCell<Vec<String>>>,
}

impl Signing {
    fn of(site: &Site) -> Self {
        Self {
            memory: site.memory.clone(),
            fails: Rc::default(),
            did: Rc::default(),
        }
    }

    fn does(&self, what: &str, algorithm: &str) -> Result<(), Unavailable> {
        self.did.borrow_mut().push(format!("{what} {algorithm}"));
        if self.fails.get() {
            return Err(Unavailable("there is no WebCrypto".to_owned()));
        }
        Ok(())
    }
}

impl Runtime for Signing {
    type Shared = Unshared;

    const WEBSOCKETS: bool = true;

    const SCHEDULE: bool = true;

    const SIGNATURES: bool = true;

    const SETTLE: u64 = 0;

    like_memory!(memory);

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    async fn verify_signature(&self, check: &SignatureCheck<'_>) -> Result<Verdict, Unavailable> {
        self.does("checks", check.algorithm().name())?;
        self.sleep(1).await;
        Ok(check.verify())
    }

    async fn sign(&self, unsigned: &Unsigned<'_>) -> Result<Vec<u8>, Unavailable> {
        self.does("signs", unsigned.algorithm().name())?;
        self.sleep(1).await;
        unsigned
            .sign(&[7; 32])
            .ok_or_else(|| Unavailable("the key is none".to_owned()))
    }
}

/// What is left to a runtime.
fn is_left(algorithm: &str) -> bool {
    !algorithm.starts_with("HS") && !["ES256", "EdDSA"].contains(&algorithm)
}

/// A site whose users show tokens of one algorithm.
fn site(algorithm: &str, keys: impl IntoIterator<Item = Value>, strict: bool) -> Site {
    let web = rule("web", "https://app.test/<.*>");
    let tokens = jwt(&[FILE], &json!({ "allowed_algorithms": [algorithm] }));
    let web = with(web, "authenticators", json!([tokens]));
    let web = with(
        web,
        "mutators",
        json!([header(&[("x-user", "{{ print .Subject }}")])]),
    );
    let site = Site::new(policy([web]).mode(strict));
    import(&site.memory, FILE, &set(keys));
    site
}

fn send(site: &Site, runtime: &Signing, request: RawRequest) -> Sent {
    let headers = request.headers.clone();
    let decision = site.memory.run(site.gateway.decide(runtime, request));
    Sent::new(decision, headers)
}

fn show(site: &Site, runtime: &Signing, token: &str) -> Sent {
    let bearer = format!("Bearer {token}");
    let request = get("https://app.test/x", &[("authorization", &bearer)]);
    send(site, runtime, request)
}

#[test]
fn every_algorithm_is_judged_as_without_it() {
    for algorithm in ALGORITHMS {
        for strict in [false, true] {
            let site = site(algorithm, NAMES.map(private), strict);
            let runtime = Signing::of(&site);
            let token = golang(algorithm);
            let expected = if strict && algorithm == "EdDSA" {
                Err(401)
            } else {
                Ok("ada".to_owned())
            };
            assert_eq!(user(show(&site, &runtime, &token)), expected, "{algorithm}");
            let mut broken = token.into_bytes();
            let place = broken.len() - 20;
            broken[place] = if broken[place] == b'A' { b'B' } else { b'A' };
            let broken = String::from_utf8(broken).unwrap();
            assert_eq!(
                user(show(&site, &runtime, &broken)),
                Err(401),
                "{algorithm}"
            );
            let did = runtime.did.take();
            if is_left(algorithm) {
                assert_eq!(did, vec![format!("checks {algorithm}"); 2]);
            } else {
                assert_eq!(did, [""; 0], "{algorithm}");
            }
        }
    }
}

#[test]
fn what_is_refused_without_a_signature_is_never_given_to_it() {
    for strict in [false, true] {
        let site = site("RS256", [public("RS")], strict);
        let runtime = Signing::of(&site);
        let unknown = signed("RS", "RS256", "nobody", &json!({"sub": "ada"}));
        for token in [golang("RS384"), golang("ES384"), unknown] {
            assert_eq!(user(show(&site, &runtime, &token)), Err(401));
        }
        assert_eq!(runtime.did.take(), [""; 0]);
        let expired = signed("RS", "RS256", "RS", &json!({"sub": "ada", "exp": NOW}));
        assert_eq!(user(show(&site, &runtime, &expired)), Err(401));
        assert_eq!(runtime.did.take(), ["checks RS256"]);
    }
}

#[test]
fn a_key_that_is_none_lets_nobody_in() {
    for (name, algorithm) in [("P-384", "ES384"), ("P-521", "ES512")] {
        for strict in [false, true] {
            let off = with(public(name), "x", public(name)["y"].clone());
            let site = site(algorithm, [off], strict);
            let runtime = Signing::of(&site);
            let sent = show(&site, &runtime, &golang(algorithm));
            assert_eq!(user(sent), Err(401), "{algorithm}");
        }
    }
}

#[test]
fn while_it_cannot_check_it_is_as_if_the_key_server_did_not_answer() {
    for strict in [false, true] {
        let site = site("RS256", [public("RS")], strict);
        let runtime = Signing::of(&site);
        runtime.fails.set(true);
        let answer = show(&site, &runtime, &golang("RS256")).answered();
        if strict {
            assert_eq!(answer.status, 401);
        } else {
            assert_eq!(answer.status, 503);
            assert_eq!(header_of(&answer, "retry-after"), Some("5"));
            let log = site.memory.take_log().concat();
            assert!(log.contains("not checked: there is no WebCrypto"), "{log}");
        }
        runtime.fails.set(false);
        let sent = show(&site, &runtime, &golang("RS256"));
        assert_eq!(user(sent), Ok("ada".to_owned()));
    }
}

#[test]
fn what_it_signs_verifies_and_is_made_once() {
    let cases = [
        ("RS", "RS256"),
        ("RS", "PS512"),
        ("P-384", "ES384"),
        ("P-521", "ES512"),
        ("P-256", "ES256"),
        ("Ed25519", "EdDSA"),
    ];
    for (name, algorithm) in cases {
        let site = imported_keys::site(&[imported_keys::signs_with(FILE)], false);
        import(&site.memory, FILE, &set([with_alg(name, algorithm)]));
        let runtime = Signing::of(&site);
        for _ in 0..2 {
            let sent = send(&site, &runtime, get("https://app0.test/", &[]));
            let values = sent.forwarded().values("authorization");
            let keys = JwkSet::parse(&set([public(name)]), Reading::PUBLISHED).unwrap();
            let options = Options {
                algorithms: &[algorithm.to_owned()],
                now: NOW + 60,
                strict: false,
            };
            let token = values[0].strip_prefix("Bearer ").unwrap();
            assert_eq!(verify(token, &[&keys], &options).unwrap()["sub"], "ada");
        }
        let expected = is_left(algorithm).then(|| format!("signs {algorithm}"));
        assert_eq!(runtime.did.take(), Vec::from_iter(expected));
    }
}

#[test]
fn without_a_signature_there_is_no_token_and_the_log_has_no_key() {
    let other = with(with_alg("RS", "RS256"), "d", private("other")["d"].clone());
    for (key, fails) in [(with_alg("RS", "RS256"), true), (other, false)] {
        for strict in [false, true] {
            let site = imported_keys::site(&[imported_keys::signs_with(FILE)], strict);
            import(&site.memory, FILE, &set([key.clone()]));
            let runtime = Signing::of(&site);
            runtime.fails.set(fails);
            let answer = send(&site, &runtime, get("https://app0.test/", &[])).answered();
            assert_eq!(answer.status, 500);
            let log = site.memory.take_log().concat();
            assert!(log.contains("no token could be made"), "{log}");
            assert!(!log.contains(key["d"].as_str().unwrap()));
        }
    }
}
