//! Letter case, words, and how far apart two names are.

use crate::letter_case;

/// As [`letter_case::upper`], but for the letters that are two in one.
fn title_char(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        c => letter_case::upper(c),
    }
}

/// Roman numbers and circled letters: they have cases, but are no letters.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{2160}'..='\u{2188}' | '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}')
}

fn is_upper(c: char) -> bool {
    c.is_uppercase() && !is_sign(c)
}

fn is_lower(c: char) -> bool {
    c.is_lowercase() && !is_sign(c)
}

fn is_title(c: char) -> bool {
    matches!(c, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}')
}

pub(super) fn upper(text: &str) -> String {
    text.chars().map(letter_case::upper).collect()
}

pub(super) fn lower(text: &str) -> String {
    text.chars().map(letter_case::lower).collect()
}

/// Go's `strings.Title`: the first letter after anything that cannot be in a word.
pub(super) fn title(text: &str) -> String {
    let mut after_separator = true;
    text.chars()
        .map(|c| {
            let out = if after_separator { title_char(c) } else { c };
            after_separator = if c.is_ascii() {
                !(c.is_ascii_alphanumeric() || c == '_')
            } else {
                c.is_whitespace()
            };
            out
        })
        .collect()
}

pub(super) fn untitle(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|c| {
            let out = if after_space {
                letter_case::lower(c)
            } else {
                c
            };
            after_space = c.is_whitespace();
            out
        })
        .collect()
}

pub(super) fn swap_case(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|c| {
            if is_upper(c) || is_title(c) {
                after_space = false;
                letter_case::lower(c)
            } else if is_lower(c) {
                if std::mem::take(&mut after_space) {
                    title_char(c)
                } else {
                    letter_case::upper(c)
                }
            } else {
                after_space = c.is_whitespace();
                c
            }
        })
        .collect()
}

/// Each byte as a character of its own, which is what some of Go's functions do to text.
pub(super) fn latin(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// The first letter of each word. Go takes each byte for a letter.
pub(super) fn initials(text: &str, by_bytes: bool) -> String {
    let mangled = if by_bytes {
        latin(text)
    } else {
        text.to_owned()
    };
    mangled
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .collect()
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// sprig's `camelcase`: `http_server` becomes `HttpServer`. Connectors in front stay.
pub(super) fn camel(text: &str) -> String {
    let start = text.find(|c| !is_connector(c)).unwrap_or(text.len());
    let (front, body) = text.split_at_checked(start).unwrap_or((text, ""));
    let mut out = front.to_owned();
    let mut chars = body.chars();
    let Some(first) = chars.next() else {
        // Of connectors alone, sprig writes the last twice.
        out.extend(front.chars().next_back());
        return out;
    };
    // After an upper-case first letter, the upper-case letters that follow are lowered.
    let mut lowering = is_upper(first);
    let mut previous = letter_case::upper(first);
    for c in chars {
        let mut current = c;
        if is_connector(c) && is_connector(previous) {
            out.push(previous);
            previous = c;
            continue;
        }
        if is_connector(previous) {
            lowering = is_upper(c);
            current = letter_case::upper(c);
        } else {
            if lowering {
                if is_upper(c) {
                    current = letter_case::lower(c);
                } else {
                    lowering = false;
                }
            }
            out.push(previous);
        }
        previous = current;
    }
    out.push(previous);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Upper,
    Lower,
    Number,
    Connector,
    Punctuation,
    Other,
}

/// Unicode's punctuation, without that of rare scripts; `$+<=>^` and their like are symbols.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c);
    }
    PUNCTUATION
        .iter()
        .any(|(from, to)| (*from..=*to).contains(&c))
}

const PUNCTUATION: &[(char, char)] = &[
    ('\u{a1}', '\u{a1}'),
    ('\u{a7}', '\u{a7}'),
    ('\u{ab}', '\u{ab}'),
    ('\u{b6}', '\u{b7}'),
    ('\u{bb}', '\u{bb}'),
    ('\u{bf}', '\u{bf}'),
    ('\u{37e}', '\u{37e}'),
    ('\u{387}', '\u{387}'),
    ('\u{55a}', '\u{55f}'),
    ('\u{5be}', '\u{5be}'),
    ('\u{60c}', '\u{60d}'),
    ('\u{61b}', '\u{61b}'),
    ('\u{61d}', '\u{61f}'),
    ('\u{66a}', '\u{66d}'),
    ('\u{6d4}', '\u{6d4}'),
    ('\u{964}', '\u{965}'),
    ('\u{2010}', '\u{2027}'),
    ('\u{2030}', '\u{2043}'),
    ('\u{2045}', '\u{2051}'),
    ('\u{2053}', '\u{205e}'),
    ('\u{207d}', '\u{207e}'),
    ('\u{208d}', '\u{208e}'),
    ('\u{2308}', '\u{230b}'),
    ('\u{2329}', '\u{232a}'),
    ('\u{2768}', '\u{2775}'),
    ('\u{27c5}', '\u{27c6}'),
    ('\u{27e6}', '\u{27ef}'),
    ('\u{2983}', '\u{2998}'),
    ('\u{29d8}', '\u{29db}'),
    ('\u{29fc}', '\u{29fd}'),
    ('\u{3001}', '\u{3003}'),
    ('\u{3008}', '\u{3011}'),
    ('\u{3014}', '\u{301f}'),
    ('\u{3030}', '\u{3030}'),
    ('\u{303d}', '\u{303d}'),
    ('\u{30a0}', '\u{30a0}'),
    ('\u{30fb}', '\u{30fb}'),
    ('\u{ff01}', '\u{ff03}'),
    ('\u{ff05}', '\u{ff0a}'),
    ('\u{ff0c}', '\u{ff0f}'),
    ('\u{ff1a}', '\u{ff1b}'),
    ('\u{ff1f}', '\u{ff20}'),
    ('\u{ff3b}', '\u{ff3d}'),
    ('\u{ff3f}', '\u{ff3f}'),
    ('\u{ff5b}', '\u{ff5b}'),
    ('\u{ff5d}', '\u{ff5d}'),
    ('\u{ff5f}', '\u{ff65}'),
];

/// Chinese characters, which are no letters to sprig's words.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

fn kind(c: char) -> Word {
    if is_connector(c) {
        Word::Connector
    } else if is_punctuation(c) {
        Word::Punctuation
    } else if is_upper(c) {
        Word::Upper
    } else if c.is_alphabetic() && !is_sign(c) && !is_ideograph(c) {
        Word::Lower
    } else if c.is_numeric() && !is_ideograph(c) {
        Word::Number
    } else {
        Word::Other
    }
}

/// Words of a name: `HTTPStatus404` is `HTTP`, `Status`, `404`.
fn words(text: &str) -> Vec<(Word, String)> {
    let mut words: Vec<(Word, String)> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        let start = kind(first);
        let mut word = String::from(first);
        if start == Word::Upper {
            if chars.peek().is_some_and(|c| kind(*c) == Word::Upper) {
                while let Some(c) = chars.peek().copied().filter(|c| kind(*c) == Word::Upper) {
                    let mut ahead = chars.clone();
                    ahead.next();
                    if ahead.peek().is_some_and(|next| kind(*next) == Word::Lower) {
                        break;
                    }
                    word.push(c);
                    chars.next();
                }
            } else {
                while let Some(c) = chars.next_if(|c| kind(*c) == Word::Lower) {
                    word.push(c);
                }
            }
        } else {
            // Among punctuation, `-` and `_` are that as well.
            let goes_on = |c: &char| match start {
                Word::Punctuation => is_punctuation(*c),
                start => kind(*c) == start,
            };
            while let Some(c) = chars.next_if(goes_on) {
                word.push(c);
            }
        }
        words.push((start, word));
    }
    words
}

/// sprig's `snakecase` and `kebabcase`: `HTTPStatus404` becomes `http_status404`.
pub(super) fn separated(text: &str, separator: char) -> String {
    let words = words(text);
    let mut out = String::new();
    let mut rest = words.iter().peekable();
    let mut glue = false;
    while let Some((kind, word)) = rest.next() {
        match kind {
            Word::Connector => out.extend(word.chars().map(|_| separator)),
            Word::Upper => out.extend(word.chars().map(|c| {
                if is_upper(c) {
                    letter_case::lower(c)
                } else {
                    c
                }
            })),
            _ => out.push_str(word),
        }
        let next = rest.peek().map(|(kind, _)| *kind);
        let breaks = |next: Option<Word>| {
            next.is_some_and(|next| !matches!(next, Word::Connector | Word::Punctuation))
        };
        match kind {
            Word::Connector | Word::Punctuation => glue = false,
            _ if glue || *kind == Word::Number => {
                // A number keeps the lower-case letters and numbers that follow it.
                glue = matches!(next, Some(Word::Lower | Word::Number));
                if !glue && breaks(next) {
                    out.push(separator);
                }
            }
            _ if next == Some(Word::Number) => {
                let mut ahead = rest.clone();
                ahead.next();
                match ahead.peek().map(|(kind, _)| *kind) {
                    // `HTTP2xx` is `http_2xx`, but `Bld4Floor` is `bld4_floor`.
                    Some(Word::Lower) => out.push(separator),
                    _ => glue = false,
                }
            }
            _ if breaks(next) => out.push(separator),
            _ => {}
        }
    }
    out
}

/// Edits between two names, for suggestions.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate().take(40) {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (above, to) in row.iter().skip(1).zip(b.chars()) {
            let change = diagonal.saturating_add(usize::from(from != to));
            left = change
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            next.push(left);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
