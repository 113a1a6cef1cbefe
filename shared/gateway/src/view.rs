//! What templates see: Oathkeeper's `AuthenticationSession`, field by field.

use std::borrow::Cow;

use edgekeeper_template::{Object, Value};
use http::HeaderMap;

use crate::authentication::Authentication;
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
        Self {
            authentication,
            headers: HeaderView(&authentication.headers),
            match_context: MatchContextView {
                captures,
                url: UrlView {
                    request,
                    query: QueryView::parse(request.query.as_deref().unwrap_or_default()),
                },
                method: &request.method,
                header: HeaderView(&request.headers),
            },
            id_token,
        }
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

    fn type_name(&self) -> &'static str {
        "*authn.AuthenticationSession"
    }
}

struct MatchContextView<'a> {
    captures: &'a [String],
    url: UrlView<'a>,
    method: &'a str,
    header: HeaderView<'a>,
}

impl Object for MatchContextView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "RegexpCaptureGroups" => {
                Some(Value::list(self.captures.iter().map(|group| text(group))))
            }
            "URL" => Some(Value::Object(&self.url)),
            "Method" => Some(text(self.method)),
            "Header" => Some(Value::Object(&self.header)),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        "authn.MatchContext"
    }
}

/// Go's `*url.URL`: its fields, and the methods that people use.
struct UrlView<'a> {
    request: &'a Request,
    query: QueryView,
}

impl Object for UrlView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "Scheme" => Some(text(self.request.scheme.as_str())),
            "Host" => Some(owned(self.request.authority())),
            "Path" => Some(text(self.request.path.decoded())),
            "RawQuery" => Some(text(self.request.query.as_deref().unwrap_or_default())),
            "Opaque" | "Fragment" | "RawFragment" | "RawPath" => Some(text("")),
            "User" => Some(Value::Null),
            "ForceQuery" | "OmitHost" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        if !args.is_empty() {
            return None;
        }
        match method {
            "String" => Some(Ok(owned(self.request.public_url()))),
            "Hostname" => Some(Ok(text(&self.request.host))),
            "Port" => Some(Ok(
                if self.request.port == self.request.scheme.default_port() {
                    text("")
                } else {
                    owned(self.request.port.to_string())
                },
            )),
            "EscapedPath" => Some(Ok(text(self.request.path.encoded()))),
            "RequestURI" => {
                let query = self.request.query.as_ref().map(|query| format!("?{query}"));
                Some(Ok(owned(format!(
                    "{}{}",
                    self.request.path.encoded(),
                    query.unwrap_or_default()
                ))))
            }
            "Query" => Some(Ok(Value::Object(&self.query))),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        "*url.URL"
    }

    fn text(&self) -> Option<String> {
        Some(self.request.public_url())
    }

    fn content(&self) -> Option<Value<'_>> {
        let names = ["Scheme", "Host", "Path", "RawPath", "RawQuery", "Fragment"];
        Some(Value::map(
            names
                .into_iter()
                .filter_map(|name| Some((name, self.field(name)?))),
        ))
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
        Some(Value::list(
            self.values(name)?.iter().map(|value| text(value)),
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

/// Go's `http.Header`.
struct HeaderView<'a>(&'a HeaderMap);

impl HeaderView<'_> {
    fn values(&self, name: &str) -> Option<Value<'_>> {
        let mut values = self.0.get_all(name).iter().peekable();
        values.peek()?;
        Some(Value::list(values.map(|value| {
            owned(String::from_utf8_lossy(value.as_bytes()).into_owned())
        })))
    }
}

impl Object for HeaderView<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        self.values(name)
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let name = argument(args)?;
        match method {
            "Get" => Some(Ok(self.0.get(name.as_str()).map_or_else(
                || text(""),
                |value| owned(String::from_utf8_lossy(value.as_bytes()).into_owned()),
            ))),
            "Values" => Some(Ok(self.values(&name).unwrap_or(Value::NilList))),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        "http.Header"
    }

    fn content(&self) -> Option<Value<'_>> {
        Some(Value::map(self.0.keys().filter_map(|name| {
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
