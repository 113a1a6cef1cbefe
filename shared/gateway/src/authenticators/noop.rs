//! `noop`: everybody, without a subject.

use crate::authentication::Authentication;

pub(super) fn authenticate() -> Authentication {
    Authentication::default()
}
