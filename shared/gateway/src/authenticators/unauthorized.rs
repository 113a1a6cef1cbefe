//! `unauthorized`: nobody.

use super::Denied;
use crate::refusal::Refusal;

pub(super) fn authenticate() -> Denied {
    Refusal::unauthorized()
        .logged("the rule's authenticator is `unauthorized`")
        .into()
}
