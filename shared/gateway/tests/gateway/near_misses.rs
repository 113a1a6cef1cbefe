//! An explanation says of the rules that are almost for a request what keeps them from it.

use edgekeeper_gateway::explanation::{Explanation, Step};
use serde_json::{Value, json};

use crate::explanation::{APP, explained, outcome};
use crate::policy::{policy, rule, set};
use crate::site::get;

#[test]
fn near_misses_say_what_is_otherwise() {
    let with = |name: &str, url: &str, methods: Value| set(rule(name, url), "methods", methods);
    let any = json!(["GET", "POST"]);
    for (what, other, raw, expected) in [
        (
            "method",
            with("r", "http://app.test/a", json!(["POST", "PUT"])),
            get("http://app.test/a", &[]),
            Some(r#"[{"differs":"method","rule":["POST","PUT"]}]"#),
        ),
        (
            "host",
            with("r", "http://www.test/a", any.clone()),
            get("http://app.test/a", &[]),
            Some(r#"[{"differs":"host","rule":"www.test"}]"#),
        ),
        (
            "port",
            with("r", "http://app.test:8080/a", any.clone()),
            get("http://app.test/a", &[]),
            Some(r#"[{"differs":"host","rule":"app.test:8080"}]"#),
        ),
        (
            "scheme",
            with("r", "https://app.test/a", any.clone()),
            get("http://app.test/a", &[]),
            Some(r#"[{"differs":"scheme","rule":"https"}]"#),
        ),
        (
            "path",
            with("r", "http://app.test/b/<.*>", any.clone()),
            get("http://app.test/a", &[]),
            Some(r#"[{"differs":"path_start","rule":"/b/"}]"#),
        ),
        (
            "rest of the pattern",
            with("r", "http://app.test/a/<[0-9]+>", any.clone()),
            get("http://app.test/a/x", &[]),
            Some(r#"[{"differs":"pattern"}]"#),
        ),
        (
            "slash",
            with("r", "http://app.test/a/", any.clone()),
            get("http://app.test/a", &[]),
            Some(r#"[{"differs":"trailing_slash","cleaned":false}]"#),
        ),
        (
            "letter case",
            with("r", "http://app.test/a", any.clone()),
            get("http://app.test/A", &[]),
            Some(r#"[{"differs":"letter_case"}]"#),
        ),
        (
            "method and slash",
            with("r", "http://app.test/a/", json!(["PUT"])),
            get("http://app.test/a", &[]),
            Some(
                r#"[{"differs":"method","rule":["PUT"]},{"differs":"trailing_slash","cleaned":false}]"#,
            ),
        ),
        (
            "all of it",
            with("r", "http://www.test/b", any.clone()),
            get("http://app.test/a", &[]),
            None,
        ),
    ] {
        let explanation = explained(policy([other]), &raw);
        let expected: Vec<Value> = expected
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        assert_eq!(misses(&explanation), expected, "{what}");
        assert_eq!(outcome(&explanation), "404", "{what}");
    }
}

fn misses(explanation: &Explanation) -> Vec<Value> {
    let document = serde_json::to_value(explanation).unwrap();
    let steps = document["steps"].as_array().unwrap();
    let misses = steps.iter().filter(|step| step["step"] == "near_miss");
    misses.map(|step| step["differences"].clone()).collect()
}

#[test]
fn in_strict_mode_a_pattern_with_a_slash_at_its_end_is_for_no_path() {
    let document = policy([rule("r", "http://app.test/a/")]).strict();
    let explanation = explained(document, &get("http://app.test/a/", &[]));
    assert_eq!(
        misses(&explanation),
        [json!([{ "differs": "trailing_slash", "cleaned": true }])]
    );
}

#[test]
fn a_pattern_that_takes_too_many_steps_is_named() {
    for strict in [false, true] {
        let document = policy([
            rule("slow", "http://app.test/<(?=(a+)+b).*>"),
            rule("b", "http://app.test/b"),
        ]);
        let url = format!("http://app.test/{}", "a".repeat(40));
        let explanation = explained(document.mode(strict), &get(&url, &[]));
        assert_eq!(
            misses(&explanation)[0],
            json!([{ "differs": "too_many_steps" }]),
            "strict {strict}"
        );
        assert_eq!(outcome(&explanation), "500", "strict {strict}");
    }
}

#[test]
fn two_rules_for_one_request_are_both_named() {
    let document = policy([rule("one", APP), rule("two", "http://app.test/a")]);
    let explanation = explained(document, &get("http://app.test/a", &[]));
    let nothing = json!([{ "differs": "nothing" }]);
    assert_eq!(misses(&explanation), [nothing.clone(), nothing]);
    assert_eq!(outcome(&explanation), "500");
}

#[test]
fn the_nearest_come_first_and_ten_are_enough() {
    let far = (0..20).map(|number| {
        rule(
            &format!("far-{number}"),
            &format!("http://h{number}.test/a"),
        )
    });
    let near = [
        rule("start", "http://app.test/b"),
        set(
            rule("method", "http://app.test/a"),
            "methods",
            json!(["PUT"]),
        ),
        rule("slash", "http://app.test/a/"),
    ];
    let explanation = explained(
        policy(far.clone().chain(near.clone())),
        &get("http://app.test/a", &[]),
    );
    let named = |explanation: &Explanation| {
        let steps = explanation.steps.iter();
        let names = steps.filter_map(|step| match step {
            Step::NearMiss(miss) => Some(miss.rule.clone()),
            _ => None,
        });
        names.collect::<Vec<_>>()
    };
    let names = named(&explanation);
    assert_eq!(names.len(), 10);
    assert_eq!(names[..4], ["method", "slash", "start", "far-0"]);
    // Where a rule is found, others for its path may be what was meant, but not those elsewhere.
    let chosen = [rule("chosen", "http://app.test/a")];
    let explanation = explained(
        policy(far.chain(near).chain(chosen)),
        &get("http://app.test/a", &[]),
    );
    assert_eq!(named(&explanation), ["method", "slash"]);
}
