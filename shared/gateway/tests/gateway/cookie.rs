//! `cookie`: what the upstream is told in cookies made from templates.

use serde_json::json;

use crate::memory::Memory;
use crate::policy::{header, policy, rule, session_rule, set};
use crate::site::{Site, get, message, session};

/// Cookies, and the traits' name that templates see.
fn site(cookies: &[&[(&str, &str)]], strict: bool, name: &str) -> Site {
    let mutators: Vec<_> = cookies
        .iter()
        .map(|cookies| json!({ "handler": "cookie", "cookies": cookies }))
        .collect();
    let web = set(
        session_rule("web", "https://app.test/<.*>"),
        "mutators",
        json!(mutators),
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    let document = policy([web]).with("errors", verbose).mode(strict);
    let site = Site {
        memory: Memory::new(),
        gateway: document.gateway(),
    };
    let person = session("ada").trait_("name", name);
    site.memory
        .script("kratos", "ory_kratos_session=ada", person.reply());
    site
}

/// The `Cookie` that the upstream gets, for a client that sends these lines besides its session.
fn told(cookies: &[&[(&str, &str)]], strict: bool, name: &str, sent: &[&str]) -> Vec<String> {
    let site = site(cookies, strict, name);
    let mut lines = vec![("cookie", "ory_kratos_session=ada")];
    lines.extend(sent.iter().map(|line| ("cookie", *line)));
    site.send(get("https://app.test/x", &lines))
        .forwarded()
        .values("cookie")
}

#[test]
fn the_rules_cookies_come_first_and_the_clients_others_stay() {
    for strict in [false, true] {
        assert_eq!(
            told(
                &[&[
                    ("user", "{{ .Subject }}"),
                    ("mail", "{{ .Extra.identity.traits.email }}")
                ]],
                strict,
                "Ada",
                &["foo=old; bar=1", "second=2"]
            ),
            ["user=ada; mail=ada@example.com; ory_kratos_session=ada; foo=old; bar=1; second=2"]
        );
    }
}

#[test]
fn no_cookie_of_the_clients_stands_beside_one_of_the_rules() {
    let cookies: &[&[(&str, &str)]] = &[&[("user", "{{ .Subject }}")]];
    for sent in [
        "user=root",
        " user = root ",
        "a=1;user=root;user=admin",
        "user",
        "user=",
    ] {
        for strict in [false, true] {
            let told = told(cookies, strict, "Ada", &[sent]).remove(0);
            assert!(told.starts_with("user=ada; "), "{told}");
            assert_eq!(told.matches("user").count(), 1, "{sent:?}: {told}");
        }
    }
    // Names have case, but not to every server.
    let upper = &["USER=root"];
    assert_eq!(
        told(cookies, false, "Ada", upper),
        ["user=ada; ory_kratos_session=ada"]
    );
    assert_eq!(
        told(cookies, true, "Ada", upper),
        ["user=ada; ory_kratos_session=ada; USER=root"]
    );
}

#[test]
fn strict_mode_writes_and_reads_cookies_as_go_does() {
    let cookies: &[&[(&str, &str)]] = &[&[("v", "{{ .Extra.identity.traits.name }}")]];
    for (name, expected) in [
        ("plain", "v=plain"),
        ("", "v="),
        ("a b", "v=\"a b\""),
        ("a,b", "v=\"a,b\""),
        ("a\nb\t;\\\"\u{e9},c", "v=\"ab,c\""),
        ("\u{17e}lu\u{165}ou\u{10d}k", "v=luouk"),
        ("\u{e9}", "v="),
        ("a;b=c", "v=ab=c"),
        ("100%", "v=100%"),
    ] {
        assert_eq!(
            told(cookies, true, name, &[]),
            [format!("{expected}; ory_kratos_session=ada")],
            "{name:?}"
        );
    }
    let sent = "b=\"q x\"; bad name=2; c=x,y; d=\"; e=a\"b; f; g=; h=a b; c=2; i= z ; =v";
    assert_eq!(
        told(cookies, true, "1", &[sent]),
        ["v=1; ory_kratos_session=ada; b=\"q x\"; c=\"x,y\"; f=; g=; h=\"a b\"; c=2; i=\" z\""]
    );
    assert_eq!(
        told(&[&[("a b", "1"), ("n\nm", "2")]], true, "", &[]),
        ["a b=1; n-m=2; ory_kratos_session=ada"]
    );
}

#[test]
fn by_default_two_people_never_look_alike() {
    let cookies: &[&[(&str, &str)]] = &[&[("v", "{{ .Extra.identity.traits.name }}")]];
    for (name, expected) in [
        ("plain", "v=plain"),
        ("", "v="),
        ("a b", "v=\"a b\""),
        ("a;b=c", "v=a%3Bb=c"),
        ("a\"b", "v=a%22b"),
        ("a%22b", "v=a%2522b"),
        ("a\\b\r\nc", "v=a%5Cb%0D%0Ac"),
        ("\u{e9}", "v=%C3%A9"),
    ] {
        assert_eq!(
            told(cookies, false, name, &[]),
            [format!("{expected}; ory_kratos_session=ada")],
            "{name:?}"
        );
    }
}

#[test]
fn by_default_the_clients_own_cookies_are_not_rewritten() {
    let cookies: &[&[(&str, &str)]] = &[&[("v", "1")]];
    let sent = "prefs={\"a\":1}; odd name=2; x=\u{e9}; bare";
    assert_eq!(
        told(cookies, false, "", &[sent]),
        [format!("v=1; ory_kratos_session=ada; {sent}")]
    );
}

#[test]
fn two_cookie_mutators_add_up_and_in_oathkeeper_the_last_one_counts() {
    let both: &[&[(&str, &str)]] = &[&[("a", "1")], &[("b", "2")]];
    assert_eq!(
        told(both, false, "", &["a=0"]),
        ["b=2; a=1; ory_kratos_session=ada"]
    );
    assert_eq!(
        told(both, true, "", &["a=0"]),
        ["b=2; ory_kratos_session=ada; a=0"]
    );
}

#[test]
fn a_guest_has_the_rules_cookies_alone() {
    for (cookies, strict, expected) in [
        (json!([["user", "{{ .Subject }}"]]), false, "user="),
        (json!([["mail", "{{ .Extra.mail }}"]]), false, "mail="),
        (
            json!([["mail", "{{ .Extra.mail }}"]]),
            true,
            "mail=\"<no value>\"",
        ),
        (json!([]), true, ""),
    ] {
        let web = set(
            rule("web", "https://app.test/<.*>"),
            "mutators",
            json!([{ "handler": "cookie", "cookies": cookies }]),
        );
        let site = Site::new(policy([web]).mode(strict));
        let forwarded = site.send(get("https://app.test/x", &[])).forwarded();
        assert_eq!(forwarded.values("cookie"), [expected]);
    }
}

#[test]
fn a_header_mutator_after_it_has_the_last_word() {
    let cookie = json!({ "handler": "cookie", "cookies": [["user", "u"]] });
    let told = header(&[("cookie", "z=9")]);
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "mutators",
        json!([cookie, told]),
    );
    let forwarded = Site::new(policy([web]))
        .send(get("https://app.test/x", &[("cookie", "a=1")]))
        .forwarded();
    assert_eq!(forwarded.values("cookie"), ["z=9"]);
}

#[test]
fn a_template_that_fails_is_oathkeepers_error_in_strict_mode() {
    for (template, said) in [
        (
            "{{ .Nope }}",
            "error executing cookie template \"{{ .Nope }}\" in rule \"web\": template: web:v:1:3: executing \"web:v\" at <.Nope>: can't evaluate field Nope in type *authn.AuthenticationSession",
        ),
        (
            "{{ bad",
            "error parsing cookie template \"{{ bad\" in rule \"web\": template: web:v:1: function \"bad\" not defined",
        ),
    ] {
        let site = site(&[&[("v", template)]], true, "");
        let answer = site
            .send(get(
                "https://app.test/x",
                &[("cookie", "ory_kratos_session=ada")],
            ))
            .answered();
        assert_eq!((answer.status, message(&answer).as_str()), (500, said));
    }
}
