//! Why a rule is not for a request, in words.

use edgekeeper_gateway::explanation::Difference;

/// One difference, as a part of a sentence.
pub(super) fn words(difference: &Difference) -> String {
    match difference {
        Difference::Nothing => "it is for this request, too".to_owned(),
        Difference::Method { rule } => match rule.as_slice() {
            [] => "it has no method".to_owned(),
            methods => format!("it is for {}", methods.join(", ")),
        },
        Difference::Scheme { rule } => format!("it is for {rule}"),
        Difference::Host { rule } => format!("it is for the host {rule}"),
        Difference::TrailingSlash { cleaned: false } => {
            "it is for the path with a slash at its end".to_owned()
        }
        Difference::TrailingSlash { cleaned: true } => {
            "it is for a path with a slash at its end, and no path keeps that one in strict mode"
                .to_owned()
        }
        Difference::LetterCase => "it is for the path in lower case".to_owned(),
        Difference::PathStart { rule } => format!("its paths begin with {rule}"),
        Difference::Pattern => "its pattern does not fit the path".to_owned(),
        Difference::WithSlash => {
            "it is for the path with its slash, and a rule for the path without goes first"
                .to_owned()
        }
        Difference::TooManySteps => "its pattern takes too many steps on this URL".to_owned(),
        Difference::Broken => "its pattern cannot be read".to_owned(),
    }
}
