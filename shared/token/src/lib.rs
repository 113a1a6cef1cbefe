//! JSON Web Tokens for upstreams: signing keys, their rotation, and what they sign.
//!
//! A gateway that has decided who somebody is says so to the upstream in a short-lived token. This
//! crate holds all of that but the world: it reads no clock, draws no random bytes and stores
//! nothing. Time comes in as Unix seconds, randomness as bytes, the store as text.
//!
//! - [`key::SigningKey`] and [`jwk::PublicJwk`] are the two halves of a key, [`jwk::Jwks`] what
//!   verifiers fetch.
//! - [`entry::KeyEntry`] is a key as stored: one per rotation period, its private half closed by a
//!   [`seal::Sealer`].
//! - [`rotation::Rotation`] says which period it is and which keys to load and make;
//!   [`ring::KeyRing`] which of the loaded ones signs and which are public.
//!   [`succession::Succession`] is the order of keys behind it, and [`retire`] takes one out of it.
//! - [`claims`] completes the claims of Oathkeeper's `id_token`, [`jwt`] signs and checks them,
//!   [`cache::TokenCache`] keeps the result for the next request.
//! - [`foreign`] checks tokens that others signed; [`imported`] signs with keys that were made for
//!   Oathkeeper.
//!
//! ```
//! use edgekeeper_token::algorithm::Algorithm;
//! use edgekeeper_token::claims::{Issue, parse_claims};
//! use edgekeeper_token::entry::KeyEntry;
//! use edgekeeper_token::jwt;
//! use edgekeeper_token::key::SigningKey;
//! use edgekeeper_token::ring::KeyRing;
//! use edgekeeper_token::rotation::Rotation;
//! use edgekeeper_token::seal::Sealer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = 1_800_000_000;
//! let sealer = Sealer::new(b"from: openssl rand -base64 32, kept out of the store")?;
//! let rotation = Rotation::new(Rotation::DEFAULT_LENGTH, 900)?;
//!
//! // The scheduled event: make the key that is due. These bytes would be random.
//! let period = rotation.next_due(now, |_exists| false).ok_or("no key is due")?;
//! let key = SigningKey::generate(Algorithm::EdDsa, &[7; 32])?;
//! let entry = KeyEntry::seal(&sealer, &key, rotation, period, now, [9; 24])?;
//! let (name, value) = (entry.name(), entry.to_json()?);
//!
//! // Any isolate, later: open the keys, mint a token.
//! let (ring, errors) = KeyRing::open(rotation, [(name.as_str(), value.as_str())], &sealer);
//! assert!(errors.is_empty());
//! let issue = Issue {
//!     issuer: "https://gateway.example/",
//!     subject: "ada",
//!     now,
//!     ttl: 900,
//!     session_expires: None,
//!     jti: [1; 16],
//! };
//! let claims = issue.claims(parse_claims(r#"{"role":"user"}"#)?)?;
//! let token = jwt::mint(ring.signing(now).ok_or("no key")?, &claims)?;
//!
//! // An upstream that has fetched the JWKS.
//! let verified = jwt::verify(&token, &ring.jwks(now), now, 0)?;
//! assert_eq!(verified.claims["sub"], "ada");
//! # Ok(())
//! # }
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

pub mod algorithm;
pub mod cache;
pub mod claims;
mod encoding;
pub mod entry;
pub mod foreign;
pub mod hs256;
pub mod imported;
pub mod jwa;
pub mod jwk;
pub mod jwt;
pub mod key;
pub mod object;
pub mod retire;
pub mod ring;
pub mod rotation;
pub mod seal;
pub mod succession;
