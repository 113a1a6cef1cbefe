//! What no pattern, no text and no damaged document may do.

use std::time::{Duration, Instant};

use super::super::{DEFAULT_BUDGET, Pattern, Unmatched, compile};

#[test]
fn catastrophic_patterns_are_linear() {
    for (pattern, text, ending) in [
        ("http://m.test/cat/<(a+)+b>", "a", "c"),
        ("http://m.test/cat/<(a*)*b>", "a", "c"),
        ("http://m.test/cat/<(a|a)*b>", "a", "c"),
        ("http://m.test/cat/<(a|aa)+b>", "a", "c"),
        ("http://m.test/cat/<(.*)(.*)(.*)(.*)x>", "a", "c"),
        ("http://m.test/cat/<(.*?)(.*?)(.*?)(.*?)x>", "a", "c"),
        ("http://m.test/cat/<(.*a){9}>", "a", "c"),
        ("http://m.test/cat/<(a{0,5}){9}b>", "a", "c"),
        ("http://m.test/cat/<((a*)*?)*b>", "a", "c"),
        ("http://m.test/cat/<([a-z]+[/.-]?)+!>", "ab-", "c"),
    ] {
        let pattern = compile(pattern).unwrap();
        let text = format!(
            "http://m.test/cat/{}{ending}",
            text.repeat(2000 / text.len())
        );
        assert_eq!(
            pattern.find(&text, DEFAULT_BUDGET),
            Ok(None),
            "{}",
            pattern.source()
        );
    }
}

#[test]
fn what_cannot_be_linear_ends_with_the_budget() {
    for pattern in [
        "h/<(?:(?=a)a+)+b>",
        "h/<(a+)+\\2b>",
        "h/<(?:(?>a)|a)*b>",
        "h/<(?<!x)(a+)+b>",
    ] {
        let pattern = compile(pattern).unwrap();
        let text = format!("h/{}c", "a".repeat(2000));
        let start = Instant::now();
        assert_eq!(
            pattern.find(&text, DEFAULT_BUDGET),
            Err(Unmatched::BudgetExceeded),
            "{}",
            pattern.source()
        );
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{}",
            pattern.source()
        );
    }
}

#[test]
fn the_budget_is_kept() {
    let pattern = compile("https://h/<.*>").unwrap();
    let text = format!("https://h/{}", "a".repeat(1000));
    assert_eq!(pattern.find(&text, 100), Err(Unmatched::BudgetExceeded));
    assert!(pattern.find(&text, 2000).unwrap().is_some());
}

#[test]
fn long_texts_need_no_call_stack() {
    let pattern = compile("h/<(?:ab|c)*>").unwrap();
    let text = format!("h/{}", "abc".repeat(5000));
    assert!(pattern.find(&text, DEFAULT_BUDGET).unwrap().is_some());
    // Beyond the bound on memory it is given up, not run out of.
    let text = format!("h/{}", "abc".repeat(100_000));
    assert_eq!(
        pattern.find(&text, u32::MAX),
        Err(Unmatched::BudgetExceeded)
    );
}

#[test]
fn program_size_and_nesting_are_bounded() {
    for pattern in [
        "<(?:a|b){100000}>".to_owned(),
        "<(((a|b){100}){100}){100}>".to_owned(),
        "<(?:\\p{L}x){1000}>".to_owned(),
        "<(?:ab){4294967295}>".to_owned(),
    ] {
        let error = compile(&pattern).unwrap_err();
        assert!(error.message.contains("smaller counts"), "{error}");
    }
    let deep = format!("<{}a{}>", "(".repeat(5000), ")".repeat(5000));
    assert!(compile(&deep).unwrap_err().message.contains("nested"));
    let deep = format!("<[a{}{}>", "-[a".repeat(5000), "]".repeat(5001));
    assert!(compile(&deep).unwrap_err().message.contains("nested"));
    // Nothing, however often, is nothing.
    assert!(compile("<(?:(?:(?:){1000000000}){1000000000}){1000000000}a>").is_ok());
    // One character has a counter and needs no copies.
    assert!(compile("<\\d{1,100000}>").is_ok());
}

#[test]
fn a_damaged_program_is_refused_or_harmless() {
    let load = |code: &str| {
        serde_json::from_str::<Pattern>(&format!(r#"{{"source":"x","program":{code}}}"#))
    };
    for code in [
        r#"["|1,9"]"#,
        r#"[">2"]"#,
        r#"["(0"]"#,
        r#"["(99999"]"#,
        r#"["&99999"]"#,
        r#"["!7"]"#,
        r#"["@0,5"]"#,
        r#"["q"]"#,
        r#"[""]"#,
        r#"["*2,1,aa"]"#,
        r#"["*x,1,aa"]"#,
        r#"["|1"]"#,
        r#"["<^"]"#,
        r#"["\\"]"#,
        r#"["(18446744073709551616"]"#,
    ] {
        let error = load(code).unwrap_err().to_string();
        assert!(error.contains("build the policy again"), "{code}: {error}");
    }
    for code in [
        r#"["}"]"#,
        r#"["~"]"#,
        r#"["x"]"#,
        r#"["{"]"#,
        r#"["!1"]"#,
        r#"[")1"]"#,
        r#"["\\1"]"#,
        r#"["\\0"]"#,
        r#"["i3"]"#,
        r#"["."]"#,
        r#"[".zaab"]"#,
        r#"["{","!3","}","x"]"#,
        r#"["{","{","x","}","~"]"#,
        r#"["!2","}"]"#,
        r#"["{","|0,2","~"]"#,
        r#"["@0,0"]"#,
        r#"[">0"]"#,
        r#"["|0,0"]"#,
        r#"["<=a"]"#,
        "[]",
    ] {
        let pattern = load(code).unwrap();
        for text in ["", "a", "abc", "žž"] {
            let _ = pattern.find(text, 10_000);
        }
    }
}

#[test]
fn a_typical_rule_is_small() {
    for pattern in [
        "<https?>://web.stg.apps.example.com/<(assets/.*|favicon\\.ico|)>",
        "<https?>://docs.stg.apps.example.com/<(?!old/).*>",
        "<http|https>://frame.stg.apps.example.com/<(.*)?$>",
        "<https?>://kratos.stg.apps.example.com/<(self-service|sessions|schemas|\\.well-known/ory)>/<.*>",
    ] {
        let json = serde_json::to_string(&compile(pattern).unwrap()).unwrap();
        assert!(json.len() < 400, "{} bytes: {json}", json.len());
    }
}
