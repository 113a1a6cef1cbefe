//! What to write instead, where one message says both what is wrong and that.

/// Splits a message of the types that runtimes read, too, at what to do: what was found, and `help`, or `otherwise` where it
/// does not say.
pub(super) fn split(message: &str, otherwise: &str) -> (String, String) {
    match message.split_once("; write ") {
        Some((found, write)) => (found.to_owned(), format!("write {write}")),
        None => (message.to_owned(), otherwise.to_owned()),
    }
}
