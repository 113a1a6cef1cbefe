//! Other people's keys and the tokens they signed, for the `jwt` authenticator.
//!
//! [`set::JwkSet`] is what a `jwks_urls` entry answers: keys of every kind, told apart into those that can be used and
//! those that cannot and why. [`token::verify`] checks a token against several of them; [`token::begin`] leaves the
//! arithmetic of RSA, P-384 and P-521 to a runtime that has it, by a [`check::SignatureCheck`].
//!
//! ```
//! use edgekeeper_token::foreign::set::{JwkSet, Reading};
//! use edgekeeper_token::foreign::token::{Options, VerifyError, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fetched = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","use":"sig",
//!     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! let set = JwkSet::parse(fetched, Reading::PUBLISHED)?;
//! for problem in set.problems() {
//!     println!("jwks_urls: {problem}");
//! }
//! let allowed = ["EdDSA".to_owned()];
//! let options = Options { algorithms: &allowed, now: 1_800_000_000, strict: false };
//! // Header {"alg":"EdDSA","kid":"b"}
//! let token = "eyJhbGciOiJFZERTQSIsImtpZCI6ImIifQ.e30.AA";
//! match verify(token, &[&set], &options) {
//!     Err(VerifyError::KidUnknown) => println!("fetch the sets again, if that is not too often"),
//!     other => println!("{other:?}"),
//! }
//! # Ok(())
//! # }
//! ```

pub mod check;
pub(crate) mod ec;
pub mod key;
pub(crate) mod large;
pub mod lifetime;
pub(crate) mod member;
pub(crate) mod rsa;
pub mod set;
pub mod token;
