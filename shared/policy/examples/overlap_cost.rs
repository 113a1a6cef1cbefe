//! How long it takes to reason on 5,000 rules and more:
//! `cargo run --release -p edgekeeper-policy --features compile --example overlap_cost [part of a set's name]`.

#![allow(clippy::expect_used, clippy::cast_precision_loss)]

use std::time::Instant;

use edgekeeper_policy::authorizer::Authorizer;
use edgekeeper_policy::compile::Patterns;
use edgekeeper_policy::pattern::compile;
use edgekeeper_policy::rule::Rule;

fn rule(url: &str) -> Rule {
    Rule {
        id: url.to_owned(),
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        url: compile(url).expect("a pattern"),
        authenticators: Vec::new(),
        authorizers: vec![Authorizer::Allow],
        mutators: Vec::new(),
        errors: Vec::new(),
        upstream: None,
        source: None,
    }
}

/// What a team with many services writes: some open paths, an API by resource, and the rest without both.
fn services(hosts: usize, each: usize) -> Vec<Rule> {
    let mut rules = Vec::new();
    for host in 0..hosts {
        let base = format!("<https?>://svc-{host}.stg.apps.example.com");
        rules.push(rule(&format!(
            "{base}/<(assets/.*|favicon\\.ico|robots\\.txt|)>"
        )));
        rules.push(rule(&format!(
            "{base}/<(?!api/|assets/|favicon\\.ico$|robots\\.txt$)[^/].*>"
        )));
        for resource in 2..each {
            rules.push(rule(&match resource % 4 {
                0 => format!("{base}/api/resource-{resource}/<[0-9]+>"),
                1 => format!("{base}/api/resource-{resource}/<(?!admin/).*>"),
                2 => format!("{base}/api/<(resource-{resource}|other-{resource})>"),
                _ => format!("{base}/api/resource-{resource}/<[^/]+>/items/<[^/]+>"),
            }));
        }
    }
    rules
}

fn main() {
    let sets: Vec<(&str, Vec<Rule>)> = vec![
        ("100 hosts with 50 rules each", services(100, 50)),
        ("one host with 5,000 rules", services(1, 5_000)),
        ("5,000 hosts", services(2_500, 2)),
        (
            "5,000 times everything",
            (0..5_000)
                .map(|_| rule("https://a.example.com/<.*>"))
                .collect(),
        ),
        (
            "5,000 with hosts that are expressions",
            (0..5_000)
                .map(|number| rule(&format!("https://<[a-z0-9-]+>.example.com/r{number}/<.*>")))
                .collect(),
        ),
        (
            "300 hard ones",
            (0..300_usize)
                .map(|number| {
                    let few = number.wrapping_rem(7).saturating_add(3);
                    let many = number.wrapping_rem(11).saturating_add(5);
                    rule(&format!(
                        "https://a.example.com/<(?!.*x.{{{few}}}y{number}).*a.{{{many}}}b{number}.*c>"
                    ))
                })
                .collect(),
        ),
        ("100,000 rules", services(2_000, 50)),
        (
            "100,000 times everything",
            (0..100_000).map(|_| rule("https://a.example.com/<.*>")).collect(),
        ),
    ];
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (name, rules) in sets.into_iter().filter(|(name, _)| name.contains(&wanted)) {
        let start = Instant::now();
        let mut patterns = Patterns::new(rules.iter(), false);
        let pairs: usize = (0..rules.len())
            .map(|number| patterns.near(number).len())
            .sum();
        let filtered = start.elapsed();
        let found = patterns.overlaps();
        let compared = start.elapsed();
        let (overlaps, undecided): (Vec<_>, Vec<_>) =
            found.iter().partition(|pair| pair.overlap.url().is_some());
        let nobody = (0..rules.len())
            .filter(|number| patterns.never(*number).is_some())
            .count();
        let checked = start.elapsed();
        let single = (0..rules.len())
            .filter(|number| {
                patterns.backtracking(*number).is_some() || patterns.wide_host(*number).is_some()
            })
            .count();
        let looked = start.elapsed();
        println!(
            "{name}: {} rules, {} pairs that may overlap in {:.0} ms; decided in {:.0} ms: {} rules overlap, {} pairs undecided; \
             {nobody} for nobody in {:.0} ms; {single} that backtrack or have wide hosts in {:.0} ms",
            rules.len(),
            pairs >> 1,
            filtered.as_secs_f64() * 1e3,
            compared.saturating_sub(filtered).as_secs_f64() * 1e3,
            overlaps.len(),
            undecided.len(),
            checked.saturating_sub(compared).as_secs_f64() * 1e3,
            looked.saturating_sub(checked).as_secs_f64() * 1e3,
        );
    }
}
