//! Wildcards in keys and comparisons: `*` is any text, `?` one character, a backslash makes the next one literal.

/// The most comparisons made for one text. Without a bound, a session's text could be made to cost the pattern's
/// length times its own.
const MAX_STEPS: usize = 10_000;

/// True if the whole text fits the pattern. Gives up as not fitting after [`MAX_STEPS`].
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let mut text = text.chars();
    let mut pattern = pattern.chars();
    // Where to go on if the text after the latest `*` does not fit: that star takes one character more.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    for _ in 0..MAX_STEPS {
        let mut ahead = pattern.clone();
        let mut rest = text.clone();
        let fits = match (ahead.next(), rest.next()) {
            (Some('*'), _) => {
                pattern = ahead;
                retry = Some((text.clone(), pattern.clone()));
                continue;
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => true,
            (Some('\\'), Some(c)) => ahead.next() == Some(c),
            (Some(wanted), Some(c)) => wanted == c,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if fits {
            pattern = ahead;
            text = rest;
            continue;
        }
        let Some((start, after_star)) = &mut retry else {
            return false;
        };
        if start.next().is_none() {
            return false;
        }
        text = start.clone();
        pattern = after_star.clone();
    }
    false
}
