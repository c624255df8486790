//! When a list of pages has ended.

use std::collections::HashSet;

use tracing::warn;

use super::{Employee, EmployeePage, WorkforceError, proto::employee::ListEmployeesResponse};

/// So many pages in a row without anybody new, although the service says that more follow, are a circle.
const NOBODY_NEW_PAGES: u32 = 10;

/// No company has so many: ten million employees at the full page, a hundred thousand at ten a page.
const MAX_PAGES: i32 = 10_000;

/// The walk over the pages of one list, from the first to the last.
///
/// A service whose list changes while it is read, or that pages wrongly, repeats employees, or has more pages than it
/// said. So each employee is passed on once, and the list ends with the first page that is not full among those which
/// the service did not speak of, or brings nobody new.
#[derive(Debug)]
pub(super) struct Paging {
    limit: i32,
    /// The page to ask for.
    page: i32,
    /// The most that an answer said.
    total_pages: i32,
    /// What the last answer said.
    total_items: i32,
    seen: HashSet<i32>,
    /// Employees without an id are told apart by their numbers.
    seen_without_id: HashSet<(i32, String)>,
    /// Pages in a row that brought nobody new.
    nobody_new: u32,
    ended: bool,
}

impl Paging {
    pub(super) fn new(limit: i32) -> Self {
        Self {
            limit,
            page: 1,
            total_pages: 0,
            total_items: 0,
            seen: HashSet::new(),
            seen_without_id: HashSet::new(),
            nobody_new: 0,
            ended: false,
        }
    }

    /// The page to ask for, or none when the last was had.
    pub(super) fn next_page(&self) -> Option<i32> {
        (!self.ended).then_some(self.page)
    }

    /// Takes the answer for [`Self::next_page`], and returns the employees that no page had before.
    pub(super) fn take(&mut self, answer: ListEmployeesResponse) -> Result<EmployeePage, WorkforceError> {
        let page = self.page;
        let Some(info) = answer.pagination_info else {
            return Err(WorkforceError::NoPagination { page });
        };
        self.total_pages = self.total_pages.max(info.total_pages);
        self.total_items = info.total_items;
        let full = answer.employees.len() >= self.limit as usize;
        let mut employees = answer.employees;
        employees.retain(|employee| self.is_new(employee));
        self.nobody_new = if employees.is_empty() { self.nobody_new + 1 } else { 0 };

        self.ended = page >= self.total_pages && (!full || employees.is_empty());
        if self.ended {
            self.compare_totals();
        } else if self.nobody_new >= NOBODY_NEW_PAGES {
            return Err(WorkforceError::NobodyNew { page, pages: self.nobody_new, total_pages: self.total_pages });
        } else if page >= MAX_PAGES {
            return Err(WorkforceError::Endless { pages: page });
        }
        self.page += 1;
        Ok(EmployeePage { employees, total: u64::try_from(self.total_items).unwrap_or(0) })
    }

    fn is_new(&mut self, employee: &Employee) -> bool {
        match employee.employee_id {
            id if id > 0 => self.seen.insert(id),
            id => self.seen_without_id.insert((id, employee.employee_number.clone())),
        }
    }

    fn compare_totals(&self) {
        let received = self.seen.len() + self.seen_without_id.len();
        if usize::try_from(self.total_items) != Ok(received) {
            warn!(
                received,
                total_items = self.total_items,
                "the Workforce Service's pages hold another number of employees than it says; going on with those received"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workforce::proto::common::PaginationInfo;

    fn page(ids: impl IntoIterator<Item = i32>, total_pages: i32) -> ListEmployeesResponse {
        let employees = ids.into_iter().map(|employee_id| Employee { employee_id, ..Default::default() }).collect();
        let info = PaginationInfo { total_pages, ..Default::default() };
        ListEmployeesResponse { employees, pagination_info: Some(info) }
    }

    /// Walks until the list ends, answering page `n` with `answer(n)`.
    fn walk(answer: impl Fn(i32) -> ListEmployeesResponse) -> Result<(i32, Vec<i32>), WorkforceError> {
        let (mut paging, mut ids, mut asked) = (Paging::new(3), Vec::new(), 0);
        while let Some(page) = paging.next_page() {
            asked = page;
            ids.extend(paging.take(answer(page))?.employees.into_iter().map(|employee| employee.employee_id));
        }
        Ok((asked, ids))
    }

    #[test]
    fn a_short_last_page_ends_the_list() {
        let pages = |n: i32| if n < 3 { page(3 * n - 2..=3 * n, 3) } else { page([7], 3) };
        assert_eq!(walk(pages).expect("ends"), (3, (1..=7).collect()));
    }

    #[test]
    fn an_empty_list_is_one_empty_page() {
        assert_eq!(walk(|_| page([], 0)).expect("ends"), (1, vec![]));
    }

    #[test]
    fn more_pages_than_said_are_read() {
        let pages = |n: i32| if n <= 4 { page(3 * n - 2..=3 * n, 2) } else { page([], 2) };
        assert_eq!(walk(pages).expect("ends"), (5, (1..=12).collect()));
    }

    #[test]
    fn a_short_page_before_the_last_does_not_end_the_list() {
        assert_eq!(walk(|n| page([n], 3)).expect("ends"), (3, vec![1, 2, 3]));
    }

    #[test]
    fn a_repeated_page_is_taken_once() {
        let pages = |n: i32| match n {
            1 | 2 => page([1, 2, 3], 3),
            _ => page([3, 4], 3),
        };
        assert_eq!(walk(pages).expect("ends"), (3, vec![1, 2, 3, 4]));
    }

    #[test]
    fn the_last_page_repeated_behind_the_end_ends_the_list() {
        assert_eq!(walk(|n| page(if n == 1 { 1..=3 } else { 4..=6 }, 2)).expect("ends"), (3, (1..=6).collect()));
    }

    #[test]
    fn employees_without_id_are_told_apart_by_their_numbers() {
        let mut answer = page([0, 0, 0, -1], 1);
        answer.employees[1].employee_number = "B".into();
        let taken = Paging::new(1000).take(answer).expect("is taken");
        assert_eq!(
            taken.employees.iter().map(|e| (e.employee_id, e.employee_number.as_str())).collect::<Vec<_>>(),
            [(0, ""), (0, "B"), (-1, "")]
        );
    }

    #[test]
    fn a_circle_is_left() {
        let error = walk(|_| page([1, 2, 3], i32::MAX)).expect_err("never ends");
        assert!(matches!(error, WorkforceError::NobodyNew { page: 11, .. }), "{error}");
    }

    #[test]
    fn a_list_without_end_is_left() {
        let error = walk(|n| page([n], n + 1)).expect_err("never ends");
        assert!(matches!(error, WorkforceError::Endless { pages: MAX_PAGES }), "{error}");
    }

    #[test]
    fn an_answer_without_pagination_is_an_error() {
        let error = walk(|_| ListEmployeesResponse::default()).expect_err("says nothing");
        assert!(matches!(error, WorkforceError::NoPagination { page: 1 }), "{error}");
    }
}
