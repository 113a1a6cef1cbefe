//! What a verified token is for: audience, issuer and scope against what a rule asks for.

use std::fmt;

use edgekeeper_policy::authenticator::{Jwt, ScopeStrategy};
use serde_json::{Map, Value};

use crate::grant;

/// The claims in which scopes are, the first that is there counting, and the one they are told under.
const SCOPES: [&str; 3] = [SCP, "scope", "scopes"];
const SCP: &str = "scp";

/// Why a token is not for a rule, in Oathkeeper's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Audience {
        named: String,
        missing: String,
    },
    Issuer(String),
    Scope(String),
    /// Scopes are required, and nobody said how to compare them.
    NoStrategy,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audience { named, missing } => write!(
                f,
                "Token audience [{named}] is not intended for target audience {missing}."
            ),
            Self::Issuer(issuer) => {
                write!(
                    f,
                    "Token issuer does not match any trusted issuer {issuer}."
                )
            }
            Self::Scope(missing) => {
                write!(f, "JSON Web Token is missing required scope \"{missing}\".")
            }
            Self::NoStrategy => {
                f.write_str("Scope validation was requested but scope strategy is set to \"none\".")
            }
        }
    }
}

impl Unfit {
    /// The same without anything from the token.
    pub(super) fn for_log(&self) -> String {
        match self {
            Self::Audience { missing, .. } => {
                format!("the token is not for the audience `{missing}`")
            }
            Self::Issuer(_) => "the token's issuer is none of trusted_issuers".to_owned(),
            Self::Scope(missing) => format!("the token does not have the scope `{missing}`"),
            Self::NoStrategy => "required_scope needs a scope_strategy".to_owned(),
        }
    }
}

/// Checks claims, and puts the scopes under one name: what templates see.
pub(super) fn check(config: &Jwt, claims: &mut Map<String, Value>) -> Result<(), Unfit> {
    let named = audience(claims);
    if let Some(missing) = grant::missing_audience(&config.target_audience, &named) {
        return Err(Unfit::Audience {
            named: named.join(" "),
            missing: missing.to_owned(),
        });
    }
    let issuer = text(claims, "iss");
    if !grant::trusts(&config.trusted_issuers, issuer) {
        return Err(Unfit::Issuer(issuer.to_owned()));
    }
    let granted = take_scopes(claims);
    let strategy = config.scope_strategy;
    if strategy == ScopeStrategy::None && !config.required_scope.is_empty() {
        return Err(Unfit::NoStrategy);
    }
    let scopes: Vec<&str> = granted.iter().map(String::as_str).collect();
    if let Some(missing) = grant::missing_scope(strategy, &config.required_scope, &scopes) {
        return Err(Unfit::Scope(missing.to_owned()));
    }
    let granted = granted.into_iter().map(Value::String).collect();
    claims.insert(SCP.to_owned(), Value::Array(granted));
    Ok(())
}

/// A claim, where it is a text.
pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Audiences, if all of them are texts.
fn audience(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Takes the scopes out of the claims. What is no text in a list is an empty one, and so is what is between two spaces.
fn take_scopes(claims: &mut Map<String, Value>) -> Vec<String> {
    let taken = SCOPES
        .into_iter()
        .find(|name| claims.contains_key(*name))
        .and_then(|name| claims.remove(name));
    match taken {
        Some(Value::String(text)) if !text.is_empty() => {
            text.split(' ').map(str::to_owned).collect()
        }
        Some(Value::Array(several)) => several
            .iter()
            .map(|scope| scope.as_str().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}
