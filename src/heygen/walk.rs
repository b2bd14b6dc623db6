//! Reading the list: one walk over its pages, shared by everybody who reads.
//!
//! There is no way to ask HeyGen for one endpoint. So readers walk the list together: a [`Walk`] holds the pages read so
//! far, whoever needs one more fetches it, and whoever needs the same page meanwhile waits for that fetch. The fetch
//! belongs to all who wait for it: it goes on when one of them leaves, and ends when the last one does.
//!
//! Walks are found through [`Walks`], which drops them when they may no longer be true. A reader that is on a walk when it
//! is dropped finishes on it: what it reads is no older than its own question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::time::{Instant, sleep_until};

use super::answer::{self, Page};
use super::call::Caller;
use super::pages::Trail;
use super::request::{Operation, Request};
use super::{Endpoint, EndpointId, Failure, Fault, Stop};

/// How long a page may be taken for true.
const KNOWN_FOR: Duration = Duration::from_secs(30);

/// No account has reason to have more endpoints, however many of them come in one page.
const MOST_ENDPOINTS: usize = 100_000;

/// The walks that readers may still join.
pub(super) struct Walks {
    caller: Arc<Caller>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// The walk that readers join.
    current: Option<Arc<Walk>>,
    /// The finished walk before it: the second opinion on what `current` does not have.
    previous: Option<Arc<Walk>>,
}

impl Walks {
    pub(super) fn new(caller: Arc<Caller>) -> Self {
        Self {
            caller,
            known: Arc::default(),
        }
    }

    /// Drops what is known.
    pub(super) fn forget(&self) {
        *lock(&self.known) = Known::default();
    }

    /// Drops what is known now, and again when the guard goes: what is read while something changes may be the state
    /// before or after, good for those who ask meanwhile and for nobody later.
    pub(super) fn changing(&self) -> Changing<'_> {
        self.forget();
        Changing(self)
    }

    /// See [`Client::find`](super::Client::find).
    pub(super) async fn find(&self, id: &EndpointId, stop: &Stop) -> Result<Option<Endpoint>, Failure> {
        let confirm_after = self.caller.pace.confirm_after;
        let (walk, previous) = self.walk_since(None);
        let missing_since = match self.look_up(&walk, id, stop).await? {
            Lookup::Found(endpoint) => return Ok(Some(endpoint)),
            Lookup::Missing(ended) => ended,
        };
        if previous.is_some_and(|previous| previous.confirms(&walk, id, confirm_after)) {
            return Ok(None);
        }
        let confirm_at = missing_since + confirm_after;
        tokio::select! {
            biased;
            () = stop.cancelled() => return Err(failure(Fault::Stopped)),
            () = sleep_until(confirm_at) => {}
        }
        let (walk, _) = self.walk_since(Some(confirm_at));
        match self.look_up(&walk, id, stop).await? {
            Lookup::Found(endpoint) => Ok(Some(endpoint)),
            Lookup::Missing(_) => Ok(None),
        }
    }

    /// See [`Client::list`](super::Client::list).
    pub(super) async fn list(&self, stop: &Stop) -> Result<Vec<Endpoint>, Failure> {
        let (walk, _) = self.walk_since(None);
        self.whole(&walk, stop).await
    }

    /// See [`Client::list_afresh`](super::Client::list_afresh).
    pub(super) async fn list_afresh(&self, stop: &Stop) -> Result<Vec<Endpoint>, Failure> {
        self.forget();
        self.list(stop).await
    }

    /// The walk to join: the current one if it is fresh and began no earlier than `since`, or a new one. With it comes
    /// the one before, if that is fresh too.
    fn walk_since(&self, since: Option<Instant>) -> (Arc<Walk>, Option<Arc<Walk>>) {
        let now = Instant::now();
        let mut known = lock(&self.known);
        let fresh = |walk: &Arc<Walk>| now.duration_since(walk.began) < KNOWN_FOR;
        known.previous = known.previous.take().filter(fresh);
        known.current = known.current.take().filter(fresh);
        if let Some(walk) = &known.current
            && since.is_none_or(|since| walk.began >= since)
        {
            return (walk.clone(), known.previous.clone());
        }
        let walk = Arc::new(Walk {
            began: now,
            progress: Mutex::default(),
        });
        let before = known.current.replace(walk.clone());
        known.previous = before.filter(|before| before.ended().is_some());
        (walk, known.previous.clone())
    }

    async fn look_up(&self, walk: &Arc<Walk>, id: &EndpointId, stop: &Stop) -> Result<Lookup, Failure> {
        loop {
            let page = {
                let mut progress = lock(&walk.progress);
                if let Some(&at) = progress.by_id.get(id) {
                    return Ok(Lookup::Found(progress.endpoints[at].clone()));
                }
                match &progress.ahead {
                    Ahead::Ended(at) => return Ok(Lookup::Missing(*at)),
                    Ahead::Failed(failure) => return Err(failure.clone()),
                    Ahead::More(_) => self.next_page(walk, &mut progress),
                }
            };
            wait_for(page, stop).await?;
        }
    }

    async fn whole(&self, walk: &Arc<Walk>, stop: &Stop) -> Result<Vec<Endpoint>, Failure> {
        loop {
            let page = {
                let mut progress = lock(&walk.progress);
                match &progress.ahead {
                    Ahead::Ended(_) => return Ok(progress.endpoints.clone()),
                    Ahead::Failed(failure) => return Err(failure.clone()),
                    Ahead::More(_) => self.next_page(walk, &mut progress),
                }
            };
            wait_for(page, stop).await?;
        }
    }

    /// The fetch of the next page: the one under way, or a new one.
    fn next_page(&self, walk: &Arc<Walk>, progress: &mut Progress) -> Fetch {
        if let Some(under_way) = progress.fetching.as_ref().and_then(WeakShared::upgrade) {
            return under_way;
        }
        let cursor = match &progress.ahead {
            Ahead::More(cursor) => cursor.clone(),
            Ahead::Ended(_) | Ahead::Failed(_) => None,
        };
        let fetch: BoxFuture<'static, Result<(), Failure>> =
            Box::pin(fetch(self.caller.clone(), self.known.clone(), walk.clone(), cursor));
        let fetch = fetch.shared();
        progress.fetching = fetch.downgrade();
        fetch
    }
}

/// What is known of the list is dropped when this is.
pub(super) struct Changing<'a>(&'a Walks);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.forget();
    }
}

/// A page on its way. The walk holds it weakly: only those who wait keep it going.
type Fetch = Shared<BoxFuture<'static, Result<(), Failure>>>;

enum Lookup {
    Found(Endpoint),
    /// The walk is over, since then, without it.
    Missing(Instant),
}

/// The list from its beginning to wherever the walk has come.
struct Walk {
    began: Instant,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// In HeyGen's order, each endpoint once: a page that shifts while it is walked repeats some.
    endpoints: Vec<Endpoint>,
    by_id: HashMap<EndpointId, usize>,
    ahead: Ahead,
    trail: Trail,
    fetching: Option<WeakShared<BoxFuture<'static, Result<(), Failure>>>>,
}

enum Ahead {
    /// Another page, at this cursor; the first has none.
    More(Option<String>),
    /// Nothing, since then.
    Ended(Instant),
    /// Nothing that could be had. Those on this walk share the failure; it has been dropped for everybody else.
    Failed(Failure),
}

impl Default for Ahead {
    fn default() -> Self {
        Self::More(None)
    }
}

impl Walk {
    fn ended(&self) -> Option<Instant> {
        match lock(&self.progress).ahead {
            Ahead::Ended(at) => Some(at),
            Ahead::More(_) | Ahead::Failed(_) => None,
        }
    }

    /// Whether this walk, made before `later` and well apart from it, did not find `id` either.
    fn confirms(&self, later: &Walk, id: &EndpointId, apart: Duration) -> bool {
        let well_apart = self.ended().is_some_and(|ended| later.began >= ended + apart);
        well_apart && !lock(&self.progress).by_id.contains_key(id)
    }
}

impl Progress {
    fn add(&mut self, page: Page<Endpoint>) -> Result<(), Fault> {
        for endpoint in page.items {
            if !self.by_id.contains_key(&endpoint.id) {
                self.by_id.insert(endpoint.id.clone(), self.endpoints.len());
                self.endpoints.push(endpoint);
            }
        }
        if self.endpoints.len() > MOST_ENDPOINTS {
            return Err(Fault::Garbled(format!(
                "the list has more than {MOST_ENDPOINTS} endpoints"
            )));
        }
        self.ahead = match self.trail.follow(page.next)? {
            None => Ahead::Ended(Instant::now()),
            cursor => Ahead::More(cursor),
        };
        Ok(())
    }
}

/// Fetches one page into `walk`. A failure ends the walk for those on it and drops it, so that the next reader tries anew.
async fn fetch(
    caller: Arc<Caller>,
    known: Arc<Mutex<Known>>,
    walk: Arc<Walk>,
    cursor: Option<String>,
) -> Result<(), Failure> {
    // Each reader heeds its own stop while it waits; when none waits any more, this future is gone.
    let answer = caller
        .call(&Request::list(cursor.as_deref()), &Stop::new(), answer::endpoints)
        .await;
    let outcome = {
        let mut progress = lock(&walk.progress);
        progress.fetching = None;
        let outcome = answer.and_then(|page| progress.add(page).map_err(failure));
        if let Err(failure) = &outcome {
            progress.ahead = Ahead::Failed(failure.clone());
        }
        outcome
    };
    if outcome.is_err() {
        let mut known = lock(&known);
        known.current = known.current.take().filter(|current| !Arc::ptr_eq(current, &walk));
    }
    outcome
}

async fn wait_for(page: Fetch, stop: &Stop) -> Result<(), Failure> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(failure(Fault::Stopped)),
        outcome = page => outcome,
    }
}

fn failure(fault: Fault) -> Failure {
    Failure::without_attempt(Operation::List, fault)
}

// Nothing in here panics half-way through a change; and if it did, a list read once more is better than none.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
