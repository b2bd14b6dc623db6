//! Finds out whether a creation has happened whose answer did not arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::state;
use crate::heygen::{
    CallStart, Client, CreateEndpoint, CreatedSince, Endpoint, EndpointId, Failure, ListItem, Stop, Timing,
};
use crate::provider::endpoint_url;
use crate::provider::session::{MayBeNew, Session};

/// A creation of which it is not known whether it has happened, because its answer was lost or says nothing.
pub(super) struct UnconfirmedCreate<'a> {
    pub(super) request: &'a CreateEndpoint,
    /// When the first attempt began that may have made it.
    pub(super) start: CallStart,
    /// Whether an answer had its secret, which is not saved before the search has ended.
    pub(super) has_secret: bool,
}

/// How many times as long as a list may lag a search may take in all: it looks for ten seconds, but a list that is slow or
/// fails may take longer to read.
const MAX_SEARCH: u32 = 12;

/// The same while a secret waits to be saved.
const MAX_SEARCH_WITH_SECRET: u32 = 3;

/// What a search for the endpoint of an [`UnconfirmedCreate`] found.
pub(super) enum SearchOutcome {
    /// It is this endpoint: no other can be it. The session has it for managed from now on, so that no other search adopts
    /// it.
    Adopted(Box<Endpoint>),
    /// It is one of these, or none of them.
    Candidates(Candidates),
    /// The last read of the list failed.
    Unreadable {
        /// The candidates of the reads before.
        seen: Candidates,
        failure: Failure,
    },
}

/// The endpoints that a search cannot tell from the one it looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    pub(super) ids: Vec<EndpointId>,
    /// How many of them have no id that can be read.
    pub(super) unidentified: usize,
}

/// Whether an endpoint of the list may be the one looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// Its URL, its events and the time of its creation are those of the endpoint looked for.
    Full,
    /// Some of these cannot be read, or its creation may have been before the call; the others are those looked for.
    Possible,
}

/// Looks in the list for the endpoint that the creation may have made. It reads the list repeatedly, for as long as a
/// list may lag, and adopts the endpoint if there is exactly one candidate at the end.
pub(super) async fn search(
    lost: &UnconfirmedCreate<'_>,
    client: &Client,
    session: &Session,
    pending_creates: &PendingCreates,
    stop: &Stop,
) -> SearchOutcome {
    let mut history = CandidateHistory::default();
    let mut unreadable = None;
    let mut schedule = Schedule::new(&client.timing());
    let limit = if lost.has_secret {
        MAX_SEARCH_WITH_SECRET
    } else {
        MAX_SEARCH
    };
    let deadline = Instant::now() + client.timing().longest_lag() * limit;
    while let Some(moment) = schedule.next() {
        match client.list_at_before(moment, deadline, stop).await {
            Ok(listed) => {
                history.add(listed.into_iter().filter(|item| lost.compare(item, client).is_some()));
                schedule.list_was_read();
                unreadable = None;
            }
            Err(failure) => unreadable = Some(failure),
        }
        if stop.is_cancelled() || Instant::now() >= deadline {
            break;
        }
    }
    // Another creation of this process, of the same URL and events, may have made a candidate and still wait for its
    // answer. Once those creations have ended, the session knows the endpoints that were answered.
    let all_ended = tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = sleep_until(deadline) => false,
        () = pending_creates.wait_until_ended(lost.request) => true,
    };
    let candidates = history.candidates(&lost.start, |item| lost.compare(item, client), session);
    match unreadable {
        Some(failure) => SearchOutcome::Unreadable {
            seen: Candidates::of(&candidates),
            failure,
        },
        None => UnconfirmedCreate::conclude(&candidates, all_ended, session),
    }
}

/// When a search reads the list: for as long as a list may lag, and at least twice. Reads whose time has passed while
/// an earlier one was under way are left out.
struct Schedule {
    moments: Vec<Instant>,
    between: Duration,
    /// When the last read began.
    last: Option<Instant>,
    reads: usize,
    /// How many more reads may follow after the last of the moments, if too few have succeeded.
    extra: usize,
}

impl Schedule {
    fn new(timing: &Timing) -> Self {
        let began = Instant::now();
        Self {
            moments: timing.reread_after.iter().map(|after| began + *after).collect(),
            between: timing.reread_after[0],
            last: None,
            reads: 0,
            extra: 3,
        }
    }

    /// The moment of the next read; `None` if there have been enough.
    fn next(&mut self) -> Option<Instant> {
        let due = self
            .moments
            .iter()
            .find(|moment| self.last.is_none_or(|last| **moment > last));
        let moment = match (due, self.last) {
            (Some(due), _) => *due,
            (None, Some(last)) if self.reads < 2 && self.extra > 0 => {
                self.extra -= 1;
                last + self.between
            }
            (None, _) => return None,
        };
        self.last = Some(moment.max(Instant::now()));
        self.last
    }

    /// A read of the list has succeeded.
    fn list_was_read(&mut self) {
        self.reads += 1;
    }
}

/// The candidates that the reads of one search have seen.
#[derive(Default)]
struct CandidateHistory {
    /// By id: the item as it was last seen, and whether the last read has seen it.
    identified: BTreeMap<EndpointId, (ListItem, bool)>,
    /// The candidates of the last read whose ids cannot be read.
    unidentified: Vec<ListItem>,
}

/// One endpoint that may be the one looked for.
struct Candidate {
    item: ListItem,
    /// Whether it is a [`Match::Full`], the last read has seen it, and the session knows nothing of it.
    certain: bool,
}

impl CandidateHistory {
    fn add(&mut self, listed: impl Iterator<Item = ListItem>) {
        for (_, shown) in self.identified.values_mut() {
            *shown = false;
        }
        self.unidentified.clear();
        for item in listed {
            match item.id.clone() {
                Ok(id) => drop(self.identified.insert(id, (item, true))),
                Err(_) => self.unidentified.push(item),
            }
        }
    }

    /// The candidates that are left when everything is compared once more, because HeyGen's clock may be known better
    /// now, and without those of which the session knows by now that a creation that began at `start` has not made them.
    fn candidates(
        self,
        start: &CallStart,
        compare: impl Fn(&ListItem) -> Option<Match>,
        session: &Session,
    ) -> Vec<Candidate> {
        let identified =
            self.identified
                .into_iter()
                .filter_map(|(id, (item, shown))| match session.may_be_new(&id, start) {
                    MayBeNew::No => None,
                    may_be_new => Some((item, shown && may_be_new == MayBeNew::Yes)),
                });
        let unidentified = self.unidentified.into_iter().map(|item| (item, true));
        let all = identified.chain(unidentified).filter_map(|(item, certain)| {
            let certain = compare(&item)? == Match::Full && certain;
            Some(Candidate { item, certain })
        });
        all.collect()
    }
}

impl Candidates {
    fn of(candidates: &[Candidate]) -> Self {
        let ids = candidates.iter().filter_map(|candidate| candidate.item.id.clone().ok());
        let ids: Vec<EndpointId> = ids.collect();
        Self {
            unidentified: candidates.len() - ids.len(),
            ids,
        }
    }
}

impl UnconfirmedCreate<'_> {
    /// Adopts a candidate if it is the only one, a full match, and unknown to the session. `is_complete` says that no
    /// other creation of the same URL and events is still under way.
    fn conclude(candidates: &[Candidate], is_complete: bool, session: &Session) -> SearchOutcome {
        if let [Candidate { item, certain: true }] = candidates
            && is_complete
            && let Some(endpoint) = item.identified()
        {
            return if session.mark_managed(&endpoint.id) {
                SearchOutcome::Adopted(Box::new(endpoint))
            } else {
                // Another search has adopted it meanwhile.
                SearchOutcome::Candidates(Candidates::default())
            };
        }
        SearchOutcome::Candidates(Candidates::of(candidates))
    }

    fn compare(&self, item: &ListItem, client: &Client) -> Option<Match> {
        self.match_with(item, client.created_since(item, &self.start))
    }

    /// Compares an item with what was to be created; `None` if it differs. A field that cannot be read does not differ,
    /// and makes no full match either.
    fn match_with(&self, item: &ListItem, created: CreatedSince) -> Option<Match> {
        let url = item
            .url
            .as_ref()
            .map(|url| endpoint_url::equivalent(&self.request.url, url));
        let events = item.events.as_ref().map_or(Same::Perhaps, |events| {
            same_events(events.as_ref(), self.request.events.as_ref())
        });
        if url == Ok(false) || events == Same::No || created == CreatedSince::No {
            return None;
        }
        let is_full = url.is_ok() && events == Same::Yes && item.id.is_ok() && created == CreatedSince::Yes;
        Some(if is_full { Match::Full } else { Match::Possible })
    }
}

/// Whether two sets of events are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Same {
    Yes,
    Perhaps,
    No,
}

/// Compares two sets of events of `HeyGen`, which answers all events as `None` or as the list of all. It may have given up
/// some of the types that this provider knows, so a list of most of them may be of all as well.
fn same_events(one: Option<&BTreeSet<String>>, other: Option<&BTreeSet<String>>) -> Same {
    match (one, other) {
        (Some(list), None) | (None, Some(list)) if state::lists_every_known_event(list) => Same::Yes,
        (Some(list), None) | (None, Some(list)) if state::may_list_all_events(list) => Same::Perhaps,
        (one, other) if one == other => Same::Yes,
        _ => Same::No,
    }
}

/// The creations of this process that wait for their answer. A search for a lost creation waits for them, so that it
/// does not adopt an endpoint that another creation is about to be answered.
#[derive(Default)]
pub(super) struct PendingCreates(Mutex<Vec<Arc<PendingCreate>>>);

struct PendingCreate {
    request: CreateEndpoint,
    ended: CancellationToken,
}

/// Keeps a creation among the pending ones until it is dropped.
pub(super) struct PendingCreateGuard<'a> {
    all: &'a PendingCreates,
    this: Arc<PendingCreate>,
}

impl PendingCreates {
    /// Notes a creation whose call starts now.
    pub(super) fn begin(&self, request: &CreateEndpoint) -> PendingCreateGuard<'_> {
        let this = Arc::new(PendingCreate {
            request: request.clone(),
            ended: CancellationToken::new(),
        });
        self.lock().push(this.clone());
        PendingCreateGuard { all: self, this }
    }

    /// Returns once every creation of this URL and these events that is under way now has ended.
    async fn wait_until_ended(&self, request: &CreateEndpoint) {
        let alike: Vec<_> = self
            .lock()
            .iter()
            .filter(|other| same_url_and_events(&other.request, request))
            .cloned()
            .collect();
        for other in alike {
            other.ended.cancelled().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<PendingCreate>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PendingCreateGuard<'_> {
    fn drop(&mut self) {
        self.all.lock().retain(|other| !Arc::ptr_eq(other, &self.this));
        self.this.ended.cancel();
    }
}

fn same_url_and_events(one: &CreateEndpoint, other: &CreateEndpoint) -> bool {
    endpoint_url::equivalent(&one.url, &other.url)
        && same_events(one.events.as_ref(), other.events.as_ref()) != Same::No
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::FieldError;
    use crate::provider::webhook_endpoint::validate::KNOWN_EVENTS;

    fn events(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn request() -> CreateEndpoint {
        CreateEndpoint {
            url: "https://example.com/hook".to_owned(),
            events: Some(events(&["a", "b"])),
            entity_id: None,
        }
    }

    fn listed(id: &str) -> ListItem {
        Endpoint {
            id: Ok(EndpointId::parse(id).unwrap()),
            url: Ok("https://example.com/hook".to_owned()),
            events: Ok(Some(events(&["b", "a"]))),
            status: Ok("enabled".to_owned()),
            created_at: Ok("2026-07-01T12:00:05Z".to_owned()),
        }
    }

    /// What a search finds whose reads showed these, each with the time of its creation as it turns out.
    fn found_in(
        reads: &[&[(ListItem, CreatedSince)]],
        request: &CreateEndpoint,
        session: &Session,
    ) -> Result<String, Candidates> {
        let lost = UnconfirmedCreate {
            request,
            start: CallStart::now(),
            has_secret: false,
        };
        let mut history = CandidateHistory::default();
        let created = |item: &ListItem| {
            reads
                .iter()
                .flat_map(|read| *read)
                .find(|(it, _)| it == item)
                .unwrap()
                .1
        };
        for read in reads {
            let may_be = |item: &ListItem| lost.match_with(item, created(item)).is_some();
            history.add(read.iter().map(|(item, _)| item.clone()).filter(may_be));
        }
        let candidates = history.candidates(&lost.start, |item| lost.match_with(item, created(item)), session);
        match UnconfirmedCreate::conclude(&candidates, true, session) {
            SearchOutcome::Adopted(endpoint) => Ok(endpoint.id.to_string()),
            SearchOutcome::Candidates(candidates) => Err(candidates),
            SearchOutcome::Unreadable { failure, .. } => panic!("{failure}"),
        }
    }

    fn found(listed: Vec<ListItem>, request: &CreateEndpoint, session: &Session) -> Result<String, Candidates> {
        let read: Vec<_> = listed.into_iter().map(|item| (item, CreatedSince::Yes)).collect();
        found_in(&[&read], request, session)
    }

    fn named(ids: &[&str]) -> Result<String, Candidates> {
        let ids = ids.iter().map(|id| EndpointId::parse(id).unwrap());
        Err(Candidates {
            ids: ids.collect(),
            unidentified: 0,
        })
    }

    fn none() -> Result<String, Candidates> {
        named(&[])
    }

    fn fresh() -> Session {
        Session::default()
    }

    #[test]
    fn one_new_endpoint_with_this_url_and_these_events_is_the_one() {
        assert_eq!(found(vec![listed("ep_1")], &request(), &fresh()), Ok("ep_1".to_owned()));
    }

    #[test]
    fn an_endpoint_that_differs_is_no_candidate() {
        let other_url = Endpoint {
            url: Ok("https://example.com/other".to_owned()),
            ..listed("ep_1")
        };
        let other_events = Endpoint {
            events: Ok(Some(events(&["a"]))),
            ..listed("ep_2")
        };
        let all = Endpoint {
            events: Ok(None),
            ..listed("ep_4")
        };
        assert_eq!(found(vec![other_url, other_events, all], &request(), &fresh()), none());
        let older = (listed("ep_3"), CreatedSince::No);
        assert_eq!(found_in(&[&[older]], &request(), &fresh()), none());
    }

    #[test]
    fn one_that_was_perhaps_created_before_is_named_and_not_taken() {
        let perhaps = (listed("ep_1"), CreatedSince::Perhaps);
        assert_eq!(found_in(&[&[perhaps]], &request(), &fresh()), named(&["ep_1"]));
    }

    #[test]
    fn in_the_end_all_are_compared_by_what_is_known_of_heygens_clock_by_then() {
        let (request, session) = (request(), fresh());
        let lost = UnconfirmedCreate {
            request: &request,
            start: CallStart::now(),
            has_secret: false,
        };
        for (created, certain) in [
            (CreatedSince::Yes, vec![true]),
            (CreatedSince::Perhaps, vec![false]),
            (CreatedSince::No, vec![]),
        ] {
            let mut history = CandidateHistory::default();
            history.add([listed("ep_1")].into_iter());
            let left = history.candidates(&lost.start, |item| lost.match_with(item, created), &session);
            let left: Vec<bool> = left.iter().map(|candidate| candidate.certain).collect();
            assert_eq!(left, certain, "{created:?}");
        }
    }

    #[test]
    fn several_candidates_are_named_and_none_taken() {
        let both = vec![listed("ep_1"), listed("ep_2")];
        assert_eq!(found(both, &request(), &fresh()), named(&["ep_1", "ep_2"]));
    }

    #[test]
    fn a_candidate_that_any_read_showed_counts_to_the_end() {
        let (one, other) = ((listed("ep_1"), CreatedSince::Yes), (listed("ep_2"), CreatedSince::Yes));
        let reads: [&[_]; 2] = [&[other], std::slice::from_ref(&one)];
        assert_eq!(found_in(&reads, &request(), &fresh()), named(&["ep_1", "ep_2"]));
        let gone: [&[_]; 2] = [std::slice::from_ref(&one), &[]];
        assert_eq!(found_in(&gone, &request(), &fresh()), named(&["ep_1"]));
    }

    #[test]
    fn an_endpoint_that_is_managed_here_is_somebody_elses() {
        let session = fresh();
        session.mark_managed(&EndpointId::parse("ep_1").unwrap());
        assert_eq!(found(vec![listed("ep_1")], &request(), &session), none());
        assert_eq!(
            found(vec![listed("ep_1"), listed("ep_2")], &request(), &session),
            Ok("ep_2".to_owned())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_data_source_returned_before_the_call_is_not_its_endpoint_and_what_it_returned_since_is_named() {
        let (session, id) = (fresh(), EndpointId::parse("ep_1").unwrap());
        session.mark_shown(&id);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(found(vec![listed("ep_1")], &request(), &session), none());

        let start = CallStart::now();
        assert_eq!(session.may_be_new(&id, &start), MayBeNew::No);
        let session = fresh();
        assert_eq!(session.may_be_new(&id, &start), MayBeNew::Yes);
        tokio::time::advance(Duration::from_millis(1)).await;
        session.mark_shown(&id);
        assert_eq!(session.may_be_new(&id, &start), MayBeNew::Perhaps);
        let mut history = CandidateHistory::default();
        history.add([listed("ep_1")].into_iter());
        let candidates = history.candidates(&start, |_| Some(Match::Full), &session);
        let outcome = UnconfirmedCreate::conclude(&candidates, true, &session);
        assert!(matches!(outcome, SearchOutcome::Candidates(named) if named.ids == [id]));
    }

    #[test]
    fn an_endpoint_is_found_by_one_search_only() {
        let session = fresh();
        assert_eq!(found(vec![listed("ep_1")], &request(), &session), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![listed("ep_1")], &request(), &session), none());
    }

    #[test]
    fn what_cannot_be_read_makes_a_candidate_uncertain_and_excludes_none() {
        let without_url = ListItem {
            url: Err(FieldError::Missing),
            ..listed("ep_1")
        };
        let without_events = ListItem {
            events: Err(FieldError::Malformed),
            ..listed("ep_1")
        };
        for odd in [without_url, without_events] {
            assert_eq!(found(vec![odd], &request(), &fresh()), named(&["ep_1"]));
        }
        let without_id = ListItem {
            id: Err(FieldError::Missing),
            ..listed("ep_1")
        };
        let unidentified = |ids: &[&str]| {
            let ids = ids.iter().map(|id| EndpointId::parse(id).unwrap()).collect();
            Err(Candidates { ids, unidentified: 1 })
        };
        assert_eq!(found(vec![without_id.clone()], &request(), &fresh()), unidentified(&[]));
        assert_eq!(
            found(vec![without_id.clone(), listed("ep_2")], &request(), &fresh()),
            unidentified(&["ep_2"])
        );
        let elsewhere = ListItem {
            url: Ok("https://example.com/other".to_owned()),
            ..without_id
        };
        assert_eq!(
            found(vec![elsewhere, listed("ep_2")], &request(), &fresh()),
            Ok("ep_2".to_owned())
        );
    }

    #[test]
    fn all_events_are_recognised_as_null_and_spelled_out() {
        let all = CreateEndpoint {
            events: None,
            ..request()
        };
        let null = Endpoint {
            events: Ok(None),
            ..listed("ep_1")
        };
        let spelled_out = Endpoint {
            events: Ok(Some(events(&KNOWN_EVENTS))),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![null], &all, &fresh()), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![spelled_out], &all, &fresh()), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![listed("ep_1")], &all, &fresh()), none());
        // HeyGen has given up one of the types that are known here.
        let most = Endpoint {
            events: Ok(Some(events(&KNOWN_EVENTS[1..]))),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![most], &all, &fresh()), named(&["ep_1"]));
    }

    /// When a search reads whose reads take so long each, and of which the first so many fail; in milliseconds.
    async fn reads(each_takes: u64, mut failing: usize) -> Vec<u128> {
        let began = Instant::now();
        let mut schedule = Schedule::new(&Timing::default());
        let mut reads = Vec::new();
        while let Some(moment) = schedule.next() {
            tokio::time::sleep_until(moment).await;
            reads.push(began.elapsed().as_millis());
            tokio::time::sleep(Duration::from_millis(each_takes)).await;
            if failing == 0 {
                schedule.list_was_read();
            } else {
                failing -= 1;
            }
        }
        reads
    }

    #[tokio::test(start_paused = true)]
    async fn a_search_looks_for_ten_seconds_and_at_least_twice_however_slow_the_list_is() {
        assert_eq!(reads(20, 0).await, [500, 1000, 2000, 4000, 8000, 10_000]);
        assert_eq!(reads(3000, 0).await, [500, 3500, 6500, 9500, 12_500]);
        assert_eq!(reads(42_000, 0).await, [500, 42_500]);
        assert_eq!(reads(42_000, 1).await, [500, 42_500, 84_500]);
        assert_eq!(
            reads(1, 100).await.len(),
            6 + 3,
            "it ends although nothing is ever shown"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn creations_of_the_same_endpoint_are_waited_for_and_others_are_not() {
        let pending_creates = PendingCreates::default();
        let request = request();
        let waited = async || {
            tokio::time::timeout(Duration::from_secs(1), pending_creates.wait_until_ended(&request))
                .await
                .is_ok()
        };
        let _other = pending_creates.begin(&CreateEndpoint {
            events: None,
            ..request.clone()
        });
        assert!(waited().await);
        let same = pending_creates.begin(&request);
        assert!(!waited().await);
        tokio::join!(pending_creates.wait_until_ended(&request), async { drop(same) });
        assert!(waited().await);
    }

    #[test]
    fn all_events_and_all_of_them_spelled_out_are_alike() {
        let of = |events: Option<&[&str]>| CreateEndpoint {
            events: events.map(self::events),
            ..request()
        };
        let (all, spelled_out, some) = (of(None), of(Some(&KNOWN_EVENTS)), of(Some(&["a"])));
        assert!(
            same_url_and_events(&all, &spelled_out)
                && same_url_and_events(&spelled_out, &all)
                && same_url_and_events(&all, &all)
                && same_url_and_events(&some, &some)
        );
        assert!(!same_url_and_events(&all, &some) && !same_url_and_events(&some, &spelled_out));
    }
}
