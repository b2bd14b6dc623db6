//! Reading the list of endpoints: each page once for everybody who asks.
//!
//! There is no way to ask HeyGen for one endpoint, so readers share the pages of the list. Whoever needs a page that
//! nobody has read lately fetches it, and whoever needs the same page meanwhile waits for that fetch. The fetch belongs
//! to all who wait for it: it goes on when one of them leaves, and ends when the last one does.
//!
//! An endpoint is found on any page that is fresh. That it is gone takes complete passes over the list which all lack
//! it: a list may lag behind a change, and its pages shift while they are read. Such a pass is a [`ListSnapshot`], and
//! snapshots serve everybody who asks later, as the pages do.
//!
//! Each change made by this process drops everything that is known ([`Invalidation`]). A reader that is in the middle
//! of a pass then still finishes it: what it reads is no older than its own question.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};

use super::call::{Caller, LastFault};
use super::endpoint::parse_moment;
use super::pages::CursorGuard;
use super::request::{Operation, Request};
use super::response::{self, DecodeError};
use super::{EndpointId, Failure, Fault, ListItem, LookupKey, Stop};

/// How long after it was read a page serves those who begin to read.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// How long after its creation the list may still lag behind an endpoint.
const YOUNG_FOR: time::Duration = time::Duration::minutes(2);

/// A list with more endpoints is taken for one that never ends, however many of them come in one page.
const MAX_ENDPOINTS: usize = 100_000;

/// How many snapshots are remembered. Readers that wait for two minutes make fewer.
const MAX_SNAPSHOTS: usize = 64;

/// The list of endpoints, as far as it is known.
pub(super) struct ListCache {
    caller: Arc<Caller>,
    state: Arc<Mutex<CacheState>>,
    /// Where the grid of [`ListCache::list_requested_since`] begins.
    origin: Instant,
}

/// What readers share.
#[derive(Default)]
struct CacheState {
    /// Counts how often everything was dropped. What a fetch or a pass brings is kept only if the count is still what
    /// it was when that began.
    generation: u64,
    /// The pages, each by the cursor that leads to it; the first page has none.
    slots: HashMap<Option<String>, Slot>,
    /// The page on which each endpoint was seen last, which may not be kept any more.
    last_seen: HashMap<EndpointId, Arc<ListPage>>,
    /// The complete passes since everything was dropped, in the order in which they began.
    snapshots: Vec<Arc<ListSnapshot>>,
}

#[derive(Default)]
struct Slot {
    page: Option<Arc<ListPage>>,
    fetch: Option<Fetch>,
}

/// The fetch of a page, while it is under way. It goes on for as long as somebody waits for it.
#[derive(Clone)]
struct Fetch {
    requested_at: Instant,
    last_fault: Arc<LastFault>,
    outcome: WeakShared<BoxFuture<'static, FetchOutcome>>,
}

type FetchOutcome = Result<Arc<ListPage>, Failure>;

/// One page of the list.
struct ListPage {
    items: Vec<ListItem>,
    by_id: HashMap<EndpointId, usize>,
    /// The cursor of the next page; `None` on the last one. An error where the page does not say which it is.
    next: Result<Option<String>, DecodeError>,
    requested_at: Instant,
    read_at: Instant,
}

/// The whole list, as one complete pass over it read it.
pub(super) struct ListSnapshot {
    pages: Vec<Arc<ListPage>>,
    /// When the first of its pages was asked for.
    requested_at: Instant,
    /// When the last of its pages was there.
    read_at: Instant,
    /// When the oldest of its pages was there.
    oldest_read_at: Instant,
}

/// Which pages serve a reader.
#[derive(Clone, Copy)]
enum Freshness {
    /// Those that were fresh at this moment, when it began to read, and all that were read since.
    FreshAt(Instant),
    /// Those that were requested at this moment or later.
    RequestedSince(Instant),
}

/// What a reader looks for in the list.
pub(super) trait Lookup: Sync {
    /// What is found.
    type Found: Send;

    /// What is found on one page. `None` means that other pages are needed, which is always so where one page is not
    /// enough to answer.
    fn find_on_page(&self, page: &Items<'_>) -> Option<Self::Found>;

    /// What is found in the whole list.
    fn find_in_list(&self, list: &ListSnapshot) -> Option<Self::Found>;

    /// Whether an item that was not found could still be what is looked for, because the part of it that would tell
    /// cannot be read.
    fn could_be(&self, item: &ListItem) -> bool;

    /// What the lookup goes by.
    fn key(&self) -> LookupKey;

    /// The id that is looked for, where the lookup goes by one. Then an item of this id is all that is needed.
    fn id(&self) -> Option<&EndpointId>;
}

/// The items of a page.
pub(super) struct Items<'a>(&'a ListPage);

impl Items<'_> {
    /// The item of this id.
    pub(super) fn by_id(&self, id: &EndpointId) -> Option<&ListItem> {
        self.0.item(id)
    }
}

/// The age of what is looked for, which decides for how long the list must lack it before it counts as gone.
#[derive(Clone, Copy)]
enum Age {
    /// It was created at this moment or before, so recently that the list may still lag behind its creation.
    Young { created: Instant },
    /// It was created longer ago than a list may lag, or at a moment that is not known.
    Old,
}

/// For how long the list has lacked something.
struct Absence {
    /// The end of the first pass that lacked it.
    since: Instant,
    /// The beginning of the last pass that lacked it.
    until: Instant,
    /// How many items could be it all the same, see [`Lookup::could_be`].
    unidentified: usize,
}

/// A pass over the list that is under way.
struct Reading {
    freshness: Freshness,
    guard: CursorGuard,
    pages: Vec<Arc<ListPage>>,
    endpoints: usize,
}

/// How a pass over the list ended.
enum Pass<T> {
    Found(T),
    Whole(Arc<ListSnapshot>),
}

impl ListCache {
    pub(super) fn new(caller: Arc<Caller>) -> Self {
        Self {
            caller,
            state: Arc::default(),
            origin: Instant::now(),
        }
    }

    /// Drops what is known, at once and again when the guard is dropped. A page that is read while something changes
    /// may show the state before or after the change, so it serves those who read meanwhile, and nobody later.
    pub(super) fn invalidate(&self) -> Invalidation<'_> {
        self.clear();
        Invalidation(self)
    }

    fn clear(&self) {
        let mut state = lock(&self.state);
        *state = CacheState {
            generation: state.generation + 1,
            ..CacheState::default()
        };
    }

    /// Looks for something until it is found, or has been missing for long enough to count as gone: for as long as it
    /// takes to confirm that with a second pass, or, if it was created less than two minutes ago by HeyGen's clock,
    /// for as long as a list may lag.
    pub(super) async fn find<Q: Lookup>(
        &self,
        lookup: &Q,
        created_at: Option<&str>,
        stop: &Stop,
    ) -> Result<Option<Q::Found>, Failure> {
        let began = Instant::now();
        if let Some(found) = self.on_fresh_page(lookup, began) {
            return Ok(Some(found));
        }
        let mut freshness = Freshness::FreshAt(began);
        let mut own_snapshots = Vec::new();
        let mut age = None;
        loop {
            let snapshot = match self
                .pass(freshness, stop, |page| lookup.find_on_page(&Items(page)))
                .await?
            {
                Pass::Found(found) => return Ok(Some(found)),
                Pass::Whole(snapshot) => snapshot,
            };
            if let Some(found) = lookup.find_in_list(&snapshot) {
                return Ok(Some(found));
            }
            own_snapshots.push(snapshot);
            // The age needs HeyGen's clock, which is known from answers, and the first answer may have come only now.
            let age = *age.get_or_insert_with(|| self.age(created_at));
            let absence = self.absence(lookup, &own_snapshots, age, began);
            let Some(next_read) = self.next_read(&absence, age) else {
                return match absence.unidentified {
                    0 => Ok(None),
                    count => Err(failure(Fault::UnidentifiedItems {
                        count,
                        lookup_key: lookup.key(),
                    })),
                };
            };
            wait_until(next_read, stop).await?;
            freshness = Freshness::RequestedSince(next_read);
        }
    }

    /// The whole list, fresh when this is called.
    pub(super) async fn list(&self, stop: &Stop) -> Result<Arc<ListSnapshot>, Failure> {
        self.whole(Freshness::FreshAt(Instant::now()), stop).await
    }

    /// The whole list, requested at `moment` or later. Moments are rounded up to a grid, so that those who read at
    /// about the same time share their requests.
    pub(super) async fn list_requested_since(
        &self,
        moment: Instant,
        stop: &Stop,
    ) -> Result<Arc<ListSnapshot>, Failure> {
        let moment = self.rounded_up(moment);
        wait_until(moment, stop).await?;
        self.whole(Freshness::RequestedSince(moment), stop).await
    }

    fn rounded_up(&self, moment: Instant) -> Instant {
        let step = self.caller.timing.confirm_after().as_nanos().max(1);
        let over = moment.duration_since(self.origin).as_nanos() % step;
        let short = if over == 0 { 0 } else { step - over };
        moment + Duration::from_nanos(u64::try_from(short).unwrap_or_default())
    }

    async fn whole(&self, freshness: Freshness, stop: &Stop) -> Result<Arc<ListSnapshot>, Failure> {
        match self.pass(freshness, stop, |_| None::<Never>).await? {
            Pass::Found(never) => match never {},
            Pass::Whole(snapshot) => Ok(snapshot),
        }
    }

    /// Goes over the list from its first page, until `take` finds something or the list ends.
    async fn pass<T>(
        &self,
        freshness: Freshness,
        stop: &Stop,
        take: impl Fn(&ListPage) -> Option<T>,
    ) -> Result<Pass<T>, Failure> {
        let generation = lock(&self.state).generation;
        let mut reading = Reading::begin(freshness);
        while let Some(page) = reading.next_page(self, stop).await? {
            if let Some(found) = take(page) {
                return Ok(Pass::Found(found));
            }
        }
        let snapshot = Arc::new(ListSnapshot::new(reading.pages));
        lock(&self.state).remember(&snapshot, generation);
        Ok(Pass::Whole(snapshot))
    }

    /// The page at a cursor: the one that is kept, if it is fresh enough, or what a fetch brings.
    async fn page(&self, cursor: Option<String>, freshness: Freshness, stop: &Stop) -> FetchOutcome {
        let (last_fault, outcome) = {
            let mut state = lock(&self.state);
            let generation = state.generation;
            let slot = state.slots.entry(cursor.clone()).or_default();
            // What is on a page that does not say whether it is the last is looked up by `on_fresh_page`; who has not found
            // it there reads the page anew.
            let is_fit = |page: &&Arc<ListPage>| page.next.is_ok() && freshness.admits(page);
            if let Some(page) = slot.page.as_ref().filter(is_fit) {
                return Ok(page.clone());
            }
            let under_way = slot.fetch.as_ref().filter(|fetch| freshness.admits_fetch(fetch));
            match under_way.and_then(|fetch| Some((fetch.last_fault.clone(), fetch.outcome.upgrade()?))) {
                Some(under_way) => under_way,
                None => self.fetch(cursor, slot, generation),
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(last_fault.stopped(Operation::List)),
            outcome = outcome => outcome,
        }
    }

    /// Begins to fetch a page into its slot.
    fn fetch(&self, cursor: Option<String>, slot: &mut Slot, generation: u64) -> (Arc<LastFault>, SharedFetch) {
        let (caller, state) = (self.caller.clone(), self.state.clone());
        let last_fault = Arc::new(LastFault::default());
        let reason = last_fault.clone();
        let requested_at = Instant::now();
        let fetch: BoxFuture<'static, FetchOutcome> = Box::pin(async move {
            let request = Request::list(cursor.as_deref());
            let answered = caller.call_for_many(&request, &reason, response::endpoints).await;
            let answered = answered.map(|page| Arc::new(ListPage::new(page, requested_at)));
            lock(&state).fetched(cursor, &answered, requested_at, generation);
            answered
        });
        let fetch = fetch.shared();
        slot.fetch = fetch.downgrade().map(|outcome| Fetch {
            requested_at,
            last_fault: last_fault.clone(),
            outcome,
        });
        (last_fault, fetch)
    }

    /// What is found on a page that is fresh for a reader that begins now. Pages are forgotten once none of them is
    /// fresh.
    fn on_fresh_page<Q: Lookup>(&self, lookup: &Q, now: Instant) -> Option<Q::Found> {
        let mut state = lock(&self.state);
        let freshness = Freshness::FreshAt(now);
        if !state.pages().any(|page| freshness.admits(page)) {
            state.slots.retain(|_, slot| slot.fetch.is_some());
            state.last_seen.clear();
            return None;
        }
        let page = state.last_seen.get(lookup.id()?)?;
        let is_kept = || state.pages().any(|kept| Arc::ptr_eq(kept, page));
        if !freshness.admits(page) || !is_kept() {
            return None;
        }
        lookup.find_on_page(&Items(page))
    }

    fn age(&self, created_at: Option<&str>) -> Age {
        let Some(created) = created_at.and_then(parse_moment) else {
            return Age::Old;
        };
        let now = Instant::now();
        // Where no answer has had a date, this machine's clock is the best there is.
        let heygens_now = self
            .caller
            .clock
            .at(now)
            .map_or_else(|| OffsetDateTime::from(SystemTime::now()), |bounds| bounds.earliest);
        let age = heygens_now - created;
        if age >= YOUNG_FOR {
            return Age::Old;
        }
        let age = Duration::try_from(age).unwrap_or_default();
        Age::Young {
            created: now.checked_sub(age).unwrap_or(now),
        }
    }

    /// For how long the list has lacked something, by the reader's own passes and those of other readers.
    fn absence<Q: Lookup>(&self, lookup: &Q, own_snapshots: &[Arc<ListSnapshot>], age: Age, began: Instant) -> Absence {
        let shared = lock(&self.state).snapshots.clone();
        let counts = |snapshot: &Arc<ListSnapshot>| match age {
            // A pass that began before the endpoint was created says nothing about it.
            Age::Young { created } => snapshot.requested_at >= created,
            Age::Old => began.saturating_duration_since(snapshot.oldest_read_at) < FRESH_FOR,
        };
        let mut snapshots: Vec<Arc<ListSnapshot>> = shared.into_iter().filter(counts).collect();
        snapshots.extend(own_snapshots.iter().cloned());
        snapshots.sort_by_key(|snapshot| snapshot.requested_at);
        let lacking = snapshots
            .iter()
            .rev()
            .take_while(|snapshot| lookup.find_in_list(snapshot).is_none());
        let mut absence = Absence {
            since: began,
            until: began,
            unidentified: 0,
        };
        for (newer, snapshot) in lacking.enumerate() {
            if newer == 0 {
                absence.until = snapshot.requested_at;
            }
            absence.since = snapshot.read_at;
            let unidentified = snapshot.items().filter(|item| lookup.could_be(item)).count();
            absence.unidentified = absence.unidentified.max(unidentified);
        }
        absence
    }

    /// When to read the list again; `None` if the absence has lasted for long enough.
    fn next_read(&self, absence: &Absence, age: Age) -> Option<Instant> {
        let timing = &self.caller.timing;
        let enough = match age {
            Age::Young { .. } => timing.longest_lag(),
            Age::Old => timing.confirm_after(),
        };
        if absence.until >= absence.since + enough {
            return None;
        }
        let mut moments = timing.reread_after.iter().map(|after| absence.since + *after);
        moments.find(|moment| *moment > absence.until)
    }
}

impl Reading {
    fn begin(freshness: Freshness) -> Self {
        Self {
            freshness,
            guard: CursorGuard::default(),
            pages: Vec::new(),
            endpoints: 0,
        }
    }

    /// The next page; `None` after the last one. What is wrong with the way to a page matters only to who goes there.
    async fn next_page(&mut self, list: &ListCache, stop: &Stop) -> Result<Option<&ListPage>, Failure> {
        let mut cursor = None;
        if let Some(last) = self.pages.last() {
            if self.endpoints > MAX_ENDPOINTS {
                return Err(failure(Fault::Garbled(format!(
                    "the list has more than {MAX_ENDPOINTS} endpoints"
                ))));
            }
            cursor = self.guard.follow(&last.next).map_err(failure)?;
            if cursor.is_none() {
                return Ok(None);
            }
        }
        let page = list.page(cursor, self.freshness, stop).await?;
        self.endpoints += page.items.len();
        self.pages.push(page);
        Ok(self.pages.last().map(Arc::as_ref))
    }
}

/// The list of endpoints for somebody who may not need all of it: a page is read when it is asked for, unless others have
/// read it lately.
pub struct EndpointPages {
    list: Arc<ListCache>,
    reading: Reading,
}

/// One page of the list of endpoints.
#[derive(Clone, Debug)]
pub struct EndpointPage {
    /// In HeyGen's order. A page that shifts while the list is read repeats items of the page before it.
    pub items: Vec<ListItem>,
    /// Whether the list goes on after this page, for all that HeyGen has said.
    pub has_more: bool,
}

impl EndpointPages {
    /// The list as it is from now on: no page is older than [`FRESH_FOR`] when this is called.
    pub(super) fn begin(list: Arc<ListCache>) -> Self {
        let reading = Reading::begin(Freshness::FreshAt(Instant::now()));
        Self { list, reading }
    }

    /// The next page; `None` after the last one.
    pub async fn next_page(&mut self, stop: &Stop) -> Result<Option<EndpointPage>, Failure> {
        let page = self.reading.next_page(&self.list, stop).await?;
        Ok(page.map(|page| EndpointPage {
            items: page.items.clone(),
            has_more: page.next != Ok(None),
        }))
    }
}

type SharedFetch = Shared<BoxFuture<'static, FetchOutcome>>;

/// The type of what a pass that looks for nothing finds: it has no value.
enum Never {}

/// Drops what is known of the list when it is dropped itself.
pub(super) struct Invalidation<'a>(&'a ListCache);

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl CacheState {
    /// The pages that are kept.
    fn pages(&self) -> impl Iterator<Item = &Arc<ListPage>> {
        self.slots.values().filter_map(|slot| slot.page.as_ref())
    }

    /// Keeps the page that a fetch has brought, unless everything was dropped meanwhile, or another fetch took its
    /// place.
    fn fetched(&mut self, cursor: Option<String>, outcome: &FetchOutcome, requested_at: Instant, generation: u64) {
        if self.generation != generation {
            return;
        }
        let Entry::Occupied(mut slot) = self.slots.entry(cursor) else {
            return;
        };
        let slot = slot.get_mut();
        if slot
            .fetch
            .as_ref()
            .is_none_or(|fetch| fetch.requested_at != requested_at)
        {
            return;
        }
        slot.fetch = None;
        let Ok(page) = outcome else {
            return;
        };
        let before = slot.page.replace(page.clone());
        self.last_seen
            .extend(page.by_id.keys().map(|id| (id.clone(), page.clone())));
        if let Some(before) = before
            && before.next != page.next
        {
            self.remove_from(before.cursor());
        }
    }

    /// Forgets the pages from this cursor on, because the page before them now leads to another one.
    fn remove_from(&mut self, mut cursor: Option<String>) {
        while let Some(slot) = cursor.and_then(|cursor| self.slots.remove(&Some(cursor))) {
            cursor = slot.page.and_then(|page| page.cursor());
        }
    }

    fn remember(&mut self, snapshot: &Arc<ListSnapshot>, generation: u64) {
        let is_known = || self.snapshots.iter().any(|known| known.is_same(snapshot));
        if self.generation != generation || is_known() {
            return;
        }
        let at = self
            .snapshots
            .partition_point(|known| known.requested_at <= snapshot.requested_at);
        self.snapshots.insert(at, snapshot.clone());
        if self.snapshots.len() > MAX_SNAPSHOTS {
            self.snapshots.remove(0);
        }
    }
}

impl ListPage {
    fn new(page: response::Page<ListItem>, requested_at: Instant) -> Self {
        let ids = page.items.iter().enumerate();
        Self {
            // Of several items of one id the first counts, as it does on several pages.
            by_id: ids
                .rev()
                .filter_map(|(at, item)| Some((item.id.clone().ok()?, at)))
                .collect(),
            items: page.items,
            next: page.next,
            requested_at,
            read_at: Instant::now(),
        }
    }

    fn cursor(&self) -> Option<String> {
        self.next.clone().ok().flatten()
    }

    fn item(&self, id: &EndpointId) -> Option<&ListItem> {
        self.by_id.get(id).and_then(|at| self.items.get(*at))
    }
}

impl ListSnapshot {
    fn new(pages: Vec<Arc<ListPage>>) -> Self {
        let now = Instant::now();
        let requested_at = pages.iter().map(|page| page.requested_at).min();
        let read_at = pages.iter().map(|page| page.read_at).max();
        let oldest_read_at = pages.iter().map(|page| page.read_at).min();
        Self {
            requested_at: requested_at.unwrap_or(now),
            read_at: read_at.unwrap_or(now),
            oldest_read_at: oldest_read_at.unwrap_or(now),
            pages,
        }
    }

    /// The items of all pages, in HeyGen's order. A page that shifts while the list is read repeats some.
    fn items(&self) -> impl Iterator<Item = &ListItem> {
        self.pages.iter().flat_map(|page| &page.items)
    }

    /// The items in HeyGen's order, each endpoint once.
    pub(super) fn endpoints(&self) -> Vec<ListItem> {
        let mut ids = HashSet::new();
        let mut is_new = |item: &&ListItem| item.id.as_ref().map_or(true, |id| ids.insert(id.clone()));
        self.items().filter(|item| is_new(item)).cloned().collect()
    }

    /// The item of this id.
    pub(super) fn by_id(&self, id: &EndpointId) -> Option<&ListItem> {
        self.pages.iter().find_map(|page| page.item(id))
    }

    fn is_same(&self, other: &Self) -> bool {
        let pages = self.pages.iter().zip(&other.pages);
        self.pages.len() == other.pages.len() && pages.into_iter().all(|(one, other)| Arc::ptr_eq(one, other))
    }
}

impl Freshness {
    fn admits(self, page: &ListPage) -> bool {
        match self {
            Self::FreshAt(began) => began.saturating_duration_since(page.read_at) < FRESH_FOR,
            Self::RequestedSince(moment) => page.requested_at >= moment,
        }
    }

    fn admits_fetch(self, fetch: &Fetch) -> bool {
        match self {
            Self::FreshAt(_) => true,
            Self::RequestedSince(moment) => fetch.requested_at >= moment,
        }
    }
}

async fn wait_until(moment: Instant, stop: &Stop) -> Result<(), Failure> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(failure(Fault::STOPPED)),
        () = sleep_until(moment) => Ok(()),
    }
}

fn failure(fault: Fault) -> Failure {
    Failure::without_attempt(Operation::List, fault)
}

// A poisoned lock is used all the same: at worst the list is read once more than it would need to be.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
