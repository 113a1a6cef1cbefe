//! GJSON paths against gjson v1.18.0, with Oathkeeper's `@this`.

use edgekeeper_policy::path::GjsonPath;
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::oracle::{self, Answer};
use super::tally::Tally;

struct Question {
    path: String,
    document: Value,
}

/// Compares this many paths.
pub(crate) fn compare(seed: u64, paths: usize) -> Tally {
    let mut dice = Dice::new(seed);
    let questions: Vec<_> = (0..paths).map(|_| question(&mut dice)).collect();
    let mut tally = Tally::default();
    oracle::ask(
        &questions,
        |question| json!({"path": question.path, "json": question.document.to_string()}),
        |question, answer| judge(question, &answer, &mut tally),
    );
    tally
}

fn judge(question: &Question, answer: &Answer, tally: &mut Tally) {
    let Question { path, document } = question;
    let ours = match GjsonPath::parse(path) {
        Ok(ours) => ours,
        Err(error) => {
            return tally.differs(
                refused_here(path, &error.message),
                format!("{path}: refused here: {error}"),
            );
        }
    };
    let found = ours.eval(document).map(|value| value.into_owned());
    let theirs: Option<Value> = match answer.raw.as_str() {
        "" => None,
        raw => match serde_json::from_str(raw) {
            Ok(value) => Some(value),
            Err(_) => return tally.differs(Some("what is found is no JSON"), String::new()),
        },
    };
    if found == theirs && answer.error.is_empty() {
        tally.same(found.is_some());
    } else {
        let kind = differs(path);
        tally.differs(
            kind,
            format!(
                "{path} in {document}: {found:?}, there {theirs:?} {}",
                answer.error
            ),
        );
    }
}

/// Why a path is refused here.
fn refused_here(path: &str, message: &str) -> Option<&'static str> {
    let kinds = [
        ("modifier", "@", "modifiers"),
        ("multipaths", "", "multipaths"),
        ("literals", "!", "literals"),
        ("JSON lines", "..", "JSON lines"),
        ("nested", "#", "nesting"),
        ("query", "#", "queries that are none"),
        ("after", "#", "queries that are none"),
        ("backslash", "\\", "a backslash at the end"),
        ("empty", "", "the empty path"),
    ];
    kinds
        .into_iter()
        .find(|(said, has, _)| message.contains(said) && path.contains(has))
        .map(|(_, _, kind)| kind)
}

/// Why a path finds something else here.
fn differs(path: &str) -> Option<&'static str> {
    (path.contains(['*', '?']) && (path.contains('|') || path.contains(".@this")))
        .then_some("a bar seen under a key that does not lead anywhere")
}

const KEYS: &[&str] = &[
    "a", "b", "name", "first", "last", "age", "x.y", "fav*", "0", "1", "ž", "a|b", "@this", "#",
    "tags", "id", "q\"q",
];

fn question(dice: &mut Dice) -> Question {
    let document = match dice.roll(5) {
        0 => array(dice, 3),
        _ => object(dice, 3),
    };
    let mut path = String::new();
    walk(dice, &document, &mut path, 5);
    if path.is_empty() {
        path.push_str("@this");
    }
    if dice.once_in(8) {
        path = dice.spoil(
            &path,
            &[
                ".", "#", "|", "*", "?", "(", ")", "\\", "@", "a", "0", "=", "\"", "!", "~", "%",
                "[", "{",
            ],
        );
    }
    Question { path, document }
}

fn object(dice: &mut Dice, depth: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..dice.roll(5) {
        map.insert(dice.pick(KEYS).to_owned(), value(dice, depth));
    }
    Value::Object(map)
}

fn array(dice: &mut Dice, depth: usize) -> Value {
    let alike = dice.once_in(2);
    let count = dice.roll(5);
    if alike {
        return (0..count).map(|_| json!({"age": dice.roll(9), "first": text(dice), "tags": [text(dice), text(dice)]})).collect();
    }
    (0..count).map(|_| value(dice, depth)).collect()
}

fn text(dice: &mut Dice) -> &'static str {
    [
        "", "a", "b", "dev-1", "ops", "true", "T", "1", "é", "a\"b", "a\\b", "x/y", "line\n", "Z",
        "ab",
    ][dice.roll(15)]
}

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth == 0 { 6 } else { 9 }) {
        0 => json!(dice.roll(5)),
        1 => json!(text(dice)),
        2 => json!(dice.once_in(2)),
        3 => Value::Null,
        4 => json!([1.5, -3.0, 0.0, 1e10, 0.25][dice.roll(5)]),
        5 => json!(text(dice)),
        6 | 7 => array(dice, depth - 1),
        _ => object(dice, depth - 1),
    }
}

/// Appends a way into the value.
fn walk(dice: &mut Dice, value: &Value, path: &mut String, left: usize) {
    if left == 0 || (!path.is_empty() && dice.once_in(6)) {
        return;
    }
    if !path.is_empty() {
        path.push(if dice.once_in(6) { '|' } else { '.' });
    }
    match value {
        _ if dice.once_in(15) => {
            path.push_str("@this");
            walk(dice, value, path, left - 1);
        }
        Value::Object(map) if !map.is_empty() && !dice.once_in(10) => {
            let (key, inside) = map.iter().nth(dice.roll(map.len())).unwrap();
            match dice.roll(6) {
                0 => path.push_str(&format!(
                    "{}*",
                    escaped(&key.chars().take(1).collect::<String>())
                )),
                1 => path.push_str(&"?".repeat(key.chars().count())),
                2 if dice.once_in(4) => path.push('*'),
                _ => path.push_str(&escaped(key)),
            }
            walk(dice, inside, path, left - 1);
        }
        Value::Array(items) => {
            let item = if items.is_empty() {
                &Value::Null
            } else {
                &items[dice.roll(items.len())]
            };
            match dice.roll(8) {
                0 => path.push('#'),
                1..=2 => {
                    path.push('#');
                    walk(dice, item, path, left - 1);
                }
                3..=5 => {
                    query(dice, item, path, left);
                    let all = dice.once_in(2);
                    if all {
                        path.push('#');
                    }
                    walk(dice, item, path, left - 1);
                }
                _ => {
                    path.push_str(&dice.roll(items.len() + 1).to_string());
                    walk(dice, item, path, left - 1);
                }
            }
        }
        _ => path.push_str(dice.pick(&["a", "b", "0", "#", "*", "nope"])),
    }
}

fn query(dice: &mut Dice, item: &Value, path: &mut String, left: usize) {
    path.push_str(if dice.once_in(10) { "#[" } else { "#(" });
    let close = if path.ends_with('[') { ']' } else { ')' };
    let mut inside = item;
    if let Value::Object(map) = item
        && !map.is_empty()
    {
        let (key, value) = map.iter().nth(dice.roll(map.len())).unwrap();
        path.push_str(&escaped(key));
        inside = value;
        if dice.once_in(4) && left > 1 {
            let mut more = String::new();
            walk(dice, inside, &mut more, 1);
            if !more.is_empty() {
                path.push('.');
                path.push_str(&more);
            }
        }
    }
    if !dice.once_in(8) {
        path.push_str(dice.pick(&[
            "==", "=", "!=", "<", "<=", ">", ">=", "%", "!%", " == ", "==",
        ]));
        let literal = match dice.roll(6) {
            0 => dice
                .pick(&[
                    "~true", "~false", "~null", "~*", "~what", "true", "false", "null", "1", "0",
                    "1.5",
                ])
                .to_owned(),
            1 => json!(text(dice)).to_string(),
            2 => json!(format!("{}*", text(dice))).to_string(),
            _ => match inside {
                Value::Object(_) | Value::Array(_) => "1".to_owned(),
                value => value.to_string(),
            },
        };
        path.push_str(&literal);
    }
    path.push(close);
}

fn escaped(key: &str) -> String {
    key.chars()
        .flat_map(|c| {
            let special = matches!(
                c,
                '.' | '*'
                    | '?'
                    | '|'
                    | '#'
                    | '@'
                    | '!'
                    | '{'
                    | '}'
                    | '['
                    | ']'
                    | '('
                    | ')'
                    | '='
                    | '<'
                    | '>'
                    | '%'
                    | '"'
                    | '\\'
            );
            special.then_some('\\').into_iter().chain([c])
        })
        .collect()
}
