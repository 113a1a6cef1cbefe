//! What is configured while a schedule runs, drawn by its seed.

use edgekeeper_policy::document::Policy;
use edgekeeper_policy::pattern;
use edgekeeper_policy::session::Session as Settings;
use serde_json::{Value, json};

use crate::dice::Dice;

/// How many data centres there are.
pub(crate) const PLACES: usize = 2;

/// Seconds of a key's period.
pub(crate) const ROTATION: u64 = 3_600;

/// Where the gateways ask about sessions.
pub(crate) const WHOAMI: &str = "http://kratos.test/sessions/whoami";

/// Which runtime a schedule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    Isolates,
    Components,
    Folder,
}

/// The settings of one schedule.
#[derive(Debug, Clone)]
pub(crate) struct Climate {
    pub(crate) runs: Runs,
    pub(crate) instances: usize,
    /// Seconds, as in `edge.yml`.
    pub(crate) ttl: u64,
    pub(crate) stale_while_revalidate: u64,
    pub(crate) stale_if_error: u64,
    pub(crate) negative_ttl: u64,
    pub(crate) timeout: u64,
    /// Of tokens, in seconds.
    pub(crate) token_ttl: u64,
    pub(crate) algorithm: &'static str,
    /// What Kratos says of how long its answers may be kept.
    pub(crate) cache_for: Option<u64>,
    /// How long sessions live, in seconds.
    pub(crate) lifetime: Option<u64>,
    /// What the clocks of the two data centres are ahead, in milliseconds.
    pub(crate) ahead: [i64; PLACES],
    /// How old what is known of revocations may be, in seconds, where anybody may revoke.
    pub(crate) revocation_check: Option<u64>,
    /// Whether browsers carry what Kratos said.
    pub(crate) sealed_cookie: bool,
    /// After how many milliseconds a store that fails is mended: longer than keys are foreseen, or not.
    pub(crate) outage: u64,
    /// Whether anything goes wrong at all.
    pub(crate) wild: bool,
}

impl Climate {
    pub(crate) fn draw(dice: &Dice) -> Self {
        let runs = dice.pick(&[Runs::Isolates, Runs::Components, Runs::Folder]);
        let wild = dice.chance(4, 5);
        // Where a first key may be replaced for two seconds, they are told apart by the clocks of both who made one.
        let apart = if runs == Runs::Components { 400 } else { 2_000 };
        let ahead = if dice.chance(1, 3) {
            [dice.below(apart) as i64, -(dice.below(apart) as i64)]
        } else {
            [0; PLACES]
        };
        Self {
            runs,
            instances: dice.index(3) + 1,
            ttl: dice.pick(&[60, 60, 60, 30, 10, 5, 1, 0]),
            stale_while_revalidate: dice.pick(&[30, 30, 10, 0]),
            stale_if_error: dice.pick(&[300, 300, 60, 10, 0]),
            negative_ttl: dice.pick(&[3, 3, 10, 0]),
            timeout: dice.pick(&[5, 5, 2]),
            token_ttl: dice.pick(&[60, 300, 900, 3_600]),
            algorithm: if dice.chance(1, 40) { "ES256" } else { "EdDSA" },
            cache_for: dice.pick(&[None, None, None, Some(0), Some(10), Some(3_600)]),
            lifetime: dice.pick(&[None, Some(3_600), Some(600), Some(40)]),
            ahead,
            revocation_check: dice.pick(&[None, Some(30), Some(30), Some(10), Some(5)]),
            sealed_cookie: dice.chance(1, 3),
            outage: dice.pick(&[240_000, 240_000, 1_500_000, 5_000_000]),
            wild,
        }
    }

    /// Whether writes to the store take their time to be seen elsewhere.
    pub(crate) fn spreads(&self) -> bool {
        self.runs == Runs::Isolates
    }

    /// For how long what Kratos said is fresh at most, in seconds.
    pub(crate) fn fresh(&self) -> u64 {
        self.ttl.min(self.cache_for.unwrap_or(u64::MAX))
    }

    /// What two clocks differ by at most, in milliseconds.
    pub(crate) fn skew(&self) -> u64 {
        self.ahead[0].abs_diff(self.ahead[1])
    }

    pub(crate) fn policy(&self) -> Policy {
        let settings = Settings {
            ttl: self.ttl,
            stale_while_revalidate: self.stale_while_revalidate,
            stale_if_error: self.stale_if_error,
            negative_ttl: self.negative_ttl,
            timeout: self.timeout,
            sealed_cookie: self.sealed_cookie,
            revocation_check: self.revocation_check.unwrap_or(30),
            revocation_secret: self
                .revocation_check
                .map(|_| "REVOCATION_SECRET".to_owned()),
            ..Settings::default()
        };
        let told = json!({ "header": { "headers": [
            ["x-user", "{{ print .Subject }}"],
            ["x-email", "{{ print .Extra.identity.traits.email }}"],
        ] } });
        let token = json!({ "id_token": {
            "issuer_url": "https://app.test/",
            "claims": r#"{"email":"{{ .Extra.identity.traits.email }}"}"#,
            "ttl": self.token_ttl,
        } });
        let session = json!([{ "cookie_session": { "check": {
            "endpoint": { "url": WHOAMI },
            "preserve_path": true,
            "preserve_query": true,
            "extra_from": "@this",
            "subject_from": "identity.id",
        } } }]);
        let document = json!({
            "format": 2,
            "session": settings,
            "keys": { "algorithm": self.algorithm, "rotation": ROTATION },
            "errors": [
                { "kind": { "redirect": { "to": "https://login.test/", "code": 302 } },
                  "when": [{ "error": ["unauthorized"], "accept": ["text/html"] }] },
                { "kind": { "json": {} } },
            ],
            "identity_headers": ["x-user", "x-email"],
            "rules": [
                rule("app", "https://app.test/app", &session, &json!([told])),
                rule("token", "https://app.test/token", &session, &json!([told, token])),
                rule("kratos", "https://app.test/self-service/<.*>", &json!(["noop"]), &json!(["noop"])),
            ],
        });
        Policy::from_json(&document.to_string()).unwrap()
    }
}

fn rule(id: &str, url: &str, authenticators: &Value, mutators: &Value) -> Value {
    json!({
        "id": id,
        "methods": ["GET", "POST"],
        "url": pattern::compile(url).unwrap(),
        "authenticators": authenticators,
        "authorizers": ["allow"],
        "mutators": mutators,
        "upstream": { "url": "http://up.test" },
    })
}
