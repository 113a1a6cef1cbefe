//! Looks URLs up in rule sets of different sizes, for `tests/matching-cost/run` to count the instructions.
//!
//! `matching_cost rules SHAPE COUNT` prints a rule set as the policy document has it. `matching_cost look-up FILE SHAPE
//! HITS MISSES` loads one and looks so many URLs up in it, as the gateway does.

use std::process::ExitCode;

use edgekeeper_policy::index::RuleIndex;
use edgekeeper_policy::pattern::{DEFAULT_BUDGET, Pattern, compile, compile_glob};

/// Rules as teams write them. `#` is the number of the rule, `@` that of its host: ten rules have one.
const SHAPES: [(&str, &str, [&str; 2], [&str; 2]); 9] = [
    (
        "hosts-and-paths",
        "https://web-@.example.com/api/v1/svc-#/<.*>",
        [
            "https://web-0000.example.com/api/v1/svc-0003/a/b",
            "https://web-0000.example.com/api/v1/svc-0008/x",
        ],
        [
            "https://other.example.com/api/v1/svc-0003/a",
            "https://web-0000.example.com/api/v2/x",
        ],
    ),
    (
        "schemes",
        "<https|http>://web-#.example.com/<(?!admin).*>",
        [
            "https://web-0003.example.com/a/b",
            "http://web-0008.example.com/x",
        ],
        [
            "https://other.example.com/a/b",
            "https://web-0003.example.com/admin",
        ],
    ),
    (
        "one-host",
        "https://app.example.com/svc-#<(/.*)?>",
        [
            "https://app.example.com/svc-0003",
            "https://app.example.com/svc-0008/a/b",
        ],
        [
            "https://app.example.com/none/a",
            "https://other.example.com/svc-0003",
        ],
    ),
    (
        "host-patterns",
        "https://<[a-z]+>.web-#.example.com/<.*>",
        [
            "https://stg.web-0003.example.com/a/b",
            "https://prod.web-0008.example.com/x",
        ],
        [
            "https://stg.none.example.com/a/b",
            "https://web-0003.example.com/x",
        ],
    ),
    (
        "stages",
        "<https?>://web-#.<stg|prod>.example.com/<.*>",
        [
            "https://web-0003.stg.example.com/a/b",
            "http://web-0008.prod.example.com/x",
        ],
        [
            "https://web-0003.dev.example.com/a/b",
            "https://none.stg.example.com/x",
        ],
    ),
    (
        "any-host",
        "https://<.*>.example.com/svc-#/<.*>",
        [
            "https://a.example.com/svc-0003/a",
            "https://b.example.com/svc-0008/x",
        ],
        [
            "https://a.example.com/none/a",
            "https://other.test/svc-0003/a",
        ],
    ),
    (
        "tenants",
        "https://app.example.com/tenants/<[0-9]+>/svc-#/<.*>",
        [
            "https://app.example.com/tenants/17/svc-0003/a",
            "https://app.example.com/tenants/4/svc-0008/x",
        ],
        [
            "https://app.example.com/tenants/17/none/a",
            "https://app.example.com/none",
        ],
    ),
    (
        "glob",
        "https://web-@.example.com/api/<{v1,v2}>/svc-#/<**>",
        [
            "https://web-0000.example.com/api/v1/svc-0003/a/b",
            "https://web-0000.example.com/api/v2/svc-0008/x",
        ],
        [
            "https://other.example.com/api/v1/svc-0003/a",
            "https://web-0000.example.com/api/v3/svc-0003/x",
        ],
    ),
    (
        "glob-hosts",
        "https://<*>.web-#.example.com/<**>",
        [
            "https://stg.web-0003.example.com/a/b",
            "https://prod.web-0008.example.com/x",
        ],
        [
            "https://stg.none.example.com/a/b",
            "https://web-0003.example.com/x",
        ],
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["shapes"] => {
            for (name, ..) in SHAPES {
                println!("{name}");
            }
            Some(())
        }
        ["rules", shape, count] => rules(shape, count),
        ["look-up", file, shape, hits, misses] => look_up(file, shape, hits, misses),
        _ => None,
    };
    if done.is_none() {
        eprintln!(
            "usage: matching_cost shapes | rules SHAPE COUNT | look-up FILE SHAPE HITS MISSES"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn rules(shape: &str, count: &str) -> Option<()> {
    let (_, pattern, ..) = SHAPES.iter().find(|(name, ..)| *name == shape)?;
    let compile = if shape.starts_with("glob") {
        compile_glob
    } else {
        compile
    };
    let patterns: Option<Vec<Pattern>> = (0..count.parse().ok()?)
        .map(|number: u32| {
            let rule = format!("{number:04}");
            let host = format!("{:04}", number.checked_div(10)?);
            compile(&pattern.replace('#', &rule).replace('@', &host)).ok()
        })
        .collect();
    println!("{}", serde_json::to_string(&patterns?).ok()?);
    Some(())
}

fn look_up(file: &str, shape: &str, hits: &str, misses: &str) -> Option<()> {
    let (_, _, matching, others) = SHAPES.iter().find(|(name, ..)| *name == shape)?;
    let text = std::fs::read_to_string(file).ok()?;
    let patterns: Vec<Pattern> = serde_json::from_str(&text).ok()?;
    let index = RuleIndex::new(patterns.iter());
    for (urls, times, expected) in [(matching, hits, 1), (others, misses, 0)] {
        let parts: Option<Vec<_>> = urls.iter().map(|url| parts(url)).collect();
        for (scheme, authority, path) in parts?.iter().cycle().take(times.parse().ok()?) {
            let url = format!("{scheme}://{}{path}", (*authority).to_owned());
            let found = index.candidates(&url).into_iter().filter(|rule| {
                patterns.get(*rule).is_some_and(|pattern| {
                    matches!(pattern.find(&url, DEFAULT_BUDGET), Ok(Some(_)))
                })
            });
            if found.count() != expected {
                eprintln!("{url} does not match {expected} rules");
                return None;
            }
        }
    }
    Some(())
}

/// Scheme, authority and path: the gateway has them apart.
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    Some((scheme, authority, path))
}
