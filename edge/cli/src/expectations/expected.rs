//! What a test expects of its request.

use edgekeeper_gateway::request::Listener;
use edgekeeper_policy::compile::{Content, Place, Tree};
use http::HeaderName;

use super::reader::{Entry, Reader};
use super::wanted::{Wanted, WantedClaim};

/// The keys of what is expected.
pub(super) const KEYS: [&str; 5] = ["allow", "rule", "status", "headers", "upstream"];

/// The keys of what the upstream is to get.
pub(super) const UPSTREAM: [&str; 2] = ["url", "headers"];

/// At least one of these is expected.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    pub(super) allow: Option<bool>,
    pub(super) rule: Option<WantedRule>,
    /// Of the gateway's answer.
    pub(super) status: Option<u16>,
    /// Of the gateway's answer.
    pub(super) headers: Vec<(HeaderName, Wanted)>,
    pub(super) upstream: Option<Upstream>,
}

#[derive(Debug, Clone)]
pub(super) enum WantedRule {
    None,
    Id(String),
}

/// What the upstream is to get.
#[derive(Debug, Clone, Default)]
pub(super) struct Upstream {
    pub(super) url: Option<Wanted>,
    pub(super) headers: Vec<(HeaderName, WantedHeader)>,
}

#[derive(Debug, Clone)]
pub(super) enum WantedHeader {
    Text(Wanted),
    /// A token that a mutator made for it.
    Claims(Vec<(String, WantedClaim)>),
}

impl Expected {
    pub(super) fn read(tree: &Tree, listener: Listener, reader: &mut Reader) -> Option<Self> {
        let entries = reader.table(tree, "`expect`", &KEYS)?;
        if entries.is_empty() {
            reader.refuse(
                tree.place,
                "`expect` expects nothing, so this would pass whatever the rules say",
                "write one at least of `allow`, `rule`, `status`, `headers`, `upstream`",
            );
            return None;
        }
        let mut expected = Self::default();
        let mut answer = None;
        for (key, place, value) in entries {
            match key {
                "allow" => expected.allow = reader.flag(value, "`expect.allow`"),
                "rule" => {
                    expected.rule = reader.text(value, "`expect.rule`").map(|id| match id {
                        "none" => WantedRule::None,
                        id => WantedRule::Id(id.to_owned()),
                    });
                }
                "status" => {
                    answer = Some(place);
                    expected.status = reader.status(value, "`expect.status`");
                }
                "headers" => {
                    answer = Some(place);
                    expected.headers = answer_headers(value, reader);
                }
                "upstream" => expected.upstream = Upstream::read(value, reader),
                _ => {}
            }
        }
        expected.contradiction(tree, answer, listener, reader);
        Some(expected)
    }

    /// Tells what cannot be true together.
    fn contradiction(
        &self,
        tree: &Tree,
        answer: Option<Place>,
        listener: Listener,
        reader: &mut Reader,
    ) {
        if self.upstream.is_some() && (self.allow == Some(false) || listener == Listener::Api) {
            reader.refuse(
                tree.place,
                "`expect.upstream` cannot be true: no upstream gets this request",
                "take it out; an upstream gets what is allowed, and comes in by the listener `proxy`",
            );
        }
        let goes_on = self.upstream.is_some() || self.allow == Some(true);
        if let Some(place) = answer
            && goes_on
            && listener == Listener::Proxy
        {
            reader.refuse(
                place,
                "`expect.status` and `expect.headers` are of the gateway's answer, and a request that is allowed has its upstream's",
                "take them out, or expect `upstream.headers`",
            );
        }
    }
}

impl Upstream {
    fn read(tree: &Tree, reader: &mut Reader) -> Option<Self> {
        let entries = reader.table(tree, "`expect.upstream`", &UPSTREAM)?;
        if entries.is_empty() {
            reader.refuse(
                tree.place,
                "`expect.upstream` expects nothing",
                "write `url` or `headers`, or `allow: true` in its place",
            );
            return None;
        }
        let mut upstream = Self::default();
        for (key, _, value) in entries {
            if key == "url" {
                upstream.url = Wanted::read(value, "`expect.upstream.url`", reader);
            } else if key == "headers" {
                upstream.headers = upstream_headers(value, reader);
            }
        }
        Some(upstream)
    }
}

fn answer_headers(tree: &Tree, reader: &mut Reader) -> Vec<(HeaderName, Wanted)> {
    let mut headers = Vec::new();
    for (key, place, value) in some(tree, "expect.headers", reader) {
        let what = format!("`expect.headers.{key}`");
        if let (Some(name), Some(wanted)) = (
            header_name(key, place, reader),
            Wanted::read(value, &what, reader),
        ) {
            headers.push((name, wanted));
        }
    }
    headers
}

fn upstream_headers(tree: &Tree, reader: &mut Reader) -> Vec<(HeaderName, WantedHeader)> {
    let mut headers = Vec::new();
    for (key, place, value) in some(tree, "expect.upstream.headers", reader) {
        let what = format!("expect.upstream.headers.{key}");
        let is_table = matches!(value.content, Content::Table(_));
        let wanted = if is_table {
            claims(value, &what, reader).map(WantedHeader::Claims)
        } else {
            Wanted::read(value, &format!("`{what}`"), reader).map(WantedHeader::Text)
        };
        if let (Some(name), Some(wanted)) = (header_name(key, place, reader), wanted) {
            headers.push((name, wanted));
        }
    }
    headers
}

fn claims(tree: &Tree, what: &str, reader: &mut Reader) -> Option<Vec<(String, WantedClaim)>> {
    let entries = reader.table(tree, &format!("`{what}`"), &["claims"])?;
    let Some((_, _, claims)) = entries.first() else {
        reader.refuse(
            tree.place,
            &format!("`{what}` expects nothing"),
            "write a text, or `{ claims: { email: ada@example.com } }` for a token",
        );
        return None;
    };
    let what = format!("{what}.claims");
    let entries = some(claims, &what, reader);
    let read = entries.into_iter().filter_map(|(name, _, value)| {
        let claim = WantedClaim::read(value, &format!("`{what}.{name}`"), reader)?;
        Some((name.to_owned(), claim))
    });
    Some(read.collect())
}

/// The entries of a table that must not be empty.
fn some<'t>(tree: &'t Tree, what: &str, reader: &mut Reader) -> Vec<Entry<'t>> {
    let Some(entries) = reader.map(tree, &format!("`{what}`")) else {
        return Vec::new();
    };
    if entries.is_empty() {
        reader.refuse(
            tree.place,
            &format!("`{what}` expects nothing"),
            "write names with an exact text, `/a regular expression/` or `absent`",
        );
    }
    entries
}

/// Reads the name of a header.
pub(super) fn header_name(key: &str, place: Place, reader: &mut Reader) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(key.as_bytes()).ok();
    if name.is_none() {
        reader.refuse(
            place,
            &format!("`{key}` is no header's name"),
            "a name has letters, digits and `-`, such as `x-user`",
        );
    }
    name
}
