//! The way of one request: door, fault, idempotency, work, answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, header, request::Parts},
};
use hyper::body::Incoming;
use tokio::sync::watch;

use super::{
    answer::{Answer, Refusal},
    api::Call,
    behaviour::Behaviour,
    control::Control,
    faults::{Effect, Fault, Target, Wait},
    idempotency::{A_DAY, Claim, Slot},
    log::{self, Request},
    reply::{self, Outcome},
    request::{self, Credentials},
    route::Route,
    schedule::Injected,
    transport::{Connection, Served, Service},
    world::{Shared, World},
};

/// No request is longer, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

/// Nothing waits longer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The account's credentials.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// What `X-Api-Key` must hold.
    pub api_key: String,
    /// What `Authorization: Bearer` must hold.
    pub access_token: String,
}

/// The API and the control path beside it.
#[derive(Debug)]
pub struct Api {
    /// Everything there is.
    pub shared: Arc<Shared>,
    /// Who is let in.
    pub keyring: Keyring,
    /// Everything under `/_control/`.
    pub control: Control,
}

impl Service for Api {
    async fn call(self: Arc<Self>, request: hyper::Request<Incoming>) -> Served {
        let mut served = self.clone().served(request.map(Body::new)).await;
        if let Served::Response(response) = &mut served {
            let number = response.extensions().get().map(|Number(number)| *number);
            date(response, &self.shared.world(), number);
        }
        served
    }
}

impl Api {
    async fn served(self: Arc<Self>, request: hyper::Request<Body>) -> Served {
        if request.uri().path().starts_with("/_control/") {
            return Served::Response(self.control.call(request).await);
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
            // The peer went away or sends too much; either way there is nothing to work on.
            return Served::Reset;
        };
        // A task of its own: the work goes on when the caller has gone away, as it would at HeyGen.
        let shared = self.shared.clone();
        let keyring = self.keyring.clone();
        match tokio::spawn(handle(shared, keyring, parts, body)).await {
            Ok(served) => served,
            Err(_panicked) => Served::Reset,
        }
    }
}

/// Which request a response answers: its sequence number. What the control path answers has none.
#[derive(Clone, Copy)]
struct Number(u64);

async fn handle(shared: Arc<Shared>, keyring: Keyring, parts: Parts, body: Bytes) -> Served {
    let arrived = Arrival::log(&shared, &keyring, &parts, &body);
    let struck = arrived.struck.as_ref();
    let (outcome, done) = match arrived.entered {
        Err(refusal) => (Outcome::Reply(refusal.into()), Done::default()),
        Ok((route, endpoint_id)) => {
            let call = Call {
                sequence: arrived.sequence,
                route,
                endpoint_id,
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body,
            };
            run(&shared, &call, parts.uri.path(), struck).await
        }
    };
    record(&shared, arrived.sequence, &outcome, done);
    if let Some(struck) = struck {
        struck.wait(Wait::After).await;
    }
    match outcome {
        Outcome::Reset => Served::Reset,
        Outcome::Reply(reply) => {
            let mut response = reply.into_response(arrived.request_id);
            response.extensions_mut().insert(Number(arrived.sequence));
            Served::Response(response)
        }
    }
}

/// As a server does last of all: by its own clock, at the moment the answer leaves.
fn date(response: &mut Response<Body>, world: &World, number: Option<u64>) {
    if !world.behaviour.no_date {
        let now = number.map_or_else(|| world.now(), |number| world.now_at_server_of(number));
        let date = httpdate::fmt_http_date(now.into());
        let date = HeaderValue::try_from(date).expect("a date is visible ASCII");
        response.headers_mut().insert(header::DATE, date);
    }
}

/// What the account did about a call.
#[derive(Clone, Debug, Default)]
struct Done {
    took_effect: bool,
    replayed: bool,
    secret_of: Option<String>,
}

async fn run(shared: &Shared, call: &Call, path: &str, struck: Option<&Struck>) -> (Outcome, Done) {
    if let Some(Struck { injected, .. }) = struck {
        let fault = &injected.fault;
        let mut world = shared.world();
        if let Some(earlier) = fault.twin_is_earlier_by() {
            world.make_twin(call, earlier);
        }
        if fault.effect() == Effect::None
            && let Some(outcome) = reply::in_place_of_answer(fault, call.route, world.now_at_server_of(call.sequence))
        {
            return (outcome, Done::default());
        }
    }
    let (answer, mut done) = work(shared, call, path, struck).await;
    let world = shared.world();
    let body = answer.body.clone();
    let id = body["data"]["endpoint_id"].as_str().map(str::to_owned);
    let reply = match world.behaviour.update_answers {
        Some(bare) if call.route == Route::Update => reply::bare(bare, answer.into()),
        _ => answer.into(),
    };
    let outcome = match struck {
        Some(struck) => reply::spoiled(
            &struck.injected,
            call.route,
            body,
            reply,
            world.now_at_server_of(call.sequence),
        ),
        None => Outcome::Reply(reply),
    };
    done.secret_of = id.filter(|_| outcome.tells_secret());
    (outcome, done)
}

async fn work(shared: &Shared, call: &Call, path: &str, struck: Option<&Struck>) -> (Answer, Done) {
    let slot = match slot(call, path) {
        Ok(slot) => slot,
        Err(refusal) => return (refusal.into(), Done::default()),
    };
    let latency = {
        let mut world = shared.world();
        let now = world.clock.elapsed();
        let kept_for = world.behaviour.idempotency_ms;
        let kept_for = kept_for.map_or(A_DAY, Duration::from_millis);
        match slot.as_ref().map(|slot| world.keys.claim(slot, kept_for, now)) {
            None | Some(Claim::Fresh) => {}
            Some(Claim::Running) => return (Refusal::in_progress().into(), Done::default()),
            Some(Claim::Replay(answer)) => {
                let replayed = Done {
                    replayed: true,
                    ..Done::default()
                };
                return (answer, replayed);
            }
        }
        world.behaviour.latency(call.route)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let Some(struck) = struck {
        struck.wait(Wait::Before).await;
    }
    let mut world = shared.world();
    let fault = struck.map(|struck| &struck.injected.fault);
    let performed = world.account(call.sequence, fault).perform(call);
    let done = Done {
        took_effect: performed.is_ok() && call.route.changes(),
        ..Done::default()
    };
    let mut answer = performed.unwrap_or_else(Answer::from);
    if let Some(value) = world.behaviour.undecodable_extra {
        answer.add_field("remark", &value.stand_in());
    }
    if let Some(slot) = &slot {
        let now = world.clock.elapsed();
        let mut kept = answer.clone();
        if let Some(Fault::SecretWithoutId { replay }) = fault {
            reply::take_apart(&mut kept.body, *replay);
        }
        world.keys.finish(slot, &kept, now);
    }
    (answer, done)
}

fn slot(call: &Call, path: &str) -> Result<Option<Slot>, Refusal> {
    if !call.route.takes_key() {
        return Ok(None);
    }
    let key = request::idempotency_key(&call.headers)?;
    Ok(key.map(|key| Slot {
        route: call.route,
        path: path.to_owned(),
        key,
    }))
}

/// The fault of a call.
struct Struck {
    injected: Injected,
    /// Taken on arrival: who sees a request in the log may release it, wherever it has got to.
    releases: watch::Receiver<()>,
}

impl Struck {
    async fn wait(&self, at: Wait) {
        match &self.injected.fault {
            Fault::Delay { ms, wait } if *wait == at => {
                tokio::time::sleep(Duration::from_millis(*ms).min(LONGEST_WAIT)).await;
            }
            Fault::SlowPage { ms } if at == Wait::Before => {
                tokio::time::sleep(Duration::from_millis(*ms).min(LONGEST_WAIT)).await;
            }
            Fault::Held { wait } if *wait == at => {
                let mut releases = self.releases.clone();
                // Waiting without end would outlive the test that forgot to release it.
                let _ = tokio::time::timeout(LONGEST_WAIT, releases.changed()).await;
            }
            _ => {}
        }
    }
}

/// A request as it came through the door.
struct Arrival {
    sequence: u64,
    request_id: (HeaderName, HeaderValue),
    entered: Result<(Route, String), Refusal>,
    struck: Option<Struck>,
}

impl Arrival {
    /// Checks credentials, route and rate, draws the fault, and writes the request down.
    fn log(shared: &Shared, keyring: &Keyring, parts: &Parts, body: &[u8]) -> Self {
        let path = parts.uri.path();
        let credentials = Credentials::of(&parts.headers, &keyring.api_key, &keyring.access_token);
        let recognised = Route::recognise(&parts.method, path);
        let entered = credentials
            .check()
            .and_then(|()| recognised.ok_or_else(Refusal::no_route))
            .map(|(route, id)| (route, id.to_owned()));

        let readable = log::readable(body);
        let mut world = shared.world();
        let entered = entered.and_then(|entered| world.admit().map(|()| entered));
        let sequence = world.log.next();
        let arrived_ms = u64::try_from(world.clock.running().as_millis()).unwrap_or(u64::MAX);
        let request_id = format!("req_{sequence:08}");
        let struck = match &entered {
            Ok((route, id)) => world.faults.strike(Target {
                route: *route,
                endpoint_id: id,
                further_page: request::has_cursor(parts.uri.query().unwrap_or_default()),
                null_events: readable.as_ref().is_some_and(request::nulls_events),
            }),
            Err(_) => None,
        };
        let struck = struck.map(|injected| Struck {
            injected,
            releases: shared.releases(),
        });
        world.log.push(Request {
            sequence,
            arrived_ms,
            connection: parts.extensions.get().map_or(0, |Connection(number)| *number),
            version: format!("{:?}", parts.version),
            method: parts.method.to_string(),
            path: path.to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            route: recognised.map(|(route, _)| route),
            endpoint_id: recognised.map(|(_, id)| id.to_owned()).filter(|id| !id.is_empty()),
            host: text(&parts.headers, &header::HOST),
            user_agent: text(&parts.headers, &header::USER_AGENT),
            idempotency_key: text(&parts.headers, &HeaderName::from_static("idempotency-key")),
            credentials,
            body: readable,
            request_id: request_id.clone(),
            status: None,
            fault: struck.as_ref().map(|it| it.injected.fault.kind()),
            took_effect: false,
            replayed: false,
            secret_of: None,
            finished: false,
        });
        let name = if world.behaviour.amazon_request_id {
            "x-amzn-request-id"
        } else {
            "x-request-id"
        };
        drop(world);
        shared.notify();
        let request_id = HeaderValue::try_from(request_id).expect("digits are visible ASCII");
        Self {
            sequence,
            request_id: (HeaderName::from_static(name), request_id),
            entered,
            struck,
        }
    }
}

impl World {
    /// Takes a token of the rate limit for one call. The call that finds none gets no further, to no fault either.
    fn admit(&mut self) -> Result<(), Refusal> {
        let limit = self.behaviour.rate_limit;
        let taken = self.bucket.take(limit, Instant::now());
        taken.map_err(|limit| Refusal::rate_limited(limit.retry_after.map(|seconds| seconds.to_string())))
    }
}

fn record(shared: &Shared, sequence: u64, outcome: &Outcome, done: Done) {
    if let Some(request) = shared.world().log.request_mut(sequence) {
        request.status = outcome.status();
        request.took_effect = done.took_effect;
        request.replayed = done.replayed;
        request.secret_of = done.secret_of;
        request.finished = true;
    }
    shared.notify();
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

impl Behaviour {
    /// What a call takes before it takes effect.
    fn latency(&self, route: Route) -> Duration {
        let page = if route == Route::List { self.page_latency_ms } else { 0 };
        Duration::from_millis(self.latency_ms.saturating_add(page)).min(LONGEST_WAIT)
    }
}

impl Route {
    fn changes(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Delete | Self::Rotate => true,
            Self::List | Self::EventTypes | Self::Events => false,
        }
    }
}
