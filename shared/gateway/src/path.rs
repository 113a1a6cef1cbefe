//! The path of a request, decoded and cleaned once.

/// A path with one meaning: what the rules judge is what the upstream gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    decoded: String,
    encoded: String,
    trailing_slash: bool,
}

/// Why a path is refused: it has no meaning, or more than one. The text is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous(pub &'static str);

impl CanonicalPath {
    /// Reads the path of a request target, as it was sent.
    ///
    /// It is percent-decoded once and cleaned like Go's `path.Clean` (Oathkeeper v26.2.0 does both before it
    /// matches). In default mode, whatever another server could still read as a different path is refused; strict mode
    /// refuses only what is a known attack (`oathkeeper-behaviour`: dot segments in disguise and NUL).
    ///
    /// # Errors
    /// [`Ambiguous`] with what was found.
    pub fn parse(raw: &str, strict: bool) -> Result<Self, Ambiguous> {
        let raw = if raw.is_empty() { "/" } else { raw };
        if !raw.starts_with('/') {
            return Err(Ambiguous("the path does not begin with `/`"));
        }
        // A request target has no fragment (RFC 9112 section 3.2); Go reads the sign as part of the path, and escapes it.
        let escaped;
        let raw = match raw.contains('#') {
            true if strict => {
                escaped = raw.replace('#', "%23");
                escaped.as_str()
            }
            true => return Err(Ambiguous("there is a fragment in the request target")),
            false => raw,
        };
        if raw.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return Err(Ambiguous("there is a control byte or a space in the path"));
        }
        let decoded = decode(raw)?;
        refuse_disguises(&decoded)?;
        if !strict {
            refuse_second_readings(&decoded)?;
        }
        let clean = clean(&decoded);
        let trailing_slash = decoded.ends_with('/') && clean != "/";
        let untouched =
            decoded == clean || (trailing_slash && decoded.strip_suffix('/') == Some(&clean));
        // What is no URL by its characters is escaped on its way, as Go does.
        let untouched = untouched && raw.bytes().all(stands_in_path);
        let mut encoded = if untouched {
            match trailing_slash {
                true => strip_last_slash(raw).to_owned(),
                false => raw.to_owned(),
            }
        } else {
            encode(&clean)
        };
        if trailing_slash && !strict {
            encoded.push('/');
        }
        Ok(Self {
            decoded: clean,
            encoded,
            trailing_slash,
        })
    }

    /// No path at all, as strict mode judges it where Oathkeeper does.
    pub(crate) fn empty() -> Self {
        Self {
            decoded: String::new(),
            encoded: String::new(),
            trailing_slash: false,
        }
    }

    /// The same with Go's escapes in place of the client's.
    pub(crate) fn encoded_anew(self) -> Self {
        Self {
            encoded: encode(&self.decoded),
            ..self
        }
    }

    /// Decoded and cleaned, without a trailing slash: what rules are matched against.
    #[must_use]
    pub fn decoded(&self) -> &str {
        &self.decoded
    }

    /// As it goes upstream: the client's own escapes where cleaning changed nothing.
    #[must_use]
    pub fn encoded(&self) -> &str {
        &self.encoded
    }

    /// Whether the client's path ended in a slash that cleaning took away.
    #[must_use]
    pub fn has_trailing_slash(&self) -> bool {
        self.trailing_slash
    }

    /// Takes the trailing slash off what goes upstream too.
    pub(crate) fn drop_trailing_slash(&mut self) {
        if std::mem::take(&mut self.trailing_slash)
            && let Some(without) = self.encoded.strip_suffix('/')
        {
            self.encoded = without.to_owned();
        }
    }

    /// The path as a server sees it that cuts parameters off each segment (`/admin;x=y` is `/admin` to Tomcat
    /// and Jetty); `None` when there are none.
    #[must_use]
    pub fn without_parameters(&self) -> Option<String> {
        self.decoded.contains(';').then(|| {
            let cut: Vec<&str> = self
                .decoded
                .split('/')
                .map(|segment| segment.split_once(';').map_or(segment, |(name, _)| name))
                .collect();
            clean(&cut.join("/"))
        })
    }
}

/// Whether a byte may stand in a path as it is (RFC 3986 section 3.3, and the brackets that Go lets stand).
fn stands_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/[]".contains(&byte)
}

/// `%2F` at the end is a slash too once decoded.
fn strip_last_slash(raw: &str) -> &str {
    raw.strip_suffix('/')
        .or_else(|| raw.strip_suffix("%2F"))
        .or_else(|| raw.strip_suffix("%2f"))
        .unwrap_or(raw)
}

pub(crate) fn decode(raw: &str) -> Result<String, Ambiguous> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = rest.next().and_then(hex);
            let low = rest.next().and_then(hex);
            match (high, low) {
                (Some(high), Some(low)) => bytes.push(high << 4 | low),
                _ => return Err(Ambiguous("`%` is not followed by two hexadecimal digits")),
            }
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| Ambiguous("the decoded path is not UTF-8"))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Dot segments that another server would resolve and this one would not, and NUL. Refused in both modes.
fn refuse_disguises(decoded: &str) -> Result<(), Ambiguous> {
    if decoded.contains('\0') {
        return Err(Ambiguous("there is a NUL in the path"));
    }
    let disguised = decoded.split(['/', '\\']).any(|segment| {
        let name = segment.split_once(';').map_or(segment, |(name, _)| name);
        let is_dots = |text: &str| matches!(text, "." | "..");
        let plain = segment == name && !decoded.contains('\\');
        (is_dots(name) && !plain) || is_dots(&undot(name)) && !is_dots(name)
    });
    if disguised {
        return Err(Ambiguous("there is a dot segment in disguise in the path"));
    }
    Ok(())
}

/// A segment with every further spelling of a dot replaced by a dot.
fn undot(segment: &str) -> String {
    segment.replace("%2e", ".").replace("%2E", ".").replace(
        ['\u{ff0e}', '\u{2024}', '\u{3002}', '\u{ff61}', '\u{fe52}'],
        ".",
    )
}

/// What some servers read as a separator or an escape, and others as a letter. Refused in default mode.
fn refuse_second_readings(decoded: &str) -> Result<(), Ambiguous> {
    if decoded.chars().any(char::is_control) {
        return Err(Ambiguous(
            "there is an encoded control character in the path",
        ));
    }
    if decoded.contains(['\\', '\u{ff0f}', '\u{ff3c}', '\u{2215}', '\u{2044}']) {
        return Err(Ambiguous(
            "there is a backslash or another look-alike of a slash in the path",
        ));
    }
    let twice = decoded.match_indices('%').any(|(at, _)| {
        decoded.get(at..at.saturating_add(3)).is_some_and(|escape| {
            ["%2e", "%2f", "%5c", "%00", "%25", "%3b"]
                .iter()
                .any(|dangerous| escape.eq_ignore_ascii_case(dangerous))
        })
    });
    if twice {
        return Err(Ambiguous("the path is percent-encoded twice"));
    }
    Ok(())
}

/// Go's `path.Clean` for a rooted path: one slash between segments, dot segments resolved, no slash at the end.
#[must_use]
pub fn clean(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let mut clean = String::with_capacity(path.len());
    for segment in segments {
        clean.push('/');
        clean.push_str(segment);
    }
    if clean.is_empty() {
        clean.push('/');
    }
    clean
}

/// Percent-encodes a decoded path as Go's `url.URL.EscapedPath` does.
#[must_use]
pub fn encode(decoded: &str) -> String {
    let mut encoded = String::with_capacity(decoded.len());
    for byte in decoded.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            push_escape(&mut encoded, byte);
        }
    }
    encoded
}

pub(crate) fn push_escape(encoded: &mut String, byte: u8) {
    let digit = |nibble: u8| {
        char::from_digit(u32::from(nibble), 16)
            .unwrap_or('0')
            .to_ascii_uppercase()
    };
    encoded.push('%');
    encoded.push(digit(byte >> 4));
    encoded.push(digit(byte & 0x0f));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Result<(String, String), &'static str> {
        CanonicalPath::parse(raw, false)
            .map(|path| (path.decoded, path.encoded))
            .map_err(|error| error.0)
    }

    #[test]
    fn one_view_for_the_rules_and_the_upstream() {
        for (raw, decoded, encoded) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("/a", "/a", "/a"),
            ("/a/", "/a", "/a/"),
            ("/a//b", "/a/b", "/a/b"),
            ("//", "/", "/"),
            ("/a/./b", "/a/b", "/a/b"),
            ("/public/../admin", "/admin", "/admin"),
            ("/public/%2e%2e/admin", "/admin", "/admin"),
            ("/public/%2E%2e/admin/", "/admin", "/admin/"),
            ("/public/..%2Fadmin", "/admin", "/admin"),
            ("/../../etc", "/etc", "/etc"),
            ("/%61dmin", "/admin", "/%61dmin"),
            ("/a%2Fb", "/a/b", "/a%2Fb"),
            ("/a%2F", "/a", "/a/"),
            ("/a%20b", "/a b", "/a%20b"),
            ("/a+b", "/a+b", "/a+b"),
            ("/a%25b", "/a%b", "/a%25b"),
            ("/a%3Fb", "/a?b", "/a%3Fb"),
            ("/%E6%97%A5", "/日", "/%E6%97%A5"),
            ("/日", "/日", "/%E6%97%A5"),
            ("/a;x=y", "/a;x=y", "/a;x=y"),
            ("/...", "/...", "/..."),
            ("/.well-known/x", "/.well-known/x", "/.well-known/x"),
            ("/a..b", "/a..b", "/a..b"),
            ("/x//%20", "/x/ ", "/x/%20"),
        ] {
            assert_eq!(
                parse(raw),
                Ok((decoded.to_owned(), encoded.to_owned())),
                "{raw}"
            );
        }
    }

    #[test]
    fn what_has_no_meaning_or_two_is_refused() {
        for raw in [
            "a",
            "/public/%zz",
            "/%",
            "/%2",
            "/public/%u002e%u002e/admin",
            "/public#/admin",
            "/public/%252e%252e/admin",
            "/public/%252fadmin",
            "/public/..%5cadmin",
            "/public/%5c..%5cadmin",
            "/public\\admin",
            "/admin/..;/admin",
            "/admin/..;x=y/admin",
            "/admin/.;/x",
            "/admin%00.css",
            "/admin%0d%0aX: y",
            "/admin%0d%0aX:y",
            "/admin%0a",
            "/a%7f",
            "/a\u{1}",
            "/a b",
            "/public/\u{ff0e}\u{ff0e}/admin",
            "/public/%EF%BC%8E%EF%BC%8E/admin",
            "/public/%c0%ae%c0%ae/admin",
            "/a%ff",
            "/a%EF%BC%8Fb",
            "/a%253bb",
        ] {
            assert!(parse(raw).is_err(), "{raw:?} -> {:?}", parse(raw));
        }
    }

    #[test]
    fn strict_mode_refuses_the_attacks_and_keeps_the_rest() {
        let strict = |raw| CanonicalPath::parse(raw, true);
        for attack in [
            "/admin/..;/admin",
            "/public/..%5cadmin",
            "/public/%5c..%5cadmin",
            "/admin%00.css",
            "/public/%252e%252e/admin",
        ] {
            assert!(strict(attack).is_err(), "{attack}");
        }
        for (raw, encoded) in [
            ("/a/", "/a"),
            ("/a%0Ab", "/a%0Ab"),
            ("/a%5cb", "/a%5cb"),
            ("/a%252fb", "/a%252fb"),
            ("/a#b", "/a%23b"),
        ] {
            assert_eq!(strict(raw).unwrap().encoded(), encoded, "{raw}");
        }
    }

    #[test]
    fn many_dot_segments_are_resolved_without_growing() {
        let raw = format!("/public/{}admin", "../".repeat(5_000));
        assert_eq!(parse(&raw), Ok(("/admin".to_owned(), "/admin".to_owned())));
    }

    #[test]
    fn parameters_can_be_cut_off() {
        let cut = |raw| {
            CanonicalPath::parse(raw, false)
                .unwrap()
                .without_parameters()
        };
        assert_eq!(cut("/admin;x=y/z;w"), Some("/admin/z".to_owned()));
        assert_eq!(cut("/admin"), None);
        assert_eq!(cut("/;/admin"), Some("/admin".to_owned()));
    }

    #[test]
    fn escapes_are_written_as_go_writes_them() {
        assert_eq!(
            encode("/a b?c%d日;e@f\"<>"),
            "/a%20b%3Fc%25d%E6%97%A5;e@f%22%3C%3E"
        );
    }
}
