//! The hints for the index, and the index itself: they may exclude only what does not match.

use super::super::{DEFAULT_BUDGET, Unmatched, compile, compile_strict};
use crate::index::RuleIndex;

#[test]
fn hints_are_as_narrow_as_they_may_be() {
    for (pattern, host, prefix) in [
        ("https://a.test/<.*>", Some("a.test"), "/"),
        (
            "https://a.test:8080/api/v1/<.*>",
            Some("a.test:8080"),
            "/api/v1/",
        ),
        ("https://A.Test/Api/<.*>", Some("a.test"), "/Api/"),
        ("https://a.test/exact", Some("a.test"), "/exact"),
        ("<https?>://a.test/x<(/.*)?>", Some("a.test"), "/x"),
        ("<http|https>://a.test/<a>/b", Some("a.test"), "/"),
        ("<[a-z]+>://a.test/p", Some("a.test"), "/p"),
        ("http<s?>://a.test/p", Some("a.test"), "/p"),
        ("<(?i)https?>://a.test/p", Some("a.test"), "/p"),
        // The brackets could match up to a later `://`.
        ("<.*>://a.test/p", None, "/"),
        ("<[^/]*>://a.test/p", None, "/"),
        ("<\\w+|:>://a.test/p", None, "/"),
        ("<(?<n>a)\\k<n>>://a.test/p", None, "/"),
        // The host is not literal.
        ("http://<[a-z]+>.a.test/p", None, "/p"),
        ("http://a.test<(:[0-9]+)?>/p", None, "/p"),
        ("http://a.test<.*>", None, "/"),
        ("http://a.test", None, "/"),
        ("<.*>", None, "/"),
        ("", None, "/"),
        ("a/b", None, "/"),
        ("http:/a.test/p", None, "/"),
        ("<http://>a.test/p", None, "/"),
    ] {
        let compiled = compile(pattern).unwrap();
        assert_eq!(
            (compiled.host(), compiled.path_prefix()),
            (host, prefix),
            "{pattern}"
        );
    }
}

#[test]
fn the_index_never_misses_a_rule_that_matches() {
    let schemes = [
        "http",
        "<https?>",
        "<http|https>",
        "<.*>",
        "<[^/]+>",
        "<\\w+>",
        "<(http:)?//a>",
    ];
    let hosts = [
        "a.test",
        "A.test",
        "a.test:80",
        "<[a-z]+>.test",
        "a<.*>",
        "<.*>",
        "b.test<(:80)?>",
    ];
    let paths = [
        "/",
        "/<.*>",
        "/api/<.*>",
        "/api<(/.*)?>",
        "/Api",
        "<.*>",
        "/a<b|pi/>x",
        "/ž/<.*>",
        "//<x>",
    ];
    let mut patterns = Vec::new();
    for scheme in schemes {
        for host in hosts {
            for path in paths {
                patterns.push(compile(&format!("{scheme}://{host}{path}")).unwrap());
            }
        }
    }
    let index = RuleIndex::new(patterns.iter());
    let mut matched = 0;
    for scheme in ["http", "https", "ftp"] {
        for host in ["a.test", "a.test:80", "b.test", "b.test:80", "x", "abc"] {
            for path in [
                "/",
                "/api",
                "/api/",
                "/api/x",
                "/Api",
                "/abx",
                "/api/x://a.test/api",
                "/ž/x",
                "//x",
                "/a://a.test/",
            ] {
                let text = format!("{scheme}://{host}{path}");
                let candidates = index.candidates(&text);
                assert!(
                    candidates.is_sorted_by(|a, b| a < b),
                    "ascending and each once: {candidates:?}"
                );
                for (rule, pattern) in patterns.iter().enumerate() {
                    if pattern.find(&text, DEFAULT_BUDGET).unwrap().is_some() {
                        matched += 1;
                        assert!(
                            candidates.contains(&rule),
                            "{} matches {text}",
                            pattern.source()
                        );
                    }
                }
            }
        }
    }
    assert!(matched > 1000, "enough of them match: {matched}");
}

#[test]
fn candidates_do_not_grow_with_the_rules() {
    let patterns: Vec<_> = (0..500)
        .map(|number| {
            compile(&format!(
                "<https?>://s{}.test/v{}/<.*>",
                number / 5,
                number % 5
            ))
            .unwrap()
        })
        .collect();
    let index = RuleIndex::new(patterns.iter());
    for (url, expected) in [
        ("https://s7.test/v3/x", &[38_usize][..]),
        ("https://s7.test/v9/x", &[]),
        ("https://other.test/v3/x", &[]),
    ] {
        assert_eq!(index.candidates(url), expected, "{url}");
    }
}

#[test]
fn hosts_and_starts_that_are_patterns_are_told_apart_too() {
    for shape in [
        "https://<[a-z]+>.s{}.test/<.*>",
        "https://s{}-<[a-z]+>.test/<.*>",
        "https://s{}.<stg|prod>.test/<.*>",
        "https://<.*>.s{}.test/<.*>",
        "https://a.test/<v1|v2>/s{}/<.*>",
        "<.*>/s{}/<.*>",
        "https://a.test/s{}<(/.*)?>",
    ] {
        let patterns: Vec<_> = (100..600)
            .map(|number| compile(&shape.replace("{}", &number.to_string())).unwrap())
            .collect();
        let index = RuleIndex::new(patterns.iter());
        for url in [
            "https://x.s222.test/y",
            "https://s222-x.test/y",
            "https://s222.prod.test/y",
            "https://a.test/v1/s222/y",
            "https://a.test/s222",
            "https://none.test/none",
        ] {
            let candidates = index.candidates(url);
            assert!(candidates.len() <= 1, "{shape} for {url}: {candidates:?}");
            for (rule, pattern) in patterns.iter().enumerate() {
                let matches = pattern.find(url, DEFAULT_BUDGET).unwrap().is_some();
                assert!(!matches || candidates == [rule], "{shape} for {url}");
            }
        }
    }
}

#[test]
fn a_broken_pattern_is_a_candidate_for_every_url() {
    let patterns = [
        compile("https://a.test/<.*>").unwrap(),
        compile_strict("https://b.test/<(>").unwrap(),
    ];
    let index = RuleIndex::new(patterns.iter());
    assert_eq!(index.candidates("https://a.test/x"), [0, 1]);
    assert_eq!(index.candidates("https://b.test/x"), [1]);
    assert_eq!(
        patterns[1].find("https://x.test/", DEFAULT_BUDGET),
        Err(Unmatched::Broken)
    );
}
