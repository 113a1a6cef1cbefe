//! Languages of patterns against the matcher, and the searches among them.

use super::super::{DEFAULT_BUDGET, Pattern, compile};
use super::*;

fn read(text: &str) -> Pattern {
    compile(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(pattern: &Pattern, url: &str) -> bool {
    matches!(pattern.find(url, DEFAULT_BUDGET), Ok(Some(_)))
}

fn common(first: &Pattern, second: &Pattern, strict: bool) -> Answer {
    let mut a = Language::new(first, strict).unwrap();
    let mut b = Language::new(second, strict).unwrap();
    let urls = Urls {
        strict,
        ..Urls::default()
    };
    Requests::new(urls)
        .unwrap()
        .find(vec![&mut a, &mut b], vec![], &[String::new()], &mut |url| {
            matches(first, url) && matches(second, url)
        })
        .0
}

#[test]
fn what_teams_write_is_decided() {
    let never = [
        ("https://a.test/x", "https://b.test/x"),
        ("https://a.test/x", "http://a.test/x"),
        (
            "<https?>://a.test/<(?!admin/).*>",
            "<https?>://a.test/admin/<.*>",
        ),
        (
            "<https?>://a.test/<(?!(admin|api)/).*>",
            "<https?>://a.test/api/<.*>",
        ),
        (
            "https://a.test/<.*(?<!\\.php)>",
            "https://a.test/<.*\\.php>",
        ),
        ("https://a.test/<[0-9]+>", "https://a.test/<[a-z]+>"),
        ("https://a.test/<[^/]+>/edit", "https://a.test/<[^/]+>/view"),
        (
            "https://a.test/<(?!.*\\.\\.).*>",
            "https://a.test/<.*\\.\\.>",
        ),
        ("https://a.test/<(?i)api>/x", "https://a.test/<web|site>/x"),
        ("https://a.test/<\\w+\\b>", "https://a.test/<\\w+-\\w+>"),
        ("https://a.test/<(?=.*x)[^/]*>", "https://a.test/<[^x]*>"),
        ("https://a.test/a/<.*>/", "https://a.test/b/<.*>/"),
        // `/docs/` goes to the rule for `/docs`.
        ("https://a.test/docs/", "https://a.test/docs<.*>"),
        ("https://<[a-z]+>.a.test/x", "https://a.test/x"),
        ("https://a.test/<^x$>", "https://a.test/<.*>"),
        ("https://a.test/../<.*>", "https://a.test/<.*>"),
    ];
    for (first, second) in never {
        assert_eq!(
            common(&read(first), &read(second), false),
            Answer::Never,
            "{first} and {second}"
        );
    }
    let at = [
        (
            "https://a.test/<.*>",
            "https://a.test/admin/<.*>",
            "https://a.test/admin/x",
        ),
        (
            "<https?>://a.test/<.*>",
            "<https?>://a.test/api/<(users|keys)>",
            "https://a.test/api/keys",
        ),
        (
            "http://a.test/<.*>",
            "http://a.test/<[0-9]{3}>",
            "http://a.test/000",
        ),
        (
            "https://a.test/docs/",
            "https://a.test/<docs|blog>/",
            "https://a.test/docs/",
        ),
        (
            "https://<.*>.a.test/x",
            "https://<app|web>.a.test/<.*>",
            "https://app.a.test/x",
        ),
        (
            "https://a.test/<(?!admin).*>",
            "https://a.test/<(?!api).*>",
            "https://a.test/",
        ),
        (
            "https://a.test/<.*(?<!\\.php)>",
            "https://a.test/<.*\\.html>",
            "https://a.test/.html",
        ),
        (
            "https://a.test/<(?=.*x)(?=.*y).*>",
            "https://a.test/<[a-z]+>",
            "https://a.test/xy",
        ),
        ("<.*>", "<.*>", "https://x/"),
        (
            "https://a.test:8443/<.*>",
            "<https://[^/]+>/x",
            "https://a.test:8443/x",
        ),
        (
            "https://a.test/<(?>a+)b>",
            "https://a.test/<.*>",
            "https://a.test/ab",
        ),
    ];
    for (first, second, url) in at {
        let found = common(&read(first), &read(second), false);
        assert_eq!(found, Answer::Url(url.to_owned()), "{first} and {second}");
    }
}

fn is_request(url: &str, urls: Urls) -> bool {
    let mut requests = Requests::new(urls).unwrap();
    attack::is_request(&mut requests.automaton, url)
}

#[test]
fn urls_of_requests_are_those_the_gateway_makes() {
    let default = Urls::default();
    for url in [
        "http://a/",
        "https://app.example.com/",
        "https://app.example.com/a/b",
        "https://a_b-c.0/x",
        "https://a:8443/",
        "http://a:443/",
        "https://a:0/x",
        "https://a:65535/x",
        "https://[::1]/x",
        "https://[2001:db8::1.2.3.4]:8080/x",
        "https://a/...",
        "https://a/.well-known/x",
        "https://a/a..b/..c",
        "https://a/x;y=z",
        "https://a/a%b",
        "https://a/a%41",
        "https://a/a?b",
        "https://a/a b",
        "https://a/\u{65e5}",
        "https://a/%2",
    ] {
        assert!(is_request(url, default), "{url} is one");
        assert!(
            is_request(
                url,
                Urls {
                    strict: true,
                    ..default
                }
            ),
            "{url} is one, strictly"
        );
    }
    for url in [
        "",
        "https://a",
        "https:///",
        "https://a//",
        "https://a/b/",
        "https://a//b",
        "https://a/.",
        "https://a/../b",
        "https://a/b/..",
        "https://a/..;x/b",
        "https://a/.;/b",
        "https://a/\u{ff0e}\u{ff0e}/b",
        "https://a/%2e/b",
        "https://A/",
        "https://a./",
        "https://.a/",
        "https://a..b/",
        "https://a b/",
        "https://a:443/",
        "https://a:80/",
        "http://a:80/x",
        "https://a:65536/",
        "https://a:08/",
        "https://a:/",
        "https://[1]/",
        "ws://a/",
        "HTTPS://a/",
        "https://a/a\u{1}b",
        "https://a/a\u{85}b",
        "https://a/a\\b",
        "https://a/a\u{ff0f}b",
        "https://a/a%2fb",
        "https://a/a%2Eb",
        "https://a/a%25b",
        "https://a/a%5c",
        "https://a/%00",
        "https://a/%3Bx",
    ] {
        assert!(!is_request(url, default), "{url:?} is none");
    }
    let strict = Urls {
        strict: true,
        ..default
    };
    for url in [
        "https://A.test./",
        "https://.a:443/x",
        "https://a",
        "https://a/\u{1}",
        "https://a/a%2fb",
    ] {
        assert!(is_request(url, strict), "{url:?} is one, strictly");
    }
    for url in [
        "https://a/b/",
        "https://a//b",
        "https://a/../b",
        "https://a/\0",
        "https://a/x\\..\\y",
    ] {
        assert!(!is_request(url, strict), "{url:?} is none, strictly");
    }
    let plain = Urls {
        plain: true,
        ..default
    };
    for url in ["https://a/a?b", "https://a/#"] {
        assert!(!is_request(url, plain), "{url} has a query or fragment");
        assert!(
            is_request(
                url,
                Urls {
                    query: true,
                    ..plain
                }
            ),
            "{url} with a query or fragment"
        );
    }
    assert!(is_request(
        "https://A/x",
        Urls {
            any_case: true,
            ..plain
        }
    ));
    assert!(is_request(
        "https://a//b/",
        Urls {
            any_slashes: true,
            ..plain
        }
    ));
    assert!(is_request(
        "https://a/../b",
        Urls {
            any_dots: true,
            ..plain
        }
    ));
    assert!(is_request(
        "https://a:443/b",
        Urls {
            any_port: true,
            ..plain
        }
    ));
    assert!(is_request(
        "x\n",
        Urls {
            anything: true,
            ..plain
        }
    ));
}

#[test]
fn what_is_too_large_is_undecided() {
    let counted = read("https://a.test/<(?:.*a.{14}){2}b>");
    let other = read("https://a.test/<(?:.*c.{14}){2}d>");
    assert!(
        matches!(common(&counted, &other, false), Answer::Undecided(_)),
        "an automaton of this needs more states than are made"
    );
    let large = read("https://a.test/<(?!.*x.{13}y)(?=.*a.{13}b).*c.{13}d.*e>");
    let other = read("https://a.test/<(?!.*a.{13}b).*c.{13}d.*e>");
    assert!(
        !matches!(common(&large, &other, false), Answer::Url(_)),
        "one needs what the other forbids"
    );
    let huge = read("https://a.test/<[0-9]{9000}>");
    assert_eq!(Language::new(&huge, false).err(), None);
    let more = read("https://a.test/<[0-9]{30000}>");
    assert_eq!(
        Language::new(&more, false).err(),
        Some("the pattern is too large")
    );
}
