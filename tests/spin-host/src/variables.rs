//! Variables: what a deployment sets, and what a component may see of it.
//!
//! As in Spin, a component sees only the names in its own `[component.ID.variables]`.
//! The first of these that has a value wins: the command line, the runtime configuration's
//! providers, the environment (`SPIN_VARIABLE_NAME`), the manifest's default.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, ensure};
use wasmtime::component::Accessor;

use crate::arguments::VariableSource;
use crate::bindings::variables::{Error, Host, HostWithStore};
use crate::instance::{Guest, GuestView};
use crate::manifest::Variable;
use crate::template::Template;

/// Names and values.
pub type Values = BTreeMap<String, String>;

/// Looks a name up in one place.
pub type Provider = Box<dyn Fn(&str) -> Option<String>>;

/// The values of an application's variables.
#[derive(Debug)]
pub struct Variables(Values);

impl Variables {
    /// Asks the providers, in their order, for the value of every declared variable.
    ///
    /// # Errors
    /// A name is none, or a required variable has no value.
    pub fn resolve(declared: &BTreeMap<String, Variable>, providers: &[Provider]) -> Result<Self> {
        let mut values = Values::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            check_name(name).map_err(|reason| anyhow!("[variables] {name:?}: {reason}"))?;
            let value = providers
                .iter()
                .find_map(|provider| provider(name))
                .or_else(|| variable.default.clone());
            match value {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(name.as_str()),
            }
        }
        ensure!(
            missing.is_empty(),
            "no value for the required variable(s) {}: set SPIN_VARIABLE_{} in the environment, or give --variable",
            missing.join(", "),
            missing
                .first()
                .map(|name| name.to_ascii_uppercase())
                .unwrap_or_default()
        );
        Ok(Self(values))
    }

    /// The text with the application's values in it.
    ///
    /// # Errors
    /// It is no template, or names a variable that [variables] does not declare.
    pub fn text(&self, template: &str) -> Result<String> {
        Template::parse(template)?.resolve(|name| {
            self.0.get(name).map(String::as_str).with_context(|| {
                format!("{template:?} names {name:?}, which [variables] does not declare")
            })
        })
    }

    /// What a component sees, from the templates of `[component.ID.variables]`.
    ///
    /// # Errors
    /// A name is none, or a template cannot be resolved.
    pub fn of_component(&self, templates: &BTreeMap<String, String>) -> Result<Values> {
        templates
            .iter()
            .map(|(name, template)| {
                check_name(name).map_err(|reason| anyhow!("variable {name:?}: {reason}"))?;
                Ok((name.clone(), self.text(template)?))
            })
            .collect()
    }
}

/// The values that the command line gives; the last one of a name wins.
///
/// # Errors
/// A file cannot be read.
pub fn from_arguments(sources: &[VariableSource]) -> Result<Values> {
    let mut values = Values::new();
    for source in sources {
        let read = |path: &std::path::Path| {
            std::fs::read_to_string(path)
                .with_context(|| format!("--variable: cannot read {}", path.display()))
        };
        match source {
            VariableSource::Literal(name, value) => {
                drop(values.insert(name.clone(), value.clone()))
            }
            VariableSource::Content(name, path) => drop(values.insert(name.clone(), read(path)?)),
            VariableSource::Json(path) => {
                values.extend(serde_json::from_str::<Values>(&read(path)?).map_err(|_| {
                    anyhow!(
                        "--variable: {} is no JSON object of strings",
                        path.display()
                    )
                })?)
            }
            VariableSource::Toml(path) => {
                values.extend(toml::from_str::<Values>(&read(path)?).map_err(|_| {
                    anyhow!("--variable: {} is no TOML table of strings", path.display())
                })?)
            }
        }
    }
    Ok(values)
}

/// Looks names up among given values.
#[must_use]
pub fn provider(values: Values) -> Provider {
    Box::new(move |name| values.get(name).cloned())
}

/// Looks names up in the environment: `PREFIX_NAME`, in upper case.
#[must_use]
pub fn environment(prefix: String) -> Provider {
    Box::new(move |name| std::env::var(format!("{prefix}_{}", name.to_ascii_uppercase())).ok())
}

/// The names Spin allows: lower case letters, digits and single underscores, a letter first.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("must not be empty")
    } else if !name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        Err("may contain only lower-case letters, digits and underscores")
    } else if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        Err("must start with a lower-case letter")
    } else if name.ends_with('_') || name.contains("__") {
        Err("may have underscores only one at a time, between other characters")
    } else {
        Ok(())
    }
}

fn look_up(values: &Values, name: &str) -> Result<String, Error> {
    check_name(name).map_err(|reason| Error::InvalidName(format!("{name:?}: {reason}")))?;
    values
        .get(name)
        .cloned()
        .ok_or_else(|| Error::Undefined(format!("the component has no variable {name:?}")))
}

impl Host for GuestView<'_> {}

impl<T: Send> HostWithStore<T> for Guest {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        let component = accessor.with(|mut store| Arc::clone(store.get().component));
        Ok(look_up(&component.variables, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> BTreeMap<String, Variable> {
        toml::from_str(text).unwrap()
    }

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_first_provider_that_has_a_value_wins() {
        let declared =
            declared("a = { default = \"0\" }\nb = { required = true }\nc = { default = \"3\" }");
        let providers = [
            provider(values(&[("a", "1"), ("unknown", "x")])),
            provider(values(&[("a", "x"), ("b", "2")])),
        ];
        let variables = Variables::resolve(&declared, &providers).unwrap();
        assert_eq!(variables.text("{{ a }}{{ b }}{{ c }}").unwrap(), "123");
        assert!(variables.text("{{ unknown }}").is_err());
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error =
            Variables::resolve(&declared("keys_secret = { required = true }"), &[]).unwrap_err();
        assert!(
            error.to_string().contains("SPIN_VARIABLE_KEYS_SECRET"),
            "{error}"
        );
    }

    #[test]
    fn a_component_sees_only_its_own_variables() {
        let variables = Variables::resolve(
            &declared("a = { default = \"1\" }\nb = { default = \"2\" }"),
            &[],
        )
        .unwrap();
        let seen = variables
            .of_component(&values(&[("own", "<{{ a }}>")]))
            .unwrap();
        assert_eq!(look_up(&seen, "own").unwrap(), "<1>");
        assert!(matches!(look_up(&seen, "a"), Err(Error::Undefined(_))));
        assert!(matches!(look_up(&seen, "A"), Err(Error::InvalidName(_))));
    }

    #[test]
    fn names_are_those_of_spin() {
        for name in ["a", "a1", "a_b", "a_1_b"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "ä"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
