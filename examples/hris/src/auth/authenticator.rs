//! Who calls the admin API, and what the roles may do there.

use scheduler::admin::{AuthError as Refusal, Authenticator, Grant, Permission, Principal, Roles, async_trait};
use tracing::debug;

use super::{Role, Tokens};

/// The role of who has none of ours; it has no grant.
const UNKNOWN: &str = "unknown";

/// The admin API's question of who calls, answered by the bearer token.
#[derive(Debug)]
pub struct BearerTokens(pub Tokens);

#[async_trait]
impl Authenticator for BearerTokens {
    async fn authenticate(&self, request: &axum::http::request::Parts) -> Result<Principal, Refusal> {
        let header = request.headers.get(axum::http::header::AUTHORIZATION);
        // A header that is no text is no token of ours.
        let identity = self.0.authenticate(header.map(|value| value.to_str().unwrap_or_default()));
        let identity = identity.map_err(|error| {
            debug!(%error, path = request.uri.path(), "a caller is turned away");
            Refusal::Unauthenticated
        })?;
        // Refused by the roles rather than here, so that the audit says who tried what.
        let role = identity.role.map_or(UNKNOWN, Role::as_str);
        Ok(Principal::new(identity.subject, role).until(identity.expires_at))
    }
}

/// What each role may do with the jobs: Super Admin all, HR Admin reads, an employee nothing.
pub fn roles() -> Roles {
    Roles::new()
        .role(Role::SuperAdmin.as_str(), Grant::all())
        .role(Role::HrAdmin.as_str(), Grant::of([Permission::Read]))
        .role(Role::Employee.as_str(), Grant::of([]))
}
