//! sprig: JSON, base64 and SHA-256.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Function, Outcome, Param, Scope, exact, strings_of, text, wrong};
use crate::json::{Layout, encode};
use crate::value::Value;

const ANY: &[Param] = &[Param::Any];
const STR: &[Param] = &[Param::Str];
const COMPACT: Layout = Layout {
    escape_html: true,
    pretty: false,
};
const PRETTY: Layout = Layout {
    escape_html: true,
    pretty: true,
};
const RAW: Layout = Layout {
    escape_html: false,
    pretty: false,
};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("toJson", ANY, |_, args| json(args, COMPACT)),
    exact("mustToJson", ANY, |_, args| json(args, COMPACT)),
    exact("toPrettyJson", ANY, |_, args| json(args, PRETTY)),
    exact("mustToPrettyJson", ANY, |_, args| json(args, PRETTY)),
    exact("toRawJson", ANY, |_, args| json(args, RAW)),
    exact("mustToRawJson", ANY, |_, args| json(args, RAW)),
    exact("fromJson", STR, |scope, args| match args {
        [document] => Ok(parse(scope, text(document)).unwrap_or(Value::Null)),
        _ => wrong(),
    }),
    exact("mustFromJson", STR, |scope, args| match args {
        [document] => parse(scope, text(document)),
        _ => wrong(),
    }),
    exact("b64enc", STR, |_, args| {
        let [plain] = strings_of(args)?;
        Ok(Value::string(STANDARD.encode(plain)))
    }),
    exact("b64dec", STR, b64dec),
    exact("sha256sum", STR, |_, args| {
        let [plain] = strings_of(args)?;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(plain) {
            let _ = write!(hex, "{byte:02x}");
        }
        Ok(Value::string(hex))
    }),
];

/// sprig's `toJson` turns what JSON cannot hold into ""; that would be broken JSON, so here it fails.
fn json<'a>(args: &[Value<'a>], layout: Layout) -> Outcome<'a> {
    let [value] = args else { return wrong() };
    Ok(Value::string(encode(value, layout)?))
}

/// Go answers with the error's text as if it were the decoded value; so does this.
fn b64dec<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [encoded] = strings_of(args)?;
    let encoded: String = encoded
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .collect();
    match STANDARD.decode(encoded.as_bytes()) {
        Ok(bytes) => Ok(Value::string(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _)
                | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                _ => encoded.len(),
            };
            Ok(Value::string(format!(
                "illegal base64 data at input byte {at}"
            )))
        }
    }
}

fn parse<'a>(scope: &mut Scope<'a>, document: &str) -> Outcome<'a> {
    let json: serde_json::Value = serde_json::from_str(document).map_err(|error| {
        format!(
            "not JSON at line {}, column {}",
            error.line(),
            error.column()
        )
    })?;
    scope.spend(document.len().checked_div(4).unwrap_or(0))?;
    Ok(owned(scope, json))
}

/// serde_json has limited the depth to 128 already.
fn owned<'a>(scope: &mut Scope<'a>, json: serde_json::Value) -> Value<'a> {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(b),
        serde_json::Value::Number(n) => Value::Float(n.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(s) => Value::string(s),
        serde_json::Value::Array(items) => {
            let items: Vec<_> = items.into_iter().map(|item| owned(scope, item)).collect();
            Value::list(items)
        }
        serde_json::Value::Object(entries) => {
            let entries = entries
                .into_iter()
                .map(|(k, v)| (k, owned(scope, v)))
                .collect();
            scope.map(entries, false)
        }
    }
}
