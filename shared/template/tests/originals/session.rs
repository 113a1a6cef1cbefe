//! A session with everything Oathkeeper's has, for templates to look into.

use std::borrow::Cow;

use edgekeeper_template::{Object, Value};
use serde_json::Value as Json;

pub(crate) struct Session {
    subject: String,
    extra: Json,
    header: Headers,
    context: Context,
}

struct Context {
    groups: Json,
    url: Url,
    method: String,
    header: Headers,
}

struct Url {
    whole: String,
    scheme: String,
    host: String,
    encoded: String,
    path: String,
    raw_path: String,
    query: String,
    query_view: Query,
}

/// Names with their values; `None` is Go's nil map.
#[derive(Clone)]
struct Headers(Option<Vec<(String, Vec<String>)>>);

struct Query(Headers);

fn text(json: &Json, key: &str) -> String {
    json.get(key)
        .and_then(Json::as_str)
        .unwrap_or("")
        .to_owned()
}

impl Session {
    pub(crate) fn new(data: &Json) -> Session {
        Session {
            subject: text(data, "Subject"),
            extra: data.get("Extra").cloned().unwrap_or(Json::Null),
            header: Headers::new(data.get("Header")),
            context: Context {
                groups: data.get("Groups").cloned().unwrap_or(Json::Null),
                url: Url::new(&text(data, "URL")),
                method: text(data, "Method"),
                header: Headers::new(data.get("Request")),
            },
        }
    }
}

impl Object for Session {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "Subject" => Value::from(self.subject.as_str()),
            "Extra" if self.extra.is_null() => Value::NilMap,
            "Extra" => Value::Json(&self.extra),
            "Header" => Value::Object(&self.header),
            "MatchContext" => Value::Object(&self.context),
            _ => return None,
        })
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        match (method, args) {
            ("Copy", []) => Some(Ok(Value::Object(self))),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        "*authn.AuthenticationSession"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Subject", "subject"),
            ("Extra", "extra"),
            ("Header", "header"),
            ("MatchContext", "match_context"),
        ]
    }
}

impl Object for Context {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "RegexpCaptureGroups" => match self.groups.as_array() {
                Some(groups) => Value::strings(groups.iter().filter_map(Json::as_str)),
                None => Value::nil_strings(),
            },
            "URL" => Value::Object(&self.url),
            "Method" => Value::from(self.method.as_str()),
            "Header" => Value::Object(&self.header),
            _ => return None,
        })
    }

    fn type_name(&self) -> &'static str {
        "authn.MatchContext"
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("RegexpCaptureGroups", "regexp_capture_groups"),
            ("URL", "url"),
            ("Method", "method"),
            ("Header", "header"),
        ]
    }
}

/// Go's nil `*url.Userinfo`, whose methods can be called.
struct Nobody;

impl Object for Nobody {
    fn field(&self, _: &str) -> Option<Value<'_>> {
        None
    }

    fn call(&self, method: &str, _: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        matches!(method, "Username" | "String").then(|| Ok(Value::from("")))
    }

    fn type_name(&self) -> &'static str {
        "*url.Userinfo"
    }

    fn text(&self) -> Option<String> {
        Some(String::new())
    }

    fn is_nil(&self) -> bool {
        true
    }
}

fn decoded(encoded: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Url {
    fn new(whole: &str) -> Url {
        let (scheme, rest) = whole.split_once("://").unwrap_or(("", whole));
        let slash = rest.find('/').unwrap_or(rest.len());
        let (host, rest) = rest.split_at_checked(slash).unwrap_or((rest, ""));
        let (encoded, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(&value.replace('+', " "));
            match pairs.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => pairs.push((name.to_owned(), vec![value])),
            }
        }
        pairs.sort();
        let pairs = Headers(Some(pairs));
        Url {
            whole: whole.to_owned(),
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            encoded: encoded.to_owned(),
            path: decoded(encoded),
            raw_path: String::new(),
            query: query.to_owned(),
            query_view: Query(pairs),
        }
    }
}

impl Object for Url {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "Scheme" => Value::from(self.scheme.as_str()),
            "Host" => Value::from(self.host.as_str()),
            "Path" => Value::from(self.path.as_str()),
            "RawPath" => Value::from(self.raw_path.as_str()),
            "RawQuery" => Value::from(self.query.as_str()),
            "Opaque" | "Fragment" | "RawFragment" => Value::from(""),
            "User" => Value::Object(&Nobody),
            "ForceQuery" | "OmitHost" => Value::Bool(false),
            _ => return None,
        })
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let owned = |text: String| Some(Ok(Value::from(text)));
        if !args.is_empty() {
            return None;
        }
        match method {
            "String" | "Redacted" => owned(self.whole.clone()),
            "Hostname" => owned(self.host.split(':').next().unwrap_or("").to_owned()),
            "Port" => owned(self.host.split(':').nth(1).unwrap_or("").to_owned()),
            "EscapedPath" => owned(self.encoded.clone()),
            "RequestURI" if self.query.is_empty() => owned(self.encoded.clone()),
            "RequestURI" => owned(format!("{}?{}", self.encoded, self.query)),
            "IsAbs" => Some(Ok(Value::Bool(true))),
            "Query" => Some(Ok(Value::Object(&self.query_view))),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        "*url.URL"
    }

    fn text(&self) -> Option<String> {
        Some(self.whole.clone())
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Scheme", "Scheme"),
            ("Opaque", "Opaque"),
            ("User", "User"),
            ("Host", "Host"),
            ("Path", "Path"),
            ("Fragment", "Fragment"),
            ("RawQuery", "RawQuery"),
            ("RawPath", "RawPath"),
            ("RawFragment", "RawFragment"),
            ("ForceQuery", "ForceQuery"),
            ("OmitHost", "OmitHost"),
        ]
    }
}

/// Go's `textproto.CanonicalMIMEHeaderKey`.
fn canonical(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|c| {
            let out = if upper {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            };
            upper = c == '-';
            out
        })
        .collect()
}

impl Headers {
    fn new(json: Option<&Json>) -> Headers {
        let entries = json.and_then(Json::as_object);
        Headers(entries.map(|entries| {
            entries
                .iter()
                .map(|(name, values)| {
                    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
                    let values = values.iter().filter_map(Json::as_str).map(str::to_owned);
                    (name.clone(), values.collect())
                })
                .collect()
        }))
    }

    fn values(&self, name: &str) -> Option<&[String]> {
        let entries = self.0.as_deref().unwrap_or_default();
        entries
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, values)| values.as_slice())
    }

    fn entry(&self, name: &str) -> Option<Value<'_>> {
        self.values(name)
            .map(|values| Value::strings(values.iter().map(String::as_str)))
    }

    fn all(&self) -> Option<Value<'_>> {
        let Some(entries) = &self.0 else {
            return Some(Value::NilMap);
        };
        Some(Value::map(entries.iter().filter_map(|(name, _)| {
            Some((name.clone(), self.entry(name)?))
        })))
    }

    fn get(&self, name: &str) -> Value<'_> {
        let first = self.values(name).and_then(<[String]>::first);
        first.map_or(Value::from(""), |value| Value::from(value.as_str()))
    }
}

/// The one string a method takes, or what Go says to anything else.
fn one_text<'v>(method: &str, args: &'v [Value<'_>]) -> Result<Cow<'v, str>, String> {
    match args {
        [Value::Str(name)] => Ok(Cow::Borrowed(name.as_ref())),
        args => Err(format!("{method}: {}", args.len())),
    }
}

impl Object for Headers {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        self.entry(name)
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let name = canonical(&one_text(method, args).ok()?);
        match method {
            "Get" => Some(Ok(self.get(&name))),
            "Values" => Some(Ok(self.entry(&name).unwrap_or_else(Value::nil_strings))),
            _ => None,
        }
    }

    fn methods(&self) -> &'static [(&'static str, usize)] {
        &[("Get", 1), ("Values", 1)]
    }

    fn type_name(&self) -> &'static str {
        "http.Header"
    }

    fn content(&self) -> Option<Value<'_>> {
        self.all()
    }

    fn is_map(&self) -> bool {
        true
    }
}

impl Object for Query {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        self.0.entry(name)
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let name = one_text(method, args).ok()?;
        match method {
            "Get" => Some(Ok(self.0.get(&name))),
            "Has" => Some(Ok(Value::Bool(self.0.values(&name).is_some()))),
            _ => None,
        }
    }

    fn methods(&self) -> &'static [(&'static str, usize)] {
        &[("Get", 1), ("Has", 1)]
    }

    fn type_name(&self) -> &'static str {
        "url.Values"
    }

    fn content(&self) -> Option<Value<'_>> {
        self.0.all()
    }

    fn is_map(&self) -> bool {
        true
    }
}
