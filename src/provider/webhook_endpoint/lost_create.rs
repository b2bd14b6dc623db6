//! A creation whose answer never came: has it happened?

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use super::{state, url};
use crate::heygen::{Client, CreateEndpoint, Endpoint, EndpointId, Failure, Stop};
use crate::provider::session::Session;

/// How far `HeyGen`'s clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What a search for a lost creation found.
pub(super) enum Found {
    /// One endpoint, and it can only be this one. It is nobody else's from now on.
    This(Box<Endpoint>),
    /// None that is new, so far as the list shows.
    None,
    /// It may be any of these, or none of them.
    OneOf(Vec<EndpointId>),
    /// The list could not be read.
    Unclear(Failure),
}

/// A creation whose answer is lost.
pub(super) struct Lost<'a> {
    pub(super) asked: &'a CreateEndpoint,
    /// When its call began.
    pub(super) began: SystemTime,
}

/// Walks the list for what a lost creation may have left behind.
pub(super) async fn search(
    lost: &Lost<'_>,
    client: &Client,
    session: &Session,
    creations: &Creations,
    stop: &Stop,
) -> Found {
    let look = async || match client.list_afresh(stop).await {
        Ok(listed) => {
            // Whatever is in the list had begun before. Once the others of its kind have ended, those that were answered
            // are known, and only the lost ones are left to choose from.
            tokio::select! {
                () = creations.ended(lost.asked) => lost.judge(listed, session),
                () = stop.cancelled() => Found::uncertain(&lost.candidates(listed, session)),
            }
        }
        Err(failure) => Found::Unclear(failure),
    };
    match look().await {
        // A list may lag behind a creation.
        Found::None => tokio::select! {
            () = tokio::time::sleep(client.pace().second_look) => look().await,
            () = stop.cancelled() => Found::None,
        },
        found => found,
    }
}

impl Lost<'_> {
    /// The rule: exactly one endpoint with this URL and these events, created since the call began, and known to nobody
    /// here.
    fn judge(&self, listed: Vec<Endpoint>, session: &Session) -> Found {
        let mut candidates = self.candidates(listed, session);
        let certain = candidates.iter().all(|endpoint| endpoint.created().is_some());
        match candidates.pop() {
            Some(only) if candidates.is_empty() && certain => {
                if session.remember(&only.id) {
                    Found::This(Box::new(only))
                } else {
                    // Another search was faster.
                    Found::None
                }
            }
            last => {
                candidates.extend(last);
                Found::uncertain(&candidates)
            }
        }
    }

    fn candidates(&self, listed: Vec<Endpoint>, session: &Session) -> Vec<Endpoint> {
        listed
            .into_iter()
            .filter(|endpoint| url::equivalent(&self.asked.url, &endpoint.url))
            .filter(|endpoint| {
                let events = state::normalized_events(endpoint);
                same_events(events.as_ref(), self.asked.events.as_ref())
            })
            // A moment that cannot be read proves nothing either way.
            .filter(|endpoint| endpoint.created().is_none() || endpoint.created_since(self.began, CLOCK_SKEW))
            .filter(|endpoint| !session.knows(&endpoint.id))
            .collect()
    }
}

impl Found {
    fn uncertain(candidates: &[Endpoint]) -> Self {
        if candidates.is_empty() {
            return Found::None;
        }
        Found::OneOf(candidates.iter().map(|endpoint| endpoint.id.clone()).collect())
    }
}

/// Whether two sets of events may be the same one at `HeyGen`, where all events are `None` or spelled out.
fn same_events(one: Option<&BTreeSet<String>>, other: Option<&BTreeSet<String>>) -> bool {
    match (one, other) {
        (Some(list), None) | (None, Some(list)) => state::spells_out_all(list),
        (one, other) => one == other,
    }
}

/// The creations in this process whose answer is still to come: one that is lost must not take for its own an endpoint
/// that another is about to be told of.
#[derive(Default)]
pub(super) struct Creations(Mutex<Vec<Arc<UnderWay>>>);

struct UnderWay {
    asked: CreateEndpoint,
    ended: CancellationToken,
}

/// Says, until dropped, that the answer to this creation is still to come.
pub(super) struct Creation<'a> {
    all: &'a Creations,
    this: Arc<UnderWay>,
}

impl Creations {
    /// Notes a creation whose call starts now.
    pub(super) fn begin(&self, asked: &CreateEndpoint) -> Creation<'_> {
        let this = Arc::new(UnderWay {
            asked: asked.clone(),
            ended: CancellationToken::new(),
        });
        self.under_way().push(this.clone());
        Creation { all: self, this }
    }

    /// Returns once every creation of this URL and these events that is under way now has ended.
    async fn ended(&self, asked: &CreateEndpoint) {
        let alike: Vec<_> = self
            .under_way()
            .iter()
            .filter(|other| alike(&other.asked, asked))
            .cloned()
            .collect();
        for other in alike {
            other.ended.cancelled().await;
        }
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Arc<UnderWay>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Creation<'_> {
    fn drop(&mut self) {
        self.all.under_way().retain(|other| !Arc::ptr_eq(other, &self.this));
        self.this.ended.cancel();
    }
}

fn alike(one: &CreateEndpoint, other: &CreateEndpoint) -> bool {
    url::equivalent(&one.url, &other.url) && same_events(one.events.as_ref(), other.events.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::webhook_endpoint::validate::KNOWN_EVENTS;

    /// 2026-07-01T12:00:00Z
    fn began() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(495_252)
    }

    fn events(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn asked() -> CreateEndpoint {
        CreateEndpoint {
            url: "https://example.com/hook".to_owned(),
            events: Some(events(&["a", "b"])),
            entity_id: None,
        }
    }

    fn listed(id: &str) -> Endpoint {
        Endpoint {
            id: EndpointId::parse(id).unwrap(),
            url: "https://example.com/hook".to_owned(),
            events: Some(events(&["b", "a"])),
            status: "enabled".to_owned(),
            created_at: "2026-07-01T12:00:05Z".to_owned(),
            secret: None,
        }
    }

    fn found(listed: Vec<Endpoint>, asked: &CreateEndpoint, session: &Session) -> Result<String, Vec<String>> {
        let lost = Lost { asked, began: began() };
        match lost.judge(listed, session) {
            Found::This(endpoint) => Ok(endpoint.id.to_string()),
            Found::None => Err(Vec::new()),
            Found::OneOf(ids) => Err(ids.iter().map(ToString::to_string).collect()),
            Found::Unclear(failure) => panic!("{failure}"),
        }
    }

    fn fresh() -> Session {
        Session::default()
    }

    #[test]
    fn one_new_endpoint_with_this_url_and_these_events_is_the_one() {
        assert_eq!(found(vec![listed("ep_1")], &asked(), &fresh()), Ok("ep_1".to_owned()));
    }

    #[test]
    fn an_endpoint_that_differs_is_no_candidate() {
        let other_url = Endpoint {
            url: "https://example.com/other".to_owned(),
            ..listed("ep_1")
        };
        let other_events = Endpoint {
            events: Some(events(&["a"])),
            ..listed("ep_2")
        };
        let older = Endpoint {
            created_at: "2026-07-01T11:58:59Z".to_owned(),
            ..listed("ep_3")
        };
        let all = Endpoint {
            events: None,
            ..listed("ep_4")
        };
        assert_eq!(
            found(vec![other_url, other_events, older, all], &asked(), &fresh()),
            Err(vec![])
        );
    }

    #[test]
    fn a_minute_of_clock_skew_is_allowed() {
        let skewed = Endpoint {
            created_at: "2026-07-01T11:59:00".to_owned(),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![skewed], &asked(), &fresh()), Ok("ep_1".to_owned()));
    }

    #[test]
    fn several_candidates_are_named_and_none_taken() {
        let both = vec![listed("ep_1"), listed("ep_2")];
        let named = Err(vec!["ep_1".to_owned(), "ep_2".to_owned()]);
        assert_eq!(found(both, &asked(), &fresh()), named);
    }

    #[test]
    fn an_endpoint_that_is_known_here_is_somebody_elses() {
        let session = fresh();
        session.remember(&listed("ep_1").id);
        assert_eq!(found(vec![listed("ep_1")], &asked(), &session), Err(vec![]));
        assert_eq!(
            found(vec![listed("ep_1"), listed("ep_2")], &asked(), &session),
            Ok("ep_2".to_owned())
        );
    }

    #[test]
    fn an_endpoint_is_found_by_one_search_only() {
        let session = fresh();
        assert_eq!(found(vec![listed("ep_1")], &asked(), &session), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![listed("ep_1")], &asked(), &session), Err(vec![]));
    }

    #[test]
    fn a_moment_that_cannot_be_read_makes_a_candidate_uncertain() {
        let undated = Endpoint {
            created_at: "just now".to_owned(),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![undated], &asked(), &fresh()), Err(vec!["ep_1".to_owned()]));
    }

    #[test]
    fn all_events_are_recognised_as_null_and_spelled_out() {
        let all = CreateEndpoint {
            events: None,
            ..asked()
        };
        let null = Endpoint {
            events: None,
            ..listed("ep_1")
        };
        let spelled_out = Endpoint {
            events: Some(events(&KNOWN_EVENTS)),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![null], &all, &fresh()), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![spelled_out], &all, &fresh()), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![listed("ep_1")], &all, &fresh()), Err(vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn creations_of_the_same_endpoint_are_waited_for_and_others_are_not() {
        let creations = Creations::default();
        let asked = asked();
        let waited = async || {
            tokio::time::timeout(Duration::from_secs(1), creations.ended(&asked))
                .await
                .is_ok()
        };
        let _other = creations.begin(&CreateEndpoint {
            events: None,
            ..asked.clone()
        });
        assert!(waited().await);
        let same = creations.begin(&asked);
        assert!(!waited().await);
        tokio::join!(creations.ended(&asked), async { drop(same) });
        assert!(waited().await);
    }

    #[test]
    fn all_events_and_all_of_them_spelled_out_are_alike() {
        let of = |events: Option<&[&str]>| CreateEndpoint {
            events: events.map(self::events),
            ..asked()
        };
        let (all, spelled_out, some) = (of(None), of(Some(&KNOWN_EVENTS)), of(Some(&["a"])));
        assert!(alike(&all, &spelled_out) && alike(&spelled_out, &all) && alike(&all, &all) && alike(&some, &some));
        assert!(!alike(&all, &some) && !alike(&some, &spelled_out));
    }
}
