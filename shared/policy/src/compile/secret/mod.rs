//! Credentials that are written into the files: told where they stand, and never shown.

mod mask;
mod text;

use super::code::Code;
use super::node::{Node, Value};
use super::report::Report;

use self::text::Kind;

pub(super) use self::mask::{Hidden, mask, shown};

/// Tables whose entries are headers: credentials by their name, or by what they look like.
const HEADERS: [&str; 4] = [
    "headers",
    "introspection_request_headers",
    "additional_headers",
    "cookies",
];

/// Keys that are credentials under any handler, and in Oathkeeper's own configuration.
const KEYS: [&str; 3] = ["client_secret", "password", "authorization_header"];

/// Keys of `edge.yml` that hold the names of secrets. What is no name is refused where it is read.
const NAMES: [&str; 2] = ["secret", "revocation_secret"];

/// Keys whose URLs are refused with a password in them, which says it already.
const REFUSED: [&str; 10] = [
    "url",
    "check_session_url",
    "introspection_url",
    "token_url",
    "remote",
    "base_url",
    "jwks_url",
    "jwks_urls",
    "upstreams",
    "hosts",
];

/// How deep values are looked at; the readers allow no more.
const MAX_DEPTH: usize = 64;

/// Looks for credentials in all values of a tree, hides them in whatever is told later, and tells of each if it is to.
///
/// What is put in when it is deployed (`${CLIENT_SECRET}`, `<secret>`) is none.
pub(super) fn look(root: &Node, tells: bool, report: &mut Report) {
    Look { tells, report }.node(root, "", "", 0);
}

struct Look<'r> {
    tells: bool,
    report: &'r mut Report,
}

impl Look<'_> {
    /// `key` names the value, `table` the table that it stands in.
    fn node(&mut self, node: &Node, key: &str, table: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let below = depth.saturating_add(1);
        match &node.value {
            Value::Text(text) | Value::Number(text) => self.value(node, text, key, table),
            Value::List(items) => {
                for item in items {
                    self.node(item, key, table, below);
                }
            }
            Value::Table(entries) => {
                for (name, value) in entries {
                    self.node(value, &name.name, key, below);
                }
            }
            Value::Null | Value::Flag(_) => {}
        }
    }

    fn value(&mut self, node: &Node, text: &str, key: &str, table: &str) {
        if NAMES.contains(&key) && table != "config" {
            if text::looks_random(text) || text.bytes().any(|byte| byte.is_ascii_lowercase()) {
                self.report.hide(node);
            }
            return;
        }
        let is_named = KEYS.contains(&key) && !text::is_placeholder(text);
        let mut is_url = false;
        let is_tls_key = (key, table) == ("base64", "key");
        let message = if is_tls_key && !text::is_placeholder(text) {
            Some("a private key is written out".to_owned())
        } else if is_named {
            Some(format!("`{key}` is written out"))
        } else if HEADERS.contains(&table) && is_header(key, text) {
            Some(format!("the value of `{key}` has a credential in it"))
        } else {
            match text::find(text) {
                None => None,
                Some(Kind::PrivateKey) => Some("a private key is written out".to_owned()),
                Some(Kind::SecretJwk) => {
                    Some("a private or symmetric key (JWK) is written out".to_owned())
                }
                Some(Kind::UrlPassword) if REFUSED.contains(&key) || table == "upstreams" => {
                    self.report.hide(node);
                    None
                }
                Some(Kind::UrlPassword) => {
                    is_url = true;
                    Some("a URL has a password in it".to_owned())
                }
                Some(Kind::Token) => Some("a token is written out".to_owned()),
                Some(Kind::Named) => Some("this has a credential in it".to_owned()),
            }
        };
        // A list of rules in the configuration itself says nothing in an excerpt, and may have credentials in it.
        if message.is_some() || text.starts_with("inline://") {
            self.report.hide(node);
        }
        let Some(message) = message.filter(|_| self.tells) else {
            return;
        };
        let elsewhere = self.report.elsewhere(node.span);
        self.report.warning(
            Code::SECRET_IN_FILE,
            node.span,
            format!(
                "{message}{elsewhere}: who reads this file, its history or the built policy has it"
            ),
            help(key, table, is_url),
        );
    }
}

/// Whether a header's value, perhaps a template, has a credential in it that is written out.
fn is_header(name: &str, value: &str) -> bool {
    if !text::is_secret_name(name) || text::is_placeholder(value) {
        return text::literals(value).any(text::looks_random) && text::find(value).is_some();
    }
    let credential = value
        .split_once(' ')
        .filter(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphabetic()))
        .map_or(value, |(_, credential)| credential);
    let is_authorization = name.to_ascii_lowercase().ends_with("authorization");
    if credential.contains("{{") || !is_authorization {
        // A word such as `none` is no credential, `Bearer ` before a template neither.
        return text::literals(credential).any(text::looks_random);
    }
    !text::is_placeholder(credential) && credential.len() >= 6
}

fn help(key: &str, table: &str, is_url: bool) -> String {
    let key_set = ["jwks_url", "jwks_urls"].contains(&key);
    if key_set {
        return "put it into a file of its own, name that as `file:///…`, and import it with `edgekeeper keys import`; then make a new one, as this has been written down".to_owned();
    }
    if (key, table) == ("base64", "key") {
        return "name its file instead, as in `tls: { key: { path: /etc/oathkeeper/tls.key } }`; here the runtime ends TLS, and this is not used".to_owned();
    }
    let place = key
        .to_ascii_uppercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    // A URL, or a text that is about something else, is not all of it the credential.
    let place = if is_url {
        "PASSWORD".to_owned()
    } else if KEYS.contains(&key) || HEADERS.contains(&table) {
        place
    } else {
        "SECRET".to_owned()
    };
    format!(
        "write `${{{place}}}` in its place and fill that in where it is deployed, before `edgekeeper build` (`envsubst '${place}'`); keep what comes of it out of git and for the gateway alone, and change this credential"
    )
}
