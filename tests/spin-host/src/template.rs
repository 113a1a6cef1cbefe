//! Text with `{{ variable }}` in it: the values of a component's variables and of `allowed_outbound_hosts`.

use anyhow::{Context as _, Result};

/// A text with names of variables in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A `{{` has no `}}`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after
                .split_once("}}")
                .with_context(|| format!("`{{{{` without `}}}}` in the template {text:?}"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Whether there is no variable in it.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The text with the values in place of the names.
    ///
    /// # Errors
    /// What `value` says of a name.
    pub fn resolve<'v>(&self, value: impl Fn(&str) -> Result<&'v str>) -> Result<String> {
        let mut text = String::new();
        for part in &self.0 {
            text.push_str(match part {
                Part::Text(text) => text,
                Part::Variable(name) => value(name)?,
            });
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_values_in_place_of_names() {
        let value = |name: &str| match name {
            "a" => Ok("1"),
            _ => anyhow::bail!("no {name}"),
        };
        for (text, expected) in [
            ("", Some("")),
            ("x", Some("x")),
            ("{{a}}", Some("1")),
            ("x{{ a }}y{{a}}", Some("x1y1")),
            ("}} {", Some("}} {")),
            ("{{ b }}", None),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.resolve(value).ok().as_deref(), expected, "{text}");
        }
        assert!(Template::parse("{{ a").is_err());
    }
}
