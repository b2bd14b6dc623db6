//! Reading lists that come in pages, each with the cursor of the next one.

use std::collections::HashSet;

use super::call::Caller;
use super::request::{PAGE_SIZE, Request};
use super::response::{DecodeError, Page};
use super::{Failure, Fault, Field, Stop};

/// A list with more pages, which hold a hundred thousand items, is taken for one that never ends.
const MAX_PAGES: usize = 1000;

/// Makes sure that following the cursors of a list comes to an end.
#[derive(Default)]
pub(super) struct CursorGuard {
    followed: HashSet<String>,
    pages: usize,
}

impl CursorGuard {
    /// Takes note of one more page, and answers the cursor that it names for the next one; `None` if it is the last.
    /// Fails where the page does not say which it is, and where the list would never end.
    pub(super) fn follow(&mut self, next: &Result<Option<String>, DecodeError>) -> Result<Option<String>, Fault> {
        self.pages += 1;
        match next {
            Err(unreadable) => Err(Fault::Garbled(unreadable.to_string())),
            Ok(Some(_)) if self.pages == MAX_PAGES => {
                Err(Fault::Garbled(format!("the list goes on after {MAX_PAGES} pages")))
            }
            Ok(Some(cursor)) if !self.followed.insert(cursor.clone()) => Err(Fault::CursorRepeats),
            Ok(next) => Ok(next.clone()),
        }
    }
}

/// How much of a list is wanted.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// All of it, in pages as HeyGen cuts them.
    Whole,
    /// At most this many items, from its beginning.
    AtMost(usize),
}

/// Reads a list page by page, as far as `extent` says, in HeyGen's order. A list that grows at its beginning while it
/// is read repeats items: those that have the same `name` as an earlier one are left out.
pub(super) async fn read_pages<T>(
    caller: &Caller,
    list: &Request,
    extent: Extent,
    stop: &Stop,
    read: impl Fn(&[u8]) -> Result<Page<T>, DecodeError>,
    name: impl Fn(&T) -> &Field<String>,
) -> Result<Vec<T>, Failure> {
    let mut guard = CursorGuard::default();
    let mut names = HashSet::new();
    let mut items = Vec::new();
    let mut cursor = None;
    while !extent.is_reached(items.len()) {
        let size = match extent {
            Extent::Whole => None,
            Extent::AtMost(most) => Some(PAGE_SIZE.min(most - items.len())),
        };
        let page = caller.call(&list.page(size, cursor.as_deref()), stop, &read).await?;
        for item in page.items {
            let known = name(&item).as_ref().is_ok_and(|name| !names.insert(name.clone()));
            if !known && !extent.is_reached(items.len()) {
                items.push(item);
            }
        }
        if extent.is_reached(items.len()) {
            break;
        }
        cursor = guard
            .follow(&page.next)
            .map_err(|fault| Failure::without_attempt(list.operation.clone(), fault))?;
        if cursor.is_none() {
            break;
        }
    }
    Ok(items)
}

impl Extent {
    fn is_reached(self, items: usize) -> bool {
        matches!(self, Self::AtMost(most) if items >= most)
    }
}
