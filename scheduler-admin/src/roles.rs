//! Roles: which permissions, and on which jobs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use scheduler_core::identity::JobId;

use crate::{AuthError, Authorizer, On, Permission, Principal};

/// An [`Authorizer`] that knows callers by their role; a role that it does not know is 403.
///
/// ```
/// use scheduler_admin::{Grant, Permission, Roles};
///
/// let roles = Roles::new()
///     .role("super_admin", Grant::all())
///     .role("hr_admin", Grant::of([Permission::Read]))
///     // Sees and runs payroll's jobs, and sees no other.
///     .role("payroll", Grant::of([Permission::Read, Permission::Execute]).on_jobs(["payroll.*"]).on_tags(["money"]));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "roles decide nothing until they are given to the admin API"]
pub struct Roles(BTreeMap<String, Vec<Grant>>);

impl Roles {
    /// No roles: nobody may do anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants a role something; what it was granted before stays.
    pub fn role(mut self, name: impl Into<String>, grant: Grant) -> Self {
        self.0.entry(name.into()).or_default().push(grant);
        self
    }
}

#[async_trait]
impl Authorizer for Roles {
    async fn allows(&self, principal: &Principal, permission: Permission, on: On<'_>) -> Result<bool, AuthError> {
        let grants = self.0.get(&principal.role).ok_or(AuthError::Forbidden)?;
        Ok(grants.iter().any(|grant| grant.permissions.contains(&permission) && grant.covers(on)))
    }
}

/// Permissions, on all jobs or on some.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a grant does nothing until a role has it"]
pub struct Grant {
    permissions: Vec<Permission>,
    /// On these jobs and tags alone; `None` for all.
    scope: Option<Scope>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Scope {
    jobs: Vec<String>,
    tags: Vec<String>,
}

impl Grant {
    /// Every permission.
    pub fn all() -> Self {
        Self::of(Permission::ALL)
    }

    /// These permissions.
    pub fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self { permissions: permissions.into_iter().collect(), scope: None }
    }

    /// On these jobs, beside those that other calls name, and on no others: ids, of which a `*` at the end stands for
    /// whatever follows.
    pub fn on_jobs(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope.get_or_insert_default().jobs.extend(ids.into_iter().map(Into::into));
        self
    }

    /// On the jobs that have one of these tags, beside those that other calls name, and on no others.
    pub fn on_tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope.get_or_insert_default().tags.extend(tags.into_iter().map(Into::into));
        self
    }

    fn covers(&self, on: On<'_>) -> bool {
        match (&self.scope, on) {
            (None, _) | (Some(_), On::Any) => true,
            (Some(_), On::All) => false,
            (Some(scope), On::Job { id, tags }) => scope.covers(id, tags),
        }
    }
}

impl Scope {
    fn covers(&self, id: &JobId, tags: &[String]) -> bool {
        let names = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => id.as_str().starts_with(start),
            None => id.as_str() == pattern,
        };
        self.jobs.iter().any(names) || tags.iter().any(|tag| self.tags.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_its_ids_and_its_tags_and_nothing_else() {
        let grant = Grant::of([Permission::Read]).on_jobs(["payroll.*", "report"]).on_tags(["money"]);
        let covers = |id: &str, tags: &[&str]| {
            let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
            grant.covers(On::Job { id: &JobId::parse(id).expect("a valid id"), tags: &tags })
        };
        assert!(covers("payroll.export", &[]) && covers("report", &[]) && covers("other", &["hr", "money"]));
        for id in ["payroll", "payrollx", "reports", "other"] {
            assert!(!covers(id, &["hr"]), "{id}");
        }
        assert!(grant.covers(On::Any) && !grant.covers(On::All));
        assert!(Grant::all().covers(On::All));
        let none: [&str; 0] = [];
        assert!(!Grant::all().on_jobs(none).covers(On::Job { id: &JobId::parse("a").expect("a valid id"), tags: &[] }));
    }
}
