//! The rights are those that the statements need, and no others: each statement is planned for execution as the role, which is
//! when the server looks at rights.

use tokio_postgres::Client;

use super::{Kind, RIGHTS};
use crate::{
    PostgresConfig, PostgresStore,
    sql::{ALL, Query, Statements},
};

/// A schema with a role that has the rights of the list, and one connection of each of the two.
struct Scene {
    schema: String,
    role: String,
    owner: Client,
    service: Client,
    statements: Statements,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = PostgresConfig::parse(url).expect("a URL").connect().await.expect("the server answers");
    tokio::spawn(connection);
    client
}

impl Scene {
    async fn new() -> Self {
        let url = std::env::var("DATABASE_URL").expect(
            "DATABASE_URL is not set: run `cargo xtask services up` and set what it prints, or run `cargo xtask test`",
        );
        let id = uuid::Uuid::new_v4().simple();
        let (schema, role) = (format!("test_{id}"), format!("service_{id}"));
        let store = PostgresStore::connect_lazy(&url).expect("a URL").with_schema(&schema).expect("a name");
        store.migrate().await.expect("the tables are made");
        let (owner, service) = (connect(&url).await, connect(&url).await);
        let mut grants = format!(
            "CREATE ROLE {role}; REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
             GRANT USAGE ON SCHEMA {schema} TO {role};"
        );
        for (kind, name, rights) in RIGHTS {
            grants += &format!("GRANT {} ON {} {schema}.{name} TO {role};", rights.join(", "), kind.word());
        }
        owner.batch_execute(&grants).await.expect("the rights are there to be granted");
        service.batch_execute(&format!("SET ROLE {role}")).await.expect("its owner may be it");
        Self { statements: Statements::of(&schema), schema, role, owner, service }
    }

    /// Why the role may not run a statement.
    async fn refused(&self, query: Query) -> Option<String> {
        let text = self.statements.text(query);
        let statement = self.service.prepare(text).await.unwrap_or_else(|error| panic!("{query:?}: {error:?}"));
        let nulls = vec!["NULL"; statement.params().len()].join(", ");
        let arguments = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
        let name = format!("asked_{}", query as usize);
        let explain = format!("PREPARE {name} AS {text}; EXPLAIN EXECUTE {name}{arguments}");
        let answer = self.service.simple_query(&explain).await;
        self.service.batch_execute(&format!("DEALLOCATE {name}")).await.expect("it was prepared");
        let error = answer.err()?;
        let error = error.as_db_error().unwrap_or_else(|| panic!("{query:?}: {error:?}"));
        assert_eq!(error.code().code(), "42501", "{query:?}: {error:?}");
        Some(error.message().to_owned())
    }

    async fn drop(self) {
        let Self { schema, role, owner, .. } = self;
        let sql = format!("DROP OWNED BY {role}; DROP ROLE {role}; DROP SCHEMA {schema} CASCADE");
        owner.batch_execute(&sql).await.expect("dropped");
    }
}

#[tokio::test]
async fn a_role_with_the_rights_of_the_list_may_run_every_statement() {
    let scene = Scene::new().await;
    for query in ALL {
        assert_eq!(scene.refused(*query).await, None, "{query:?}");
    }
    assert!(super::lacking(&scene.service, &scene.schema).await.expect("the server answers").is_none());
    scene.drop().await;
}

/// What no plan shows: what the start alone does (`migrate`, `fences_behind`, `identity`), and what is looked at when a row is
/// written, or an instant is asked for.
fn is_needed_otherwise(scene: &Scene, kind: Kind, name: &str, right: &str) -> bool {
    let bare = name.split('(').next().unwrap_or(name);
    match kind {
        Kind::Table => ["scheduler_migrations", "scheduler_versions", "scheduler_identity"].contains(&name),
        // By the default of a row's id.
        Kind::Sequence if name == "job_executions_id_seq" => true,
        Kind::Sequence if right != "USAGE" => include_str!("../sql/fences_behind.sql").contains(bare),
        Kind::Sequence | Kind::Function => ALL.iter().any(|query| scene.statements.text(*query).contains(bare)),
    }
}

#[tokio::test]
async fn each_right_of_the_list_is_needed_and_named_where_it_is_lacking() {
    let scene = Scene::new().await;
    let (schema, role) = (&scene.schema, &scene.role);
    let mut unneeded = Vec::new();
    for (kind, name, rights) in RIGHTS {
        for right in rights {
            let on = format!("{right} ON {} {schema}.{name}", kind.word());
            scene.owner.batch_execute(&format!("REVOKE {on} FROM {role}")).await.expect("revoked");
            let mut is_needed = is_needed_otherwise(&scene, kind, name, right);
            for query in ALL {
                is_needed = is_needed || scene.refused(*query).await.is_some();
            }
            if !is_needed {
                unneeded.push(on.clone());
            }
            let error = super::lacking(&scene.service, schema).await.expect("the server answers");
            let words = error.expect("a right is lacking").to_string();
            let grant = format!("`GRANT {right} ON {} \"{schema}\".{name} TO {role}`", kind.word());
            assert!(words.contains(&grant) && words.contains(role.as_str()), "{words}");
            scene.owner.batch_execute(&format!("GRANT {on} TO {role}")).await.expect("granted");
        }
    }
    assert!(unneeded.is_empty(), "no statement needs {unneeded:?}");
    scene.drop().await;
}
