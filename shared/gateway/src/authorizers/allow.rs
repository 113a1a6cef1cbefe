//! `allow`: everybody. With `subject_matches` it is an [`allowlist`](super::allowlist), made so when the policy is built.

use crate::refusal::Refusal;

pub(super) fn authorize() -> Result<(), Refusal> {
    Ok(())
}
