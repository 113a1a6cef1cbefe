//! A parsed path and its evaluation.

use std::borrow::Cow;

use serde_json::Value;

use super::query::Query;
use super::wildcard;

/// Steps of a path in stages. Each stage starts from the whole result of the one before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expression {
    pub(super) stages: Vec<Vec<Step>>,
}

/// One component of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// `@this`.
    This,
    /// A key of an object, or an element of an array.
    Key {
        name: String,
        wild: bool,
        index: Option<usize>,
    },
    /// `#`: how many elements.
    Length,
    /// `#.rest`: what the rest finds in each element.
    Collect(Expression),
    /// `#(...)`: the first element that fits, or all of them, and what the rest finds there.
    Select {
        query: Box<Query>,
        all: bool,
        rest: Option<Expression>,
    },
}

impl Expression {
    pub(super) fn of_keys(keys: &[&str]) -> Expression {
        let step = |key: &&str| Step::Key {
            name: (*key).to_owned(),
            wild: false,
            index: None,
        };
        Expression {
            stages: vec![keys.iter().map(step).collect()],
        }
    }

    // Expressions nest only as deep as the parser allows, and steps are as many as the path has.
    pub(super) fn eval<'v>(&self, value: &'v Value) -> Option<Cow<'v, Value>> {
        let mut stages = self.stages.iter();
        let mut ended = false;
        let mut result = walk(stages.next()?, value, &mut ended)?;
        for stage in stages {
            if ended {
                break;
            }
            result = match result {
                Cow::Borrowed(value) => walk(stage, value, &mut ended)?,
                Cow::Owned(value) => Cow::Owned(walk(stage, &value, &mut ended)?.into_owned()),
            };
        }
        Some(result)
    }
}

/// `ended` is set where GJSON stops: `#(...)#.rest` that nothing fits does not see that a stage follows.
fn walk<'v>(steps: &[Step], value: &'v Value, ended: &mut bool) -> Option<Cow<'v, Value>> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(Cow::Borrowed(value));
    };
    match (step, value) {
        (Step::This, _) => walk(rest, value, ended),
        (
            Step::Key {
                name, wild: false, ..
            },
            Value::Object(object),
        ) => walk(rest, object.get(name)?, ended),
        // The first key under which the rest of the path leads somewhere.
        (
            Step::Key {
                name, wild: true, ..
            },
            Value::Object(object),
        ) => object
            .iter()
            .filter(|(key, _)| wildcard::matches(key, name))
            .find_map(|(_, value)| walk(rest, value, ended)),
        (
            Step::Key {
                index: Some(index), ..
            },
            Value::Array(array),
        ) => walk(rest, array.get(*index)?, ended),
        (Step::Length, Value::Array(array)) => Some(Cow::Owned(Value::from(array.len()))),
        // For an object, `#` is a key like any other.
        (Step::Length, Value::Object(object)) => object.get("#").map(Cow::Borrowed),
        (Step::Collect(each), Value::Object(object)) => each.eval(object.get("#")?),
        (Step::Collect(each), Value::Array(array)) => {
            let found = array
                .iter()
                .filter_map(|element| each.eval(element))
                .map(Cow::into_owned);
            Some(Cow::Owned(Value::Array(found.collect())))
        }
        (Step::Select { query, all, rest }, Value::Array(array)) => {
            let mut found = array
                .iter()
                .filter(|element| query.fits(element))
                .map(|element| match rest {
                    Some(rest) => rest.eval(element),
                    None => Some(Cow::Borrowed(element)),
                });
            if *all {
                *ended = rest.is_some() && !array.iter().any(|element| query.fits(element));
                Some(Cow::Owned(Value::Array(
                    found.flatten().map(Cow::into_owned).collect(),
                )))
            } else {
                found.next()?
            }
        }
        _ => None,
    }
}
