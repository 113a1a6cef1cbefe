//! Requests that are made of the rules of two policies, so that each rule is met, and each place where the two are apart.

use std::collections::{BTreeMap, BTreeSet};

use edgekeeper_policy::compile::Patterns;
use edgekeeper_policy::cors::OriginPattern;
use edgekeeper_policy::document::Policy;
use edgekeeper_policy::rule::Rule;

use super::asked::Asked;
use super::sessions;
use crate::explain::answer::Answer;

/// A rule that changed is compared with so many others that may be for the same requests.
const MOST_NEIGHBOURS: usize = 8;

/// Methods that are tried where no rule has them.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// A URL that tells something, with the methods of the rules it is for.
struct Place {
    url: String,
    methods: Vec<String>,
}

/// At most so many requests, those for what changed first. Each is asked without a session and with each of these.
pub(super) fn requests(old: &Policy, new: &Policy, sessions: &[Answer], most: usize) -> Vec<Asked> {
    let mut made = Made {
        asked: Vec::new(),
        known: BTreeSet::new(),
        most,
    };
    let (changed, same) = places(old, new, most);
    let origins = origins(old, new);
    for places in [changed, same] {
        for place in &places {
            for method in &place.methods {
                made.everybody(method, &place.url, sessions);
            }
            if let Some(method) = place.methods.first() {
                made.push(method, &place.url, &[("accept", "text/html")], None);
            }
        }
        for place in &places {
            near_variants(&mut made, place, sessions, &origins);
        }
    }
    made.asked
}

struct Made {
    asked: Vec<Asked>,
    known: BTreeSet<String>,
    most: usize,
}

impl Made {
    fn push(
        &mut self,
        method: &str,
        url: &str,
        headers: &[(&'static str, &str)],
        session: Option<&Answer>,
    ) {
        if self.asked.len() >= self.most {
            return;
        }
        if let Some(asked) = Asked::made(method, url, headers, session)
            && self.known.insert(asked.identity())
        {
            self.asked.push(asked);
        }
    }

    fn everybody(&mut self, method: &str, url: &str, sessions: &[Answer]) {
        self.push(method, url, &[], None);
        for session in sessions {
            self.push(method, url, &[], Some(session));
        }
    }
}

/// Another method, another spelling, a page of another origin.
fn near_variants(made: &mut Made, place: &Place, sessions: &[Answer], origins: &[String]) {
    let Some(method) = place.methods.first() else {
        return;
    };
    let other = METHODS
        .iter()
        .find(|other| place.methods.iter().all(|own| own != *other));
    if let Some(other) = other {
        made.everybody(other, &place.url, sessions.get(..1).unwrap_or_default());
    }
    for origin in origins {
        let headers = [
            ("origin", origin.as_str()),
            ("access-control-request-method", method),
        ];
        made.push("OPTIONS", &place.url, &headers, None);
    }
    let first = sessions.first();
    let turned = match place.url.strip_suffix('/') {
        Some(without) => without.to_owned(),
        None => format!("{}/", place.url),
    };
    made.push(method, &turned, &[], None);
    made.push(method, &turned, &[], first);
    let deeper = format!("{}/x/y", place.url.trim_end_matches('/'));
    made.push(method, &deeper, &[], None);
    made.push(method, &deeper, &[], first);
    made.push(
        method,
        &place.url,
        &[("authorization", "Bearer unknown")],
        None,
    );
    let other_scheme = match place.url.split_once("://") {
        Some(("https", rest)) => format!("http://{rest}"),
        Some((_, rest)) => format!("https://{rest}"),
        None => return,
    };
    made.push(method, &other_scheme, &[], None);
}

/// An origin that either policy names, and one that neither does.
fn origins(old: &Policy, new: &Policy) -> Vec<String> {
    let patterns = |policy: &Policy| match &policy.cors {
        Some(cors) => cors.allowed_origins.clone(),
        None => Vec::new(),
    };
    let (old, new) = (patterns(old), patterns(new));
    let mut origins = vec!["https://elsewhere.example".to_owned()];
    for pattern in old.iter().chain(&new) {
        let is_in_both = old.contains(pattern) && new.contains(pattern);
        let origin = match pattern {
            OriginPattern::Any => continue,
            OriginPattern::Exact(origin) => origin.clone(),
            OriginPattern::Subdomains { scheme, suffix } => format!("{scheme}a{suffix}"),
        };
        // Of those that stay one is enough.
        if !origins.contains(&origin) && (!is_in_both || origins.len() < 2) {
            origins.push(origin);
        }
    }
    origins.truncate(4);
    origins
}

/// Where rules changed, and one place for each rule that did not.
fn places(old: &Policy, new: &Policy, most: usize) -> (Vec<Place>, Vec<Place>) {
    let rules: Vec<&Rule> = old.rules.iter().chain(&new.rules).collect();
    let ids = rules.iter().map(|rule| rule.id.as_str());
    let (first, second): (Vec<_>, Vec<_>) = ids
        .zip(0_usize..)
        .partition(|(_, number)| *number < old.rules.len());
    let mut finder = Finder {
        old_ids: first.into_iter().collect(),
        new_ids: second.into_iter().collect(),
        patterns: Patterns::new(rules.iter().copied(), new.strict),
        first_new: old.rules.len(),
        rules,
    };
    let (mut changed, mut same) = (Vec::new(), Vec::new());
    let mut unchanged = Vec::new();
    for number in 0..finder.rules.len() {
        match finder.partner(number) {
            Some(partner) if finder.is_same(number, partner) => {
                if number >= finder.first_new {
                    unchanged.push(number);
                }
            }
            partner => finder.changed(number, partner, &mut changed),
        }
    }
    for number in unchanged {
        if changed.len().saturating_add(same.len()) >= most {
            break;
        }
        finder.own(number, &mut same);
    }
    (changed, same)
}

struct Finder<'r> {
    patterns: Patterns<'r>,
    /// The rules of the old policy, then those of the new one.
    rules: Vec<&'r Rule>,
    first_new: usize,
    old_ids: BTreeMap<&'r str, usize>,
    new_ids: BTreeMap<&'r str, usize>,
}

impl Finder<'_> {
    fn is_new(&self, number: usize) -> bool {
        number >= self.first_new
    }

    /// The rule of this one's id in the other policy.
    fn partner(&self, number: usize) -> Option<usize> {
        let id = self.rules.get(number)?.id.as_str();
        let ids = if self.is_new(number) {
            &self.old_ids
        } else {
            &self.new_ids
        };
        ids.get(id).copied()
    }

    fn is_same(&self, one: usize, other: usize) -> bool {
        match (self.rules.get(one), self.rules.get(other)) {
            (Some(one), Some(other)) => same_rule(one, other),
            _ => false,
        }
    }

    /// Where a rule is alone in its policy, or else wherever it is.
    fn own(&mut self, number: usize, places: &mut Vec<Place>) {
        let others = self.neighbours(number, self.is_new(number));
        let alone = self.patterns.example(&[number], &others);
        let url = alone.or_else(|| self.patterns.example(&[number], &[]));
        self.put(url, &[number], places);
    }

    /// Where a rule changed, came or went: its own place, what it has and its partner has not, and what it has in common with rules
    /// of the other policy.
    fn changed(&mut self, number: usize, partner: Option<usize>, places: &mut Vec<Place>) {
        self.own(number, places);
        let others = self.neighbours(number, !self.is_new(number));
        let mut apart = others.clone();
        if let Some(partner) = partner {
            let same_url = match (self.rules.get(number), self.rules.get(partner)) {
                (Some(rule), Some(partner)) => rule.url == partner.url,
                _ => false,
            };
            if same_url {
                return;
            }
            apart = vec![partner];
        }
        let url = self.patterns.example(&[number], &apart);
        self.put(url, &[number], places);
        for other in others {
            let url = self.patterns.example(&[number, other], &[]);
            self.put(url, &[number, other], places);
        }
    }

    fn neighbours(&mut self, number: usize, new: bool) -> Vec<usize> {
        let near = self.patterns.near(number);
        let near = near.into_iter().filter(|other| self.is_new(*other) == new);
        near.take(MOST_NEIGHBOURS).collect()
    }

    fn put(&self, url: Option<String>, numbers: &[usize], places: &mut Vec<Place>) {
        let Some(url) = url else {
            return;
        };
        let mut methods: Vec<String> = Vec::new();
        let of = numbers.iter().filter_map(|number| self.rules.get(*number));
        let partners = numbers.iter().filter_map(|number| self.partner(*number));
        let of_partners = partners.filter_map(|number| self.rules.get(number));
        for method in of.chain(of_partners).flat_map(|rule| &rule.methods) {
            if !methods.contains(method) {
                methods.push(method.clone());
            }
        }
        let url = match url
            .split_once("://")
            .and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?)))
        {
            Some((scheme, (host, path))) => {
                format!("{scheme}://{host}/{}", sessions::encoded(path))
            }
            None => url,
        };
        places.push(Place { url, methods });
    }
}

/// Whether two rules are for the same and do the same; how they were written does not count.
pub(super) fn same_rule(one: &Rule, other: &Rule) -> bool {
    let bare = |rule: &Rule| Rule {
        source: None,
        ..rule.clone()
    };
    one.source == other.source && one == other || bare(one) == bare(other)
}
