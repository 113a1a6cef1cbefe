//! Credentials in a text, known by their form.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    PrivateKey,
    SecretJwk,
    UrlPassword,
    Token,
    /// The value of a key or parameter whose name says that it is one.
    Named,
}

/// How the names of keys end whose values are credentials, in lower case and without `_` and `-`.
const NAMES: [&str; 12] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "authkey",
    "token",
    "authorization",
    "authorizationheader",
];

/// How tokens of well-known services begin.
const PREFIXES: [&str; 14] = [
    "ory_pat_",
    "ory_apikey_",
    "ory_st_",
    "ory_at_",
    "ory_rt_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "hvs.",
];

/// The members of a JWK that only its owner may know (RFC 7518 section 6).
const JWK_SECRETS: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/// No token is so short.
const SHORTEST: usize = 16;

/// Whether a key's name says that its value is a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['_', '-', '.', ' '], "");
    NAMES.iter().any(|end| name.ends_with(end))
}

/// Whether a text stands for a credential that is put in later: `${CLIENT_SECRET}`, `<secret>`, `***`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let within = |start: &str, end: &str| text.starts_with(start) && text.ends_with(end);
    let named = |rest: &str| {
        rest.bytes()
            .next()
            .is_some_and(|first| first.is_ascii_uppercase())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    text.is_empty()
        || text.contains("${")
        || text.contains("$(")
        || text.strip_prefix('$').is_some_and(named)
        || within("<", ">")
        || within("%", "%")
        || within("__", "__")
        || within("[", "]")
        || ["ENC[", "op://", "vault:"]
            .iter()
            .any(|start| text.starts_with(start))
        || text.chars().all(|c| "*xX.-…".contains(c))
}

/// Whether a text is made of what tokens are made of, and not a word.
pub(super) fn looks_random(text: &str) -> bool {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    text.len() >= SHORTEST
        && text.chars().all(is_of_token)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The first credential in a text that its form gives away, for a finding: what is told is one.
pub(super) fn find(text: &str) -> Option<Kind> {
    if has_private_key(text) {
        return Some(Kind::PrivateKey);
    }
    if text.contains("\"kty\"") && jwk(text).next().is_some() {
        return Some(Kind::SecretJwk);
    }
    if let Some(inner) = encoded(text).and_then(|(_, inner)| decode(inner)) {
        // What is encoded is looked at once: nothing that is configured is encoded twice.
        let is_jwk = inner.contains("\"kty\"") && jwk(&inner).next().is_some();
        return match (has_private_key(&inner), is_jwk) {
            (true, _) => Some(Kind::PrivateKey),
            (_, true) => Some(Kind::SecretJwk),
            _ => None,
        };
    }
    let told = |range: &Range<usize>| {
        text.get(range.clone())
            .is_some_and(|found| !is_placeholder(found))
    };
    if passwords(text).any(|range| told(&range)) {
        return Some(Kind::UrlPassword);
    }
    if tokens(text).any(|range| told(&range)) {
        return Some(Kind::Token);
    }
    let random = |range: &Range<usize>| text.get(range.clone()).is_some_and(looks_random);
    if named(text).any(|range| told(&range) && random(&range)) {
        return Some(Kind::Named);
    }
    None
}

/// The parts of a line that are not to be shown, in bytes, in no order: all that could be a credential.
pub(super) fn hidden(line: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = passwords(line).collect();
    found.extend(tokens(line));
    found.extend(jwk(line));
    found.extend(named(line).filter(|range| {
        let value = line.get(range.clone()).unwrap_or_default();
        !value.contains("{{") || literals(value).any(looks_random)
    }));
    if let Some((at, inner)) = encoded(line) {
        found.push(at..at.saturating_add(inner.len()));
    }
    // A line of a key in PEM or Base64.
    let trimmed = line.trim();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    if trimmed.len() >= 40 && trimmed.chars().all(is_base64) {
        let start = line.len().saturating_sub(line.trim_start().len());
        found.push(start..start.saturating_add(trimmed.len()));
    }
    if let Some(at) = line.find("PRIVATE KEY-----") {
        let start = at.saturating_add("PRIVATE KEY-----".len());
        found.push(start..line.len());
    }
    found
}

/// The words of a template that are written out, and not fields, in its own text and in texts within its actions.
pub(super) fn literals(template: &str) -> impl Iterator<Item = &str> {
    words(template)
        .filter_map(|range| template.get(range))
        .filter(|word| !word.starts_with('.'))
}

fn has_private_key(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|rest| {
        let label = rest.split("-----").next().unwrap_or_default();
        label.len() <= 40 && label.ends_with("PRIVATE KEY")
    })
}

/// What stands behind `base64:`, `inline:` or `data:…;base64,`, with its place.
fn encoded(text: &str) -> Option<(usize, &str)> {
    let marks = ["base64://", "inline://", ";base64,"];
    let at = marks
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| at.saturating_add(mark.len())))
        .min()?;
    let rest = text.get(at..)?;
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && !"+/=_-".contains(c))
        .unwrap_or(rest.len());
    Some((at, rest.get(..end)?))
}

/// Base64 of either alphabet, as a text.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| {
            let bytes = GeneralPurpose::new(alphabet, config).decode(encoded).ok()?;
            String::from_utf8(bytes).ok()
        })
}

/// Passwords in URLs: what stands between `://user:` and the last `@` of the authority.
fn passwords(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("//").filter_map(|(at, mark)| {
        let start = at.saturating_add(mark.len());
        let authority = text
            .get(start..)?
            .split(|c: char| c.is_whitespace() || "/?#\"'`\\".contains(c))
            .next()?;
        let (user, _) = authority.rsplit_once('@')?;
        // A pattern of a rule's may have an `@` in it, but no password.
        if user.contains(['<', '{']) {
            return None;
        }
        let colon = user.find(':')?;
        let from = start.saturating_add(colon).saturating_add(1);
        let to = start.saturating_add(user.len());
        (from < to).then_some(from..to)
    })
}

/// Tokens: `Bearer …`, `Basic …`, a JWT, or one with a well-known beginning.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    words(text).filter_map(|range| {
        let word = text.get(range.clone())?;
        let before = text.get(..range.start)?.trim_end();
        let scheme = before
            .rsplit(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        let jwt = word.starts_with("eyJ") && word.matches('.').count() >= 2 && word.len() > 40;
        let known = PREFIXES.iter().any(|prefix| {
            word.strip_prefix(prefix)
                .is_some_and(|rest| rest.len() >= 12)
        });
        let bearer = scheme.eq_ignore_ascii_case("bearer") && looks_random(word);
        let basic = scheme.eq_ignore_ascii_case("basic")
            && word.len() >= 8
            && decode(word).is_some_and(|decoded| decoded.contains(':'));
        (jwt || known || bearer || basic).then_some(range)
    })
}

/// Words of what tokens are made of.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let tail = text.get(rest..)?;
        let start = rest.saturating_add(tail.find(is_of_token)?);
        let tail = text.get(start..)?;
        let length = tail.find(|c| !is_of_token(c)).unwrap_or(tail.len());
        rest = start.saturating_add(length);
        Some(start..rest)
    })
}

/// The private members of a JWK.
fn jwk(text: &str) -> impl Iterator<Item = Range<usize>> {
    members(text).filter_map(|(name, range)| {
        let value = text.get(range.clone())?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || "-_=".contains(c);
        (JWK_SECRETS.contains(&name) && value.len() >= SHORTEST && value.chars().all(is_key))
            .then_some(range)
    })
}

/// Values behind a name that says what they are.
fn named(text: &str) -> impl Iterator<Item = Range<usize>> {
    members(text)
        .filter(|(name, _)| is_secret_name(name))
        .map(|(_, range)| range)
}

/// Names and values in a line of YAML, JSON, or a URL's query: `name: value`, `"name": "value"`, `?name=value`. The value
/// goes to its quote, to the end of the line, or in a query to the next parameter.
fn members(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    text.match_indices([':', '=']).filter_map(|(at, mark)| {
        let before = text
            .get(..at)?
            .trim_end()
            .trim_end_matches(['"', '\'', '\\']);
        let name = before
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)))
            .next()
            .filter(|name| !name.is_empty())?;
        let rest = text.get(at.saturating_add(1)..)?;
        let value = rest.trim_start();
        let start = text.len().saturating_sub(value.len());
        // In YAML a colon ends a key only before a space, in JSON also before a quote.
        if mark == ":" && value.len() == rest.len() && !value.starts_with(['"', '\'', '\\']) {
            return None;
        }
        let quote = value.trim_start_matches('\\').chars().next();
        let (start, end) = match quote {
            Some(quote @ ('"' | '\'')) => {
                let inner = start
                    .saturating_add(value.find(quote)?)
                    .saturating_add(quote.len_utf8());
                let rest = text.get(inner..)?;
                // A quote that is itself escaped, in a text within a text, ends at the next such one.
                let length = match value.starts_with('\\') {
                    true => rest.find('\\').unwrap_or(rest.len()),
                    false => quoted(rest, quote),
                };
                (inner, inner.saturating_add(length))
            }
            _ if mark == "=" => {
                let end = value
                    .find(|c: char| c.is_whitespace() || "&#\"'`".contains(c))
                    .unwrap_or(value.len());
                (start, start.saturating_add(end))
            }
            Some('{' | '[' | '|' | '>') | None => return None,
            _ => {
                let end = value.find(" #").unwrap_or(value.len());
                (
                    start,
                    start.saturating_add(value.get(..end)?.trim_end().len()),
                )
            }
        };
        (start < end).then_some((name, start..end))
    })
}

/// How long a text is to its closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && c == quote {
            return at;
        }
        escaped = !escaped && c == '\\' && quote == '"';
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_form() {
        let jwt = format!(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.{}",
            "x".repeat(20)
        );
        let jwk = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}"#;
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let pem = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----";
        for (text, kind) in [
            (pem.to_owned(), Kind::PrivateKey),
            (base64_url("base64://", &base64(pem)), Kind::PrivateKey),
            (jwk.to_owned(), Kind::SecretJwk),
            (base64_url("base64://", &base64(jwk)), Kind::SecretJwk),
            (
                base64_url("data:application/json;base64,", &base64(jwk)),
                Kind::SecretJwk,
            ),
            (
                "https://u:hunter2@kratos.example.com/x".to_owned(),
                Kind::UrlPassword,
            ),
            ("postgres://u:p@ss@db/x".to_owned(), Kind::UrlPassword),
            ("Bearer abcdefgh12345678".to_owned(), Kind::Token),
            (format!("Basic {}", base64("user:hunter2")), Kind::Token),
            (format!("{{{{ print \"{jwt}\" }}}}"), Kind::Token),
            ("ory_pat_abcdefghijklmn".to_owned(), Kind::Token),
            (
                "https://api.example.com/x?access_token=abcdefgh12345678&y".to_owned(),
                Kind::Named,
            ),
            (r#"{"api_key": "abcdefgh12345678"}"#.to_owned(), Kind::Named),
        ] {
            assert_eq!(find(&text), Some(kind), "{text}");
        }
    }

    fn base64_url(start: &str, encoded: &str) -> String {
        format!("{start}{encoded}")
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "https://app.example.com/<.*>",
            "https://app.example.com:8443/a@b",
            "http://<[a-z@:]+>.m.test/",
            "https://u:${PASSWORD}@db/x",
            "https://user@db/x",
            "Bearer {{ print .IDToken }}",
            "Bearer authentication is not for browsers",
            "Basic auth",
            "Token realm",
            "/.well-known/jwks.json?token=x",
            r#"{"kty":"RSA","n":"c2VjcmV0LXNlY3JldC1zZWNyZXQ","e":"AQAB"}"#,
            "-----BEGIN PUBLIC KEY-----\nMHcCAQEEIA",
            "-----BEGIN CERTIFICATE-----\nMHcCAQEEIA",
            r#"{ "email": "{{ .Extra.identity.traits.email }}", "token": "none" }"#,
            "{{ .Extra.tokenized }}",
            "136e87ad-f937-4ad0-9d0d-974c0e871b98",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn a_line_is_shown_without_what_could_be_one() {
        for (line, shown) in [
            (
                r#"  "client_secret": "a\"b c","#,
                r#"  "client_secret": "***","#,
            ),
            (
                "  client_secret: hunter2 # for Hydra",
                "  client_secret: *** # for Hydra",
            ),
            ("client_secret:   'hunter2'", "client_secret:   '***'"),
            ("  password: hunter2", "  password: ***"),
            (r#"{"password":"x","a":1}"#, r#"{"password":"***","a":1}"#),
            (
                r#"  "Authorization": "Bearer {{ print .IDToken }}""#,
                r#"  "Authorization": "Bearer {{ print .IDToken }}""#,
            ),
            (
                r#"  "Authorization": "Basic dTpw" }"#,
                r#"  "Authorization": "***" }"#,
            ),
            ("to: https://u:p@h/x", "to: https://u:***@h/x"),
            (
                r#""{\"k\":\"c2VjcmV0LXNlY3JldC1zZWNyZXQ\"}""#,
                r#""{\"k\":\"***\"}""#,
            ),
            ("- inline://W10=", "- inline://***"),
            ("  secret: |", "  secret: |"),
            (
                "url: https://app.example.com/<.*>",
                "url: https://app.example.com/<.*>",
            ),
            ("", ""),
        ] {
            assert_eq!(shown_as(line), shown);
        }
        let pem = "    MHcCAQEEIAbcdefghijklmnopqrstuvwxyz0123456789+/ABCD";
        assert_eq!(shown_as(pem), "    ***");
    }

    fn shown_as(line: &str) -> String {
        let mut ranges = hidden(line);
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut shown = String::new();
        let mut at = 0;
        for range in ranges {
            if range.start < at {
                continue;
            }
            shown.push_str(&line[at..range.start]);
            shown.push_str("***");
            at = range.end;
        }
        shown.push_str(&line[at..]);
        shown
    }
}
