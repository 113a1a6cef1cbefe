//! `edgekeeper push`, `rollback` and `versions`: which policy is in force, without a deploy.

mod confirmation;
pub(crate) mod endpoint;
mod entries;
mod failure;
mod folder;
pub(crate) mod push;
pub(crate) mod rollback;
mod state;
mod target;
mod teller;
pub(crate) mod versions;
mod wrangler;
