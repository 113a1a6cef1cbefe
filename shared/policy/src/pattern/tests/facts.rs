//! `facts.jsonl` was made with ladon v1.1.0 and regexp2 v1.2.0, the versions in Oathkeeper v26.2.0: one pattern a line,
//! as `[pattern, [[text, groups or null], ...]]`, or `[pattern]` if they refuse it. It holds the conformance suite's
//! rules, a team's rules, each construct of the syntax, and a sample of generated patterns.

use serde_json::Value;

use super::super::{DEFAULT_BUDGET, Pattern, compile};

/// Patterns that the engine refuses and that mean here what anyone would expect.
const READ_HERE: [&str; 5] = [
    // A comment that ends with its `<...>` rather than behind it.
    "http://h/<(?x) a b # c>",
    // A back-reference by the number in the whole pattern, which the engine counts twice.
    "http://h/<(?=(a+))a*b\\2>",
    // Breaks the engine's own count of brackets.
    "http://h/<\\0>",
    "http://h/<\\pL>",
    "http://h/<\\_>",
];

/// Patterns that are refused here with what to write instead.
const REFUSED_HERE: [&str; 3] = [
    "http://h/<(a)?(?(1)b|c)>",
    "http://h/<\\Ga>",
    // Octal codes without a leading zero look like back-references.
    "http://h/<\\101\\060?>",
];

/// Patterns with a host in upper case, which is compared in lower case here.
const LOWERED_HERE: [&str; 2] = ["http://UP.test/x", "<(?i)http>://H/<a>"];

/// Look-behind and atomic groups, whose brackets Oathkeeper counts and finds unbalanced.
fn is_plain(source: &str) -> bool {
    ["(?<=", "(?<!", "(?>"]
        .iter()
        .any(|group| source.contains(group))
}

#[test]
fn matches_and_captures_as_the_engine_does() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in include_str!("facts.jsonl").lines() {
        let fact: Vec<Value> = serde_json::from_str(line).unwrap();
        let source = fact[0].as_str().unwrap();
        let pattern = match (compile(source), fact.get(1)) {
            (Ok(pattern), Some(_)) => pattern,
            (Ok(_), None) if READ_HERE.contains(&source) || is_plain(source) => continue,
            (Err(_), None) => continue,
            (Err(_), Some(_)) if REFUSED_HERE.contains(&source) => continue,
            (result, _) => {
                wrong.push(format!("{source}: {result:?}"));
                continue;
            }
        };
        if LOWERED_HERE.contains(&source) {
            continue;
        }
        for case in fact[1].as_array().unwrap() {
            cases += 1;
            let text = case[0].as_str().unwrap();
            let found = pattern.find(text, DEFAULT_BUDGET).unwrap();
            let found = found.map(|groups| groups.iter().collect::<Vec<_>>());
            let expected = case[1].as_array().map(|groups| {
                groups
                    .iter()
                    .map(|group| group.as_str().unwrap())
                    .collect::<Vec<_>>()
            });
            if found != expected {
                wrong.push(format!(
                    "{source} on {text:?}: {found:?}, the engine {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 2000, "the facts are there: {cases}");
}

#[test]
fn a_policy_document_carries_every_pattern_unchanged() {
    for line in include_str!("facts.jsonl").lines() {
        let fact: Vec<Value> = serde_json::from_str(line).unwrap();
        let Ok(pattern) = compile(fact[0].as_str().unwrap()) else {
            continue;
        };
        let json = serde_json::to_string(&pattern).unwrap();
        assert_eq!(
            serde_json::from_str::<Pattern>(&json).unwrap(),
            pattern,
            "{json}"
        );
    }
}

fn groups(pattern: &str, text: &str) -> Option<Vec<String>> {
    let pattern = compile(pattern).unwrap();
    let found = pattern.find(text, DEFAULT_BUDGET).unwrap();
    found.map(|groups| groups.iter().map(str::to_owned).collect())
}

#[test]
fn the_end_is_the_very_end() {
    for pattern in [
        "http://h/<[0-9]+>",
        "http://h/<[0-9]+$>",
        "http://h/<[0-9]+\\Z>",
        "http://h/12",
    ] {
        assert!(groups(pattern, "http://h/12").is_some(), "{pattern}");
        assert_eq!(groups(pattern, "http://h/12\n"), None, "{pattern}");
    }
}

#[test]
fn digits_words_and_spaces_are_ascii() {
    assert_eq!(groups("h/<\\d>", "h/\u{663}"), None);
    assert_eq!(groups("h/<\\w>", "h/ž"), None);
    assert_eq!(groups("h/<\\s>", "h/\u{a0}"), None);
    assert_eq!(groups("h/<\\bž>", "h/ž"), None);
    assert!(groups("h/<\\p{Nd}>", "h/\u{663}").is_some());
}

#[test]
fn what_oathkeeper_cannot_read_means_what_it_says() {
    assert!(groups("http://h/<(?=(a+))a*b\\2>", "http://h/aabaa").is_some());
    assert!(groups("http://h/<(a|b)-\\2>", "http://h/b-b").is_some());
    assert!(groups("http://h/<(a|b)-\\2>", "http://h/a-b").is_none());
    assert!(groups("h/<\\pL\\_\\0>", "h/ž_\0").is_some());
    assert!(groups("h/<(?x) a b # c>", "h/ab").is_some());
}

#[test]
fn look_behind_and_atomic_groups_can_be_written_plainly() {
    assert!(groups("h/<.*(?<!\\.php)>", "h/a.html").is_some());
    assert!(groups("h/<.*(?<!\\.php)>", "h/a.php").is_none());
    assert!(groups("h/<(?<=h/)a>", "h/a").is_some());
    assert!(groups("h/<(?>a+)b>", "h/aab").is_some());
    assert!(groups("h/<(?>a+)ab>", "h/aab").is_none());
    let captured = groups("h/<\\w+(?<=(a)(b*)c)>", "h/xabbc").unwrap();
    assert_eq!(captured, ["xabbc", "a", "bb"]);
    assert!(groups("h/<(?>a)|b>c", "h/bc").is_some());
}

#[test]
fn a_host_in_upper_case_is_compared_in_lower_case() {
    assert!(groups("http://UP.test/Path", "http://up.test/Path").is_some());
    assert!(groups("http://UP.test/Path", "http://up.test/path").is_none());
    assert!(groups("http://<[a-z]+>.Host.test/<A>", "http://a.host.test/A").is_some());
    assert!(
        groups(
            "http://App<(-x)?>.Test<(:[0-9]+)?>/Q",
            "http://app.test:80/Q"
        )
        .is_some()
    );
    // What follows could be a path, where case matters.
    assert!(groups("http://<.*>Foo", "http://h/xFoo").is_some());
}

#[test]
fn strict_mode_compares_a_host_as_it_is_written() {
    let pattern = crate::pattern::compile_strict("http://UP.test/<.*>").unwrap();
    let matches = |url| {
        pattern
            .find(url, crate::pattern::DEFAULT_BUDGET)
            .unwrap()
            .is_some()
    };
    assert!(matches("http://UP.test/x"));
    assert!(!matches("http://up.test/x"));
}

#[test]
fn lazy_rounds_that_eat_nothing_end() {
    // The engine loses its groups here or never ends.
    assert_eq!(
        groups("h/<ab(c{0,2})+?c>b", "h/abcb"),
        Some(vec!["abc".into(), String::new()])
    );
    assert_eq!(groups("h/<(?:|[^a]*)+?a>", "h/bcbcb"), None);
}
