//! Domains under which anybody can register.

use super::code::Code;
use super::node::Span;
use super::report::Report;

/// Refuses a wildcard directly above a public suffix: `*.co.uk` would let in whoever buys a name there.
///
/// `domain` is what stands behind the wildcard, with or without a leading dot and a port.
pub(super) fn refuse(domain: &str, text: &str, span: Span, report: &mut Report) {
    let host = domain.trim_start_matches('.');
    let host = host
        .rsplit_once(':')
        .map_or(host, |(host, _)| host)
        .to_ascii_lowercase();
    if is_public(&host) {
        report.error(
            Code::PUBLIC_SUFFIX,
            span,
            format!(
                "`{text}` stands for everybody's domains: anyone can have a name below `{host}`"
            ),
            "name your own domain, such as `*.example.com`",
        );
    }
}

/// Whether the Public Suffix List knows this name as a suffix.
fn is_public(host: &str) -> bool {
    psl::suffix(host.as_bytes())
        .is_some_and(|suffix| suffix.as_bytes() == host.as_bytes() && suffix.typ().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_anybody_can_register() {
        for (host, expected) in [
            ("com", true),
            ("co.uk", true),
            ("github.io", true),
            ("example.com", false),
            ("example.co.uk", false),
            ("test", false),
            ("internal", false),
            ("", false),
        ] {
            assert_eq!(is_public(host), expected, "{host}");
        }
    }
}
