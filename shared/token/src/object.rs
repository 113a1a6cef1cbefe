//! A JSON object that means one thing only.
//!
//! JSON leaves open what a repeated key means; parsers keep the first, the last, or both. What one
//! program checks and another acts on must not differ, so a repeated key is refused here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Objects and arrays inside each other, at most. Deep enough for any session, far from the end of
/// a Wasm stack.
pub const MAX_NESTING: usize = 32;

/// Text is not a JSON object that can be read in one way only.
#[derive(Debug)]
pub enum ObjectError {
    /// It is not JSON, repeats a key, nests too deep, or a number is out of range.
    Json(serde_json::Error),
    /// It is JSON, but of another type.
    NotAnObject(&'static str),
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "{error}"),
            Self::NotAnObject(found) => write!(f, "found {found}, must be a JSON object"),
        }
    }
}

impl std::error::Error for ObjectError {}

/// Reads one JSON object: no repeated keys at any depth, at most [`MAX_NESTING`] levels, nothing
/// after it.
///
/// # Errors
/// Says what was found, with line and column. Of the values, none is repeated in the message.
pub fn parse_object(text: &str) -> Result<Map<String, Value>, ObjectError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(ObjectError::Json)?;
    deserializer.end().map_err(ObjectError::Json)?;
    match value {
        Value::Object(object) => Ok(object),
        Value::Array(_) => Err(ObjectError::NotAnObject("an array")),
        Value::String(_) => Err(ObjectError::NotAnObject("a string")),
        Value::Number(_) => Err(ObjectError::NotAnObject("a number")),
        Value::Bool(_) => Err(ObjectError::NotAnObject("true or false")),
        Value::Null => Err(ObjectError::NotAnObject("null")),
    }
}

/// A value at some depth.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_NESTING {
            return Err(E::custom(TooDeep));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
        })
    }
}

struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nested too deep; at most {MAX_NESTING} levels")
    }
}

struct Repeated<'a>(&'a str);

impl fmt::Display for Repeated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(64).collect();
        write!(f, "the key {shown:?} is there twice; each key once")
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(Repeated(&key)));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_object_reads_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,3.5,1e3,true,null,"é\u0041"],"b":{"c":{}}}"#;
        let object = parse_object(text).unwrap();
        assert_eq!(
            Value::Object(object),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn a_repeated_key_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"sub":"a","sub":"a"}"#,
            r#"{"sub":"a","\u0073ub":"b"}"#,
            r#"{"x":{"role":1,"role":2}}"#,
            r#"{"x":[{"role":1,"role":2}]}"#,
        ] {
            let error = parse_object(text).unwrap_err().to_string();
            assert!(error.contains("is there twice"), "{text}: {error}");
            assert!(error.contains("line 1 column"), "{text}: {error}");
        }
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        let nested = |levels: usize| {
            let inner = levels - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
        };
        assert!(parse_object(&nested(MAX_NESTING)).is_ok());
        let error = parse_object(&nested(MAX_NESTING + 1)).unwrap_err();
        assert!(error.to_string().contains("at most 32 levels"), "{error}");
        assert!(parse_object(&"{\"a\":".repeat(100_000)).is_err());
    }

    #[test]
    fn other_types_and_broken_text_are_refused() {
        for text in [
            "",
            " ",
            "null",
            "[]",
            "\"{}\"",
            "1",
            "true",
            "{",
            "{}}",
            "{},",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":1e400}",
            "{\"a\":NaN}",
            "{\"a\":\"\\ud800\"}",
            "{a:1}",
            "\u{feff}{}",
        ] {
            assert!(parse_object(text).is_err(), "{text:?}");
        }
    }
}
