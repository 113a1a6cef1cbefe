//! What a template reads and computes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::Missing;

/// How deep lists and maps may lie in one another, so that walking them cannot exhaust the stack.
pub(crate) const MAX_DEPTH: usize = 100;

/// A value in a template: what Go would hold in an `interface{}`.
#[derive(Clone)]
pub enum Value<'a> {
    /// Go's untyped nil, JSON's null, or something that is not there.
    Null,
    /// A boolean.
    Bool(bool),
    /// Go's `int`.
    Int(i64),
    /// Go's `int64`, which sprig's arithmetic gives; it is no `int` to a function that takes one.
    Int64(i64),
    /// Go's `uint8`: one byte of a string.
    Byte(u8),
    /// Go's `float64`; every JSON number is one.
    Float(f64),
    /// A string.
    Str(Cow<'a, str>),
    /// A list; see [`Value::list`].
    List(Rc<List<'a>>),
    /// A map with string keys; see [`Value::map`].
    Map(Rc<Map<'a>>),
    /// Go's nil slice: prints `[]`, is `null` in JSON.
    NilList,
    /// Go's nil map, as `.Extra` of an anonymous session: prints `map[]`, is `null` in JSON.
    NilMap,
    /// Borrowed JSON, looked into only as far as the template asks.
    Json(&'a serde_json::Value),
    /// Something with fields and methods of its own, as the session.
    Object(&'a dyn Object),
}

/// A Go struct or named map that a template can look into.
pub trait Object {
    /// The field's value, or `None` if the type has no such field.
    fn field(&self, name: &str) -> Option<Value<'_>>;

    /// A struct's fields in Go's order: the Go name, and the name in JSON. A map has none.
    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Methods that take strings, and how many. Those that take nothing need not be here. With
    /// neither methods nor [`fields`](Object::fields), only a call tells what a method takes.
    fn methods(&self) -> &'static [(&'static str, usize)] {
        &[]
    }

    /// Whether a method of that name returns nothing, so that no template can call it.
    fn returns_nothing(&self, method: &str) -> bool {
        let _ = method;
        false
    }

    /// Calls a method, or `None` if the type has none of that name. `Err` is its error's text.
    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        let _ = (method, args);
        None
    }

    /// The Go type, for messages: `*authn.AuthenticationSession`.
    fn type_name(&self) -> &'static str;

    /// It is a nil pointer, whose methods can be called all the same (`.URL.User`).
    fn is_nil(&self) -> bool {
        false
    }

    /// What printing shows, for a type with a `String` method (a URL).
    fn text(&self) -> Option<String> {
        None
    }

    /// The value as a map or list, where there are no [`fields`](Object::fields): for `toJson`, and
    /// for printing where there is no [`text`](Object::text).
    fn content(&self) -> Option<Value<'_>> {
        None
    }

    /// Whether it is a named Go map (`http.Header`): then `index`, `range` and `len` work on its
    /// [`content`](Object::content), and a missing key is empty and not an error.
    fn is_map(&self) -> bool {
        false
    }
}

impl dyn Object + '_ {
    /// Go holds it by a pointer.
    pub(crate) fn is_pointer(&self) -> bool {
        self.type_name().starts_with('*')
    }
}

/// What a Go slice is a slice of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Items {
    /// `interface {}`
    Any,
    Strings,
    Ints,
    /// `[]interface {}`, from `chunk`.
    Lists,
}

/// An immutable list.
pub struct List<'a> {
    pub(crate) items: Vec<Value<'a>>,
    pub(crate) of: Items,
    /// Go's nil slice: prints as an empty one, is `null` in JSON.
    pub(crate) nil: bool,
    /// Levels of lists below and including this one.
    pub(crate) depth: usize,
}

/// The entries of a map; of two with one name, the later. Not `collect`, which brings a sort for each kind of iterator.
pub(crate) fn sorted<'a>(
    entries: &mut dyn Iterator<Item = (String, Value<'a>)>,
) -> BTreeMap<String, Value<'a>> {
    let mut sorted = BTreeMap::new();
    sorted.extend(entries);
    sorted
}

/// A map with string keys, sorted.
pub struct Map<'a> {
    pub(crate) entries: RefCell<BTreeMap<String, Value<'a>>>,
    /// Made by the template (`dict`), so `set` may change it.
    pub(crate) owned_by_template: bool,
    /// Go's `map[string]string` (from `split`): a missing key is "".
    pub(crate) of_strings: bool,
}

impl<'a> Value<'a> {
    /// A list of these items: Go's `[]interface {}`.
    pub fn list(items: impl IntoIterator<Item = Value<'a>>) -> Value<'a> {
        Value::list_of(Items::Any, items.into_iter().collect())
    }

    /// Go's `[]string`.
    pub fn strings<T: Into<Value<'a>>>(items: impl IntoIterator<Item = T>) -> Value<'a> {
        Value::list_of(Items::Strings, items.into_iter().map(Into::into).collect())
    }

    /// Go's nil `[]string`: a header that is not there.
    #[must_use]
    pub fn nil_strings() -> Value<'a> {
        Value::List(Rc::new(List {
            items: Vec::new(),
            of: Items::Strings,
            nil: true,
            depth: 1,
        }))
    }

    pub(crate) fn list_of(of: Items, items: Vec<Value<'a>>) -> Value<'a> {
        let below = items
            .iter()
            .map(|v| {
                if let Value::List(list) = v {
                    list.depth
                } else {
                    0
                }
            })
            .max()
            .unwrap_or(0);
        Value::List(Rc::new(List {
            items,
            of,
            nil: false,
            depth: below.saturating_add(1),
        }))
    }

    /// A map of these entries, which templates can read but not change.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value<'a>)>) -> Value<'a> {
        Value::Map(Rc::new(Map {
            entries: RefCell::new(sorted(&mut entries.into_iter().map(|(k, v)| (k.into(), v)))),
            owned_by_template: false,
            of_strings: false,
        }))
    }

    pub(crate) fn string(text: impl Into<String>) -> Value<'a> {
        Value::Str(Cow::Owned(text.into()))
    }

    /// JSON scalars become their native variants, so that matching on a value is exhaustive.
    pub(crate) fn plain(self) -> Value<'a> {
        let Value::Json(json) = self else { return self };
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => Value::Float(n.as_f64().unwrap_or(0.0)),
            serde_json::Value::String(s) => Value::Str(Cow::Borrowed(s)),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => self,
        }
    }

    /// The items, if Go would call it a slice.
    pub(crate) fn items(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Value::List(list) => Some(list.items.clone()),
            Value::NilList => Some(Vec::new()),
            Value::Json(serde_json::Value::Array(items)) => {
                Some(items.iter().map(|v| Value::Json(v).plain()).collect())
            }
            _ => None,
        }
    }

    /// The entries by key, if Go would call it a map.
    pub(crate) fn entries(&self) -> Option<Vec<(Cow<'a, str>, Value<'a>)>> {
        match self {
            Value::Map(map) => Some(
                map.entries
                    .borrow()
                    .iter()
                    .map(|(k, v)| (Cow::Owned(k.clone()), v.clone()))
                    .collect(),
            ),
            Value::NilMap => Some(Vec::new()),
            Value::Json(serde_json::Value::Object(map)) => {
                // In the order of their names: `preserve_order` of serde_json is on nowhere.
                let entries = map.iter();
                Some(
                    entries
                        .map(|(k, v)| (Cow::Borrowed(k.as_str()), Value::Json(v).plain()))
                        .collect(),
                )
            }
            Value::Object(object) if object.is_map() => object.content()?.plain().entries(),
            _ => None,
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        match self {
            Value::Map(_) | Value::NilMap | Value::Json(serde_json::Value::Object(_)) => true,
            Value::Object(object) => object.is_map(),
            _ => false,
        }
    }

    /// A map's value under a key. `None` if there is no such key, or no map.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Value::Map(map) => map.entries.borrow().get(key).cloned(),
            Value::Json(serde_json::Value::Object(map)) => {
                map.get(key).map(|v| Value::Json(v).plain())
            }
            Value::Object(object) if object.is_map() => object
                .field(key)
                .or_else(|| {
                    object
                        .content()
                        .and_then(|content| content.plain().get(key))
                })
                .map(Value::plain),
            _ => None,
        }
    }

    /// What Go's zero value for a missing key is. A header that is not there is empty, not `[]`,
    /// where what is missing is empty.
    pub(crate) fn zero_entry(&self, missing: Missing) -> Value<'a> {
        match self {
            Value::Object(_) if missing == Missing::Empty => Value::Null,
            Value::Map(map) if map.of_strings => Value::Str(Cow::Borrowed("")),
            Value::Object(_) => Value::nil_strings(),
            _ => Value::Null,
        }
    }

    /// Whether Go holds the elements as `interface {}`.
    pub(crate) fn boxes(&self) -> bool {
        match self {
            Value::List(list) => list.of == Items::Any,
            Value::Map(map) => !map.of_strings,
            Value::NilList | Value::NilMap | Value::Json(_) => true,
            _ => false,
        }
    }

    /// A whole number of any of Go's types.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            Value::Int(int) | Value::Int64(int) => Some(*int),
            Value::Byte(byte) => Some(i64::from(*byte)),
            _ => None,
        }
    }

    /// Go's nil, typed or not.
    pub(crate) fn is_nil(&self) -> bool {
        match self {
            Value::Null | Value::NilList | Value::NilMap => true,
            Value::List(list) => list.nil,
            Value::Object(object) => object.is_nil(),
            _ => false,
        }
    }

    /// Length in Go's sense (strings in bytes). `None` if it has none.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Value::Str(s) => Some(s.len()),
            Value::List(list) => Some(list.items.len()),
            Value::Map(map) => Some(map.entries.borrow().len()),
            Value::NilList | Value::NilMap => Some(0),
            Value::Json(serde_json::Value::Array(items)) => Some(items.len()),
            Value::Json(serde_json::Value::Object(map)) => Some(map.len()),
            Value::Object(object) if object.is_map() => object.content()?.plain().len(),
            _ => None,
        }
    }

    /// Go's truth: not zero, not empty, not nil.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(b) => *b,
            Value::Int(i) | Value::Int64(i) => *i != 0,
            Value::Byte(b) => *b != 0,
            Value::Float(f) => *f != 0.0,
            Value::Object(object) if object.is_nil() => false,
            other => other.len().is_none_or(|len| len > 0),
        }
    }

    /// The Go type, for messages and `typeOf`.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Int64(_) => "int64",
            Value::Byte(_) => "uint8",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::List(list) => match list.of {
                Items::Any => "[]interface {}",
                Items::Strings => "[]string",
                Items::Ints => "[]int",
                Items::Lists => "[][]interface {}",
            },
            Value::NilList => "[]interface {}",
            Value::Map(map) if map.of_strings => "map[string]string",
            Value::Map(_) | Value::NilMap => "map[string]interface {}",
            Value::Json(json) => match json {
                serde_json::Value::Array(_) => "[]interface {}",
                serde_json::Value::Object(_) => "map[string]interface {}",
                _ => "interface {}",
            },
            Value::Object(object) => object.type_name(),
        }
    }

    /// The Go kind, for `kindOf` and sprig's messages.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "invalid",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Int64(_) => "int64",
            Value::Byte(_) => "uint8",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::Object(object) if object.is_pointer() => "ptr",
            Value::Object(object) if !object.is_map() => "struct",
            other if other.is_map() => "map",
            _ => "slice",
        }
    }

    /// Equal in type and content, as Go's `reflect.DeepEqual`.
    pub(crate) fn deep_equal(&self, other: &Value<'a>, depth: usize) -> bool {
        let Some(below) = depth.checked_sub(1) else {
            return false;
        };
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
            (Value::Byte(a), Value::Byte(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => std::ptr::addr_eq(*a, *b),
            _ if self.type_name() != other.type_name() || self.is_nil() != other.is_nil() => false,
            _ => {
                if let (Some(a), Some(b)) = (self.items(), other.items()) {
                    return a.len() == b.len()
                        && a.iter().zip(&b).all(|(a, b)| a.deep_equal(b, below));
                }
                if let (Some(a), Some(b)) = (self.entries(), other.entries()) {
                    return a.len() == b.len()
                        && a.iter()
                            .zip(&b)
                            .all(|(a, b)| a.0 == b.0 && a.1.deep_equal(&b.1, below));
                }
                false
            }
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Str(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Str(Cow::Owned(text))
    }
}

impl<'a> From<&'a serde_json::Value> for Value<'a> {
    fn from(json: &'a serde_json::Value) -> Self {
        Value::Json(json)
    }
}

impl<'a> From<&'a dyn Object> for Value<'a> {
    fn from(object: &'a dyn Object) -> Self {
        Value::Object(object)
    }
}

/// Shows the type only: a value may hold a cookie or a token, and debug output ends in logs.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.type_name())
    }
}
