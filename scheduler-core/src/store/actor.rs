//! Who acts.

/// Who acts, why, and from where: kept with what they did.
///
/// ```
/// use scheduler_core::store::Actor;
///
/// let by = Actor::new("ayu").because("the payroll database is moved").from("10.0.3.7");
/// assert_eq!(by.who, "ayu");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who: a name that the service knows.
    pub who: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// From which address, as far as the service trusts what it was told.
    pub address: Option<String>,
}

impl Actor {
    /// Somebody who says nothing more.
    #[must_use]
    pub fn new(who: impl Into<String>) -> Self {
        Self { who: who.into(), reason: None, address: None }
    }

    /// Says why.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// Says from where.
    #[must_use]
    pub fn from(self, address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..self }
    }
}
