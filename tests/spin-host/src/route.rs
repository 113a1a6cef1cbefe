//! Which trigger answers a path.

use anyhow::{Result, ensure};

/// A route of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    text: String,
}

const WILDCARD: &str = "/...";

impl Route {
    /// Reads a route: a path, or one that ends in `/...`.
    ///
    /// # Errors
    /// It has one of Spin's other forms.
    pub fn parse(text: &str) -> Result<Self> {
        ensure!(
            text.starts_with('/'),
            "route {text:?} must start with a slash"
        );
        ensure!(
            !text.contains("/:") && !text.contains('*'),
            "route {text:?}: this host knows paths and `/...` at their end"
        );
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// As the manifest has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is before `/...`, or all of it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.strip_suffix(WILDCARD).unwrap_or(&self.text)
    }

    /// What of the path `/...` stands for, if the route matches: empty for a route without it.
    #[must_use]
    pub fn matches<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.text.ends_with(WILDCARD) {
            let rest = path.strip_prefix(self.prefix())?;
            (self.prefix().is_empty() || rest.is_empty() || rest.starts_with('/')).then_some(rest)
        } else {
            (path == self.text).then_some("")
        }
    }
}

/// The best of several routes: one without a wildcard, else the longest.
#[must_use]
pub fn best<'a, T>(routes: &'a [(Route, T)], path: &str) -> Option<&'a (Route, T)> {
    routes
        .iter()
        .filter(|(route, _)| route.matches(path).is_some())
        .max_by_key(|(route, _)| (!route.as_str().ends_with(WILDCARD), route.as_str().len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_route_wins_then_the_longest() {
        let routes: Vec<(Route, ())> = ["/...", "/a/...", "/a/b", "/a/b/c/..."]
            .into_iter()
            .map(|text| (Route::parse(text).unwrap(), ()))
            .collect();
        for (path, expected, rest) in [
            ("/", "/...", "/"),
            ("*", "/...", "*"),
            ("/ab", "/...", "/ab"),
            ("/a", "/a/...", ""),
            ("/a/", "/a/...", "/"),
            ("/a/b", "/a/b", ""),
            ("/a/b/", "/a/...", "/b/"),
            ("/a/b/c/d", "/a/b/c/...", "/d"),
        ] {
            let (route, ()) = best(&routes, path).unwrap();
            assert_eq!(
                (route.as_str(), route.matches(path)),
                (expected, Some(rest)),
                "{path}"
            );
        }
        assert!(best(&[(Route::parse("/a").unwrap(), ())], "/b").is_none());
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "a", "/:id", "/a/*"] {
            assert!(Route::parse(text).is_err(), "{text}");
        }
    }
}
