//! A session as the gateway shows it to templates.

use edgekeeper_template::{Object, Value};
use serde_json::Value as Json;

pub(crate) struct Session {
    pub(crate) extra: Option<Json>,
    pub(crate) context: Context,
}

pub(crate) struct Context {
    pub(crate) groups: Vec<String>,
}

impl Session {
    pub(crate) fn new(extra: Option<Json>) -> Session {
        Session {
            extra,
            context: Context {
                groups: vec!["seg".to_owned()],
            },
        }
    }
}

impl Object for Session {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "Subject" => Value::from("alice"),
            "Extra" => self.extra.as_ref().map_or(Value::NilMap, Value::Json),
            "MatchContext" => Value::Object(&self.context),
            _ => return None,
        })
    }

    fn call(&self, method: &str, _: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        (method == "Greet").then(|| Ok(Value::from("hello")))
    }

    fn type_name(&self) -> &'static str {
        "*authn.AuthenticationSession"
    }
}

impl Object for Context {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Some(match name {
            "RegexpCaptureGroups" => Value::strings(self.groups.iter().map(String::as_str)),
            "Method" => Value::from("GET"),
            _ => return None,
        })
    }

    fn type_name(&self) -> &'static str {
        "authn.MatchContext"
    }
}
