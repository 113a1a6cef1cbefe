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
