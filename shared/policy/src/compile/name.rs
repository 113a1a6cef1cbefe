//! Names that were mistyped.

/// No name that is known is as long, in bytes.
const LONGEST: usize = 200;

/// Names close enough to a mistyped one to be what was meant, closest first.
fn close<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // Who writes more meant something else; comparing takes the product of both lengths.
    if wrong.len() > LONGEST {
        return Vec::new();
    }
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    let wrong = plain(wrong);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &plain(name)), name))
        .filter(|(distance, name)| *distance <= 1 || distance.saturating_mul(3) <= name.len())
        .collect();
    near.sort();
    near.truncate(3);
    near.into_iter().map(|(_, name)| name).collect()
}

/// The name that was most likely meant.
pub(super) fn closest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    close(wrong, known).first().copied()
}

/// `did you mean …? `, or nothing.
#[must_use]
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = close(wrong, known);
    if near.is_empty() {
        return String::new();
    }
    format!("did you mean {}? ", list(near, " or "))
}

/// `` `a`, `b`, `c` ``
#[must_use]
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_far_fetched() {
        let known = ["cookie_session", "bearer_token", "noop", "anonymous"];
        for (wrong, expected) in [
            ("cookie-session", vec!["cookie_session"]),
            ("cookiesession", vec!["cookie_session"]),
            ("Noop", vec!["noop"]),
            ("annonymous", vec!["anonymous"]),
            ("xyz", vec![]),
        ] {
            assert_eq!(close(wrong, known), expected, "{wrong}");
        }
    }
}
