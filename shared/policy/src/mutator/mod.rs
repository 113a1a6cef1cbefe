//! Mutators of a rule, configured: one file each.

mod cookie;
mod header;
mod hydrator;
mod id_token;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

pub use cookie::Cookie;
pub use header::Header;
pub use hydrator::{BasicAuth, Hydrator};
pub use id_token::IdToken;

/// What does the upstream get told? One entry of a rule's `mutators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mutator {
    /// Nothing.
    Noop,
    /// Headers made from templates.
    Header(Header),
    /// Cookies made from templates.
    Cookie(Cookie),
    /// A signed token in `Authorization`.
    IdToken(IdToken),
    /// Kratos' own token in `Authorization`: what `id_token` is in a rule with `tokenize_as`.
    KratosToken,
    /// What a service knows of the session besides.
    Hydrator(Box<Hydrator>),
    /// Fails (strict mode).
    Broken(Fault),
}
