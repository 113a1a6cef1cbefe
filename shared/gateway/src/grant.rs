//! What a token is good for: its scopes, audiences and issuer against what a rule asks for.

use edgekeeper_policy::authenticator::ScopeStrategy;

/// The first of the required scopes that was not granted, compared as Ory's fosite does; `None` when all were.
///
/// With [`ScopeStrategy::None`] nothing is compared: what that means is its handler's to say.
pub(crate) fn missing_scope<'a>(
    strategy: ScopeStrategy,
    required: &'a [String],
    granted: &[&str],
) -> Option<&'a str> {
    let grants: fn(&str, &str) -> bool = match strategy {
        ScopeStrategy::None => return None,
        ScopeStrategy::Exact => |granted, required| granted == required,
        ScopeStrategy::Hierarchic => hierarchic,
        ScopeStrategy::Wildcard => wildcard,
    };
    required
        .iter()
        .find(|required| !granted.iter().any(|granted| grants(granted, required)))
        .map(String::as_str)
}

/// `a` grants `a` and `a.b`, not `ab`.
fn hierarchic(granted: &str, required: &str) -> bool {
    required
        .strip_prefix(granted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// `*` in a granted scope stands for one part that is not empty, at its end for one or more.
fn wildcard(granted: &str, required: &str) -> bool {
    let mut required = required.split('.');
    let mut granted = granted.split('.').peekable();
    while let Some(part) = granted.next() {
        let Some(wanted) = required.next() else {
            return false;
        };
        let fits = if part == "*" {
            !wanted.is_empty()
        } else {
            part == wanted
        };
        if !fits {
            return false;
        }
        if granted.peek().is_none() {
            return part == "*" || required.next().is_none();
        }
    }
    false
}

/// The first of the audiences a rule is for that a token does not name; `None` when it names all of them.
pub(crate) fn missing_audience<'a>(target: &'a [String], named: &[&str]) -> Option<&'a str> {
    target
        .iter()
        .map(String::as_str)
        .find(|audience| !named.contains(audience))
}

/// Whether a token's issuer is one that a rule trusts. A rule that names none trusts all.
pub(crate) fn trusts(trusted: &[String], issuer: &str) -> bool {
    trusted.is_empty() || trusted.iter().any(|trusted| trusted == issuer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_granted(strategy: ScopeStrategy, granted: &[&str], required: &str) -> bool {
        missing_scope(strategy, &[required.to_owned()], granted).is_none()
    }

    #[test]
    fn exact_is_equal() {
        let is = |granted: &[&str], required| is_granted(ScopeStrategy::Exact, granted, required);
        assert!(is(&["a", "b.c"], "b.c"));
        for required in ["b", "b.c.d", "A", "a ", "", "*"] {
            assert!(!is(&["a", "b.c"], required), "{required}");
        }
        assert!(!is(&[], "a"));
        assert!(is(&[""], ""), "fosite takes an empty scope for a scope");
    }

    #[test]
    fn a_scope_grants_what_is_below_it() {
        let is =
            |granted: &[&str], required| is_granted(ScopeStrategy::Hierarchic, granted, required);
        for (granted, required, expected) in [
            (&["a"][..], "a", true),
            (&["a"], "a.b", true),
            (&["a"], "a.b.c", true),
            (&["a"], "a.", true),
            (&["a.b"], "a.b.c", true),
            (&["a.b"], "a", false),
            (&["a"], "ab", false),
            (&["a"], "ab.c", false),
            (&["a.b"], "a.bc", false),
            (&["a.b", "c"], "c.d", true),
            (&["a."], "a.b", false),
            (&["a."], "a..b", true),
            (&["a.*"], "a.b", false),
            (&[""], "a", false),
            (&[""], ".a", true),
            (&[], "a", false),
        ] {
            assert_eq!(is(granted, required), expected, "{granted:?} {required}");
        }
    }

    #[test]
    fn a_star_grants_one_part_and_at_the_end_more() {
        let is =
            |granted: &[&str], required| is_granted(ScopeStrategy::Wildcard, granted, required);
        for (granted, required, expected) in [
            (&["a"][..], "a", true),
            (&["a"], "a.b", false),
            (&["*"], "a", true),
            (&["*"], "a.b.c", true),
            (&["*"], "", false),
            (&["*"], ".a", false),
            (&["a.*"], "a.b", true),
            (&["a.*"], "a.b.c", true),
            (&["a.*"], "a", false),
            (&["a.*"], "a.", false),
            (&["a.*"], "a.*", true),
            (&["a.*"], "b.c", false),
            (&["a.*.c"], "a.b.c", true),
            (&["a.*.c"], "a.b.d", false),
            (&["a.*.c"], "a.b.b.c", false),
            (&["a.*.c"], "a.b.c.d", false),
            (&["a.*.*"], "a.b.c.d", true),
            (&["a.*.*"], "a.b", false),
            (&["*.b"], "a.b", true),
            (&["a.b*"], "a.bc", false),
            (&["x", "a.*"], "a.b", true),
            (&[""], "", true),
            (&[""], "a", false),
            (&[], "a", false),
        ] {
            assert_eq!(is(granted, required), expected, "{granted:?} {required}");
        }
    }

    #[test]
    fn the_first_missing_scope_is_named() {
        let required = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let missing = |granted: &[&str]| missing_scope(ScopeStrategy::Exact, &required, granted);
        assert_eq!(missing(&["c", "a"]), Some("b"));
        assert_eq!(missing(&["c", "b", "a"]), None);
        assert_eq!(missing_scope(ScopeStrategy::Exact, &[], &[]), None);
        assert_eq!(missing_scope(ScopeStrategy::None, &required, &[]), None);
    }

    #[test]
    fn every_target_audience_must_be_named_and_one_issuer_trusted() {
        let target = ["a".to_owned(), "b".to_owned()];
        assert_eq!(missing_audience(&target, &["b", "a", "c"]), None);
        assert_eq!(missing_audience(&target, &["a"]), Some("b"));
        assert_eq!(missing_audience(&target, &[]), Some("a"));
        assert_eq!(missing_audience(&[], &[]), None);
        assert!(trusts(&[], ""));
        assert!(trusts(&target, "b"));
        assert!(!trusts(&target, ""));
        assert!(!trusts(&target, "a/"));
    }
}
