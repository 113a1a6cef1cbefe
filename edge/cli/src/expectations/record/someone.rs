//! Who is signed in, in place of everybody who was.

/// The one who was made up. Whose sessions they stand for cannot be told from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Someone {
    /// With a password.
    OneFactor,
    /// With a second factor, too.
    TwoFactors,
}

const ID: &str = "00000000-0000-4000-8000-000000000000";
const EMAIL: &str = "someone@example.com";

impl Someone {
    /// Their name below `sessions`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OneFactor => "someone",
            Self::TwoFactors => "someone-with-two-factors",
        }
    }

    /// Their entry there, in one line.
    pub(super) fn entry(self) -> String {
        let aal = match self {
            Self::OneFactor => "",
            Self::TwoFactors => ", aal: aal2",
        };
        format!(
            "{}: {{ id: {ID}, email: {EMAIL}, verified: true{aal} }}",
            self.name()
        )
    }

    /// Whether a text tells of them.
    pub(super) fn is_told(text: &str) -> bool {
        text.contains(ID) || text.contains(EMAIL)
    }
}
