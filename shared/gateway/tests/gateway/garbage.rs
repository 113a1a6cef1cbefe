//! Nothing a client sends makes the gateway panic.

use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::NoBody;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use crate::policy::{header, id_token, policy, rule, session_rule, set};
use crate::site::{Sent, Site, session};
use edgekeeper_gateway::decision::apply;

/// A small generator with a fixed seed (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn text(&mut self, parts: &[&str], most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| self.pick(parts))
            .collect()
    }
}

const PARTS: [&str; 44] = [
    "/",
    "//",
    "..",
    ".",
    "%",
    "%2",
    "%2e",
    "%2F",
    "%5c",
    "%00",
    "%zz",
    "%25",
    ";",
    "?",
    "#",
    "&",
    "=",
    ":",
    "@",
    "[",
    "]",
    "\\",
    " ",
    "\t",
    "\r\n",
    "\u{0}",
    "\u{7f}",
    "a",
    "B",
    "0",
    "é",
    "日",
    "\u{ff0e}",
    "\u{202e}",
    "app.test",
    "localhost",
    "443",
    "public",
    "admin",
    ",",
    "\"",
    "'",
    "<",
    "+",
];

const NAMES: [&str; 22] = [
    "cookie",
    "authorization",
    "x-session-token",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "connection",
    "upgrade",
    "x-forwarded-proto",
    "x-forwarded-host",
    "accept",
    "content-type",
    "x-request-id",
    "sec-fetch-mode",
    "host",
    "expect",
    "x-user-id",
    "x_user_id",
    "te",
    "vary",
    "set-cookie",
    "cache-control",
];

const VALUES: [&str; 24] = [
    "ory_kratos_session",
    "=",
    ";",
    " ",
    ",",
    "\"",
    "ada",
    "Bearer ",
    "ory_st_",
    "https://",
    "app.test",
    "websocket",
    "Upgrade",
    "close",
    "text/html",
    ";q=",
    "*/*",
    "edgekeeper_login=",
    "navigate",
    "no-store",
    "é",
    "\t",
    "x-user-id",
    "1",
];

fn headers(dice: &mut Dice) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for _ in 0..dice.below(8) {
        let name = HeaderName::from_bytes(dice.pick(&NAMES).as_bytes()).unwrap();
        let mut value = dice.text(&VALUES, 6).into_bytes();
        if dice.below(4) == 0 {
            value.push(0xff);
        }
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(name, value);
        }
    }
    headers
}

#[test]
fn garbage_is_answered_or_goes_on_but_never_panics() {
    for strict in [false, true] {
        let redirect = json!([
            { "kind": { "handler": "redirect", "to": "https://login.test/%s?a=1", "code": 302, "return_to_query_param": "r" }, "when": [{ "error": ["unauthorized"] }] },
            { "kind": { "handler": "json", "verbose": true } },
        ]);
        let told = json!([
            header(&[(
                "x-user-id",
                "{{ .Subject }} {{ .MatchContext.URL }} {{ .MatchContext.Header.Get \"Cookie\" }} {{ printIndex .MatchContext.RegexpCaptureGroups 1 }}"
            )]),
            id_token(
                r#"{"q":"{{ .MatchContext.URL.RawQuery }}","p":"{{ .MatchContext.URL.Path }}"}"#,
                60
            ),
        ]);
        let open = set(
            rule("open", "<https?>://<[^/]+>/public<(/.*)?>"),
            "upstream",
            json!({ "url": "http://up.test/b", "strip_path": "/public" }),
        );
        let site = Site::new(
            policy([
                set(open, "mutators", told.clone()),
                set(
                    session_rule("rest", "<https?>://<[^/]+>/<(?!public(/|$)).*>"),
                    "mutators",
                    told,
                ),
            ])
            .with("errors", redirect)
            .with("cors", crate::cors::settings())
            .with("keys", json!({ "development": true }))
            .mode(strict),
        );
        site.memory.script("", "ada", session("ada").reply());
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let (mut answered, mut forwarded) = (0, 0);
        for _ in 0..6_000 {
            let authority = if dice.below(3) == 0 {
                dice.text(&PARTS, 4)
            } else {
                "app.test".to_owned()
            };
            let start = dice.pick(&["https://", "http://", "https://", "", "ftp://"]);
            let gentle = [
                "/", "a", "B", "%2F", ";", "?", "é", "admin", "x=y", "%20", ".",
            ];
            let path = match dice.below(2) {
                0 => dice.text(&gentle, 8),
                _ => dice.text(&PARTS, 8),
            };
            let raw = RawRequest {
                method: dice
                    .pick(&["GET", "POST", "HEAD", "OPTIONS", "TRACE", "", "get", "日\n"])
                    .to_owned(),
                url: format!(
                    "{start}{authority}{}{}",
                    dice.pick(&["/public/", "/", "", "?"]),
                    path
                ),
                headers: headers(&mut dice),
                listener: if dice.below(20) == 0 {
                    Listener::Api
                } else {
                    Listener::Proxy
                },
                body: NoBody,
            };
            let shown = format!("{raw:?}");
            match site.send(raw) {
                Sent::Answered(answer) => {
                    answered += 1;
                    assert!((200..600).contains(&answer.status), "{shown}");
                }
                Sent::Forwarded(one) => {
                    forwarded += 1;
                    assert!(
                        one.url().starts_with("http://up.test/"),
                        "{shown} goes to {}",
                        one.url()
                    );
                    assert!(
                        !one.url().contains("/../") && !one.url().contains(['\r', '\n', ' ', '#']),
                        "{shown}: {}",
                        one.url()
                    );
                    let mut answer = headers(&mut dice);
                    let edits = site.finish(&one.forward, 200, &answer);
                    apply(&mut answer, &edits);
                }
            }
            site.memory.run_later();
        }
        assert!(
            answered > 500 && forwarded > 100,
            "both happen: {answered} {forwarded}"
        );
    }
}
