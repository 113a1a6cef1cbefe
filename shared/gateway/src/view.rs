//! What templates see: Oathkeeper's `AuthenticationSession`, field by field.

use std::borrow::Cow;
use std::cell::OnceCell;

use edgekeeper_template::{Object, Value};
use http::HeaderMap;

use crate::authentication::Authentication;
use crate::match_context::{MatchContext, Url};
use crate::query;
use crate::request::Request;

/// The root of every template.
pub(crate) struct SessionView<'a> {
    authentication: &'a Authentication,
    headers: HeaderView<'a>,
    match_context: MatchContextView<'a>,
    id_token: IdTokenField<'a>,
}

/// `.IDToken`, which Oathkeeper does not have.
#[derive(Clone, Copy)]
pub(crate) enum IdTokenField<'a> {
    /// Strict mode: there is no such field.
    Missing,
    /// `id_token` has not run.
    Empty,
    /// `id_token` made this.
    Token(&'a str),
}

impl<'a> SessionView<'a> {
    pub(crate) fn new(
        authentication: &'a Authentication,
        request: &'a Request,
        captures: &'a [String],
        id_token: IdTokenField<'a>,
    ) -> Self {
        let headers = &authentication.headers;
        Self {
            authentication,
            headers: HeaderView((!headers.is_empty()).then_some(headers)),
            match_context: match &authentication.match_context {
                Some(own) => MatchContextView::own(own),
                None => MatchContextView::of(request, captures),
            },
            id_token,
        }
    }

    /// Shows these headers in place of the client's.
    pub(crate) fn with_request_headers(mut self, headers: &'a HeaderMap) -> Self {
        self.match_context.header = HeaderView(Some(headers));
        self
    }
}

impl Object for SessionView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "Subject" => Some(text(&self.authentication.subject)),
            "Extra" => Some(
                self.authentication
                    .extra()
                    .map_or(Value::NilMap, Value::Json),
            ),
            "Header" => Some(Value::Object(&self.headers)),
            "MatchContext" => Some(Value::Object(&self.match_context)),
            "IDToken" => match self.id_token {
                IdTokenField::Missing => None,
                IdTokenField::Empty => Some(text("")),
                IdTokenField::Token(token) => Some(text(token)),
            },
            _ => None,
        }
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Subject", "subject"),
            ("Extra", "extra"),
            ("Header", "header"),
            ("MatchContext", "match_context"),
        ]
    }

    fn returns_nothing(&self, method: &str) -> bool {
        method == "SetHeader"
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
}

struct MatchContextView<'a> {
    captures: Option<&'a [String]>,
    url: Option<UrlView<'a>>,
    method: &'a str,
    header: HeaderView<'a>,
}

impl<'a> MatchContextView<'a> {
    fn of(request: &'a Request, captures: &'a [String]) -> Self {
        Self {
            captures: Some(captures),
            url: Some(UrlView::new(Cow::Owned(Url::of(request)))),
            method: &request.method,
            header: HeaderView(Some(&request.headers)),
        }
    }

    /// What a hydrator put in place of it.
    fn own(own: &'a MatchContext) -> Self {
        Self {
            captures: own.captures.as_deref(),
            url: own.url.as_ref().map(|url| UrlView::new(Cow::Borrowed(url))),
            method: &own.method,
            header: HeaderView(own.header.as_ref()),
        }
    }
}

impl Object for MatchContextView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "RegexpCaptureGroups" => Some(match self.captures {
                Some(captures) => Value::strings(captures.iter().map(String::as_str)),
                None => Value::nil_strings(),
            }),
            "URL" => Some(match &self.url {
                Some(url) => Value::Object(url),
                None => Value::Object(&NoUrl),
            }),
            "Method" => Some(text(self.method)),
            "Header" => Some(Value::Object(&self.header)),
            _ => None,
        }
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("RegexpCaptureGroups", "regexp_capture_groups"),
            ("URL", "url"),
            ("Method", "method"),
            ("Header", "header"),
        ]
    }

    fn type_name(&self) -> &'static str {
        "authn.MatchContext"
    }
}

/// Go's `*url.URL`: its fields, and the methods that people use.
struct UrlView<'a> {
    url: Cow<'a, Url>,
    query: OnceCell<QueryView>,
}

/// The fields of Go's `url.URL`, in its order.
const URL_FIELDS: &[(&str, &str)] = &[
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
];

impl<'a> UrlView<'a> {
    fn new(url: Cow<'a, Url>) -> Self {
        Self {
            url,
            query: OnceCell::new(),
        }
    }
}

impl Object for UrlView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let url = &self.url;
        Some(match name {
            "Scheme" => text(&url.scheme),
            "Host" => text(&url.host),
            "Path" => text(&url.path),
            "RawPath" => text(&url.raw_path),
            "RawQuery" => text(&url.raw_query),
            "Fragment" => text(&url.fragment),
            "Opaque" | "RawFragment" => text(""),
            "User" => Value::Object(&Nobody),
            "ForceQuery" => Value::Bool(url.force_query),
            "OmitHost" => Value::Bool(false),
            _ => return None,
        })
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        URL_FIELDS
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        if !args.is_empty() {
            return None;
        }
        let url = &self.url;
        Some(Ok(match method {
            "String" | "Redacted" => owned(url.text()),
            "Hostname" => text(url.host_and_port().0),
            "Port" => text(url.host_and_port().1),
            "EscapedPath" => owned(url.escaped_path()),
            "EscapedFragment" => text(&url.fragment),
            "RequestURI" => owned(url.request_uri()),
            "IsAbs" => Value::Bool(!url.scheme.is_empty()),
            "Query" => Value::Object(self.query.get_or_init(|| QueryView::parse(&url.raw_query))),
            _ => return None,
        }))
    }

    fn type_name(&self) -> &'static str {
        "*url.URL"
    }

    fn text(&self) -> Option<String> {
        Some(self.url.text())
    }
}

/// Go's nil `*url.URL`, which a hydrator leaves that drops `match_context` (strict mode).
struct NoUrl;

impl Object for NoUrl {
    fn field(&self, _: &str) -> Option<Value<'_>> {
        None
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        URL_FIELDS
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let known = matches!(
            method,
            "String"
                | "Redacted"
                | "Hostname"
                | "Port"
                | "EscapedPath"
                | "EscapedFragment"
                | "RequestURI"
                | "IsAbs"
                | "Query"
        );
        (known && args.is_empty()).then(|| {
            Err("runtime error: invalid memory address or nil pointer dereference".to_owned())
        })
    }

    fn type_name(&self) -> &'static str {
        "*url.URL"
    }

    fn text(&self) -> Option<String> {
        Some("<nil>".to_owned())
    }

    fn is_nil(&self) -> bool {
        true
    }
}

/// Go's nil `*url.Userinfo`, whose methods can be called.
struct Nobody;

impl Object for Nobody {
    fn field(&self, _: &str) -> Option<Value<'_>> {
        None
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        (matches!(method, "Username" | "String") && args.is_empty()).then(|| Ok(text("")))
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

/// Go's `url.Values`: each name with its values, in order.
#[derive(Default)]
struct QueryView(Vec<(String, Vec<String>)>);

impl QueryView {
    fn parse(query: &str) -> Self {
        let mut values: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in query::pairs(query) {
            match values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.push(value),
                None => values.push((name, vec![value])),
            }
        }
        Self(values)
    }

    fn values(&self, name: &str) -> Option<&[String]> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, values)| values.as_slice())
    }
}

impl Object for QueryView {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Some(Value::strings(
            self.values(name)?.iter().map(String::as_str),
        ))
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let name = argument(args)?;
        match method {
            "Get" => Some(Ok(self
                .values(&name)
                .and_then(<[String]>::first)
                .map_or_else(|| text(""), |value| text(value)))),
            "Has" => Some(Ok(Value::Bool(self.values(&name).is_some()))),
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
        Some(Value::map(self.0.iter().filter_map(|(name, _)| {
            Some((name.clone(), self.field(name)?))
        })))
    }

    fn is_map(&self) -> bool {
        true
    }
}

/// The one string that `Get` and its like are called with.
fn argument(args: &[Value<'_>]) -> Option<String> {
    match args {
        [Value::Str(name)] => Some(name.clone().into_owned()),
        _ => None,
    }
}

/// Go's `http.Header`; nil where nothing was set.
struct HeaderView<'a>(Option<&'a HeaderMap>);

impl HeaderView<'_> {
    fn values(&self, name: &str) -> Option<Value<'_>> {
        let mut values = self.0?.get_all(name).iter().peekable();
        values.peek()?;
        Some(Value::strings(values.map(|value| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        })))
    }
}

impl Object for HeaderView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        self.values(name)
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        if method == "Clone" && args.is_empty() {
            return Some(Ok(Value::Object(self)));
        }
        let name = argument(args)?;
        match method {
            "Get" => {
                let value = self.0.and_then(|headers| headers.get(name.as_str()));
                Some(Ok(value.map_or_else(
                    || text(""),
                    |value| owned(String::from_utf8_lossy(value.as_bytes()).into_owned()),
                )))
            }
            "Values" => Some(Ok(self.values(&name).unwrap_or_else(Value::nil_strings))),
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
        let Some(headers) = self.0 else {
            return Some(Value::NilMap);
        };
        Some(Value::map(headers.keys().filter_map(|name| {
            Some((canonical(name.as_str()), self.values(name.as_str())?))
        })))
    }

    fn is_map(&self) -> bool {
        true
    }
}

/// Go's `textproto.CanonicalMIMEHeaderKey`: `x-user-id` is `X-User-Id`.
pub(crate) fn canonical(name: &str) -> String {
    name.split('-')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
            })
        })
        .collect::<Vec<_>>()
        .join("-")
}

fn text(text: &str) -> Value<'_> {
    Value::Str(Cow::Borrowed(text))
}

fn owned<'v>(text: String) -> Value<'v> {
    Value::Str(Cow::Owned(text))
}
