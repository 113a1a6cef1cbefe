//! Rules that are nearly for a request, and what would have to be otherwise.
//!
//! Whether a rule would be for another request is not guessed: the matcher is asked.

use std::cmp::Reverse;

use edgekeeper_policy::document::{Policy, Scheme};
use edgekeeper_policy::pattern::{DEFAULT_BUDGET, Unmatched};
use edgekeeper_policy::rule::Rule;
use edgekeeper_template::letter_case;
use serde::{Deserialize, Serialize};

use crate::request::Request;

/// More than these nobody reads.
const MOST: usize = 10;

/// A rule that is not for a request, but nearly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The rule's id.
    pub rule: String,
    /// Its URL pattern, as it was written.
    pub pattern: String,
    /// All that is otherwise.
    pub differences: Vec<Difference>,
}

/// What keeps a rule from being for a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "differs", rename_all = "snake_case")]
pub enum Difference {
    /// Nothing: its pattern and its methods fit too. Several such rules are an error.
    Nothing,
    /// The method is not among the rule's.
    Method {
        /// The rule's.
        rule: Vec<String>,
    },
    /// The rule is for the other scheme.
    Scheme {
        /// The rule's.
        rule: String,
    },
    /// The rule is for another host, or another port of it.
    Host {
        /// The rule's.
        rule: String,
    },
    /// Only with a slash at its end would the path fit.
    TrailingSlash {
        /// Whether slashes there are taken off before paths are matched (strict mode), so that the pattern is for no
        /// request at all.
        cleaned: bool,
    },
    /// Only in lower case would the path fit.
    LetterCase,
    /// The rule's paths begin otherwise.
    PathStart {
        /// How they do.
        rule: String,
    },
    /// The rest of the pattern does not fit.
    Pattern,
    /// It fits the path with the slash that was sent, but a rule for the path without goes before it.
    WithSlash,
    /// The pattern takes too many steps on this URL.
    TooManySteps,
    /// The pattern cannot be read (strict mode).
    Broken,
}

/// How far a rule is from a request; the least first.
type Distance = (bool, usize, Reverse<usize>, usize);

/// The rules nearest to a request, without the chosen one: those for the same host first, and alone where one is
/// chosen.
pub(crate) fn near_misses(
    policy: &Policy,
    request: &Request,
    chosen: Option<usize>,
) -> Vec<NearMiss> {
    let mut nearest: Vec<(Distance, NearMiss)> = Vec::new();
    for (place, rule) in policy.rules.iter().enumerate() {
        if Some(place) == chosen {
            continue;
        }
        let Some(differences) = differences(rule, request, policy.strict, chosen.is_some()) else {
            continue;
        };
        let is_elsewhere = differences
            .iter()
            .any(|difference| matches!(difference, Difference::Host { .. }));
        let begins_otherwise = differences
            .iter()
            .any(|difference| matches!(difference, Difference::PathStart { .. }));
        // Where one is found, nobody wonders about those for other hosts and other parts of the site.
        if chosen.is_some() && (is_elsewhere || begins_otherwise) {
            continue;
        }
        let weight = differences.iter().map(weight).sum();
        let shared = shared(rule.url.path_prefix(), request.path.decoded());
        let distance = (is_elsewhere, weight, Reverse(shared), place);
        let miss = NearMiss {
            rule: rule.id.clone(),
            pattern: rule.url.source().to_owned(),
            differences,
        };
        insert(&mut nearest, distance, miss);
        nearest.truncate(MOST);
    }
    nearest.into_iter().map(|(_, miss)| miss).collect()
}

/// Keeps a list in order, and those of the same rank in the order in which they came. The lists are short, and a sort is much code.
fn insert<K: Ord, T>(list: &mut Vec<(K, T)>, rank: K, item: T) {
    let place = list.iter().position(|(other, _)| *other > rank);
    list.insert(place.unwrap_or(list.len()), (rank, item));
}

/// What would have to be otherwise; `None` for a rule that is too far off.
fn differences(
    rule: &Rule,
    request: &Request,
    strict: bool,
    is_chosen: bool,
) -> Option<Vec<Difference>> {
    let mut differences = url_differences(rule, request, strict, is_chosen)?;
    if !rule
        .methods
        .iter()
        .any(|method| method.eq_ignore_ascii_case(&request.method))
    {
        differences.insert(
            0,
            Difference::Method {
                rule: rule.methods.clone(),
            },
        );
    }
    if differences.is_empty() {
        differences.push(Difference::Nothing);
    }
    Some(differences)
}

fn url_differences(
    rule: &Rule,
    request: &Request,
    strict: bool,
    is_chosen: bool,
) -> Option<Vec<Difference>> {
    for (_, (target, differences)) in variants(rule, request, strict, is_chosen) {
        match rule.url.find(&target, DEFAULT_BUDGET) {
            Ok(Some(_)) => return Some(differences),
            Ok(None) => {}
            Err(_) if !differences.is_empty() => {}
            Err(Unmatched::BudgetExceeded) => return Some(vec![Difference::TooManySteps]),
            Err(Unmatched::Broken) => return Some(vec![Difference::Broken]),
        }
    }
    let path = request.path.decoded();
    let start = rule.url.path_prefix();
    match rule.url.host() {
        Some(host) if host != request.authority() => None,
        // Where the host is a pattern it is not known to be the same, so the path must tell.
        None if shared(start, path) < 2 => None,
        _ if path.starts_with(start) => Some(vec![Difference::Pattern]),
        _ => Some(vec![Difference::PathStart {
            rule: start.to_owned(),
        }]),
    }
}

/// The URLs to try, each with what is otherwise in it than in the request's. The fewer differences, the likelier it is what was meant.
fn variants(
    rule: &Rule,
    request: &Request,
    strict: bool,
    is_chosen: bool,
) -> Vec<(usize, (String, Vec<Difference>))> {
    let own = request.authority();
    let mut hosts = vec![(own.clone(), None)];
    if let Some(host) = rule.url.host().filter(|host| *host != own) {
        hosts.push((
            host.to_owned(),
            Some(Difference::Host {
                rule: host.to_owned(),
            }),
        ));
    }
    let other = match request.scheme {
        Scheme::Http => Scheme::Https,
        Scheme::Https => Scheme::Http,
    };
    let schemes = [
        (request.scheme, None),
        (
            other,
            Some(Difference::Scheme {
                rule: other.as_str().to_owned(),
            }),
        ),
    ];
    let path = request.path.decoded();
    let mut paths = vec![(path.to_owned(), None)];
    if request.path.has_trailing_slash() && !strict {
        paths.push((
            format!("{path}/"),
            is_chosen.then_some(Difference::WithSlash),
        ));
    } else if path != "/" {
        let slash = Difference::TrailingSlash { cleaned: strict };
        paths.push((format!("{path}/"), Some(slash)));
    }
    let lower: String = path.chars().map(letter_case::lower).collect();
    if lower != path {
        paths.push((lower, Some(Difference::LetterCase)));
    }
    // What does not begin as all the rule's paths do need not be tried.
    paths.retain(|(path, _)| path.starts_with(rule.url.path_prefix()));
    let mut variants = Vec::new();
    for (scheme, of_scheme) in &schemes {
        for (host, of_host) in &hosts {
            for (path, of_path) in &paths {
                let target = format!("{}://{host}{path}", scheme.as_str());
                let differences = [of_scheme, of_host, of_path].into_iter().flatten();
                let rank = differences.clone().map(weight).sum();
                insert(
                    &mut variants,
                    rank,
                    (target, differences.cloned().collect()),
                );
            }
        }
    }
    variants
}

/// How much of a difference it is.
fn weight(difference: &Difference) -> usize {
    match difference {
        Difference::WithSlash => 1,
        Difference::Nothing | Difference::TooManySteps | Difference::Broken => 0,
        Difference::Method { .. } => 2,
        Difference::TrailingSlash { .. } => 3,
        Difference::LetterCase | Difference::Scheme { .. } => 4,
        Difference::Host { .. } => 5,
        Difference::Pattern => 20,
        Difference::PathStart { .. } => 30,
    }
}

/// How many bytes two texts begin with that are the same.
fn shared(left: &str, right: &str) -> usize {
    left.bytes()
        .zip(right.bytes())
        .take_while(|(left, right)| left == right)
        .count()
}
