//! The Workforce Service: who works here, page by page, over gRPC.

mod client;
mod csv;
mod demo;
mod directory;
mod error;
mod page;
mod paging;
mod server;
mod trace_headers;

pub use client::{CallPolicy, InvalidWorkforceUrl, WorkforceClient};
pub use csv::{CsvError, employees_from_csv};
pub use demo::demo_employees;
pub use directory::Directory;
pub use error::WorkforceError;
pub use page::EmployeePage;
pub use server::{WorkforceServer, WorkforceServerError};

/// The most employees that a page may be asked for.
pub const PAGE_LIMIT: i32 = 1000;

/// The messages and services of `proto/employee.proto`.
#[expect(missing_docs, reason = "generated from the .proto files, which say what the fields mean")]
#[allow(clippy::all, reason = "generated")]
pub mod proto {
    /// The messages of `proto/common.proto`.
    pub mod common {
        tonic::include_proto!("common");
    }

    /// The messages and the service of `proto/employee.proto`.
    pub mod employee {
        tonic::include_proto!("employee");
    }
}

pub use proto::employee::Employee;
