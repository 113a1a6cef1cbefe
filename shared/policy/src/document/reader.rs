//! Reads the parts of a policy from JSON.
//!
//! `serde_json`'s own reader takes a struct as an array too and looks at every type in every form, for each type anew: in
//! Wasm that is three times the code. A document holds each type in one form.

use std::fmt;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

/// A value, to be read as one type.
pub(super) struct Reader(pub(super) Value);

impl Reader {
    fn text(self) -> Result<String, Error> {
        match self.0 {
            Value::String(text) => Ok(text),
            other => Err(wrong(&other, "a string")),
        }
    }

    fn number(&self) -> Result<u64, Error> {
        let number = self.0.as_u64();
        number.ok_or_else(|| wrong(&self.0, "a whole number"))
    }

    fn truth(&self) -> Result<bool, Error> {
        let truth = self.0.as_bool();
        truth.ok_or_else(|| wrong(&self.0, "true or false"))
    }

    fn items(self) -> Result<Items, Error> {
        match self.0 {
            Value::Array(items) => Ok(Items(items.into_iter())),
            other => Err(wrong(&other, "an array")),
        }
    }

    fn members(self) -> Result<Members, Error> {
        match self.0 {
            Value::Object(members) => Ok(Members {
                rest: members.into_iter(),
                name: String::new(),
                value: Value::Null,
            }),
            other => Err(wrong(&other, "an object")),
        }
    }

    /// `"name"`, or `{"name": …}`.
    fn variant(self) -> Result<Variant, Error> {
        let one = match self.0 {
            Value::String(name) => Some((name, Value::Null)),
            Value::Object(members) if members.len() == 1 => members.into_iter().next(),
            _ => None,
        };
        let (name, content) = one.ok_or_else(|| Error::custom("found no name of a variant"))?;
        Ok(Variant { name, content })
    }
}

/// Never shows a value: a document may hold what is to stay in it.
fn wrong(found: &Value, allowed: &str) -> Error {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Error::custom(Wrong { found, allowed })
}

struct Wrong<'a> {
    found: &'static str,
    allowed: &'a str,
}

impl fmt::Display for Wrong<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "found {}, must be {}", self.found, self.allowed)
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a type that no document has"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.truth()?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let items = self.items()?;
        if items.0.len() != len {
            return Err(Error::custom("an array is too short or too long"));
        }
        visitor.visit_seq(items)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.members()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.members()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.variant()?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct tuple_struct identifier
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        match self.0.next() {
            Some(item) => seed.deserialize(Reader(item)).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Members {
    rest: <Map<String, Value> as IntoIterator>::IntoIter,
    name: String,
    value: Value,
}

impl Members {
    fn advance(&mut self) -> bool {
        let Some((name, value)) = self.rest.next() else {
            return false;
        };
        self.name = name;
        self.value = value;
        true
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.advance() {
            return Ok(None);
        }
        let name: StrDeserializer<'_, Error> = self.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Reader(self.value.take()))
    }
}

struct Variant {
    name: String,
    content: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content), Error> {
        let name: StrDeserializer<'_, Error> = self.name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, Content(Reader(self.content))))
    }
}

/// What a variant holds.
struct Content(Reader);

impl<'de> VariantAccess<'de> for Content {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0.0 {
            Value::Null => Ok(()),
            other => Err(wrong(&other, "the name alone")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.0.items()?)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.0.members()?)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        name: String,
        #[serde(default)]
        size: Option<u16>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Alone,
        Holds(Part),
        Names { all: bool },
    }

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
        T::deserialize(Reader(value)).map_err(|error| error.to_string())
    }

    #[test]
    fn each_type_is_read_in_its_one_form() {
        let part = |size| Part {
            name: "a".to_owned(),
            size,
        };
        assert_eq!(read(json!({"name": "a"})), Ok(part(None)));
        assert_eq!(read(json!({"name": "a", "size": null})), Ok(part(None)));
        assert_eq!(
            read(json!({"name": "a", "size": 65535})),
            Ok(part(Some(65_535)))
        );
        assert_eq!(read(json!("alone")), Ok(Kind::Alone));
        assert_eq!(
            read(json!({"holds": {"name": "a"}})),
            Ok(Kind::Holds(part(None)))
        );
        assert_eq!(
            read(json!({"names": {"all": true}})),
            Ok(Kind::Names { all: true })
        );
        let pairs = vec![("a".to_owned(), "b".to_owned())];
        assert_eq!(read(json!([["a", "b"]])), Ok(pairs));
    }

    #[test]
    fn every_other_form_is_refused_and_no_value_is_told() {
        for (value, told) in [
            (json!(["secret"]), "found an array, must be an object"),
            (json!("secret"), "found a string, must be an object"),
            (json!({}), "missing field `name`"),
            (json!({"name": 1}), "found a number, must be a string"),
            (json!({"name": null}), "found null, must be a string"),
            (
                json!({"name": "secret", "size": "1"}),
                "found a string, must be a whole number",
            ),
            (
                json!({"name": "secret", "size": -1}),
                "found a number, must be a whole number",
            ),
            (
                json!({"name": "secret", "size": 1.5}),
                "found a number, must be a whole number",
            ),
            (json!({"name": "secret", "size": 65_536}), "65536"),
            (
                json!({"name": "secret", "other": 1}),
                "unknown field `other`",
            ),
        ] {
            let error = read::<Part>(value.clone()).unwrap_err();
            assert!(
                error.contains(told) && !error.contains("secret"),
                "{value}: {error}"
            );
        }
        for value in [
            json!(null),
            json!({}),
            json!("other"),
            json!("holds"),
            json!("names"),
            json!({"alone": {}}),
            json!({"alone": null, "names": {"all": true}}),
            json!({"names": ["secret"]}),
            json!({"names": {"all": "secret"}}),
        ] {
            let error = read::<Kind>(value.clone()).unwrap_err();
            assert!(!error.contains("secret"), "{value}: {error}");
        }
        for value in [json!([["a"]]), json!([["a", "b", "c"]]), json!({"a": "b"})] {
            assert!(
                read::<Vec<(String, String)>>(value.clone()).is_err(),
                "{value}"
            );
        }
    }
}
