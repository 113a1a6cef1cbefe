//! `keto`: a relation in Keto. Asked anew for every request: a permission that was taken away is gone at once.

use edgekeeper_policy::authorizer::{Keto, Relation, Subject};
use edgekeeper_template::Output;
use serde_json::{Map, Value};

use super::keto_engine_acp_ory;
use crate::Gateway;
use crate::authentication::Authentication;
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::Runtime;

/// The parsed templates.
#[derive(Debug)]
pub(crate) struct Templates {
    relation: RelationTemplates,
    subject: SubjectTemplates,
}

#[derive(Debug)]
enum SubjectTemplates {
    Id(Prepared),
    Set(Box<RelationTemplates>),
}

#[derive(Debug)]
struct RelationTemplates {
    namespace: Prepared,
    object: Prepared,
    relation: Prepared,
}

impl RelationTemplates {
    fn load(loader: &Loader<'_>, config: &Relation) -> Result<Self, LoadError> {
        let template = |text| loader.template("keto", &loader.rule.id, text);
        Ok(Self {
            namespace: template(&config.namespace)?,
            object: template(&config.object)?,
            relation: template(&config.relation)?,
        })
    }
}

impl Templates {
    pub(super) fn load(loader: &Loader<'_>, config: &Keto) -> Result<Self, LoadError> {
        Ok(Self {
            relation: RelationTemplates::load(loader, &config.relation)?,
            subject: match &config.subject {
                Subject::Id(id) => {
                    SubjectTemplates::Id(loader.template("keto", &loader.rule.id, id)?)
                }
                Subject::Set(set) => {
                    SubjectTemplates::Set(Box::new(RelationTemplates::load(loader, set)?))
                }
            },
        })
    }
}

/// Renders what a question consists of.
struct Rendering<'a> {
    passage: &'a Passage<'a>,
    authentication: &'a Authentication,
}

impl Rendering<'_> {
    /// A part of the question. An empty one would ask about something else, or about nothing: that is a no.
    fn part(&self, name: &str, template: &Prepared) -> Result<Value, Refusal> {
        let text = self
            .passage
            .render(template, self.authentication, None, Output::Text)?;
        if text.is_empty() {
            return Err(Refusal::forbidden().logged(format!(
                "the `{name}` to ask Keto about is empty for this request"
            )));
        }
        Ok(Value::from(text))
    }

    fn relation(&self, templates: &RelationTemplates) -> Result<Map<String, Value>, Refusal> {
        let mut relation = Map::new();
        for (name, template) in [
            ("namespace", &templates.namespace),
            ("object", &templates.object),
            ("relation", &templates.relation),
        ] {
            relation.insert(name.to_owned(), self.part(name, template)?);
        }
        Ok(relation)
    }
}

pub(super) async fn authorize<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &Keto,
    templates: &Templates,
    passage: &Passage<'_>,
    authentication: &Authentication,
) -> Result<(), Refusal> {
    let rendering = Rendering {
        passage,
        authentication,
    };
    let mut question = rendering.relation(&templates.relation)?;
    match &templates.subject {
        SubjectTemplates::Id(template) => {
            question.insert(
                "subject_id".to_owned(),
                rendering.part("subject", template)?,
            );
        }
        SubjectTemplates::Set(set) => {
            question.insert(
                "subject_set".to_owned(),
                Value::Object(rendering.relation(set)?),
            );
        }
    }
    // An unknown namespace is a no as well; 400 means that the rule asks about a relation that there is not.
    let question = Value::Object(question);
    keto_engine_acp_ory::ask(
        gateway,
        runtime,
        &config.endpoint,
        &question,
        passage.strict,
    )
    .await
}
