//! `deny`: nobody.

use crate::refusal::Refusal;

pub(super) fn authorize() -> Result<(), Refusal> {
    Err(Refusal::forbidden().logged("the rule's authorizer is `deny`"))
}
