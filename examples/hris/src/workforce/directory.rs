//! The employees that a Workforce server knows.

use tonic::Status;

use super::{
    Employee, PAGE_LIMIT,
    proto::{
        common::{Pagination, PaginationInfo},
        employee::{ListEmployeesRequest, ListEmployeesResponse},
    },
};

/// What a request without `pagination` gets.
const DEFAULT_PAGINATION: Pagination = Pagination { page: 1, limit: 100 };

/// A fixed set of employees, listed in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Directory(Vec<Employee>);

impl Directory {
    /// A directory of these employees.
    #[must_use]
    pub fn new(mut employees: Vec<Employee>) -> Self {
        employees.sort_by_key(|employee| employee.employee_id);
        Self(employees)
    }

    /// How many employees there are, inactive ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody works here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many employees are active.
    #[must_use]
    pub fn active(&self) -> usize {
        self.0.iter().filter(|employee| employee.is_active).count()
    }

    /// One page of those who match.
    ///
    /// # Errors
    /// INVALID_ARGUMENT if the page is below 1, or the limit below 1 or above [`PAGE_LIMIT`].
    pub fn list(&self, request: &ListEmployeesRequest) -> Result<ListEmployeesResponse, Status> {
        let Pagination { page, limit } = request.pagination.unwrap_or(DEFAULT_PAGINATION);
        if page < 1 {
            return Err(Status::invalid_argument(format!("`page` is {page}, but pages are counted from 1")));
        }
        if !(1..=PAGE_LIMIT).contains(&limit) {
            return Err(Status::invalid_argument(format!("`limit` is {limit}, but must be from 1 to {PAGE_LIMIT}")));
        }
        let (first, size) = (i64::from(page - 1) * i64::from(limit), limit as usize);
        let filter = Filter::new(request);
        let total_items = self.0.iter().filter(|employee| filter.matches(employee)).count();
        let employees = self.0.iter().filter(|employee| filter.matches(employee));
        Ok(ListEmployeesResponse {
            employees: employees.skip(usize::try_from(first).unwrap_or(usize::MAX)).take(size).cloned().collect(),
            pagination_info: Some(PaginationInfo {
                page,
                limit,
                total_items: i32::try_from(total_items).unwrap_or(i32::MAX),
                total_pages: i32::try_from(total_items.div_ceil(size)).unwrap_or(i32::MAX),
            }),
        })
    }
}

/// A request's conditions; what is unset matches everybody.
struct Filter {
    org_unit_id: Option<i32>,
    is_active: Option<bool>,
    search: Option<String>,
}

impl Filter {
    fn new(request: &ListEmployeesRequest) -> Self {
        Self {
            org_unit_id: request.employee_org_unit_id,
            is_active: request.is_active,
            search: request.search.as_ref().map(|search| search.to_lowercase()),
        }
    }

    fn matches(&self, employee: &Employee) -> bool {
        let names = [&employee.employee_name, &employee.employee_number, &employee.employee_email];
        self.org_unit_id.is_none_or(|id| id == employee.employee_org_unit_id)
            && self.is_active.is_none_or(|active| active == employee.is_active)
            && self.search.as_ref().is_none_or(|search| names.iter().any(|name| name.to_lowercase().contains(search)))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::workforce::demo_employees;

    fn request(page: i32, limit: i32) -> ListEmployeesRequest {
        ListEmployeesRequest {
            pagination: Some(Pagination { page, limit }),
            is_active: Some(true),
            ..Default::default()
        }
    }

    #[test]
    fn pages_hold_each_active_employee_once() {
        let directory = Directory::new(demo_employees());
        let mut ids = Vec::new();
        for page in 1.. {
            let answer = directory.list(&request(page, 40)).expect("a page");
            let info = answer.pagination_info.expect("is always given");
            assert_eq!(info.total_items as usize, directory.active());
            ids.extend(answer.employees.iter().map(|employee| employee.employee_id));
            if page >= info.total_pages {
                break;
            }
        }
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert_eq!(ids.len(), directory.active());
    }

    #[test]
    fn a_page_behind_the_last_is_empty() {
        let answer = Directory::new(demo_employees()).list(&request(i32::MAX, 1000)).expect("a page");
        assert!(answer.employees.is_empty());
    }

    #[test]
    fn pages_and_limits_out_of_range_are_refused() {
        let directory = Directory::default();
        for (page, limit) in [(0, 10), (-1, 10), (1, 0), (1, -1), (1, PAGE_LIMIT + 1)] {
            let status = directory.list(&request(page, limit)).expect_err("out of range");
            assert_eq!(status.code(), Code::InvalidArgument, "page {page}, limit {limit}");
        }
        assert!(directory.list(&request(1, PAGE_LIMIT)).is_ok());
    }

    #[test]
    fn filters_narrow_the_list() {
        let directory = Directory::new(demo_employees());
        let all = directory.list(&ListEmployeesRequest::default()).expect("a page").pagination_info.expect("given");
        assert_eq!(all.total_items as usize, directory.len());
        let inactive = ListEmployeesRequest { is_active: Some(false), ..Default::default() };
        let inactive = directory.list(&inactive).expect("a page");
        assert_eq!(inactive.employees.len(), directory.len() - directory.active());
        let one = ListEmployeesRequest { search: Some("hris-0007".into()), ..Default::default() };
        let one = directory.list(&one).expect("a page").employees;
        assert_eq!(one.iter().map(|employee| employee.employee_id).collect::<Vec<_>>(), [7]);
    }
}
