//! Sessions as authenticators leave them.

use serde_json::{Map, Value as Json, json};

use crate::random::Random;

/// Keys of `.Extra`; templates ask for these and some others.
pub(crate) const KEYS: &[&str] = &[
    "email",
    "name",
    "roles",
    "groups",
    "age",
    "score",
    "admin",
    "nothing",
    "identity",
    "traits",
    "tags",
    "with-dash",
    "空",
    "_x",
    "ids",
    "nested",
    "empty",
    "zero",
];
pub(crate) const HEADERS: &[&str] = &["X-User", "Accept", "Cookie", "X-Empty", "Authorization"];
pub(crate) const TEXTS: &[&str] = &[
    "",
    "alice",
    "a@b.test",
    "Admin",
    "ALL CAPS",
    "two words",
    "  padded\t",
    "line\nbreak",
    "a,b,c",
    "a,,b,",
    "héllo wörld",
    "日本語 テキスト",
    "ß ﬁ ǆ İ",
    "<b>&\"'</b>",
    "back\\slash",
    "tab\tnul\u{0}x",
    "😀 emoji",
    "10",
    "-7",
    "3.5",
    "0x1F",
    "007",
    "1e3",
    "true",
    "null",
    "{\"a\": [1, 2.5, null]}",
    "[1,\"x\"]",
    "YWxpY2U=",
    "%d %s %%",
    "HTTPStatusCode404x",
    "snake_case_name",
    "camelCaseName",
    "/a/../b//c.tar.gz",
    "http://u:p@h.test:80/p?q=1#f",
    "a b  c",
    "x-y_z",
    "e\u{301}\u{200b}",
    "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd",
    "Ünïcode Tïtle",
    "it's",
    "a=1&b=2",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "42",
    "1.5",
    "-2.25",
    "0.1",
    "1e6",
    "999999",
    "1e20",
    "1e21",
    "1e22",
    "1234567.891",
    "123456789012345678",
    "9007199254740993",
    "1e-5",
    "0.0001",
    "1e-7",
    "-0.0",
    "9223372036854775807",
    "1e300",
    "100000",
    "2.5",
    "3.5",
    "1700000000",
];

/// Letters, signs and spaces of many scripts.
fn letters(random: &mut Random) -> String {
    const FROM: &[(u32, u32)] = &[
        (0x20, 0x7f),
        (0x20, 0x7f),
        (0xa0, 0x180),
        (0x1cd, 0x24f),
        (0x391, 0x3a1),
        (0x3a3, 0x3ce),
        (0x400, 0x52f),
        (0x5d0, 0x5ea),
        (0x620, 0x64a),
        (0x905, 0x939),
        (0x1e00, 0x1eff),
        (0x2000, 0x2064),
        (0x20a0, 0x20bf),
        (0x2190, 0x23ff),
        (0x2460, 0x26ff),
        (0x3041, 0x3096),
        (0x4e00, 0x9fa5),
        (0xac00, 0xd7a3),
        (0xff01, 0xff5e),
        (0x1f300, 0x1f64f),
    ];
    let count = random.below(8).saturating_add(1);
    (0..count)
        .filter_map(|_| {
            let (from, to) = FROM.get(random.below(FROM.len()))?;
            let size = usize::try_from(to.saturating_sub(*from)).ok()?;
            char::from_u32(from.saturating_add(u32::try_from(random.below(size)).ok()?))
        })
        .collect()
}

fn text(random: &mut Random) -> String {
    if random.chance(20) {
        return letters(random);
    }
    random.pick(TEXTS).to_owned()
}

fn value(random: &mut Random, depth: usize) -> Json {
    match random.below(if depth == 0 { 8 } else { 13 }) {
        0..=2 => Json::from(text(random)),
        3 | 4 => serde_json::from_str(random.pick(NUMBERS)).unwrap_or(Json::Null),
        5 => Json::Bool(random.chance(50)),
        6 => Json::Null,
        7 => Json::from(""),
        8 | 9 => texts(random),
        10 => {
            let count = random.below(4);
            (0..count)
                .map(|_| value(random, depth.saturating_sub(1)))
                .collect()
        }
        _ => map(random, depth.saturating_sub(1)),
    }
}

fn texts(random: &mut Random) -> Json {
    let count = random.below(4);
    (0..count).map(|_| Json::from(text(random))).collect()
}

fn map(random: &mut Random, depth: usize) -> Json {
    let count = random.below(5);
    let entries: Map<String, Json> = (0..count)
        .map(|_| (random.pick(KEYS).to_owned(), value(random, depth)))
        .collect();
    Json::Object(entries)
}

fn headers(random: &mut Random) -> Json {
    if random.chance(20) {
        return Json::Null;
    }
    let count = random.below(4);
    let entries: Map<String, Json> = (0..count)
        .map(|_| (random.pick(HEADERS).to_owned(), texts(random)))
        .collect();
    Json::Object(entries)
}

pub(crate) fn session(random: &mut Random) -> Json {
    let extra = if random.chance(10) {
        Json::Null
    } else {
        let mut extra = map(random, 3);
        // What most templates ask for is mostly there.
        for (key, value) in [
            ("email", json!("a@b.test")),
            ("roles", json!(["admin", "dev"])),
            ("age", json!(42)),
            ("name", Json::from(letters(random))),
            (
                "identity",
                json!({ "traits": { "email": "t@b.test", "name": "Tee" }, "id": null }),
            ),
        ] {
            if random.chance(60)
                && let Some(entries) = extra.as_object_mut()
            {
                entries.insert(key.to_owned(), value);
            }
        }
        extra
    };
    let url = random.pick(&[
        "http://api.test/orders/7",
        "https://api.test:8443/a%20b/c?x=1&y=a+b&x=2",
        "http://h/",
        "http://127.0.0.1:4455/p?empty=&q=%C3%A9",
    ]);
    let groups = if random.chance(10) {
        Json::Null
    } else {
        texts(random)
    };
    json!({
        "Subject": text(random),
        "Extra": extra,
        "Header": headers(random),
        "Groups": groups,
        "URL": url,
        "Method": random.pick(&["GET", "POST", ""]),
        "Request": headers(random),
    })
}
