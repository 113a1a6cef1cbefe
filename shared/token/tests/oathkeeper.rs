//! Tokens of others, judged as Oathkeeper v26.2.0 judged them: its recorded answers of the conformance scenario `jwt`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use edgekeeper_token::foreign::set::{JwkSet, Reading};
use edgekeeper_token::foreign::token::{Options, unverified_claims, verify};
use serde_json::Value;

const NOW: u64 = 1_800_000_000;

/// Accepted there, refused here: tokens that demand extensions nobody understands (docs/differences.md).
const SAFER: [&str; 1] = ["d-crit"];

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

fn lines(name: &str) -> BTreeMap<String, Value> {
    let path = conformance().join("scenarios/jwt").join(name);
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|case| (case["id"].as_str().unwrap().to_owned(), case))
        .collect()
}

/// A rule's `allowed_algorithms`, with Oathkeeper's default.
fn algorithms() -> BTreeMap<String, Vec<String>> {
    let rules = fs::read_to_string(conformance().join("scenarios/jwt/rules.json")).unwrap();
    let rules: Vec<Value> = serde_json::from_str(&rules).unwrap();
    rules
        .iter()
        .map(|rule| {
            let listed = &rule["authenticators"][0]["config"]["allowed_algorithms"];
            let listed = serde_json::from_value(listed.clone());
            let path = rule["id"].as_str().unwrap();
            (
                format!("/{path}"),
                listed.unwrap_or_else(|_| vec!["RS256".to_owned()]),
            )
        })
        .collect()
}

#[test]
fn strict_mode_accepts_refuses_and_explains_as_recorded() {
    let keys = fs::read_to_string(conformance().join("keys/authn.json")).unwrap();
    let keys = JwkSet::parse(&keys, Reading::STRICT).unwrap();
    let (golden, algorithms) = (lines("golden.jsonl"), algorithms());
    let (mut accepted, mut refused) = (0, 0);
    for (id, request) in lines("requests.jsonl") {
        let target = request["target"].as_str().unwrap();
        // Rules with other sets, or that take the token from elsewhere.
        let Some(algorithms) = algorithms.get(target) else {
            continue;
        };
        if ["/broken", "/empty", "/hdr"].contains(&target) {
            continue;
        }
        let header = request["headers"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|header| header[0] == "Authorization");
        let Some(token) = header.and_then(|header| header[1].as_str()?.strip_prefix("Bearer "))
        else {
            continue;
        };
        // Not for the `jwt` authenticator at all.
        if token.split('.').count() != 3 {
            continue;
        }
        let recorded = &golden[&id]["outcome"]["res"];
        let error = &recorded["body"]["error"];
        let options = Options {
            algorithms,
            now: NOW,
            strict: true,
        };
        let judged = verify(token, &[&keys], &options);
        let reason = error["reason"].as_str().unwrap_or_default();
        let inner = reason
            .split("error=")
            .nth(1)
            .unwrap_or_default()
            .split('\n')
            .next()
            .unwrap();
        if SAFER.contains(&id.as_str()) {
            assert!(recorded["status"] == 200 && judged.is_err(), "{id}");
            continue;
        }
        // Audience, issuer and scope are looked at when the token is good.
        if recorded["status"] == 200 || !inner.starts_with("token ") {
            assert!(judged.is_ok(), "{id}: {judged:?}, but there: {inner}");
            accepted += 1;
        } else {
            assert_eq!(judged.unwrap_err().oathkeeper(), inner, "{id}");
            refused += 1;
        }
        let told = error["details"]["jwt_claims"].as_str();
        if let Some(told) = told {
            let claims = unverified_claims(token).map(Value::Object);
            assert_eq!(claims, serde_json::from_str(told).ok(), "{id}");
        }
    }
    assert!(
        accepted > 40 && refused > 20,
        "{accepted} accepted, {refused} refused"
    );
}
