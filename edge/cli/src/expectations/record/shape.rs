//! Paths without what is somebody's: their kind, and one of that kind that was made up.

use std::collections::{BTreeMap, BTreeSet};

/// Of more different names in one place of a path each is one of many things, and not a part of the site.
const MOST_NAMES: usize = 20;

/// A longer word in a path is no word.
const LONGEST_WORD: usize = 15;

/// A shorter one with a digit in it, such as `v2` or `oauth2`, is a word.
const SHORTEST_ID: usize = 7;

/// A longer ending is none of a file's name.
const LONGEST_ENDING: usize = 5;

/// What is known of all paths.
#[derive(Debug)]
pub(super) struct Shapes<'p> {
    people: &'p BTreeSet<String>,
    /// Places with too many names: a host, and the shape of what is before.
    crowded: BTreeSet<(String, String)>,
}

/// A path, told twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shaped {
    /// With `{id}` for what is somebody's.
    pub(super) shape: String,
    /// With something made up in its place, that has letters and digits where it had.
    pub(super) path: String,
}

impl<'p> Shapes<'p> {
    /// Learns from all paths, each with its host and what a rule's pattern says.
    pub(super) fn of<'a>(
        paths: impl Iterator<Item = (&'a str, &'a str, &'a str)> + Clone,
        people: &'p BTreeSet<String>,
    ) -> Self {
        let mut shapes = Self {
            people,
            crowded: BTreeSet::new(),
        };
        let deepest = paths
            .clone()
            .map(|(_, path, _)| path.split('/').count())
            .max();
        // What is one of many things at one place decides which places behind it are the same.
        for depth in 0..deepest.unwrap_or_default().min(32) {
            let mut names: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
            for (host, path, pattern) in paths.clone() {
                let Some(name) = path.split('/').nth(depth) else {
                    continue;
                };
                if is_literal(name, pattern) || shapes.is_somebodys(name) {
                    continue;
                }
                let before: Vec<&str> = path.split('/').take(depth).collect();
                let before = shapes.shaped(host, &before.join("/"), pattern).shape;
                names
                    .entry((host.to_owned(), before))
                    .or_default()
                    .insert(name);
            }
            let crowded = names
                .into_iter()
                .filter(|(_, names)| names.len() > MOST_NAMES);
            shapes.crowded.extend(crowded.map(|(place, _)| place));
        }
        shapes
    }

    /// A path of a host, for which there is a rule with this pattern.
    pub(super) fn shaped(&self, host: &str, path: &str, pattern: &str) -> Shaped {
        let mut shaped = Shaped {
            shape: String::new(),
            path: String::new(),
        };
        for (number, name) in path.split('/').enumerate() {
            if number > 0 {
                shaped.shape.push('/');
                shaped.path.push('/');
            }
            let place = (
                host.to_owned(),
                shaped.shape.trim_end_matches('/').to_owned(),
            );
            let is_one_of_many = !name.is_empty() && self.crowded.contains(&place);
            if !is_literal(name, pattern) && (self.is_somebodys(name) || is_one_of_many) {
                shaped.shape.push_str("{id}");
                shaped.path.push_str(&made_up(name));
            } else {
                shaped.shape.push_str(name);
                shaped.path.push_str(name);
            }
        }
        shaped
    }

    /// A host without the name of somebody.
    pub(super) fn host(&self, host: &str) -> String {
        let labels: Vec<String> = host
            .split('.')
            .map(|label| {
                if self.people.contains(&label.to_lowercase()) {
                    made_up(label)
                } else {
                    label.to_owned()
                }
            })
            .collect();
        labels.join(".")
    }

    /// Whether a name in a path tells of somebody, or looks like an id or a secret.
    fn is_somebodys(&self, name: &str) -> bool {
        let lower = name.to_lowercase();
        let mut words = name.split(['-', '_', '.', '~']);
        name.contains('@')
            || !name.is_ascii()
            || self.people.contains(&lower)
            || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
            || words.any(|word| {
                let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
                word.len() > LONGEST_WORD
                    || (has_digit && word.len() >= SHORTEST_ID)
                    || self.people.contains(&word.to_lowercase())
            })
    }
}

/// Whether a rule's pattern says this name itself. Nothing in a team's rules is somebody's.
fn is_literal(name: &str, pattern: &str) -> bool {
    let wanted = format!("/{name}");
    !name.is_empty()
        && pattern.match_indices(&wanted).any(|(at, _)| {
            let behind = pattern.get(at.saturating_add(wanted.len())..);
            let next = behind.and_then(|behind| behind.chars().next());
            next.is_none_or(|next| !next.is_alphanumeric() && !"-_.~".contains(next))
        })
}

/// The same with other letters and digits. A file keeps its ending.
fn made_up(name: &str) -> String {
    let is_ending = |ending: &str| {
        (1..=LONGEST_ENDING).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let ending = name
        .rsplit_once('.')
        .filter(|(_, ending)| is_ending(ending));
    let (stem, ending) = match ending {
        Some((stem, ending)) if !name.contains('@') => (stem, Some(ending)),
        _ => (name, None),
    };
    let mut made: String = stem
        .chars()
        .map(|c| match c {
            '0'..='9' => '1',
            'A'..='Z' => 'A',
            '-' | '_' | '.' | '~' | '@' => c,
            _ => 'a',
        })
        .collect();
    if let Some(ending) = ending {
        made.push('.');
        made.push_str(ending);
    }
    made
}

/// A path as a URL has it (RFC 3986, section 3.3).
pub(super) fn encode(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(path: &str, pattern: &str) -> (String, String) {
        let people = BTreeSet::from([
            "ada".to_owned(),
            "ada@example.com".to_owned(),
            "adalovelace".to_owned(),
        ]);
        let shapes = Shapes::of([("a.test", path, pattern)].into_iter(), &people);
        let shaped = shapes.shaped("a.test", path, pattern);
        (shaped.shape, shaped.path)
    }

    #[test]
    fn what_is_somebodys_is_made_up_and_what_is_the_sites_stays() {
        let any = "https://a.test/<.*>";
        for (path, pattern, shape, made) in [
            ("/", any, "/", "/"),
            ("/orders/list", any, "/orders/list", "/orders/list"),
            (
                "/api/v2/oauth2/2fa",
                any,
                "/api/v2/oauth2/2fa",
                "/api/v2/oauth2/2fa",
            ),
            ("/orders/4711", any, "/orders/{id}", "/orders/1111"),
            (
                "/orders/4711/items",
                any,
                "/orders/{id}/items",
                "/orders/1111/items",
            ),
            (
                "/u/136e87ad-f937-4ad0-9d0d-974c0e871b98",
                any,
                "/u/{id}",
                "/u/111a11aa-a111-1aa1-1a1a-111a1a111a11",
            ),
            ("/u/ada", any, "/u/{id}", "/u/aaa"),
            ("/u/Ada", any, "/u/{id}", "/u/Aaa"),
            ("/u/adalovelace-2", any, "/u/{id}", "/u/aaaaaaaaaaa-1"),
            ("/u/bob@example.com", any, "/u/{id}", "/u/aaa@aaaaaaa.aaa"),
            ("/u/bjørn", any, "/u/{id}", "/u/aaaaa"),
            (
                "/reset/kXhQmZpLrTvWnYbD",
                any,
                "/reset/{id}",
                "/reset/aAaAaAaAaAaAaAaA",
            ),
            ("/a/main.3f2a1b9c.js", any, "/a/{id}", "/a/aaaa.1a1a1a1a.js"),
            (
                "/a/terms-and-conditions-of-use",
                any,
                "/a/terms-and-conditions-of-use",
                "/a/terms-and-conditions-of-use",
            ),
            (
                "/report20241/x",
                "https://a.test/report20241/<.*>",
                "/report20241/x",
                "/report20241/x",
            ),
            (
                "/report20241",
                "https://a.test/report202419",
                "/{id}",
                "/aaaaaa11111",
            ),
        ] {
            let (found, path) = shaped(path, pattern);
            assert_eq!(found, shape);
            // Which letters are large is the name's.
            assert_eq!(path.to_lowercase(), made.to_lowercase());
        }
    }

    #[test]
    fn one_of_many_things_in_a_place_is_made_up() {
        let people = BTreeSet::new();
        let users: Vec<String> = ('a'..='z')
            .map(|c| format!("/users/{c}{c}{c}/profile"))
            .collect();
        let paths = users
            .iter()
            .map(|path| ("a.test", path.as_str(), ""))
            .chain([("a.test", "/users", ""), ("a.test", "/about", "")]);
        let shapes = Shapes::of(paths, &people);
        assert_eq!(
            shapes.shaped("a.test", "/users/bbb/profile", "").shape,
            "/users/{id}/profile"
        );
        assert_eq!(shapes.shaped("a.test", "/users", "").shape, "/users");
        assert_eq!(shapes.shaped("a.test", "/users/", "").shape, "/users/");
        assert_eq!(shapes.shaped("a.test", "/about", "").shape, "/about");
        assert_eq!(
            shapes.shaped("b.test", "/users/bbb", "").shape,
            "/users/bbb"
        );
    }

    #[test]
    fn a_host_does_not_name_anybody() {
        let people = BTreeSet::from(["ada".to_owned()]);
        let shapes = Shapes::of(std::iter::empty(), &people);
        assert_eq!(shapes.host("Ada.app.test:8080"), "Aaa.app.test:8080");
        assert_eq!(shapes.host("adam.app.test"), "adam.app.test");
    }

    #[test]
    fn what_a_url_cannot_have_is_encoded() {
        assert_eq!(encode("/a b/%/é\n#?'"), "/a%20b/%25/%C3%A9%0A%23%3F'");
    }
}
