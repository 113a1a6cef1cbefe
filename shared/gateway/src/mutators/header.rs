//! `header`: headers made from templates.

use edgekeeper_template::Output;
use http::{HeaderName, HeaderValue};

use super::Session;
use crate::passage::{Passage, Prepared, Purpose};
use crate::refusal::{INTERNAL, Refusal};

/// Names that say where a request goes or how long it is; Oathkeeper's setting them has no effect either.
const WITHOUT_EFFECT: [&str; 2] = ["host", "content-length"];

pub(super) fn mutate(
    headers: &[(HeaderName, Prepared)],
    passage: &Passage<'_>,
    session: &mut Session,
) -> Result<(), Refusal> {
    for (name, template) in headers {
        if WITHOUT_EFFECT.contains(&name.as_str()) {
            continue;
        }
        let mut text = session.render(passage, template, Output::Text)?;
        if passage.strict && passage.purpose == Purpose::Decide {
            // Go's server puts a space for what would end the line, where its client refuses.
            text = text.replace(|letter: char| letter.is_ascii_control(), " ");
            text.truncate(text.trim_end().len());
        }
        // A line break in a trait would add a header of its own.
        let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            let status = if passage.strict { 502 } else { 500 };
            Refusal::new(status, INTERNAL).logged(format!(
                "the value of header `{name}` has a control character in it"
            ))
        })?;
        session.authentication.headers.insert(name.clone(), value);
    }
    Ok(())
}
