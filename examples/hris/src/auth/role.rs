//! What a caller is.

use std::fmt;

/// What a caller is; what each may do is the authorizer's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads and executes.
    SuperAdmin,
    /// Reads.
    HrAdmin,
    /// Has nothing to do with jobs.
    Employee,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::SuperAdmin, Self::HrAdmin, Self::Employee];

    /// Its name in tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::HrAdmin => "hr_admin",
            Self::Employee => "employee",
        }
    }

    /// The role of this name in tokens, if it is one of ours.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
