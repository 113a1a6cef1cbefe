//! The `Cookie` header (RFC 6265 section 5.4), read as Go's `net/http` reads it for Kratos.

/// One cookie of a request, as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// Its name; case matters.
    pub name: &'a str,
    /// Its value with any quotes it came in.
    pub value: &'a str,
}

/// The cookies in `Cookie` headers, in their order.
///
/// A part that Go would not read (a name that is no token, a value with a control byte, a backslash or a
/// stray quote) is passed over here too: otherwise the gateway and Kratos could see different sessions.
pub fn cookies<'a>(headers: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = Cookie<'a>> {
    headers
        .into_iter()
        .flat_map(|header| header.split(';'))
        .filter_map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (trim(name), trim(value));
            (is_token(name) && is_value(value)).then_some(Cookie { name, value })
        })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Whether a name is a token (RFC 9110 section 5.6.2), as a cookie's must be.
#[must_use]
pub fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn is_value(value: &str) -> bool {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    inner
        .bytes()
        .all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b';' && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Vec<(String, String)> {
        cookies(headers.iter().copied())
            .map(|cookie| (cookie.name.to_owned(), cookie.value.to_owned()))
            .collect()
    }

    #[test]
    fn cookies_are_read_as_go_reads_them() {
        for (headers, expected) in [
            (vec!["a=1; b=2"], vec![("a", "1"), ("b", "2")]),
            (vec!["a=1", "b=2"], vec![("a", "1"), ("b", "2")]),
            (vec!["a=1;a=2"], vec![("a", "1"), ("a", "2")]),
            (vec![" a =1"], vec![("a", "1")]),
            (vec!["a="], vec![("a", "")]),
            (vec!["a"], vec![("a", "")]),
            (vec!["a=b=c"], vec![("a", "b=c")]),
            (vec!["a=\"q\""], vec![("a", "\"q\"")]),
            (vec!["A=1"], vec![("A", "1")]),
            (vec![""], vec![]),
            (vec![";;;=;"], vec![]),
            (vec!["=x"], vec![]),
            (vec!["$Version=1; a=\"x; b\""], vec![("$Version", "1")]),
            (vec!["\u{2000}a=1"], vec![]),
            (vec!["a=\u{e9}"], vec![]),
            (vec!["a=x\\y"], vec![]),
            (vec!["a=x\u{1}"], vec![]),
            (vec!["a b=1"], vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect();
            assert_eq!(read(&headers), expected, "{headers:?}");
        }
    }
}
