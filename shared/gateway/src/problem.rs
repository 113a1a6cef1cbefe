//! A line of log about something that is not as it should be: keys, the store, what the runtime does not give.

use serde_json::json;

/// The line: JSON, one level, as a decision's. `what` is one word or two; `reason` says what was found and what to do.
#[must_use]
pub fn line(what: &str, reason: &str) -> String {
    json!({ "msg": what, "reason": reason }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_whatever_it_says() {
        let line = line("policy", "a \"b\"\nc");
        assert_eq!(line, r#"{"msg":"policy","reason":"a \"b\"\nc"}"#);
        assert!(!line.contains('\n'));
    }
}
