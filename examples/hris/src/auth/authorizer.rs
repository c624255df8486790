//! Who may do what with the jobs.

use scheduler::admin::{Actor, AuthError as Refusal, Authorizer, Permission, async_trait};
use tracing::debug;

use super::{AuthErrorKind, Role, Tokens};

/// The admin API's question, answered by the token's role: Super Admin all, HR Admin reads, an employee nothing.
#[derive(Debug)]
pub struct RoleAuthorizer(pub Tokens);

#[async_trait]
impl Authorizer for RoleAuthorizer {
    async fn authorize(&self, request: &axum::http::request::Parts, permission: Permission) -> Result<Actor, Refusal> {
        let header = request.headers.get(axum::http::header::AUTHORIZATION);
        // A header that is no text is no token of ours.
        let identity = self.0.authenticate(header.map(|value| value.to_str().unwrap_or_default()));
        let identity = identity.map_err(|error| {
            debug!(%error, path = request.uri.path(), "a caller is turned away");
            match error.kind() {
                AuthErrorKind::Unauthenticated => Refusal::Unauthenticated,
                AuthErrorKind::Forbidden => Refusal::Forbidden,
            }
        })?;
        let allowed = match identity.role {
            Role::SuperAdmin => true,
            Role::HrAdmin => permission == Permission::Read,
            Role::Employee => false,
        };
        if allowed { Ok(Actor::new(identity.subject)) } else { Err(Refusal::Forbidden) }
    }
}
