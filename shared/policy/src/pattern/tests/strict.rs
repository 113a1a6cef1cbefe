//! Strict mode: what the engine reads, and what Oathkeeper says about the rest.

use super::super::{DEFAULT_BUDGET, compile, compile_strict};

#[test]
fn broken_patterns_say_what_oathkeeper_says() {
    for (pattern, original) in [
        (
            "http://m.test/<bad",
            "Unbalanced braces in \"\"http://m.test/<bad\"\"",
        ),
        ("h/\"<\\", "Unbalanced braces in \"\"h/\\\"<\\\\\"\""),
        (
            "http://m.test/<(>",
            "error parsing regexp: missing closing ) in `^($`",
        ),
        ("h/<)>", "error parsing regexp: unexpected ) in `^)$`"),
        (
            "h.x/<*>",
            "error parsing regexp: missing argument to repetition operator in `^h\\.x/(*)$`",
        ),
        (
            "h/<a\\>",
            "error parsing regexp: missing closing ) in `^h/(a\\)$`",
        ),
        (
            "h/<[a>",
            "error parsing regexp: unterminated [] set in `^[a$`",
        ),
        (
            "h/<(a)-\\2>",
            "error parsing regexp: reference to undefined group number 2 in `^(a)-\\2$`",
        ),
        ("h/<(?<=a)b>", "Unbalanced braces in \"\"h/<(?<=a)b>\"\""),
        (
            "h/<\\pL+>",
            "error parsing regexp: malformed \\p{X} character escape in `^\\pL+$`",
        ),
        (
            "h/<(?x)a #b>",
            "error parsing regexp: missing closing ) in `^h/((?x)a #b)$`",
        ),
        (
            "h/<(?z)>",
            "error parsing regexp: unrecognized grouping construct: (?z in `^(?z)$`",
        ),
    ] {
        let broken = compile_strict(pattern).unwrap();
        assert_eq!(broken.broken(), Some(original), "{pattern}");
        let json = serde_json::to_string(&broken).unwrap();
        assert_eq!(
            serde_json::from_str::<super::super::Pattern>(&json).unwrap(),
            broken
        );
    }
}

#[test]
fn what_only_oathkeeper_reads_is_refused_at_build() {
    for pattern in [
        "h/<(a)?(?(1)b|c)>",
        "h/<?:a>",
        "h/<(?<1>a)>",
        "h/<\\11>",
        "h/<\\Ga>",
    ] {
        assert!(compile_strict(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn classes_are_those_of_the_engine() {
    for (pattern, text, strictly) in [
        ("h/<\\d>", "h/\u{663}", true),
        ("h/<\\w>", "h/ž", true),
        ("h/<\\s>", "h/\u{a0}", true),
        ("h/<\\bž\\b>", "h/ž", true),
        ("h/<[[:digit:]]>", "h/\u{663}", true),
        ("h/<[[:alpha:]]>", "h/ž", false),
    ] {
        for (compiled, expected) in [
            (compile_strict(pattern), strictly),
            (compile(pattern), false),
        ] {
            let found = compiled.unwrap().find(text, DEFAULT_BUDGET).unwrap();
            assert_eq!(found.is_some(), expected, "{pattern}");
        }
    }
    // The first negated class decides, and what comes after it is never asked.
    let pattern = "h/<[\\W\\d]>";
    assert!(
        compile_strict(pattern)
            .unwrap()
            .find("h/1", DEFAULT_BUDGET)
            .unwrap()
            .is_none()
    );
    assert!(
        compile(pattern)
            .unwrap()
            .find("h/1", DEFAULT_BUDGET)
            .unwrap()
            .is_some()
    );
    // Nothing may follow but the end, not even a line feed.
    assert!(
        compile_strict("h/<\\d+>")
            .unwrap()
            .find("h/1\n", DEFAULT_BUDGET)
            .unwrap()
            .is_none()
    );
}
