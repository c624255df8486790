//! The execution store on PostgreSQL.
