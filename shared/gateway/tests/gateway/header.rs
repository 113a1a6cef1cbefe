//! `header`: what the upstream is told in headers made from templates.

use serde_json::{Value, json};

use crate::policy::{header, policy, rule, session_rule, set};
use crate::site::{ADA, Site, get, message, session};

fn site(headers: &[(&str, &str)], strict: bool) -> Site {
    let web = set(
        session_rule("web", "https://app.test/<[a-z]*>/<.*>"),
        "mutators",
        json!([header(headers)]),
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::with_ada(policy([web]).with("errors", verbose).mode(strict))
}

/// What a template renders to, or the status and message of the refusal.
fn rendered(template: &str, strict: bool) -> Result<String, (u16, String)> {
    let site = site(&[("x-out", template)], strict);
    let sent = site.send(get(
        "https://app.test/a/b%20c?q=1&q=2",
        &[ADA, ("x-in", "in")],
    ));
    if sent.status() == 0 {
        return Ok(sent.forwarded().values("x-out").join("|"));
    }
    let answer = sent.answered();
    let said = if answer.body.is_empty() {
        String::new()
    } else {
        message(&answer)
    };
    Err((answer.status, said))
}

#[test]
fn templates_see_what_oathkeepers_see() {
    for strict in [false, true] {
        for (template, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("{{ .Subject }}", "ada"),
            ("{{ .Extra.identity.traits.email }}", "ada@example.com"),
            (
                "{{ print .Extra.identity.traits.email }}",
                "ada@example.com",
            ),
            ("{{ print .Extra.missing }}", ""),
            (
                "{{ .Extra.identity.traits | toJson }}",
                r#"{"email":"ada@example.com","name":"ada"}"#,
            ),
            ("{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}", "a"),
            ("{{ printIndex .MatchContext.RegexpCaptureGroups 9 }}", ""),
            ("{{ .MatchContext.Method }}", "GET"),
            ("{{ .MatchContext.URL.Path }}", "/a/b c"),
            (
                "{{ .MatchContext.URL.Host }} {{ .MatchContext.URL.Scheme }} {{ .MatchContext.URL.RawQuery }}",
                "app.test https q=1&q=2",
            ),
            (
                "{{ .MatchContext.URL }}",
                "https://app.test/a/b%20c?q=1&q=2",
            ),
            ("{{ .MatchContext.URL.Query.Get \"q\" }}", "1"),
            ("{{ .MatchContext.URL.Query.Get \"none\" }}", ""),
            ("{{ .MatchContext.URL.Query.q }}", "[1 2]"),
            ("{{ .MatchContext.Header.Get \"X-In\" }}", "in"),
            ("{{ if .Extra.active }}yes{{ else }}no{{ end }}", "yes"),
            ("{{ .Subject | upper | quote }}", "\"ADA\""),
        ] {
            assert_eq!(
                rendered(template, strict).as_deref(),
                Ok(expected),
                "{template}, strict: {strict}"
            );
        }
    }
}

#[test]
fn a_missing_value_is_empty_and_in_strict_mode_what_go_makes_of_it() {
    for template in [
        "{{ .Extra.missing }}",
        "{{ .Extra.identity.traits.missing }}",
    ] {
        assert_eq!(rendered(template, false).as_deref(), Ok(""), "{template}");
        assert_eq!(
            rendered(template, true).as_deref(),
            Ok("<no value>"),
            "{template}"
        );
    }
    let deep = "{{ .Extra.missing.deeper }}";
    assert_eq!(rendered(deep, false).as_deref(), Ok(""));
    let (status, said) = rendered(deep, true).unwrap_err();
    assert_eq!(status, 500);
    assert!(
        said.contains("nil pointer evaluating interface {}.deeper"),
        "{said}"
    );
    assert!(said.contains(r#"in rule "web""#), "{said}");
}

#[test]
fn a_guest_has_no_traits_and_no_error() {
    let guest = set(
        rule("web", "https://app.test/<.*>"),
        "authenticators",
        json!([{ "handler": "anonymous", "subject": "guest" }]),
    );
    let told = header(&[
        ("x-email", "{{ .Extra.identity.traits.email }}"),
        ("x-who", "{{ .Subject }}"),
    ]);
    let site = Site::new(policy([set(guest, "mutators", json!([told]))]));
    let forwarded = site.send(get("https://app.test/", &[])).forwarded();
    assert_eq!(forwarded.values("x-email"), [""]);
    assert_eq!(forwarded.values("x-who"), ["guest"]);
}

#[test]
fn a_template_that_fails_is_told_to_the_log() {
    for strict in [false, true] {
        let site = site(&[("x-out", "{{ fail \"no\" }}")], strict);
        let answer = site.send(get("https://app.test/a/b", &[ADA])).answered();
        assert_eq!(answer.status, 500);
        assert_eq!(
            message(&answer).contains("template"),
            strict,
            "only strict mode tells the client"
        );
        let log = site.memory.take_log().join("\n");
        assert!(
            log.contains("error executing headers template") && log.contains("web"),
            "{log}"
        );
    }
}

#[test]
fn c13_a_line_break_in_a_trait_adds_no_header() {
    for (strict, expected) in [(false, 500), (true, 502)] {
        for name in [
            "a\r\nX-Role: admin",
            "a\nX-Role: admin",
            "a\rb",
            "a\u{0}b",
            "a\u{7f}",
        ] {
            let site = site(&[("x-name", "{{ .Extra.identity.traits.name }}")], strict);
            site.memory
                .script("", "", session("ada").trait_("name", name).reply());
            let sent = site.send(get("https://app.test/a/b", &[ADA]));
            assert_eq!(sent.status(), expected, "{name:?}, strict: {strict}");
        }
    }
}

#[test]
fn letters_beyond_ascii_arrive_as_utf8() {
    let site = site(&[("x-name", "{{ .Extra.identity.traits.name }}")], false);
    site.memory
        .script("", "", session("ada").trait_("name", "Zoë 日本").reply());
    assert_eq!(
        site.send(get("https://app.test/a/b", &[ADA]))
            .forwarded()
            .values("x-name"),
        ["Zoë 日本"]
    );
}

#[test]
fn c15_a_huge_trait_arrives_whole_or_not_at_all() {
    let site = site(&[("x-name", "{{ .Extra.identity.traits.name }}")], false);
    let long = "x".repeat(8 << 10);
    site.memory
        .script("", "", session("ada").trait_("name", long.as_str()).reply());
    assert_eq!(
        site.send(get("https://app.test/a/b", &[ADA]))
            .forwarded()
            .values("x-name"),
        [long]
    );
}

#[test]
fn mutators_run_in_order_and_see_each_others_headers() {
    let first = header(&[("x-a", "one"), ("x-b", "{{ index .Header \"X-A\" 0 }}-two")]);
    let second = header(&[("x-a", "three"), ("x-c", "{{ .Header.Get \"X-B\" }}")]);
    let rules = [set(
        rule("web", "https://app.test/<.*>"),
        "mutators",
        json!([first, { "handler": "noop" }, second]),
    )];
    let forwarded = Site::new(policy(rules))
        .send(get("https://app.test/", &[("x-a", "client")]))
        .forwarded();
    assert_eq!(forwarded.values("x-a"), ["three"]);
    assert_eq!(forwarded.values("x-b"), ["one-two"]);
    assert_eq!(forwarded.values("x-c"), ["one-two"]);
}

#[test]
fn host_and_length_cannot_be_set() {
    let site = site(
        &[("host", "evil.test"), ("content-length", "0"), ("x-a", "b")],
        false,
    );
    let forwarded = site
        .send(get("https://app.test/a/b", &[ADA, ("content-length", "5")]))
        .forwarded();
    assert_eq!(forwarded.values("content-length"), ["5"]);
    assert!(forwarded.values("host").is_empty());
    assert_eq!(forwarded.values("x-a"), ["b"]);
}

#[test]
fn two_rules_with_one_id_have_their_own_templates() {
    let with = |host: &str, text: &str| {
        set(
            rule("same", &format!("https://{host}/<.*>")),
            "mutators",
            json!([header(&[("x-out", text)])]),
        )
    };
    let site = Site::new(policy([with("a.test", "A"), with("b.test", "B")]));
    for (host, expected) in [("a.test", "A"), ("b.test", "B"), ("a.test", "A")] {
        let forwarded = site.send(get(&format!("https://{host}/"), &[])).forwarded();
        assert_eq!(forwarded.values("x-out"), [expected]);
    }
}

#[test]
fn strict_mode_renders_a_second_header_of_one_name_like_the_first() {
    for (strict, expected) in [(false, "2"), (true, "1")] {
        let web = set(
            rule("web", "https://app.test/<.*>"),
            "mutators",
            json!([header(&[("x-out", "1")]), header(&[("x-out", "2")])]),
        );
        let site = Site::new(policy([web]).mode(strict));
        let forwarded = site.send(get("https://app.test/", &[])).forwarded();
        assert_eq!(forwarded.values("x-out"), [expected], "strict: {strict}");
    }
}

#[test]
fn the_environment_is_nobodys_business() {
    for strict in [false, true] {
        for template in [
            "{{ env \"HOME\" }}",
            "{{ expandenv \"$HOME\" }}",
            "{{ getHostByName \"x\" }}",
        ] {
            let web = set(
                rule("web", "https://app.test/<.*>"),
                "mutators",
                json!([header(&[("x-out", template)])]),
            );
            let outcome = match policy([web]).mode(strict).try_gateway() {
                Err(_) => "refused".to_owned(),
                Ok(gateway) => {
                    let site = Site {
                        memory: crate::memory::Memory::new(),
                        gateway,
                    };
                    site.send(get("https://app.test/", &[])).outcome()
                }
            };
            assert!(
                ["refused", "500"].contains(&outcome.as_str()),
                "{template}: {outcome}"
            );
        }
    }
}

#[test]
fn a_policy_with_an_unusable_template_or_name_is_not_put_in_force() {
    for (headers, expected) in [
        (json!([["x-a", "{{ .Subject"]]), "rule `web`: template:"),
        (json!([["x-a", "{{ nope }}"]]), "rule `web`: template:"),
        (
            json!([["x a", "b"]]),
            "rule `web`: `x a` is not a header name",
        ),
    ] {
        let mutator: Value = json!({ "handler": "header", "headers": headers });
        let error = policy([set(
            rule("web", "https://app.test/<.*>"),
            "mutators",
            json!([mutator]),
        )])
        .with("identity_headers", json!([]))
        .try_gateway()
        .unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
