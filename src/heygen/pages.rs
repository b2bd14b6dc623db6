//! Lists come in pages, each with the cursor of the next one.

use std::collections::HashSet;

use super::answer::{Page, Unreadable};
use super::call::Caller;
use super::request::{PAGE, Request};
use super::{Failure, Fault, Stop};

/// No account has reason to have more pages: a hundred thousand items. An ever-growing list must end somewhere.
const MOST_PAGES: usize = 1000;

/// The cursors followed so far.
#[derive(Default)]
pub(super) struct Trail {
    cursors: HashSet<String>,
    pages: usize,
}

impl Trail {
    /// Takes note of one more page and answers where the next one is to be had, if there is one; fails where a list
    /// would never end.
    pub(super) fn follow(&mut self, next: Option<String>) -> Result<Option<String>, Fault> {
        self.pages += 1;
        match next {
            Some(_) if self.pages == MOST_PAGES => {
                Err(Fault::Garbled(format!("the list goes on after {MOST_PAGES} pages")))
            }
            Some(cursor) if !self.cursors.insert(cursor.clone()) => Err(Fault::CursorRepeats),
            next => Ok(next),
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

/// Reads a list for one question: page after page until there is enough of it, each item once by its `name`, in HeyGen's
/// order. A list that grows at its beginning while it is read repeats some.
pub(super) async fn gather<T>(
    caller: &Caller,
    list: &Request,
    extent: Extent,
    stop: &Stop,
    read: impl Fn(&[u8]) -> Result<Page<T>, Unreadable>,
    name: impl Fn(&T) -> &str,
) -> Result<Vec<T>, Failure> {
    let mut trail = Trail::default();
    let mut names = HashSet::new();
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let size = match extent {
            Extent::Whole => None,
            Extent::AtMost(most) if items.len() >= most => return Ok(items),
            Extent::AtMost(most) => Some(PAGE.min(most - items.len())),
        };
        let page = caller.call(&list.page(size, cursor.as_deref()), stop, &read).await?;
        for item in page.items {
            let wanted = match extent {
                Extent::Whole => true,
                Extent::AtMost(most) => items.len() < most,
            };
            if wanted && names.insert(name(&item).to_owned()) {
                items.push(item);
            }
        }
        cursor = trail
            .follow(page.next)
            .map_err(|fault| Failure::without_attempt(list.operation.clone(), fault))?;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}
