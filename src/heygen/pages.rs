//! Lists come in pages, each with the cursor of the next one.

use std::collections::HashSet;

use super::call::Caller;
use super::request::{PAGE, Request};
use super::response::{DecodeError, Page};
use super::{Failure, Fault, Field, Stop};

/// No account has reason to have more pages: a hundred thousand items. An ever-growing list must end somewhere.
const MOST_PAGES: usize = 1000;

/// Sees to it that somebody who follows the cursors of a list comes to its end.
#[derive(Default)]
pub(super) struct CursorGuard {
    followed: HashSet<String>,
    pages: usize,
}

impl CursorGuard {
    /// Takes note of one more page, which names this cursor for the next one, and fails where the list would never end.
    pub(super) fn follow(&mut self, next: Option<&str>) -> Result<(), Fault> {
        self.pages += 1;
        match next {
            Some(_) if self.pages == MOST_PAGES => {
                Err(Fault::Garbled(format!("the list goes on after {MOST_PAGES} pages")))
            }
            Some(cursor) if !self.followed.insert(cursor.to_owned()) => Err(Fault::CursorRepeats),
            _ => Ok(()),
        }
    }
}

/// How much of a list is wanted.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// All of it, in pages as HeyGen cuts them.
    Whole,
    /// So many items, or as many as there are.
    AtMost(usize),
}

/// Reads a list for one question: page after page until there is enough of it, in HeyGen's order, and each item once that
/// has a `name`. A list that grows at its beginning while it is read repeats some.
pub(super) async fn gather<T>(
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
            Extent::AtMost(most) => Some(PAGE.min(most - items.len())),
        };
        let page = caller.call(&list.page(size, cursor.as_deref()), stop, &read).await?;
        for item in page.items {
            let known = name(&item).as_ref().is_ok_and(|name| !names.insert(name.clone()));
            if !known && !extent.is_reached(items.len()) {
                items.push(item);
            }
        }
        if page.next.is_none() || extent.is_reached(items.len()) {
            break;
        }
        guard
            .follow(page.next.as_deref())
            .map_err(|fault| Failure::without_attempt(list.operation.clone(), fault))?;
        cursor = page.next;
    }
    Ok(items)
}

impl Extent {
    fn is_reached(self, items: usize) -> bool {
        matches!(self, Self::AtMost(most) if items >= most)
    }
}
