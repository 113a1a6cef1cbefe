//! Who may pass: `allow`, `deny`, and lists of people.

use serde_json::{Value, json};

use crate::policy::{policy, rule, session_rule, set};
use crate::site::{ADA, Session, Site, get, session};

fn site(list: Value) -> Site {
    let mut list = list;
    list["handler"] = json!("allowlist");
    with_authorizers(json!([list]))
}

fn with_authorizers(authorizers: Value) -> Site {
    Site::new(policy([set(
        session_rule("web", "https://app.test/<.*>"),
        "authorizers",
        authorizers,
    )]))
}

fn status(site: &Site, session: &Session) -> u16 {
    site.memory.script("", "=ada", session.reply());
    site.send(get("https://app.test/", &[ADA])).status()
}

#[test]
fn allow_and_deny_are_what_they_say_and_all_must_allow() {
    let everyone = json!({ "handler": "allow" });
    let nobody = json!({ "handler": "deny" });
    let ada = json!({ "handler": "allowlist", "subjects": ["ada"] });
    let bob = json!({ "handler": "allowlist", "subjects": ["bob"] });
    for (authorizers, expected) in [
        (json!([everyone]), 0),
        (json!([nobody]), 403),
        (json!([everyone, ada]), 0),
        (json!([everyone, bob]), 403),
        (json!([ada, nobody]), 403),
        (json!([ada, bob]), 403),
    ] {
        assert_eq!(
            status(&with_authorizers(authorizers.clone()), &session("ada")),
            expected,
            "{authorizers}"
        );
    }
}

#[test]
fn group_j_only_plain_addresses_of_the_domain_pass() {
    for (id, email, expected) in [
        ("", json!("a@company.com"), 0),
        ("", json!("A.b+c@Company.COM"), 0),
        ("J01", json!("a@evil.com@company.com"), 403),
        ("J02", json!("a@company.com@evil.com"), 403),
        ("J03", json!("a@company.com.evil.com"), 403),
        ("J04", json!("a@evilcompany.com"), 403),
        ("J05", json!("a@sub.company.com"), 403),
        ("J06", json!("a@company.com."), 403),
        ("J07", json!("\"a@company.com\"@evil.com"), 403),
        ("J08", json!("\"a@evil.com\"@company.com"), 403),
        ("J09", json!("a@company.com "), 403),
        ("J09", json!(" a@company.com"), 403),
        ("J10", json!("a b@company.com"), 403),
        ("J10", json!("a@company.com\n"), 403),
        ("J10", json!("a\u{0}@company.com"), 403),
        ("J11", json!("a@company\u{3002}com"), 403),
        ("J12", json!("a@c\u{43e}mpany.com"), 403),
        ("J13", json!("a@xn--company-.com"), 403),
        ("J15", json!("@company.com"), 403),
        ("J16", json!(""), 403),
        ("J17", json!(null), 403),
        ("J18", json!(["a@company.com"]), 403),
        ("J18", json!({ "0": "a@company.com" }), 403),
        ("J18", json!(1), 403),
        ("J21", json!("a(x@company.com)@evil.com"), 403),
        ("J22", json!("<a@company.com>"), 403),
        ("J25", json!("a@companyXcom"), 403),
        ("J26", json!("a@company.com,b@evil.com"), 403),
    ] {
        let site = site(json!({ "domains": ["company.com"] }));
        let person = session("ada").with("/identity/traits/email", email.clone());
        assert_eq!(status(&site, &person), expected, "{id} {email}");
    }
    let site = site(json!({ "domains": ["company.com"] }));
    assert_eq!(
        status(&site, &session("ada").without("/identity/traits/email")),
        403,
        "J17"
    );
}

#[test]
fn j05_a_wildcard_is_for_what_is_below() {
    for (email, expected) in [
        ("a@sub.company.com", 0),
        ("a@x.sub.company.com", 0),
        ("a@company.com", 403),
        ("a@evilcompany.com", 403),
    ] {
        let site = site(json!({ "domains": ["*.company.com"] }));
        assert_eq!(
            status(&site, &session("ada").trait_("email", email)),
            expected,
            "{email}"
        );
    }
}

#[test]
fn whole_addresses_compare_without_case_in_the_domain_only() {
    for (email, expected) in [
        ("ada@company.com", 0),
        ("ada@COMPANY.com", 0),
        ("a.da@company.com", 403),
        ("ada+x@company.com", 403),
        ("bob@company.com", 403),
    ] {
        let site = site(json!({ "emails": ["ada@company.com"] }));
        assert_eq!(
            status(&site, &session("ada").trait_("email", email)),
            expected,
            "{email}"
        );
    }
}

#[test]
fn subjects_compare_exactly() {
    for (subject, expected) in [
        ("ada", 0),
        ("Ada", 403),
        ("ada ", 403),
        ("ad", 403),
        ("adaa", 403),
    ] {
        let site = site(json!({ "subjects": ["ada", ""] }));
        assert_eq!(
            status(&site, &session("x").with("/identity/id", json!(subject))),
            expected,
            "{subject:?}"
        );
    }
}

#[test]
fn an_empty_subject_is_on_no_list() {
    let list = json!([{ "handler": "allowlist", "subjects": [""] }]);
    let site = Site::new(policy([set(
        rule("web", "https://app.test/<.*>"),
        "authorizers",
        list,
    )]));
    assert_eq!(site.send(get("https://app.test/", &[])).status(), 403);
}

#[test]
fn guests_pass_by_subject_only() {
    for (list, expected) in [
        (json!({ "handler": "allowlist", "subjects": ["guest"] }), 0),
        (
            json!({ "handler": "allowlist", "domains": ["company.com"], "emails": ["guest@company.com"] }),
            403,
        ),
    ] {
        let guest = json!([{ "handler": "anonymous", "subject": "guest" }]);
        let web = set(
            rule("web", "https://app.test/<.*>"),
            "authenticators",
            guest,
        );
        let site = Site::new(policy([set(web, "authorizers", json!([list]))]));
        assert_eq!(site.send(get("https://app.test/", &[])).status(), expected);
    }
}

#[test]
fn j19_only_verified_addresses_count_where_the_list_asks() {
    let verified = |entries: Value| session("ada").with("/identity/verifiable_addresses", entries);
    let entry = |value: &str, verified: Value, via: &str| json!({ "value": value, "verified": verified, "via": via });
    for (why, person, expected) in [
        ("verified", session("ada"), 0),
        (
            "Kratos keeps them in lower case",
            session("ada").trait_("email", "Ada@Example.com"),
            0,
        ),
        ("none", verified(json!([])), 403),
        (
            "no list",
            session("ada").without("/identity/verifiable_addresses"),
            403,
        ),
        ("null", verified(json!(null)), 403),
        (
            "not verified",
            verified(json!([entry("ada@example.com", json!(false), "email")])),
            403,
        ),
        (
            "a word",
            verified(json!([entry("ada@example.com", json!("true"), "email")])),
            403,
        ),
        (
            "a telephone",
            verified(json!([entry("ada@example.com", json!(true), "sms")])),
            403,
        ),
        (
            "another address",
            verified(json!([entry("bob@example.com", json!(true), "email")])),
            403,
        ),
        (
            "another is verified, this one is not",
            verified(json!([
                entry("bob@example.com", json!(true), "email"),
                entry("ada@example.com", json!(false), "email")
            ])),
            403,
        ),
        (
            "the second of two",
            verified(json!([
                entry("bob@example.com", json!(true), "email"),
                entry("ada@example.com", json!(true), "email")
            ])),
            0,
        ),
        (
            "a trait changed after it was verified",
            session("ada").trait_("email", "boss@example.com"),
            403,
        ),
    ] {
        let site = site(json!({ "domains": ["example.com"], "require_verified": true }));
        assert_eq!(status(&site, &person), expected, "{why}");
    }
}

#[test]
fn the_address_is_where_the_policy_says() {
    let site =
        site(json!({ "emails": ["ada@work.test"], "email_from": "identity.traits.work.mail" }));
    assert_eq!(
        status(
            &site,
            &session("ada").with("/identity/traits/work", json!({ "mail": "ada@work.test" }))
        ),
        0
    );
}

#[test]
fn j27_an_empty_list_is_nobody() {
    assert_eq!(status(&site(json!({})), &session("ada")), 403);
}

#[test]
fn cve_2021_32701_each_rule_judges_the_remembered_session_anew() {
    let for_whom = |id: &str, host: &str, subject: &str| {
        let list = json!([{ "handler": "allowlist", "subjects": [subject] }]);
        set(
            session_rule(id, &format!("https://{host}/<.*>")),
            "authorizers",
            list,
        )
    };
    let site = Site::with_ada(policy([
        for_whom("a", "a.test", "ada"),
        for_whom("b", "b.test", "bob"),
    ]));
    for _ in 0..2 {
        assert_eq!(site.send(get("https://a.test/", &[ADA])).status(), 0);
        assert_eq!(site.send(get("https://b.test/", &[ADA])).status(), 403);
    }
    assert_eq!(site.memory.questions(), 1);
}
