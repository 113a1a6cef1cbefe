//! What the adapters for Spin and for plain `wasi:http` have in common, so that it stands in neither of them twice.
//!
//! Both are components of the same world in two versions. Each version's bindings generate the same types anew;
//! [`wasi_http!`] is what the adapters do with them, written once. The rest is what such a host has in no version: a
//! clock in milliseconds, headers as the gateway has them, an instance that keeps its policy.
//!
//! There is no policy in here, and nothing that waits for anything: it is tested natively.
//!
//! ```
//! use edgekeeper_component::fields;
//!
//! let sent = vec![("cookie".to_owned(), b"a=1".to_vec())];
//! let headers = fields::of_request(sent, "app.example.com");
//! assert_eq!(headers["host"], "app.example.com");
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

pub mod fields;
pub mod host;
pub mod instance;
mod wasi_http;

#[doc(hidden)]
pub use {edgekeeper_gateway as gateway, http};
