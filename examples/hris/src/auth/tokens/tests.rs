//! Tokens that are let in, and those that are not.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_762_100_000;

/// Stands still.
#[derive(Debug)]
struct At(i64);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).expect("is in range")
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn tokens_at(now: i64) -> Tokens {
    Tokens::new(&Secret::try_new([7; 32]).expect("is long enough"), Arc::new(At(now)))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The answer to a well-signed token with these claims.
fn answer(claims: &Value) -> Result<Identity, AuthError> {
    let tokens = tokens_at(NOW);
    let token = encode(&Header::new(Algorithm::HS256), claims, &tokens.encoding).expect("signs");
    tokens.authenticate(Some(&bearer(&token)))
}

#[test]
fn an_issued_token_says_who_calls() {
    let tokens = tokens_at(NOW);
    let expires_at = DateTime::from_timestamp(NOW + 60, 0).expect("a date");
    for role in Role::ALL {
        let token = tokens.issue("ayu", role, Duration::from_secs(60));
        let identity = Identity { subject: "ayu".into(), role: Some(role), expires_at };
        assert_eq!(tokens.authenticate(Some(&bearer(&token))), Ok(identity.clone()));
        assert_eq!(tokens.authenticate(Some(&format!("bearer  {token}"))), Ok(identity), "the scheme has no case");
    }
}

#[test]
fn a_token_ends_at_its_second() {
    let token = bearer(&tokens_at(NOW).issue("ayu", Role::HrAdmin, Duration::from_secs(60)));
    assert!(tokens_at(NOW + 59).authenticate(Some(&token)).is_ok());
    assert_eq!(tokens_at(NOW + 60).authenticate(Some(&token)), Err(AuthError::Expired));
}

#[test]
fn a_header_that_is_no_bearer_token_is_refused() {
    let tokens = tokens_at(NOW);
    assert_eq!(tokens.authenticate(None), Err(AuthError::Missing));
    for header in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b.c", "Bearer a.b", "Bearer ...."] {
        assert_eq!(tokens.authenticate(Some(header)), Err(AuthError::Malformed), "{header}");
    }
}

#[test]
fn another_secrets_token_is_refused() {
    let stranger = Tokens::new(&Secret::random(), Arc::new(At(NOW)));
    let token = bearer(&stranger.issue("ayu", Role::SuperAdmin, Duration::from_secs(60)));
    assert_eq!(tokens_at(NOW).authenticate(Some(&token)), Err(AuthError::BadSignature));
}

#[test]
fn a_changed_or_shortened_token_is_refused() {
    let tokens = tokens_at(NOW);
    let token = tokens.issue("ayu", Role::Employee, Duration::from_secs(60));
    let stolen = tokens.issue("ayu", Role::SuperAdmin, Duration::from_secs(60));
    let (claims, signature) =
        (stolen.rsplit_once('.').expect("has dots").0, token.rsplit_once('.').expect("has dots").1);
    assert_eq!(tokens.authenticate(Some(&format!("Bearer {claims}.{signature}"))), Err(AuthError::BadSignature));
    assert_eq!(
        tokens.authenticate(Some(&format!("Bearer {claims}.{}", &signature[..8]))),
        Err(AuthError::BadSignature)
    );
    assert_eq!(tokens.authenticate(Some(&format!("Bearer {claims}."))), Err(AuthError::BadSignature));
}

#[test]
fn other_algorithms_are_refused() {
    let tokens = tokens_at(NOW);
    let token = tokens.issue("ayu", Role::SuperAdmin, Duration::from_secs(60));
    let (_, rest) = token.split_once('.').expect("has dots");
    // base64url of {"alg":"none"}, {"alg":"HS512"} and {"alg":"RS256"}
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzUxMiJ9", "eyJhbGciOiJSUzI1NiJ9"] {
        assert_eq!(
            tokens.authenticate(Some(&format!("Bearer {header}.{rest}"))),
            Err(AuthError::Malformed),
            "{header}"
        );
    }
    let claims = rest.split_once('.').expect("has dots").0;
    let unsigned = format!("Bearer eyJhbGciOiJub25lIn0.{claims}.");
    assert_eq!(tokens.authenticate(Some(&unsigned)), Err(AuthError::Malformed));
}

#[test]
fn every_claim_is_required() {
    let whole = json!({"sub": "ayu", "role": "hr_admin", "exp": NOW + 60});
    assert!(answer(&whole).is_ok());
    for claim in ["sub", "role", "exp"] {
        let mut claims = whole.clone();
        claims.as_object_mut().expect("is an object").remove(claim);
        assert_eq!(answer(&claims), Err(AuthError::Malformed), "without {claim}");
    }
    assert_eq!(answer(&json!({"sub": "", "role": "hr_admin", "exp": NOW + 60})), Err(AuthError::Malformed));
    assert_eq!(answer(&json!({"sub": "ayu", "role": "hr_admin", "exp": "soon"})), Err(AuthError::Malformed));
}

#[test]
fn who_has_an_unknown_role_is_known_and_has_none() {
    let identity = answer(&json!({"sub": "ayu", "role": "director", "exp": NOW + 60})).expect("it is known who calls");
    assert_eq!((identity.subject.as_str(), identity.role), ("ayu", None));
}

#[test]
fn a_short_secret_is_refused_and_no_secret_shown() {
    assert_eq!(
        Secret::try_new("short").expect_err("has 5 bytes").to_string(),
        "has 5 bytes, but must have at least 32, such as those of `openssl rand -hex 32`"
    );
    let secret = Secret::try_new("correct horse battery staple, twice over").expect("is long enough");
    assert!(!format!("{secret:?} {:?}", tokens_at(NOW)).contains("horse"));
    assert_ne!(Secret::random(), Secret::random());
}
