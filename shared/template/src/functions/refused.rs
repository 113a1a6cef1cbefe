//! Functions Oathkeeper has and this crate does not, each with its reason.

const ENVIRONMENT: &str =
    "it would show the gateway's environment, where secrets are, to whoever sees the output";
const TIME: &str =
    "templates at the edge have no clock; the id_token mutator sets iat and exp itself";
const RANDOM: &str =
    "templates at the edge have no randomness; the id_token mutator sets jti itself";
const NETWORK: &str = "templates at the edge have no network";
const REGEX: &str = "templates at the edge have no regular expressions; use contains, hasPrefix, trimPrefix, replace or splitList";
const CRYPTO: &str =
    "templates at the edge make no keys, certificates or password hashes; sha256sum is there";
const DECIMAL: &str = "not available at the edge; add, sub, mul, div and round are";
const OTHER: &str = "not available at the edge";

/// Why a function of Oathkeeper's is not here; `None` if Oathkeeper has no such function either.
pub(super) fn reason(name: &str) -> Option<String> {
    let why = match name {
        "env" | "expandenv" => ENVIRONMENT,
        "now" | "ago" | "date" | "date_in_zone" | "date_modify" | "dateInZone" | "dateModify"
        | "duration" | "durationRound" | "htmlDate" | "htmlDateInZone" | "must_date_modify"
        | "mustDateModify" | "mustToDate" | "toDate" | "unixEpoch" => TIME,
        "randAlphaNum" | "randAlpha" | "randAscii" | "randNumeric" | "randInt" | "randBytes"
        | "shuffle" | "uuidv4" => RANDOM,
        "getHostByName" => NETWORK,
        "regexQuoteMeta" => return None,
        name if name.starts_with("regex") || name.starts_with("mustRegex") => REGEX,
        "bcrypt"
        | "htpasswd"
        | "derivePassword"
        | "buildCustomCert"
        | "encryptAES"
        | "decryptAES"
        | "sha1sum"
        | "sha512sum"
        | "genPrivateKey"
        | "genCA"
        | "genCAWithKey"
        | "genSelfSignedCert"
        | "genSelfSignedCertWithKey"
        | "genSignedCert"
        | "genSignedCertWithKey" => CRYPTO,
        "add1f" | "addf" | "subf" | "divf" | "mulf" => DECIMAL,
        "call" | "semver" | "semverCompare" | "urlParse" | "urlJoin" => OTHER,
        _ => return None,
    };
    Some(format!("{name} exists in Oathkeeper but not here: {why}"))
}
