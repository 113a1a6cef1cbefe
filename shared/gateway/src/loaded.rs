//! A rule's handlers with their templates parsed.

use std::cell::RefCell;

use edgekeeper_policy::rule::Rule;
use edgekeeper_template::{ParseError, Template};
use http::HeaderName;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::passage::Prepared;
use crate::view::canonical;
use crate::{authorizers, mutators};

/// What a rule's handlers use that the policy document holds as text.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) authorizers: Vec<authorizers::Loaded>,
    pub(crate) mutators: Vec<mutators::Loaded>,
}

/// What the gateway cannot use. `edgekeeper build` would have refused it.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// A template that cannot be read. In strict mode it waits for the request that needs it, as in Oathkeeper.
    Template(ParseError),
    /// What stands for a header's name and is none.
    HeaderName(String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Template(error) => write!(f, "template: {error}"),
            Self::HeaderName(name) => write!(f, "`{name}` is not a header name"),
        }
    }
}

impl Loaded {
    /// Parses the templates of a rule.
    pub(crate) fn new(rule: &Rule, strict: bool) -> Result<Self, LoadError> {
        let loader = Loader {
            rule,
            strict,
            first: RefCell::default(),
        };
        Ok(Self {
            authorizers: authorizers::load(&loader)?,
            mutators: mutators::load(&loader)?,
        })
    }
}

/// Reads the templates of one rule.
pub(crate) struct Loader<'a> {
    pub(crate) rule: &'a Rule,
    strict: bool,
    /// The first template of each name that `header` has in the rule.
    first: RefCell<Vec<(&'a str, &'a str)>>,
}

impl<'a> Loader<'a> {
    /// A template; `what` is Oathkeeper's word for it in messages (`headers`, `claims`), `name` Go's.
    pub(crate) fn template(
        &self,
        what: &'static str,
        name: &str,
        source: &str,
    ) -> Result<Prepared, LoadError> {
        let parsed = Template::parse(name, source);
        match parsed {
            Err(error) if !self.strict => Err(LoadError::Template(error)),
            parsed => Ok(Prepared::new(what, source, parsed)),
        }
    }

    /// A template of which Oathkeeper says no more than Go, which names it by the SHA-256 of its text.
    pub(crate) fn nameless(&self, source: &str) -> Result<Prepared, LoadError> {
        self.template("", &hexadecimal(&Sha256::digest(source.as_bytes())), source)
    }

    /// The template of a token's claims, which Go names by the MD5 of its text.
    pub(crate) fn claims(&self, source: &str) -> Result<Prepared, LoadError> {
        self.template(
            "claims",
            &hexadecimal(&Md5::digest(source.as_bytes())),
            source,
        )
    }

    /// Header names with their templates, as `header`, `remote` and `remote_json` have them.
    pub(crate) fn headers(
        &self,
        headers: &[(String, String)],
    ) -> Result<Vec<(HeaderName, Prepared)>, LoadError> {
        headers
            .iter()
            .map(|(name, template)| {
                let parsed = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| LoadError::HeaderName(name.clone()))?;
                let name = format!("{}:{}", self.rule.id, canonical(name));
                Ok((parsed, self.template("headers", &name, template)?))
            })
            .collect()
    }

    /// Header names with their templates, as the mutator `header` has them. Oathkeeper remembers a template by the rule's id
    /// and the header's name, so that a second `header` with the same name gets the first one's; strict mode does so in a
    /// rule.
    pub(crate) fn mutator_headers(
        &self,
        headers: &'a [(String, String)],
    ) -> Result<Vec<(HeaderName, Prepared)>, LoadError> {
        if !self.strict {
            return self.headers(headers);
        }
        let mut first = self.first.borrow_mut();
        let mut remembered = Vec::new();
        for (name, template) in headers {
            let known = first.iter().find(|(known, _)| known == name);
            let template = known.map_or(template.as_str(), |(_, template)| *template);
            if known.is_none() {
                first.push((name, template));
            }
            remembered.push((name.clone(), template.to_owned()));
        }
        self.headers(&remembered)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
