//! A request on its way through the rule that is for it.

use edgekeeper_policy::rule::Rule;
use edgekeeper_template::{Missing, Output, ParseError, Style, Template, Value};

use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::view::{IdTokenField, SessionView};

/// All that a rule's handlers may look at, besides what those before them found out.
pub(crate) struct Passage<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) request: &'a Request,
    /// `.MatchContext.RegexpCaptureGroups`.
    pub(crate) captures: &'a [String],
    pub(crate) purpose: Purpose,
    pub(crate) strict: bool,
}

/// What an allowed request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To go on to the rule's upstream.
    Forward,
    /// To be told that it is allowed: another proxy sends it on.
    Decide,
}

/// A template of a rule, with what Oathkeeper calls it in its messages (`headers`, `claims`, …); empty where it says no
/// more than Go does.
#[derive(Debug)]
pub(crate) struct Prepared {
    what: &'static str,
    source: String,
    /// One that cannot be read waits for the request that needs it, in strict mode alone: `edgekeeper build` refuses it
    /// otherwise.
    parsed: Result<Template, ParseError>,
}

impl Prepared {
    /// A template as it was read.
    pub(crate) fn new(
        what: &'static str,
        source: &str,
        parsed: Result<Template, ParseError>,
    ) -> Self {
        Self {
            what,
            source: source.to_owned(),
            parsed,
        }
    }

    /// What Oathkeeper says when it fails.
    fn message(&self, doing: &str, rule: &Rule, error: &dyn std::fmt::Display) -> String {
        match self.what {
            "" => error.to_string(),
            "claims" => format!(
                "error {doing} claims template in rule \"{}\": {error}",
                rule.id
            ),
            what => format!(
                "error {doing} {what} template \"{}\" in rule \"{}\": {error}",
                self.source, rule.id
            ),
        }
    }
}

impl Passage<'_> {
    /// What a template makes of the session. `output` says what it is part of: by default a value cannot leave the place
    /// in a JSON document that it stands in; strict mode escapes nothing, as Oathkeeper.
    pub(crate) fn render(
        &self,
        template: &Prepared,
        authentication: &Authentication,
        id_token: Option<&str>,
        output: Output,
    ) -> Result<String, Refusal> {
        let parsed = template.parsed.as_ref().map_err(|error| {
            self.template_failed(&template.message("parsing", self.rule, &error.go))
        })?;
        let style = if self.strict {
            Style {
                missing: Missing::Go,
                output: Output::Text,
            }
        } else {
            Style {
                missing: Missing::Empty,
                output,
            }
        };
        let id_token = match (id_token, self.strict) {
            (_, true) => IdTokenField::Missing,
            (None, false) => IdTokenField::Empty,
            (Some(token), false) => IdTokenField::Token(token),
        };
        let view = SessionView::new(authentication, self.request, self.captures, id_token);
        parsed
            .render(&Value::Object(&view), style)
            .map_err(|error| {
                self.template_failed(&template.message("executing", self.rule, &error))
            })
    }

    /// A template that cannot be rendered. Oathkeeper tells the client; by default only the log learns it.
    fn template_failed(&self, message: &str) -> Refusal {
        if self.strict {
            Refusal::new(500, message).logged(message)
        } else {
            Refusal::internal(message)
        }
    }
}
