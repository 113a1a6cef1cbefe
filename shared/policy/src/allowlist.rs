//! A list of people.

use serde::{Deserialize, Serialize};

use crate::path::GjsonPath;

/// Who may pass, by e-mail address, e-mail domain or subject. One match is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowlist {
    /// Whole addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    /// Domains of addresses: `example.com`, or `*.example.com` for those below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<EmailDomain>,
    /// Subjects, compared exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Believes an address only when Kratos lists it among the verified ones.
    #[serde(default)]
    pub require_verified: bool,
    /// Where in whoami's answer the address is.
    #[serde(default = "default_email_from")]
    pub email_from: GjsonPath,
}

/// The trait that Kratos' own quickstart schema keeps the address in.
pub const DEFAULT_EMAIL_FROM: &str = "identity.traits.email";

fn default_email_from() -> GjsonPath {
    GjsonPath::default_email()
}

/// An e-mail address: one `@`, a local part that compares exactly, a domain that compares without case.
///
/// Quoted local parts, comments, spaces, a second `@` and names beyond ASCII are refused rather than
/// interpreted: each of them has let a stranger pass for a colleague somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email {
    local: String,
    domain: String,
}

impl Email {
    /// Reads an address; `None` when it is not a plain one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let local_is_plain = !local.is_empty()
            && local.len() <= 64
            && local
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b));
        (local_is_plain && is_domain(domain)).then(|| Self {
            local: local.to_owned(),
            domain: domain.to_ascii_lowercase(),
        })
    }

    /// The part behind the `@`, lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("`{text}` is not a plain e-mail address; write it as `someone@example.com`")
        })
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        format!("{}@{}", email.local, email.domain)
    }
}

/// A domain of e-mail addresses: `example.com` alone, `*.example.com` whatever is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailDomain {
    below: bool,
    domain: String,
}

impl EmailDomain {
    /// Whether an address is of this domain; compared by label, without case.
    #[must_use]
    pub fn matches(&self, email: &Email) -> bool {
        if !self.below {
            return email.domain == self.domain;
        }
        email
            .domain
            .strip_suffix(self.domain.as_str())
            .is_some_and(|labels| labels.ends_with('.'))
    }

    /// The domain without its wildcard.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether it stands for the domains below [`Self::domain`].
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.below
    }
}

impl TryFrom<String> for EmailDomain {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bare = text.strip_prefix('@').unwrap_or(&text);
        let (below, domain) = match bare.strip_prefix("*.").or_else(|| bare.strip_prefix('.')) {
            Some(rest) => (true, rest),
            None => (false, bare),
        };
        if !is_domain(domain) {
            return Err(format!(
                "`{text}` is not an e-mail domain; write `example.com`, or `*.example.com` for those below it (names beyond ASCII in their `xn--` form)"
            ));
        }
        Ok(Self {
            below,
            domain: domain.to_ascii_lowercase(),
        })
    }
}

impl From<EmailDomain> for String {
    fn from(domain: EmailDomain) -> Self {
        let star = if domain.below { "*." } else { "" };
        format!("{star}{}", domain.domain)
    }
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_read() {
        for good in [
            "a@example.com",
            "A.b+c@Sub.Example.com",
            "o'neil@xn--bcher-kva.example",
        ] {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        for bad in [
            "a@evil.example@example.com",
            "\"a@example.com\"@evil.example",
            "\"a\"@example.com",
            "a@example.com ",
            " a@example.com",
            "a b@example.com",
            "a@example。com",
            "ä@example.com",
            "@example.com",
            "a@",
            "a",
            "",
            "a@example",
            "a@.example.com",
            "a@example..com",
            "a@example.com.",
            "a@-example.com",
            "a(x@example.com)@evil.example",
            "a@example.com\n",
            "a\0@example.com",
            "a@[127.0.0.1]",
        ] {
            assert!(Email::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_local_part_is_exact_and_the_domain_has_no_case() {
        assert_eq!(Email::parse("a@Example.COM"), Email::parse("a@example.com"));
        assert_ne!(Email::parse("A@example.com"), Email::parse("a@example.com"));
        assert_ne!(
            Email::parse("a.b@example.com"),
            Email::parse("ab@example.com")
        );
    }

    #[test]
    fn domains_compare_by_label() {
        for (domain, email, expected) in [
            ("company.com", "a@company.com", true),
            ("@company.com", "a@company.com", true),
            ("Company.COM", "a@cOMPANY.com", true),
            ("company.com", "a@sub.company.com", false),
            ("company.com", "a@company.com.evil.example", false),
            ("company.com", "a@companyxcom.example", false),
            ("company.com", "a@notcompany.com", false),
            ("*.company.com", "a@sub.company.com", true),
            (".company.com", "a@a.b.company.com", true),
            ("*.company.com", "a@company.com", false),
            ("*.company.com", "a@evilcompany.com", false),
        ] {
            let domain = EmailDomain::try_from(domain.to_owned()).unwrap();
            assert_eq!(
                domain.matches(&Email::parse(email).unwrap()),
                expected,
                "{domain:?} {email}"
            );
        }
    }

    #[test]
    fn what_is_not_a_domain_is_refused() {
        for bad in [
            "",
            "*",
            "*.",
            "com",
            "a@company.com",
            "company.com/",
            "*company.com",
            "bücher.example",
            "a..b",
        ] {
            let error = EmailDomain::try_from(bad.to_owned()).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }
}
