//! Signing keys that were made for Oathkeeper: the private set at `mutators.id_token.config.jwks_url`.
//!
//! [`set::ImportedSet`] reads it as Oathkeeper does: which key signs, under which key id, and what of it is published.
//! [`entry::ImportedEntry`] is such a set sealed in the key-value store, where `edgekeeper keys import` puts it.
//!
//! ```
//! use edgekeeper_token::claims::parse_claims;
//! use edgekeeper_token::foreign::set::{JwkSet, Reading};
//! use edgekeeper_token::foreign::token::{Options, verify};
//! use edgekeeper_token::imported::entry::{ImportedEntry, entry_name};
//! use edgekeeper_token::imported::set::ImportedSet;
//! use edgekeeper_token::seal::Sealer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"a",
//!     "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
//!     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! let url = "file:///etc/oathkeeper/id_token.jwks.json";
//! let sealer = Sealer::new(b"from: openssl rand -base64 32, kept out of the store")?;
//!
//! // The command: check the set and seal it. These bytes would be random.
//! ImportedSet::parse(file)?.signer()?;
//! let entry = ImportedEntry::seal(&sealer, url, file, [9; 24])?;
//! let (name, value) = (entry.name(), entry.to_json()?);
//!
//! // The gateway: find it by its URL, sign, publish.
//! assert_eq!(name, entry_name(url));
//! let opened = ImportedEntry::parse(&name, &value)?.open(&sealer)?;
//! let set = ImportedSet::parse(&opened)?;
//! let token = set.signer()?.sign(&parse_claims(r#"{"sub":"ada"}"#)?, &[7; 32])?;
//!
//! // An upstream.
//! let published = JwkSet::parse(&set.public_json(), Reading::PUBLISHED)?;
//! let allowed = ["EdDSA".to_owned()];
//! let options = Options { algorithms: &allowed, now: 1_800_000_000, strict: false };
//! assert_eq!(verify(&token, &[&published], &options)?["sub"], "ada");
//! # Ok(())
//! # }
//! ```

pub mod entry;
pub mod set;
pub mod signer;
