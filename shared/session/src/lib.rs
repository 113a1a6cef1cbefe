//! Kratos sessions: which credential counts, what whoami's answer means, how long it is believed.
//!
//! Nothing here asks anybody anything. The gateway chooses a [`credential::Credential`], looks under its
//! [`key::CacheKey`] in the [`cache::SessionCache`], and only when nothing stands there sends the request and
//! has the answer read by [`whoami::Verdict::read`].
//!
//! ```
//! use edgekeeper_policy::authenticator::Bearer;
//! use edgekeeper_session::credential::{Credential, Presented};
//!
//! let presented = Presented {
//!     session_token: &[],
//!     cookie: &["theme=dark; ory_kratos_session=abc"],
//!     authorization: &[],
//! };
//! let names = ["ory_kratos_session".to_owned()];
//! let credential = Credential::choose(presented, &names, Bearer::SessionToken);
//! assert_eq!(credential, Ok(Some(Credential::Cookie("ory_kratos_session=abc".to_owned()))));
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

pub mod cache;
pub mod cookie;
pub mod credential;
pub mod flight;
pub mod freshness;
pub mod key;
pub mod marks;
pub mod record;
pub mod revocation;
pub mod sealed_cookie;
pub mod tokenized;
pub mod whoami;
