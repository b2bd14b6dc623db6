//! What each call does to the account, and what it answers.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    answer::{Answer, Refusal},
    behaviour::Behaviour,
    request::{self, BodyOf, EndpointBody, Given, Paging},
    route::Route,
    store::{Endpoint, Event, Lag, NewEndpoint, Page, Registration, Store, Walking, paged},
};

/// A call that passed the door: its route is known and its credentials are right.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number, see [`Request::sequence`](super::log::Request::sequence).
    pub sequence: u64,
    /// Which of the seven.
    pub route: Route,
    /// The endpoint it names; empty where the route has none.
    pub endpoint_id: String,
    /// Without the question mark.
    pub query: String,
    /// As they came.
    pub headers: HeaderMap,
    /// As it came.
    pub body: axum::body::Bytes,
}

impl Call {
    /// What a create asks for.
    pub fn new_endpoint(&self, behaviour: &Behaviour) -> Result<NewEndpoint, Refusal> {
        let body = self.endpoint_body(BodyOf::Create, behaviour)?;
        let Given::Value(url) = body.url else {
            return Err(Refusal::invalid("url", "url is required."));
        };
        Ok(NewEndpoint {
            url,
            events: body.events.value(),
            entity_id: body.entity_id.value(),
        })
    }

    fn endpoint_body(&self, of: BodyOf, behaviour: &Behaviour) -> Result<EndpointBody, Refusal> {
        request::endpoint_body(of, &self.headers, &self.body, behaviour)
    }
}

/// The account, the rules it keeps, and its chance.
#[derive(Debug)]
pub struct Account<'a> {
    /// The time at HeyGen's.
    pub now: OffsetDateTime,
    /// What is changed and read.
    pub store: &'a mut Store,
    /// How the answers look.
    pub behaviour: Cow<'a, Behaviour>,
    /// For what is shuffled.
    pub random: &'a mut fastrand::Rng,
}

impl Account<'_> {
    /// Does what the call asks. An error means that nothing was changed.
    pub fn perform(&mut self, call: &Call) -> Result<Answer, Refusal> {
        match call.route {
            Route::Create => self.create(call),
            Route::List => self.list(call),
            Route::Update => self.update(call),
            Route::Delete => self.delete(call),
            Route::Rotate => self.rotate(call),
            Route::EventTypes => self.event_types(call),
            Route::Events => self.events(call),
        }
    }

    fn create(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let new = call.new_endpoint(&self.behaviour)?;
        self.refuse_taken(&new.url, None)?;
        if let Some(limit) = self.behaviour.resource_limit
            && self.store.count() >= limit
        {
            return Err(Refusal::limit_reached(limit));
        }
        let registration = Registration {
            status: self.behaviour.status_of_new(),
            created_at: self.now,
            lag: self.behaviour.lag(),
        };
        let endpoint = self.store.insert(new, registration);
        let secret = Some(endpoint.secret.as_str());
        let secret = secret.filter(|_| !self.behaviour.create_without_secret);
        Ok(Answer::data(self.behaviour.endpoint(&endpoint, secret, self.random)))
    }

    fn list(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let paging = request::paging(&call.query, 10, [])?;
        if paging.after.is_none() {
            self.store.begin_walk();
        }
        let how = self.behaviour.walking();
        let most = self.behaviour.most_per_page.unwrap_or(usize::MAX);
        let page = self.store.page(paging.after, paging.limit.min(most), how);
        let items = page.items.iter().map(|listed| {
            let mut item = self.behaviour.endpoint(listed.endpoint, None, self.random);
            if let Some(oddity) = listed.oddity {
                oddity.apply(&mut item);
            }
            item
        });
        let items: Vec<_> = items.collect();
        let next = match (&paging.token, self.behaviour.cursor_repeats) {
            (Some(token), true) => Some(token.clone()),
            (None, true) => page.next.or(Some(0)).map(request::cursor),
            (_, false) => page.next.map(request::cursor),
        };
        Ok(Answer::page(items, next.as_deref()))
    }

    fn update(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let body = call.endpoint_body(BodyOf::Update, &self.behaviour)?;
        let id = call.endpoint_id.as_str();
        if let Given::Value(url) = &body.url {
            self.refuse_taken(url, Some(id))?;
        }
        let endpoint = self.store.endpoint_mut(id).ok_or_else(Refusal::no_endpoint)?;
        if let Given::Value(url) = body.url {
            endpoint.url = url;
        }
        match body.events {
            Given::Value(events) => endpoint.events = Some(events),
            Given::Null if !self.behaviour.patch_ignores_null_events => endpoint.events = None,
            Given::Null | Given::Absent => {}
        }
        let answer = self.behaviour.endpoint(endpoint, None, self.random);
        Ok(Answer::data(answer))
    }

    fn delete(&mut self, call: &Call) -> Result<Answer, Refusal> {
        request::no_body(&call.body)?;
        let removed = self.store.remove(&call.endpoint_id);
        removed.ok_or_else(Refusal::no_endpoint)?;
        Ok(Answer::data(json!({})))
    }

    fn rotate(&mut self, call: &Call) -> Result<Answer, Refusal> {
        request::no_body(&call.body)?;
        let endpoint = self.store.rotate(&call.endpoint_id);
        let endpoint = endpoint.ok_or_else(Refusal::no_endpoint)?;
        Ok(Answer::data(json!({
            "endpoint_id": endpoint.endpoint_id,
            "secret": endpoint.secret,
        })))
    }

    fn event_types(&self, call: &Call) -> Result<Answer, Refusal> {
        let paging = request::paging(&call.query, 100, [])?;
        let types = (1_u64..).zip(self.behaviour.event_types());
        let types = types.filter(|(place, _)| paging.after.is_none_or(|after| *place > after));
        let page = paged(types, paging.limit);
        Ok(answer_page(&page, |name| {
            let description = format!("Sent on {}.", name.replace(['.', '_'], " "));
            json!({ "event_type": name, "description": description })
        }))
    }

    fn events(&self, call: &Call) -> Result<Answer, Refusal> {
        let paging = request::paging(&call.query, 10, ["event_type", "entity_id"])?;
        let page = self
            .store
            .events(paging.after, paging.limit, |event| paging.lets_through(event));
        Ok(answer_page(&page, |event| {
            json!({
                "event_id": event.event_id,
                "event_type": event.event_type,
                "event_data": event.event_data,
                "created_at": self.behaviour.timestamps.write(event.created_at),
            })
        }))
    }

    fn refuse_taken(&self, url: &str, except: Option<&str>) -> Result<(), Refusal> {
        let other = |endpoint: &Endpoint| endpoint.url == url && except != Some(endpoint.endpoint_id.as_str());
        if self.behaviour.unique_urls && self.store.endpoints().any(other) {
            return Err(Refusal::conflict());
        }
        Ok(())
    }
}

impl Behaviour {
    /// The status a new endpoint gets.
    pub fn status_of_new(&self) -> String {
        self.status_of_new.as_deref().unwrap_or("enabled").to_owned()
    }

    /// How long a new endpoint stays out of the list.
    pub fn lag(&self) -> Lag {
        Lag {
            walks: self.list_lag_walks,
            time: std::time::Duration::from_millis(self.list_lag_ms),
        }
    }

    fn walking(&self) -> Walking {
        Walking {
            newest_first: self.newest_first,
            shift: self.page_shift,
        }
    }
}

impl Paging<2> {
    fn lets_through(&self, event: &Event) -> bool {
        let [event_type, entity_id] = &self.filters;
        event_type.as_ref().is_none_or(|it| *it == event.event_type)
            && (entity_id.is_none() || *entity_id == event.entity_id)
    }
}

fn answer_page<T>(page: &Page<T>, write: impl Fn(&T) -> Value) -> Answer {
    let items = page.items.iter().map(write).collect();
    Answer::page(items, page.next.map(request::cursor).as_deref())
}
