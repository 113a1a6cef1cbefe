//! Lists of people: `allowlist`, and `allow` with `subject_matches`.

use super::code::Code;
use crate::allowlist::{Allowlist, Email, EmailDomain};
use crate::path::GjsonPath;

use super::node::{Node, Span, Value};
use super::report::Report;
use super::suffix;

/// Reads `{emails, domains, subjects, require_verified, email_from}`; `span` is where the list is asked for.
pub(super) fn allowlist(config: &Node, span: Span, report: &mut Report) -> Option<Allowlist> {
    let mut list = empty(config, report)?;
    for item in config.items_at("emails") {
        let Some(text) = item.text() else { continue };
        match Email::try_from(text.to_owned()) {
            Ok(email) => list.emails.push(email),
            Err(message) => report.error(
                Code::ALLOWLIST_ENTRY,
                item.span,
                message,
                "a whole domain goes into `domains`",
            ),
        }
    }
    for item in config.items_at("domains") {
        let Some(text) = item.text() else { continue };
        match EmailDomain::try_from(text.to_owned()) {
            Ok(domain) => {
                if domain.is_wildcard() {
                    suffix::refuse(domain.domain(), text, item.span, report);
                }
                list.domains.push(domain);
            }
            Err(message) => report.error(Code::ALLOWLIST_ENTRY, item.span, message, ""),
        }
    }
    for item in config.items_at("subjects") {
        let Some(text) = item.text() else { continue };
        if text.is_empty() {
            report.error(
                Code::ALLOWLIST_ENTRY,
                item.span,
                "an empty subject would let in everybody without one",
                "write the id of an identity",
            );
        }
        list.subjects.push(text.to_owned());
    }
    let lists = ["emails", "domains", "subjects"].map(|name| config.get(name));
    if lists.iter().flatten().any(|list| !is_list(list)) {
        return None;
    }
    if lists.iter().flatten().all(|list| list.items().is_empty()) {
        report.error(Code::ALLOWLIST_EMPTY,
            span,
            "the allowlist is empty, so nobody could pass",
            "name somebody in `emails`, `domains` or `subjects`; to let nobody through use the authorizer `deny`",
        );
        return None;
    }
    warn_unverified(&list, span, report);
    Some(list)
}

/// Reads `allow` with `subject_matches`: addresses, domains and subjects in one list, as people write it.
pub(super) fn subject_matches(config: &Node, report: &mut Report) -> Option<Allowlist> {
    let mut list = empty(config, report)?;
    let entries = config.get("subject_matches")?;
    if !is_list(entries) {
        return None;
    }
    for item in entries.items() {
        let Some(text) = item.text() else { continue };
        if text.is_empty() {
            report.error(
                Code::ALLOWLIST_ENTRY,
                item.span,
                "an empty entry would let in everybody without a subject",
                "write an e-mail address, a domain or the id of an identity",
            );
        } else if let Some(email) = Email::parse(text) {
            list.emails.push(email);
            // Whoever sets `subject_from` to the address has it in the subject, where nothing tells whether it is verified.
            if !list.require_verified {
                list.subjects.push(text.to_owned());
            }
        } else if is_domain(text) {
            match EmailDomain::try_from(text.to_owned()) {
                Ok(domain) => {
                    if domain.is_wildcard() {
                        suffix::refuse(domain.domain(), text, item.span, report);
                    }
                    list.domains.push(domain);
                    list.subjects.push(text.to_owned());
                }
                Err(message) => report.error(Code::ALLOWLIST_ENTRY, item.span, message, ""),
            }
        } else if text.contains('@') || text.contains('*') {
            report.error(Code::ALLOWLIST_ENTRY,
                item.span,
                format!("`{text}` is neither a plain e-mail address nor an e-mail domain"),
                "write `someone@example.com`, `@example.com`, `*.example.com` or the id of an identity",
            );
        } else {
            list.subjects.push(text.to_owned());
        }
    }
    if entries.items().is_empty() {
        report.error(
            Code::ALLOWLIST_EMPTY,
            entries.span,
            "`subject_matches` is empty, so nobody could pass",
            "name somebody; to let nobody through use the authorizer `deny`",
        );
        return None;
    }
    warn_unverified(&list, entries.span, report);
    Some(list)
}

fn empty(config: &Node, report: &mut Report) -> Option<Allowlist> {
    let email_from = match config.get("email_from").map(|node| (node, node.text())) {
        Some((node, Some(text))) => match GjsonPath::parse(text) {
            Ok(path) => path,
            Err(error) => {
                report.error(Code::SESSION_PATH,
                    node.span,
                    format!("`email_from` cannot be `{text}`: {error}"),
                    "write where the address is in whoami's answer, such as `identity.traits.email`",
                );
                return None;
            }
        },
        _ => GjsonPath::default_email(),
    };
    Some(Allowlist {
        emails: Vec::new(),
        domains: Vec::new(),
        subjects: Vec::new(),
        require_verified: config.flag_at("require_verified", false),
        email_from,
    })
}

/// Whether it is one; another finding tells where it is not.
fn is_list(node: &Node) -> bool {
    matches!(node.value, Value::List(_))
}

fn warn_unverified(list: &Allowlist, span: Span, report: &mut Report) {
    if list.require_verified || list.emails.is_empty() && list.domains.is_empty() {
        return;
    }
    report.warning(
        Code::UNVERIFIED_ADDRESS,
        span,
        "addresses count here without being verified: whoever registers with one of them passes",
        "add `require_verified: true`, and have Kratos verify addresses",
    );
}

/// Whether an entry looks like an e-mail domain and not like the id of an identity.
fn is_domain(text: &str) -> bool {
    if text.starts_with('@') || text.starts_with("*.") {
        return true;
    }
    text.contains('.')
        && EmailDomain::try_from(text.to_owned()).is_ok_and(|domain| !domain.is_wildcard())
}
