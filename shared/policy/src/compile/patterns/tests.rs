//! What is found in the rules of teams.

use crate::authorizer::Authorizer;
use crate::pattern::{Pattern, compile, compile_glob};
use crate::rule::Rule;

use super::*;

fn rule(url: Pattern, methods: &[&str]) -> Rule {
    Rule {
        id: url.source().to_owned(),
        methods: methods.iter().map(|&method| method.to_owned()).collect(),
        url,
        authenticators: Vec::new(),
        authorizers: vec![Authorizer::Allow],
        mutators: Vec::new(),
        errors: Vec::new(),
        upstream: None,
        source: None,
    }
}

pub(super) fn regexps(urls: &[&str]) -> Vec<Rule> {
    let read = |url: &&str| {
        rule(
            compile(url).unwrap_or_else(|error| panic!("{url}: {error}")),
            &["GET"],
        )
    };
    urls.iter().map(read).collect()
}

fn globs(urls: &[&str]) -> Vec<Rule> {
    let read = |url: &&str| {
        rule(
            compile_glob(url).unwrap_or_else(|error| panic!("{url}: {error}")),
            &["GET"],
        )
    };
    urls.iter().map(read).collect()
}

#[test]
fn rules_that_no_request_is_for_are_found_with_the_reason() {
    for (url, because, wanted) in [
        (
            "https://<App>.example.com/<.*>",
            NeverBecause::UpperCaseHost,
            "https://App.example.com/",
        ),
        (
            "https://app.example.com/my%20files/<.*>",
            NeverBecause::Escapes,
            "https://app.example.com/my%20files/",
        ),
        (
            "https://app.example.com//<.*>",
            NeverBecause::Slashes,
            "https://app.example.com//",
        ),
        (
            "https://app.example.com/a/../b",
            NeverBecause::DotSegments,
            "https://app.example.com/a/../b",
        ),
        (
            "https://app.example.com/a?x=<.*>",
            NeverBecause::Query,
            "https://app.example.com/a?x=",
        ),
        (
            "https://app.example.com:443/<.*>",
            NeverBecause::Port,
            "https://app.example.com:443/",
        ),
        (
            "http://app.example.com:80/",
            NeverBecause::Port,
            "http://app.example.com:80/",
        ),
        (
            "app.example.com/<.*>",
            NeverBecause::NotAUrl,
            "app.example.com/",
        ),
        (
            "https://app.example.com",
            NeverBecause::NotAUrl,
            "https://app.example.com",
        ),
        (
            "ws://app.example.com/<.*>",
            NeverBecause::NotAUrl,
            "ws://app.example.com/",
        ),
        (
            "https://app.example.com/<a$b>",
            NeverBecause::Impossible,
            "",
        ),
        ("https://app.example.com/<^a>", NeverBecause::Impossible, ""),
        (
            "https://app.example.com/<(?!.*)>",
            NeverBecause::Impossible,
            "",
        ),
        (
            "https://app.example.com/<x\\bx>",
            NeverBecause::Impossible,
            "",
        ),
    ] {
        let rules = regexps(&[url]);
        let found = Patterns::new(rules.iter(), false).never(0);
        let expected = Never {
            because,
            wanted: wanted.to_owned(),
        };
        assert_eq!(found, Some(expected), "{url}");
    }
    for url in [
        "https://App.example.com/<.*>",
        "https://app.example.com/my files/100%/<.*>",
        "https://app.example.com/docs/",
        "https://app.example.com:8443/<.*>",
        "http://app.example.com:443/",
        "https://app.example.com/<.*>",
        "https://app.example.com/.well-known/<.*>",
        "https://app.example.com/...",
        "https://app.example.com/<(?<![^/])a>",
        "https://<\\[[0-9a-f:]+\\]>/x",
        "https://app.example.com/<(a)\\2>",
        "<.*>",
    ] {
        let rules = regexps(&[url]);
        assert_eq!(Patterns::new(rules.iter(), false).never(0), None, "{url}");
    }
    let rules = [rule(compile("https://app.example.com/x").unwrap(), &[])];
    let found = Patterns::new(rules.iter(), false)
        .never(0)
        .map(|never| never.because);
    assert_eq!(
        found,
        Some(NeverBecause::NoMethods),
        "no method, no request"
    );
}

#[test]
fn strict_mode_never_sees_a_slash_at_the_end() {
    let rules = [rule(
        crate::pattern::compile_strict("https://a.test/docs/").unwrap(),
        &["GET"],
    )];
    let found = Patterns::new(rules.iter(), true)
        .never(0)
        .map(|never| never.because);
    assert_eq!(found, Some(NeverBecause::Slashes));
    let rules = [rule(
        crate::pattern::compile_strict("https://A.test/docs").unwrap(),
        &["GET"],
    )];
    assert_eq!(
        Patterns::new(rules.iter(), true).never(0),
        None,
        "hosts are compared as they are sent"
    );
}

#[test]
fn a_rule_that_others_leave_nothing_is_shadowed() {
    for (urls, shadowed) in [
        (&["https://a.test/admin/x", "https://a.test/<.*>"][..], true),
        (
            &[
                "https://a.test/<x|y>",
                "https://a.test/x",
                "https://a.test/y",
            ],
            true,
        ),
        (
            &[
                "https://a.test/<x|y|z>",
                "https://a.test/x",
                "https://a.test/y",
            ],
            false,
        ),
        (&["https://a.test/<.*>", "https://a.test/admin/<.*>"], false),
        (
            &["https://a.test/<[^/]*>", "https://a.test/<(?!.*/).*>"],
            true,
        ),
        // A request for it is for the other, since the path without the slash comes first.
        (&["https://a.test/docs/", "https://a.test/docs"], true),
        (&["https://a.test/docs/", "https://a.test/documents"], false),
        (&["https://a.test/docs/<.*>", "https://a.test/docs"], false),
    ] {
        let rules = regexps(urls);
        let others: Vec<usize> = (1..rules.len()).collect();
        let found = Patterns::new(rules.iter(), false).shadowed(0, &others);
        assert_eq!(found.is_some(), shadowed, "{urls:?}");
    }
}

#[test]
fn globs_are_told_apart_by_what_their_trees_decide() {
    for (first, second, url) in [
        ("https://a.test/<*>", "https://a.test/b/<*>", None),
        (
            "https://a.test/<**>",
            "https://a.test/b/<*>",
            Some("https://a.test/b/x"),
        ),
        (
            "https://a.test/<{docs,blog}>/<**>",
            "https://a.test/<{blog,x}>/<*>",
            Some("https://a.test/blog/"),
        ),
        (
            "https://a.test/<{docs,blog}>/<**>",
            "https://a.test/<{bloc,x}>/<*>",
            None,
        ),
        (
            "https://<*>.a.test/<**>",
            "https://b.a.test/x",
            Some("https://b.a.test/x"),
        ),
        (
            "https://a.test/<[abc]>",
            "https://a.test/<[!a]>",
            Some("https://a.test/b"),
        ),
        ("https://a.test/<[a-c]>", "https://a.test/<[d-f]>", None),
        ("https://a.test/<?>", "https://a.test/<??>", None),
        (
            "https://a.test/v<?>/<**>",
            "https://a.test/v1/users",
            Some("https://a.test/v1/users"),
        ),
        (
            "<{http,https}>://a.test/<**.css>",
            "<{http,https}>://a.test/<**.js>",
            None,
        ),
        // As the quickstart of Kratos has them.
        (
            "https://a.test/<{error,verify,auth/*,**.css,**.js}{/,}>",
            "https://a.test/<{,debug,dashboard,settings}>",
            None,
        ),
        (
            "https://a.test/<{error,verify,auth/*,**.css,**.js}{/,}>",
            "https://a.test/auth/<**>",
            Some("https://a.test/auth/"),
        ),
        // It looks for the first `.css` only, and `*` goes over a slash where a dot follows.
        (
            "https://a.test/<{a,**.css}{/,}>",
            "https://a.test/x.css.css",
            None,
        ),
        (
            "https://a.test/<{a,b*}{.js,}>",
            "https://a.test/b/c.js",
            Some("https://a.test/b/c.js"),
        ),
    ] {
        let rules = globs(&[first, second]);
        let found = Patterns::new(rules.iter(), false).overlap(0, 1);
        let expected = match url {
            Some(url) => Overlap::At {
                url: url.to_owned(),
                method: "GET".to_owned(),
            },
            None => Overlap::Never,
        };
        assert_eq!(found, expected, "{first} and {second}");
    }
}

#[test]
fn rules_without_a_common_method_never_overlap() {
    let url = || compile("https://a.test/<.*>").unwrap();
    let rules = [
        rule(url(), &["GET"]),
        rule(url(), &["POST"]),
        rule(url(), &["PUT", "POST"]),
    ];
    let mut patterns = Patterns::new(rules.iter(), false);
    assert_eq!(
        [0, 1, 2].map(|number| patterns.near(number)),
        [vec![], vec![2], vec![1]]
    );
    assert_eq!(patterns.overlap(0, 1), Overlap::Never);
    let method = "POST".to_owned();
    let url = "https://a.test/".to_owned();
    assert_eq!(patterns.overlap(1, 2), Overlap::At { url, method });
}

#[test]
fn neighbours_are_all_that_can_overlap() {
    let rules = regexps(&[
        "https://a.test/<.*>",
        "https://a.test/admin/<.*>",
        "https://b.test/admin/<.*>",
        "https://<.*>.test/admin/x",
        "https://a.test/admin/<.*>/edit",
        "https://<x.*>/<.*>",
        "https://a.test/api/<.*>",
        "https://a.test/<users|groups>",
    ]);
    let mut patterns = Patterns::new(rules.iter(), false);
    let near: Vec<Vec<usize>> = (0..rules.len())
        .map(|number| patterns.near(number))
        .collect();
    assert_eq!(
        near,
        [
            vec![1, 3, 4, 5, 6, 7],
            vec![0, 3, 4, 5],
            vec![3, 5],
            vec![0, 1, 2, 4, 5, 6, 7],
            vec![0, 1, 3, 5],
            vec![0, 1, 2, 3, 4, 6, 7],
            vec![0, 3, 5],
            vec![0, 3, 5],
        ]
    );
}

#[test]
fn a_dot_that_opens_a_host_is_shown_with_such_a_host() {
    for (url, wide) in [
        (
            "https://<.*.example.com>/<.*>",
            Some("https://xexample.com/"),
        ),
        (
            "<https?>://<(app|web).example.com>/<.*>",
            Some("https://appxexample.com/"),
        ),
        (
            "https://<[a-z]+\\.example.com>/x",
            Some("https://x.examplexcom/x"),
        ),
        (
            "<https://.+.example\\.com/.*>",
            Some("https://xxexample.com/"),
        ),
        (
            "https://<(?:[a-z]+.)*>example.com/",
            Some("https://xxexample.com/"),
        ),
        ("https://<.*\\.example\\.com>/<.*>", None),
        ("https://<(a|b)>.example.com/<.*>", None),
        ("https://<app.>.example.com/<.*>", None),
        ("https://app.example.com/<favicon.ico>", None),
        ("https://<[a-z.]+>/<robots.txt>", None),
        ("<.*>", None),
    ] {
        let rules = regexps(&[url]);
        let found = Patterns::new(rules.iter(), false).wide_host(0);
        assert_eq!(
            found.as_ref().map(|found| found.url.as_str()),
            wide,
            "{url}"
        );
        if let Some(found) = found {
            let dot = found.dot.unwrap_or_else(|| panic!("which dot? {url}"));
            let narrow = format!("{}\\{}", &url[..dot], &url[dot..]);
            let rules = regexps(&[&narrow]);
            let again = Patterns::new(rules.iter(), false).wide_host(0);
            assert_ne!(again.map(|again| again.url), Some(found.url), "{narrow}");
        }
    }
}

#[test]
fn a_good_team_is_told_nothing() {
    let rules = regexps(&[
        "<https?>://web.stg.apps.example.com/<(assets/.*|favicon\\.ico|)>",
        "<https?>://web.stg.apps.example.com/api/<.*>",
        "<https?>://frame.stg.apps.example.com/<.*>",
        "<https?>://docs.stg.apps.example.com/<(?!old/).*>",
        "<https?>://middleware.stg.apps.example.com/api/<(oauth-clients|keys)>",
        "<https?>://lineside.stg.apps.example.com/<(?!admin/).*>",
        "<https?>://lineside.stg.apps.example.com/admin/<.*>",
        "<https?>://kratos.stg.apps.example.com/<(self-service|sessions|schemas|\\.well-known/ory)>/<.*>",
        "<https?>://shop.stg.apps.example.com/<(?!(api|admin|assets)(/|$)).*>",
        "<https?>://shop.stg.apps.example.com/<(api|admin)>",
        "<https?>://shop.stg.apps.example.com/<(?:api|admin)/.*(?<!\\.map)>",
        "<https?>://shop.stg.apps.example.com/assets/<[^/]+\\.(?:js|css)>",
        "<https?>://shop.stg.apps.example.com/assets/<[^/]+\\.map>",
        "<https?>://<(?:eu|us)>.stg.apps.example.com/v<[0-9]+>/<(?!internal/).*>",
        "<https?>://<(?:eu|us)>.stg.apps.example.com/v<[0-9]+>/internal/<.*>",
    ]);
    let mut patterns = Patterns::new(rules.iter(), false);
    assert_eq!(patterns.overlaps(), []);
    for (number, rule) in rules.iter().enumerate() {
        let near = patterns.near(number);
        assert_eq!(patterns.never(number), None, "{}", rule.id);
        assert_eq!(patterns.shadowed(number, &near), None, "{}", rule.id);
        assert_eq!(patterns.backtracking(number), None, "{}", rule.id);
        assert_eq!(patterns.wide_host(number), None, "{}", rule.id);
    }
}

#[test]
fn a_rule_with_a_slash_at_its_end_overlaps_only_where_nobody_has_the_path_without() {
    let overlaps = |urls: &[&str]| {
        let rules = regexps(urls);
        let pairs = Patterns::new(rules.iter(), false).overlaps();
        let told = pairs.into_iter().map(|pair| {
            (
                pair.first,
                pair.second,
                pair.overlap.url().map(str::to_owned),
            )
        });
        told.collect::<Vec<_>>()
    };
    let twice = ["https://a.test/docs/", "https://a.test/<docs|blog>/"];
    assert_eq!(
        overlaps(&twice),
        [(0, 1, Some("https://a.test/docs/".to_owned()))]
    );
    // The third rule takes `/docs/` as `/docs`, but not `/blog/`, so that is all it does.
    let third = [
        "https://a.test/docs/",
        "https://a.test/<docs|blog>/",
        "https://a.test/docs",
    ];
    assert!(
        overlaps(&third).iter().all(|(_, _, url)| url.is_none()),
        "{:?}",
        overlaps(&third)
    );
}

#[test]
fn an_example_is_of_the_first_rules_and_not_of_the_others() {
    let rules = regexps(&[
        "https://app.example.com/<(?!admin/).*>",
        "https://app.example.com/<.*>",
        "https://app.example.com/admin/<[a-z]+>",
        "https://other.example.com/<.*>",
    ]);
    let mut patterns = Patterns::new(rules.iter(), false);
    for (matching, failing, expected) in [
        (&[0][..], &[][..], Some("https://app.example.com/")),
        (&[1], &[0], Some("https://app.example.com/admin/x")),
        (&[1, 2], &[], Some("https://app.example.com/admin/x")),
        (&[1], &[0, 2], Some("https://app.example.com/admin/0")),
        (&[0], &[1], None),
        (&[0, 3], &[], None),
        (&[2], &[], Some("https://app.example.com/admin/x")),
    ] {
        let found = patterns.example(matching, failing);
        assert_eq!(found.as_deref(), expected, "{matching:?} not {failing:?}");
    }
}
