//! The query of a request, in Go's reading of it (`net/url`).

use std::collections::BTreeMap;

use crate::path::push_escape;

/// The names and values of a query, in order. A pair that Go would not read (a `;`, an escape that is none) is passed over.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
}

/// The query as Go's `ReverseProxy` sends it on: as it came, or, when a part of it cannot be read, the rest written anew
/// and sorted by name. Two servers could read such a part differently.
pub(crate) fn clean(query: &str) -> String {
    let unreadable = query.contains(';')
        || query.match_indices('%').any(|(at, _)| {
            !query
                .get(at.saturating_add(1)..at.saturating_add(3))
                .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        });
    if !unreadable {
        return query.to_owned();
    }
    sorted(query)
}

/// The query written anew as Go's `url.Values.Encode` does: sorted by name, without what cannot be read.
pub(crate) fn sorted(query: &str) -> String {
    by_name(&mut pairs(query).map(|(name, value)| {
        let pair = format!("{}={}", encode(&name), encode(&value));
        (name, pair)
    }))
}

/// The pairs in the order of their names, those of one name as they came.
pub(crate) fn by_name(pairs: &mut dyn Iterator<Item = (String, String)>) -> String {
    let mut sorted = BTreeMap::<String, Vec<String>>::new();
    for (name, pair) in pairs {
        sorted.entry(name).or_default().push(pair);
    }
    sorted.into_values().flatten().collect::<Vec<_>>().join("&")
}

/// Percent-encodes a value for a query, as Go's `url.QueryEscape` does: a space becomes `+`.
pub(crate) fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                encoded.push(char::from(byte));
            }
            byte => push_escape(&mut encoded, byte),
        }
    }
    encoded
}

/// The first escape that is none, as Go quotes it; `None` when there is no such thing.
pub(crate) fn bad_escape(text: &str) -> Option<String> {
    text.match_indices('%').find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let mut digits = rest.bytes().skip(1).take(2);
        let is_one = digits.len() == 2 && digits.all(|byte| byte.is_ascii_hexdigit());
        (!is_one).then(|| rest.chars().take(3).collect())
    })
}

/// Undoes [`encode`]; `None` when an escape is none, or what comes out is not text.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                bytes.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_go_reads_is_sent_as_it_came() {
        for query in [
            "",
            "a=1&a=2",
            "b=1&a=%20+x",
            "a",
            "a=%2f",
            "&&",
            "a=b=c",
            "x=\u{e4}",
        ] {
            assert_eq!(clean(query), query);
        }
    }

    #[test]
    fn what_go_does_not_read_is_dropped_and_the_rest_written_anew() {
        for (query, expected) in [
            ("b=2;c=3", ""),
            ("b=2;c=3&d=4", "d=4"),
            ("z=1&a=2&x;y", "a=2&z=1"),
            ("a=%zz", ""),
            ("a=%", ""),
            ("a=1&b=%2", "a=1"),
            ("b=1&a=x y&a=%", "a=x+y&b=1"),
            ("a=2&a=1&%", "a=2&a=1"),
        ] {
            assert_eq!(clean(query), expected, "{query}");
        }
    }

    #[test]
    fn values_are_escaped_as_go_escapes_them() {
        assert_eq!(
            encode("https://a.test/x?y=1&z= +"),
            "https%3A%2F%2Fa.test%2Fx%3Fy%3D1%26z%3D+%2B"
        );
    }

    #[test]
    fn the_first_bad_escape_is_found() {
        for (text, expected) in [
            ("a%zzb%", Some("%zz")),
            ("a%2", Some("%2")),
            ("a%", Some("%")),
            ("a%2\u{e9}x", Some("%2\u{e9}")),
            ("a%25%2fb", None),
            ("", None),
        ] {
            assert_eq!(bad_escape(text).as_deref(), expected, "{text}");
        }
    }
}
