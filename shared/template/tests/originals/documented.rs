//! Differences that are meant; `tests/originals/templates/README.md` lists them.

use crate::Ending;

/// Why this template ends otherwise here. `None`: it should not.
pub(crate) fn reason(here: &Ending, there: &Ending, broken: bool) -> Option<&'static str> {
    if broken {
        return Some("Go cut a character in two");
    }
    match (here, there) {
        (Ending::ParseError(here), _) if here.contains("\" not defined") => {
            Some("refused functions")
        }
        (Ending::ParseError(here), Ending::Output(_) | Ending::Error(_)) => {
            if here.contains("wrong number of args for") {
                Some("found when parsed: number of arguments")
            } else if here.contains("undefined variable") {
                Some("found when parsed: a variable that is not there")
            } else if here.contains("number syntax") && here.ends_with("i\"") {
                Some("imaginary numbers")
            } else {
                None
            }
        }
        (Ending::Error(here), _) if LIMITS.iter().any(|words| here.contains(words)) => {
            Some("limits")
        }
        (Ending::Error(here), _) if here.contains("slice index out of bounds") => {
            Some("behind the end of a list")
        }
        (Ending::Error(here), _) if here.contains("session data is read-only here") => {
            Some("the session is not changed")
        }
        (Ending::Error(here), Ending::Error(there)) => {
            if VALUES.iter().any(|words| alike(here, there, words)) {
                Some("types, not values, in errors")
            } else if there.contains("SetHeader has 0 return values") {
                Some("the session is not changed")
            } else {
                None
            }
        }
        (Ending::Output(here), Ending::Output(there)) => {
            if here.contains("!x(float64=")
                || here.contains("!X(float64=")
                || here.contains("!b(float64=")
            {
                Some("printf: %x and %b of a float")
            } else if has_address(there)
                || there.contains("(*authn.AuthenticationSession=")
                || there.contains("(*url.URL=")
            {
                Some("a session within something else")
            } else {
                None
            }
        }
        _ => None,
    }
}

/// What a limit says.
const LIMITS: &[&str] = &[
    "exceeded maximum template depth (120)",
    "the output is longer than 65536 bytes",
    "the template needs more than 200000 steps",
    "the list has more than 10000 items",
    "width or precision in the format is too large",
];

/// Errors in which Go prints a value.
const VALUES: &[&str] = &[
    "range can't iterate over ",
    "non-comparable type",
    "error calling mustFromJson: ",
    " to iterate over more than one variable",
];

/// `0xc000123456`
fn has_address(text: &str) -> bool {
    text.split("0x")
        .skip(1)
        .any(|after| after.chars().take_while(char::is_ascii_hexdigit).count() > 8)
}

/// The same place and the same words up to and with these.
fn alike(here: &str, there: &str, words: &str) -> bool {
    match (here.split_once(words), there.split_once(words)) {
        (Some((here, _)), Some((there, _))) => {
            let place = |text: &str| text.split(": can't use ").next().map(str::to_owned);
            place(here) == place(there)
        }
        _ => false,
    }
}
