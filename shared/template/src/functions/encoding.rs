//! sprig: JSON, base64 and SHA-256.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Function, Outcome, Param, Scope, bases, exact, strings_of, text, wrong};
use crate::Missing;
use crate::json::{Layout, encode};
use crate::value::{Value, sorted};

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
    exact("toJson", ANY, |scope, args| json(scope, args, COMPACT)),
    exact("mustToJson", ANY, |_, args| encoded(args, COMPACT)),
    exact("toPrettyJson", ANY, |scope, args| json(scope, args, PRETTY)),
    exact("mustToPrettyJson", ANY, |_, args| encoded(args, PRETTY)),
    exact("toRawJson", ANY, |_, args| encoded(args, RAW)),
    exact("mustToRawJson", ANY, |_, args| encoded(args, RAW)),
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
    exact("b64dec", STR, |_, args| {
        let [encoded] = strings_of(args)?;
        decoded(bases::decode64(encoded), "base64")
    }),
    exact("b32enc", STR, |_, args| {
        let [plain] = strings_of(args)?;
        Ok(Value::string(bases::encode32(plain.as_bytes())))
    }),
    exact("b32dec", STR, |_, args| {
        let [encoded] = strings_of(args)?;
        decoded(bases::decode32(encoded), "base32")
    }),
    exact("adler32sum", STR, |_, args| {
        let [plain] = strings_of(args)?;
        let (mut low, mut high) = (1u32, 0u32);
        for byte in plain.bytes() {
            low = low.wrapping_add(u32::from(byte)).wrapping_rem(65521);
            high = high.wrapping_add(low).wrapping_rem(65521);
        }
        Ok(Value::string((high << 16 | low).to_string()))
    }),
    exact("sha256sum", STR, |_, args| {
        let [plain] = strings_of(args)?;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(plain) {
            let _ = write!(hex, "{byte:02x}");
        }
        Ok(Value::string(hex))
    }),
];

/// sprig's `toJson` turns what JSON cannot hold into ""; by default that would be broken JSON, so it fails.
fn json<'a>(scope: &Scope<'a>, args: &[Value<'a>], layout: Layout) -> Outcome<'a> {
    match encoded(args, layout) {
        Err(error) if scope.missing == Missing::Go && error.starts_with("json: unsupported") => {
            Ok(Value::from(""))
        }
        done => done,
    }
}

fn encoded<'a>(args: &[Value<'a>], layout: Layout) -> Outcome<'a> {
    let [value] = args else { return wrong() };
    Ok(Value::string(encode(value, layout)?))
}

/// Go answers with the error's text as if it were the decoded value; so does this.
fn decoded<'a>(bytes: Result<Vec<u8>, usize>, base: &str) -> Outcome<'a> {
    Ok(Value::string(match bytes {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(at) => format!("illegal {base} data at input byte {at}"),
    }))
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
            let entries = sorted(&mut entries.into_iter().map(|(k, v)| (k, owned(scope, v))));
            scope.map(entries, false)
        }
    }
}
