//! `header`: headers made from templates.

use edgekeeper_policy::mutator::Header;
use edgekeeper_template::{Output, Style, Template, Value};
use http::{HeaderName, HeaderValue};

use super::{Mutated, Subject};
use crate::refusal::Refusal;

/// Names that say where a request goes or how long it is; Oathkeeper's setting them has no effect either.
const WITHOUT_EFFECT: [&str; 2] = ["host", "content-length"];

pub(super) fn mutate(
    config: &Header,
    headers: &[(HeaderName, Template)],
    subject: &Subject<'_>,
    mutated: &mut Mutated,
) -> Result<(), Refusal> {
    let style = Style {
        missing: subject.missing(),
        output: Output::Text,
    };
    for ((name, template), (_, source)) in headers.iter().zip(&config.headers) {
        if WITHOUT_EFFECT.contains(&name.as_str()) {
            continue;
        }
        let rendered = {
            let view = subject.view(mutated);
            template.render(&Value::Object(&view), style)
        };
        let text = rendered.map_err(|error| failed(subject, source, &error.to_string()))?;
        // A line break in a trait would add a header of its own.
        let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            let status = if subject.strict { 502 } else { 500 };
            Refusal::new(
                status,
                "An internal server error occurred, please contact the system administrator",
            )
            .logged(format!(
                "the value of header `{name}` has a control character in it"
            ))
        })?;
        mutated.headers.insert(name.clone(), value);
    }
    Ok(())
}

fn failed(subject: &Subject<'_>, source: &str, error: &str) -> Refusal {
    subject.template_failed(&format!(
        "error executing headers template \"{source}\" in rule \"{}\": {error}",
        subject.rule.id
    ))
}
