//! What an authorization server says of a token (RFC 7662 section 2.2).

use serde_json::{Map, Value};

use crate::go_json;

/// The members that matter, of the types that they must have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Introspected<'a> {
    pub(super) active: bool,
    pub(super) subject: &'a str,
    pub(super) username: &'a str,
    pub(super) audience: Vec<&'a str>,
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) scope: &'a str,
    /// In Unix seconds.
    pub(super) expires: Option<i64>,
    pub(super) token_use: &'a str,
    /// `ext`, as Hydra has it.
    pub(super) extra: Option<&'a Map<String, Value>>,
}

/// What Oathkeeper calls it, in Go's words.
const GO_TYPE: &str = "AuthenticatorOAuth2IntrospectionResult";

impl<'a> Introspected<'a> {
    /// Reads an answer. By default it must say whether the token is active; Oathkeeper takes silence for a no.
    ///
    /// # Errors
    /// Go's words for what is wrong with it: the endpoint is none, or is broken.
    pub(super) fn read(document: &'a Value, strict: bool) -> Result<Self, String> {
        let Value::Object(members) = document else {
            return Err(format!(
                "json: cannot unmarshal {} into Go value of type authn.{GO_TYPE}",
                go_json::kind(document)
            ));
        };
        let text = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(other) => Err(wrong_type(other, name, "string")),
        };
        let active = match members.get("active") {
            Some(Value::Bool(active)) => *active,
            None | Some(Value::Null) if strict => false,
            None | Some(Value::Null) => return Err("it does not say `active`".to_owned()),
            Some(other) => return Err(wrong_type(other, "active", "bool")),
        };
        let expires = match members.get("exp") {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) => match number.as_i64() {
                Some(seconds) => Some(seconds),
                None => {
                    return Err(format!(
                        "json: cannot unmarshal number {number} into Go struct field {GO_TYPE}.exp of type int64"
                    ));
                }
            },
            Some(other) => return Err(wrong_type(other, "exp", "int64")),
        };
        let extra = match members.get("ext") {
            None | Some(Value::Null) => None,
            Some(Value::Object(extra)) => Some(extra),
            Some(other) => return Err(wrong_type(other, "ext", "map[string]interface {}")),
        };
        // What Go cannot read, it does not read, whether it matters or not.
        text("token_type")?;
        Ok(Self {
            active,
            subject: text("sub")?,
            username: text("username")?,
            audience: audience(members.get("aud"), strict)?,
            issuer: text("iss")?,
            client_id: text("client_id")?,
            scope: text("scope")?,
            expires,
            token_use: text("token_use")?,
            extra,
        })
    }

    /// Whether its end has come, at an instant in Unix milliseconds. Oathkeeper takes 0 and less for no end.
    pub(super) fn has_ended(&self, now: u64, strict: bool) -> bool {
        match self.expires {
            None => false,
            Some(expires) if expires <= 0 => !strict,
            Some(_) => self.end().is_some_and(|end| end <= now),
        }
    }

    /// Its end in Unix milliseconds.
    pub(super) fn end(&self) -> Option<u64> {
        let seconds = u64::try_from(self.expires?).ok()?;
        Some(seconds.saturating_mul(1_000))
    }
}

fn wrong_type(value: &Value, name: &str, go_type: &str) -> String {
    format!(
        "json: cannot unmarshal {} into Go struct field {GO_TYPE}.{name} of type {go_type}",
        go_json::kind(value)
    )
}

/// `aud`: one audience, or a list of them (RFC 7519 section 4.1.3).
fn audience(value: Option<&Value>, strict: bool) -> Result<Vec<&str>, String> {
    let unsupported = || "Unsupported aud type, only string or []string are allowed".to_owned();
    match value {
        None => Ok(Vec::new()),
        Some(Value::Null) if !strict => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().ok_or_else(unsupported))
            .collect(),
        Some(_) => Err(unsupported()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_member_is_read() {
        let document = json!({
            "active": true, "sub": "s", "username": "u", "aud": ["a", "b"], "iss": "i", "client_id": "c",
            "scope": "x y", "exp": 7, "token_use": "access_token", "token_type": "Bearer", "ext": {"k": 1}, "nbf": "?",
        });
        let read = Introspected::read(&document, false).unwrap();
        let extra = json!({"k": 1});
        assert_eq!(
            read,
            Introspected {
                active: true,
                subject: "s",
                username: "u",
                audience: vec!["a", "b"],
                issuer: "i",
                client_id: "c",
                scope: "x y",
                expires: Some(7),
                token_use: "access_token",
                extra: extra.as_object(),
            }
        );
        let bare = json!({"active": true, "sub": null, "exp": null, "ext": null});
        let expected = Introspected {
            active: true,
            ..Introspected::default()
        };
        for strict in [false, true] {
            assert_eq!(Introspected::read(&bare, strict).unwrap(), expected);
        }
        let one = json!({"active": true, "aud": "a"});
        assert_eq!(Introspected::read(&one, true).unwrap().audience, ["a"]);
    }

    #[test]
    fn what_does_not_say_active_says_nothing_and_to_oathkeeper_no() {
        for silent in [json!({}), json!({"active": null}), json!({"Active": true})] {
            assert!(Introspected::read(&silent, false).is_err(), "{silent}");
            assert!(!Introspected::read(&silent, true).unwrap().active);
        }
    }

    #[test]
    fn wrong_types_are_told_in_gos_words() {
        let field = "into Go struct field AuthenticatorOAuth2IntrospectionResult";
        for (document, expected) in [
            (
                json!({"active": "true"}),
                format!("json: cannot unmarshal string {field}.active of type bool"),
            ),
            (
                json!({"active": 1}),
                format!("json: cannot unmarshal number {field}.active of type bool"),
            ),
            (
                json!({"active": true, "sub": 5}),
                format!("json: cannot unmarshal number {field}.sub of type string"),
            ),
            (
                json!({"active": true, "scope": ["a"]}),
                format!("json: cannot unmarshal array {field}.scope of type string"),
            ),
            (
                json!({"active": true, "token_type": true}),
                format!("json: cannot unmarshal bool {field}.token_type of type string"),
            ),
            (
                json!({"active": true, "exp": "soon"}),
                format!("json: cannot unmarshal string {field}.exp of type int64"),
            ),
            (
                json!({"active": true, "exp": 1.5}),
                format!("json: cannot unmarshal number 1.5 {field}.exp of type int64"),
            ),
            (
                json!({"active": true, "ext": []}),
                format!("json: cannot unmarshal array {field}.ext of type map[string]interface {{}}"),
            ),
            (
                json!([]),
                "json: cannot unmarshal array into Go value of type authn.AuthenticatorOAuth2IntrospectionResult"
                    .to_owned(),
            ),
        ] {
            for strict in [false, true] {
                assert_eq!(
                    Introspected::read(&document, strict),
                    Err(expected.clone()),
                    "{document}"
                );
            }
        }
        for aud in [json!(1), json!({}), json!(["a", 1]), json!([null])] {
            let document = json!({"active": true, "aud": aud});
            assert!(Introspected::read(&document, false).is_err(), "{document}");
        }
        let null = json!({"active": true, "aud": null});
        assert!(Introspected::read(&null, true).is_err());
        assert!(Introspected::read(&null, false).is_ok());
    }

    #[test]
    fn a_token_ends_when_it_says() {
        let of = |expires: Option<i64>| Introspected {
            expires,
            ..Introspected::default()
        };
        for (expires, now, default, strict) in [
            (None, u64::MAX, false, false),
            (Some(10), 9_999, false, false),
            (Some(10), 10_000, true, true),
            (Some(0), 0, true, false),
            (Some(-1), 0, true, false),
            (Some(i64::MAX), 1 << 60, false, false),
        ] {
            assert_eq!(of(expires).has_ended(now, false), default, "{expires:?}");
            assert_eq!(of(expires).has_ended(now, true), strict, "{expires:?}");
        }
    }
}
