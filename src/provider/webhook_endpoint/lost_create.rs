//! A creation whose answer never came: has it happened?

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{state, url};
use crate::heygen::{Client, CreateEndpoint, Endpoint, EndpointId, Failure, Stop};

/// How far `HeyGen`'s clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What a search for a lost creation found.
pub(super) enum Found {
    /// One endpoint, and it can only be this one.
    This(Box<Endpoint>),
    /// It may be any of these, or none of them.
    OneOf(Vec<EndpointId>),
    /// The list could not be read.
    Unclear(Failure),
}

/// Walks the list for what a lost creation may have left behind.
pub(super) async fn search(
    client: &Client,
    asked: &CreateEndpoint,
    began: SystemTime,
    others: &Others<'_>,
    stop: &Stop,
) -> Found {
    match look(client, asked, began, others, stop).await {
        Found::OneOf(candidates) if candidates.is_empty() => {
            // A list may lag behind a creation.
            tokio::select! {
                () = tokio::time::sleep(client.pace().second_look) => look(client, asked, began, others, stop).await,
                () = stop.cancelled() => Found::OneOf(candidates),
            }
        }
        found => found,
    }
}

async fn look(client: &Client, asked: &CreateEndpoint, began: SystemTime, others: &Others<'_>, stop: &Stop) -> Found {
    match client.list_afresh(stop).await {
        Ok(listed) => judge(listed, asked, began, others),
        Err(failure) => Found::Unclear(failure),
    }
}

/// What else goes on in this process.
pub(super) struct Others<'a> {
    /// Whether an endpoint is somebody's already.
    pub(super) knows: &'a (dyn Fn(&EndpointId) -> bool + Sync),
    /// Whether another creation of the same URL and events is, or was meanwhile, under way here: then a new endpoint may
    /// be its.
    pub(super) rivals: bool,
}

/// The rule: exactly one endpoint with this URL and these events, created since the call began, and known to nobody here.
fn judge(listed: Vec<Endpoint>, asked: &CreateEndpoint, began: SystemTime, others: &Others<'_>) -> Found {
    let mut candidates: Vec<Endpoint> = listed
        .into_iter()
        .filter(|endpoint| url::equivalent(&asked.url, &endpoint.url))
        .filter(|endpoint| has_events(endpoint, asked))
        // A moment that cannot be read proves nothing either way.
        .filter(|endpoint| endpoint.created().is_none() || endpoint.created_since(began, CLOCK_SKEW))
        .filter(|endpoint| !(others.knows)(&endpoint.id))
        .collect();
    let certain = !others.rivals && candidates.iter().all(|endpoint| endpoint.created().is_some());
    match candidates.pop() {
        Some(only) if candidates.is_empty() && certain => Found::This(Box::new(only)),
        last => {
            candidates.extend(last);
            Found::OneOf(candidates.into_iter().map(|endpoint| endpoint.id).collect())
        }
    }
}

fn has_events(endpoint: &Endpoint, asked: &CreateEndpoint) -> bool {
    match (state::normalized_events(endpoint), &asked.events) {
        (answered, Some(_)) => answered == asked.events,
        (None, None) => true,
        (Some(answered), None) => state::spells_out_all(&answered),
    }
}

/// The creations under way in this process, so that one that is lost does not take another's endpoint for its own.
#[derive(Default)]
pub(super) struct Creations(Mutex<Vec<Underway>>);

struct Underway {
    number: u64,
    asked: CreateEndpoint,
    /// Another one of the same kind was under way at the same time at some point.
    rivalled: bool,
}

/// Says, until dropped, that this creation is under way.
pub(super) struct Creation<'a> {
    all: &'a Creations,
    number: u64,
}

impl Creations {
    /// Notes a creation that starts now.
    pub(super) fn begin(&self, asked: &CreateEndpoint) -> Creation<'_> {
        let mut underway = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = underway
            .iter()
            .map(|other| other.number)
            .max()
            .map_or(0, |highest| highest + 1);
        let mut rivalled = false;
        for other in underway.iter_mut().filter(|other| alike(&other.asked, asked)) {
            other.rivalled = true;
            rivalled = true;
        }
        underway.push(Underway {
            number,
            asked: asked.clone(),
            rivalled,
        });
        Creation { all: self, number }
    }
}

impl Creation<'_> {
    /// Whether another creation of the same URL and events has been under way at the same time.
    pub(super) fn has_rivals(&self) -> bool {
        let underway = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        underway.iter().any(|this| this.number == self.number && this.rivalled)
    }
}

impl Drop for Creation<'_> {
    fn drop(&mut self) {
        let mut underway = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        underway.retain(|this| this.number != self.number);
    }
}

fn alike(one: &CreateEndpoint, other: &CreateEndpoint) -> bool {
    url::equivalent(&one.url, &other.url) && one.events == other.events
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    fn found(listed: Vec<Endpoint>, asked: &CreateEndpoint, others: &Others<'_>) -> Result<String, Vec<String>> {
        match judge(listed, asked, began(), others) {
            Found::This(endpoint) => Ok(endpoint.id.to_string()),
            Found::OneOf(ids) => Err(ids.iter().map(ToString::to_string).collect()),
            Found::Unclear(failure) => panic!("{failure}"),
        }
    }

    const NOBODY: Others<'_> = Others {
        knows: &|_| false,
        rivals: false,
    };

    #[test]
    fn one_new_endpoint_with_this_url_and_these_events_is_the_one() {
        assert_eq!(found(vec![listed("ep_1")], &asked(), &NOBODY), Ok("ep_1".to_owned()));
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
            found(vec![other_url, other_events, older, all], &asked(), &NOBODY),
            Err(vec![])
        );
    }

    #[test]
    fn a_minute_of_clock_skew_is_allowed() {
        let skewed = Endpoint {
            created_at: "2026-07-01T11:59:00".to_owned(),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![skewed], &asked(), &NOBODY), Ok("ep_1".to_owned()));
    }

    #[test]
    fn several_candidates_are_named_and_none_taken() {
        let both = vec![listed("ep_1"), listed("ep_2")];
        let named = Err(vec!["ep_1".to_owned(), "ep_2".to_owned()]);
        assert_eq!(found(both, &asked(), &NOBODY), named);
    }

    #[test]
    fn an_endpoint_that_is_known_here_is_somebody_elses() {
        let others = Others {
            knows: &|id| id.as_str() == "ep_1",
            rivals: false,
        };
        assert_eq!(found(vec![listed("ep_1")], &asked(), &others), Err(vec![]));
        assert_eq!(
            found(vec![listed("ep_1"), listed("ep_2")], &asked(), &others),
            Ok("ep_2".to_owned())
        );
    }

    #[test]
    fn a_rival_makes_a_candidate_uncertain() {
        let others = Others {
            knows: &|_| false,
            rivals: true,
        };
        assert_eq!(
            found(vec![listed("ep_1")], &asked(), &others),
            Err(vec!["ep_1".to_owned()])
        );
    }

    #[test]
    fn a_moment_that_cannot_be_read_makes_a_candidate_uncertain() {
        let undated = Endpoint {
            created_at: "just now".to_owned(),
            ..listed("ep_1")
        };
        assert_eq!(found(vec![undated], &asked(), &NOBODY), Err(vec!["ep_1".to_owned()]));
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
        assert_eq!(found(vec![null], &all, &NOBODY), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![spelled_out], &all, &NOBODY), Ok("ep_1".to_owned()));
        assert_eq!(found(vec![listed("ep_1")], &all, &NOBODY), Err(vec![]));
    }

    #[test]
    fn creations_of_the_same_endpoint_at_the_same_time_are_rivals_to_their_end() {
        let creations = Creations::default();
        let first = creations.begin(&asked());
        let other = creations.begin(&CreateEndpoint {
            events: None,
            ..asked()
        });
        assert!(!first.has_rivals());
        let second = creations.begin(&asked());
        assert!(first.has_rivals() && second.has_rivals() && !other.has_rivals());
        drop(second);
        assert!(first.has_rivals());
        drop(first);
        assert!(!creations.begin(&asked()).has_rivals());
    }
}
