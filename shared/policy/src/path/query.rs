//! Conditions on the elements of an array: `#(last=="Murphy")`.

use std::borrow::Cow;

use serde_json::Value;

use super::expression::Expression;
use super::wildcard;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    /// Where in the element the value to compare is; `None` for the element itself.
    pub(super) path: Option<Expression>,
    pub(super) test: Test,
}

/// What is asked of the value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Exists,
    /// Compares with a text. Numbers and booleans are compared with what the text says.
    Compare(Operator, String),
    /// Compares with one of the `~` words.
    Like(Operator, Likeness),
    /// Compares with an unknown `~` word.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    There,
    Null,
    True,
    False,
}

impl Query {
    pub(super) fn fits(&self, element: &Value) -> bool {
        let is_container = element.is_object() || element.is_array();
        let value = match &self.path {
            Some(path) if is_container => path.eval(element),
            Some(_) => return false,
            // A container is no value to compare: only what is in it is.
            None if is_container => None,
            None => Some(Cow::Borrowed(element)),
        };
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Never => false,
            Test::Like(operator, likeness) => compare(
                &Value::Bool(likeness.holds(value.as_deref())),
                *operator,
                "true",
            ),
            Test::Compare(operator, wanted) => {
                value.is_some_and(|value| compare(&value, *operator, wanted))
            }
        }
    }
}

impl Likeness {
    fn holds(self, value: Option<&Value>) -> bool {
        let word = |words: [&str; 3]| {
            value
                .and_then(Value::as_str)
                .is_some_and(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
        };
        let zero = || value.and_then(Value::as_f64) == Some(0.0);
        match (self, value) {
            (Self::There, value) => value.is_some(),
            (Self::Null, value) => value.is_none_or(Value::is_null),
            (Self::True, Some(Value::Bool(value))) => *value,
            (Self::True, Some(Value::Number(_))) => !zero(),
            (Self::True, _) => word(["1", "t", "true"]),
            (Self::False, None | Some(Value::Null)) => true,
            (Self::False, Some(Value::Bool(value))) => !value,
            (Self::False, Some(Value::Number(_))) => zero(),
            (Self::False, _) => word(["0", "f", "false"]),
        }
    }
}

fn compare(value: &Value, operator: Operator, wanted: &str) -> bool {
    match value {
        Value::String(text) => match operator {
            Operator::Like => wildcard::matches(text, wanted),
            Operator::NotLike => !wildcard::matches(text, wanted),
            _ => ordered(text.as_str().partial_cmp(wanted), operator),
        },
        Value::Number(number) => {
            // What is no number counts as zero, as in Go.
            let wanted = serde_json::from_str(wanted).unwrap_or(0.0);
            ordered(
                number
                    .as_f64()
                    .and_then(|number| number.partial_cmp(&wanted)),
                operator,
            )
        }
        Value::Bool(value) => match (operator, wanted) {
            (Operator::Equal, wanted) => wanted == bool_text(*value),
            (Operator::NotEqual, wanted) => wanted != bool_text(*value),
            (Operator::Greater, "false") | (Operator::GreaterOrEqual, _) => *value,
            (Operator::Less, "true") | (Operator::LessOrEqual, _) => !value,
            _ => false,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn ordered(ordering: Option<std::cmp::Ordering>, operator: Operator) -> bool {
    ordering.is_some_and(|ordering| match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::NotEqual => ordering.is_ne(),
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::Greater => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::Like | Operator::NotLike => false,
    })
}
