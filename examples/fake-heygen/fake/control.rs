//! The control path: what the handle offers, over HTTP with JSON.
//!
//! | call | does |
//! |---|---|
//! | `GET /_control/endpoints` | every endpoint with its current secret, `entity_id` and status |
//! | `POST /_control/endpoints` | adds one: `url`, `events`, `entity_id`, `created_at` |
//! | `PATCH /_control/endpoints/{id}` | changes `url`, `events`, `status`, `entity_id`, `secret` |
//! | `DELETE /_control/endpoints/{id}` | removes it |
//! | `POST /_control/endpoints/{id}/rotate` | gives it a new secret |
//! | `POST /_control/endpoints/{id}/hide` | leaves it out of the next `walks` walks |
//! | `PUT`, `DELETE /_control/endpoints/{id}/oddity` | makes its item in the list odd, see [`Oddity`]; no longer |
//! | `GET /_control/twins` | the endpoints that faults made as another run would, as they were made |
//! | `POST /_control/catch_up` | shows everything in the list that it lags behind |
//! | `GET /_control/clock` | what time it is: `now` |
//! | `POST /_control/clock/advance` | moves the clock forward by `ms` milliseconds |
//! | `POST /_control/seed` | adds `count` endpoints, `https://PREFIX-N.example.com/hook` |
//! | `GET`, `DELETE /_control/requests` | the request log; forgets it |
//! | `GET`, `PUT`, `PATCH /_control/behaviour` | the switches; all of them; some of them |
//! | `GET`, `POST`, `DELETE /_control/faults` | rules and counts by kind; adds a rule; clears all |
//! | `PUT /_control/faults/random` | begins faults by chance: `seed`, `rate`, `routes`, `faults` |
//! | `POST /_control/release` | lets go of the calls that are held |
//! | `POST /_control/refuse` | refuses connections for `ms` milliseconds |
//! | `POST /_control/events` | adds to the history: `event_type`, `event_data`, `entity_id` |
//! | `POST /_control/deliver` | sends a signed event, see [`Delivery`] |
//! | `POST /_control/deliver_to_all` | sends one event to every endpoint that receives it, see [`DeliveryToAll`] |

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{Request, Response, StatusCode},
    response::IntoResponse,
    routing::{get, patch, post, put},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tower::ServiceExt as _;

use super::{
    behaviour::{Behaviour, EventIds},
    deliveries::{Delivered, Delivery, DeliveryToAll},
    faults::Fault,
    oddity::Oddity,
    request::Given,
    schedule::{RandomFaults, Rule},
    store::{Endpoint, NewEndpoint},
    transport::Door,
    world::{Shared, World},
};

/// An order moves the clock no further.
const MOST_ADVANCED: Duration = Duration::from_hours(24 * 366);

/// The control path's routes.
#[derive(Clone, Debug)]
pub struct Control(Router);

#[derive(Clone, Debug)]
struct Hands {
    shared: Arc<Shared>,
    door: Door,
}

impl Control {
    /// Acts on this world, and on the door of the server it is reached through.
    pub fn new(shared: Arc<Shared>, door: Door) -> Self {
        let router = Router::new()
            .route("/_control/endpoints", get(endpoints).post(put_endpoint))
            .route("/_control/endpoints/{id}", patch(edit_endpoint).delete(remove_endpoint))
            .route("/_control/endpoints/{id}/rotate", post(rotate))
            .route("/_control/endpoints/{id}/hide", post(hide))
            .route("/_control/endpoints/{id}/oddity", put(make_odd).delete(make_sound))
            .route("/_control/twins", get(twins))
            .route("/_control/catch_up", post(catch_up))
            .route("/_control/clock", get(clock))
            .route("/_control/clock/advance", post(advance))
            .route("/_control/seed", post(seed))
            .route("/_control/requests", get(requests).delete(clear_requests))
            .route(
                "/_control/behaviour",
                get(behaviour).put(set_behaviour).patch(turn_behaviour),
            )
            .route("/_control/faults", get(faults).post(inject).delete(clear_faults))
            .route("/_control/faults/random", put(inject_randomly))
            .route("/_control/release", post(release))
            .route("/_control/refuse", post(refuse))
            .route("/_control/events", post(record_event))
            .route("/_control/deliver", post(deliver_event))
            .route("/_control/deliver_to_all", post(deliver_event_to_all))
            .with_state(Hands { shared, door });
        Self(router)
    }

    /// Answers one request.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Records an event, then sends it to the receiver, signed by the endpoint's current secret.
pub async fn deliver(shared: &Shared, delivery: &Delivery) -> Result<Delivered, String> {
    let signed = {
        let mut world = shared.world();
        let id = &delivery.endpoint_id;
        let endpoint = world.store.endpoint(id);
        let endpoint = endpoint.ok_or_else(|| format!("there is no endpoint {id}"))?;
        let (secret, entity_id) = (endpoint.secret.clone(), endpoint.entity_id.clone());
        let event = world.record(delivery.event_type.clone(), delivery.event_data(), entity_id);
        delivery.sign(event.event_id, &secret)?
    };
    Ok(signed.send().await)
}

/// Records an event, then sends it to every endpoint that receives it, the oldest first, each delivery signed by the
/// endpoint's current secret. Where each endpoint gets an id of its own, the history has the event under each of them.
pub async fn deliver_to_all(shared: &Shared, order: &DeliveryToAll) -> Result<Vec<Delivered>, String> {
    let signed = {
        let mut world = shared.world();
        let receiving = world.store.endpoints().filter(|endpoint| order.reaches(endpoint));
        let receiving: Vec<Endpoint> = receiving.cloned().collect();
        let deliveries: Result<Vec<Delivery>, String> = receiving.iter().map(|endpoint| order.to(endpoint)).collect();
        let event_ids = world.behaviour.event_ids;
        let mut record = || {
            let (event_type, event_data) = (order.event_type.clone(), order.event_data.clone());
            world.record(event_type, event_data, order.entity_id.clone()).event_id
        };
        let of_the_event = (event_ids == EventIds::PerEvent).then(&mut record);
        let signed = deliveries?.into_iter().zip(receiving).map(|(delivery, endpoint)| {
            let event_id = of_the_event.clone().unwrap_or_else(&mut record);
            delivery.sign(event_id, &endpoint.secret)
        });
        signed.collect::<Result<Vec<_>, _>>()?
    };
    let mut delivered = Vec::new();
    for delivery in signed {
        delivered.push(delivery.send().await);
    }
    Ok(delivered)
}

type Answer = Result<Json<Value>, Wrong>;

/// What is wrong with an order.
enum Wrong {
    NoEndpoint,
    Order(String),
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response<Body> {
        let (status, message) = match self {
            Self::NoEndpoint => (StatusCode::NOT_FOUND, "there is no such endpoint".into()),
            Self::Order(message) => (StatusCode::BAD_REQUEST, message),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

async fn endpoints(State(hands): State<Hands>) -> Json<Value> {
    let world = hands.shared.world();
    let endpoints: Vec<&Endpoint> = world.store.endpoints().collect();
    Json(json!(endpoints))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PutEndpoint {
    url: String,
    events: Option<Vec<String>>,
    entity_id: Option<String>,
    /// RFC 3339; now if left out.
    created_at: Option<String>,
}

async fn put_endpoint(State(hands): State<Hands>, Json(order): Json<PutEndpoint>) -> Answer {
    let created_at = order.created_at.map(|text| OffsetDateTime::parse(&text, &Rfc3339));
    let created_at = created_at
        .transpose()
        .map_err(|error| Wrong::Order(error.to_string()))?;
    let new = NewEndpoint {
        url: order.url,
        events: order.events,
        entity_id: order.entity_id,
    };
    let mut world = hands.shared.world();
    let created_at = created_at.unwrap_or_else(|| world.now());
    Ok(Json(json!(world.put(new, created_at))))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EditEndpoint {
    url: Option<String>,
    events: Given<Vec<String>>,
    status: Option<String>,
    entity_id: Given<String>,
    secret: Option<String>,
}

async fn edit_endpoint(State(hands): State<Hands>, Path(id): Path<String>, Json(order): Json<EditEndpoint>) -> Answer {
    let mut world = hands.shared.world();
    let endpoint = world.store.endpoint_mut(&id).ok_or(Wrong::NoEndpoint)?;
    if let Some(url) = order.url {
        endpoint.url = url;
    }
    order.events.replace(&mut endpoint.events);
    if let Some(status) = order.status {
        endpoint.status = status;
    }
    order.entity_id.replace(&mut endpoint.entity_id);
    if let Some(secret) = order.secret {
        endpoint.secret = secret;
    }
    Ok(Json(json!(endpoint)))
}

async fn remove_endpoint(State(hands): State<Hands>, Path(id): Path<String>) -> Answer {
    let removed = hands.shared.world().store.remove(&id);
    Ok(Json(json!(removed.ok_or(Wrong::NoEndpoint)?)))
}

async fn rotate(State(hands): State<Hands>, Path(id): Path<String>) -> Answer {
    let mut world = hands.shared.world();
    let rotated = world.store.rotate(&id).ok_or(Wrong::NoEndpoint)?;
    Ok(Json(json!(rotated)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hide {
    walks: u64,
}

async fn hide(State(hands): State<Hands>, Path(id): Path<String>, Json(order): Json<Hide>) -> Answer {
    let hidden = hands.shared.world().store.hide(&id, order.walks);
    if hidden {
        Ok(Json(json!({})))
    } else {
        Err(Wrong::NoEndpoint)
    }
}

async fn make_odd(State(hands): State<Hands>, Path(id): Path<String>, Json(oddity): Json<Oddity>) -> Answer {
    odd(&hands, &id, Some(oddity))
}

async fn make_sound(State(hands): State<Hands>, Path(id): Path<String>) -> Answer {
    odd(&hands, &id, None)
}

fn odd(hands: &Hands, id: &str, oddity: Option<Oddity>) -> Answer {
    let done = hands.shared.world().store.make_odd(id, oddity);
    if done {
        Ok(Json(json!({})))
    } else {
        Err(Wrong::NoEndpoint)
    }
}

async fn twins(State(hands): State<Hands>) -> Json<Value> {
    Json(json!(hands.shared.world().twins))
}

async fn catch_up(State(hands): State<Hands>) -> Json<Value> {
    hands.shared.world().store.catch_up();
    Json(json!({}))
}

async fn clock(State(hands): State<Hands>) -> Answer {
    time_at(&hands.shared.world())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

async fn advance(State(hands): State<Hands>, Json(order): Json<Advance>) -> Answer {
    let by = Duration::from_millis(order.ms);
    if by > MOST_ADVANCED {
        return Err(Wrong::Order("ms must not be above a year".to_owned()));
    }
    let mut world = hands.shared.world();
    world.clock.advance(by);
    time_at(&world)
}

fn time_at(world: &World) -> Answer {
    let now = world.now().format(&Rfc3339);
    let now = now.map_err(|error| Wrong::Order(error.to_string()))?;
    Ok(Json(json!({ "now": now })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    count: usize,
    #[serde(default = "seed_prefix")]
    prefix: String,
}

fn seed_prefix() -> String {
    "seed".to_owned()
}

async fn seed(State(hands): State<Hands>, Json(order): Json<Seed>) -> Answer {
    if order.count > 100_000 {
        return Err(Wrong::Order("count must not be above 100000".to_owned()));
    }
    let mut world = hands.shared.world();
    world.put_many(order.count, &order.prefix);
    Ok(Json(json!({ "endpoints": world.store.count() })))
}

async fn requests(State(hands): State<Hands>) -> Json<Value> {
    let world = hands.shared.world();
    let requests: Vec<_> = world.log.requests().collect();
    Json(json!(requests))
}

async fn clear_requests(State(hands): State<Hands>) -> Json<Value> {
    hands.shared.world().log.clear();
    Json(json!({}))
}

async fn behaviour(State(hands): State<Hands>) -> Json<Value> {
    Json(json!(hands.shared.world().behaviour))
}

async fn set_behaviour(State(hands): State<Hands>, Json(behaviour): Json<Behaviour>) -> Answer {
    check_switches(&behaviour)?;
    let answer = json!(behaviour);
    hands.shared.world().behaviour = behaviour;
    Ok(Json(answer))
}

async fn turn_behaviour(State(hands): State<Hands>, Json(turned): Json<Map<String, Value>>) -> Answer {
    let mut world = hands.shared.world();
    let mut all = json!(world.behaviour);
    for (switch, position) in turned {
        all[switch] = position;
    }
    let behaviour: Behaviour = serde_json::from_value(all.clone()).map_err(|error| Wrong::Order(error.to_string()))?;
    check_switches(&behaviour)?;
    world.behaviour = behaviour;
    Ok(Json(all))
}

/// A position of a switch that means nothing is a mistake in the order.
fn check_switches(behaviour: &Behaviour) -> Result<(), Wrong> {
    let problem = behaviour.rate_limit.and_then(|limit| limit.problem());
    problem.map_or(Ok(()), |problem| Err(Wrong::Order(problem.to_owned())))
}

async fn faults(State(hands): State<Hands>) -> Json<Value> {
    let world = hands.shared.world();
    let (rules, counts) = (world.faults.rules(), world.faults.counts());
    Json(json!({ "rules": rules, "by_kind": counts }))
}

async fn inject(State(hands): State<Hands>, Json(rule): Json<Rule>) -> Answer {
    check(&rule.fault)?;
    hands.shared.world().faults.inject(rule);
    Ok(Json(json!({})))
}

async fn inject_randomly(State(hands): State<Hands>, Json(random): Json<RandomFaults>) -> Answer {
    random.faults.iter().try_for_each(check)?;
    hands.shared.world().faults.randomly(Some(random));
    Ok(Json(json!({})))
}

/// A fault nobody can bring about is a mistake in the order.
fn check(fault: &Fault) -> Result<(), Wrong> {
    match fault {
        Fault::Status { status, .. } if !(400..600).contains(status) => {
            Err(Wrong::Order(format!("status must be 400 to 599, not {status}")))
        }
        _ => Ok(()),
    }
}

async fn clear_faults(State(hands): State<Hands>) -> Json<Value> {
    hands.shared.world().faults.clear();
    Json(json!({}))
}

async fn release(State(hands): State<Hands>) -> Json<Value> {
    hands.shared.release();
    Json(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    ms: u64,
}

async fn refuse(State(hands): State<Hands>, Json(order): Json<Refuse>) -> Json<Value> {
    let time = Duration::from_millis(order.ms).min(Duration::from_mins(1));
    hands.door.close_for(time).await;
    Json(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordEvent {
    event_type: String,
    #[serde(default)]
    event_data: Map<String, Value>,
    entity_id: Option<String>,
}

async fn record_event(State(hands): State<Hands>, Json(order): Json<RecordEvent>) -> Json<Value> {
    let mut world = hands.shared.world();
    let event = world.record(order.event_type, order.event_data, order.entity_id);
    Json(json!(event))
}

async fn deliver_event(State(hands): State<Hands>, Json(delivery): Json<Delivery>) -> Answer {
    let delivered = deliver(&hands.shared, &delivery).await;
    Ok(Json(json!(delivered.map_err(Wrong::Order)?)))
}

async fn deliver_event_to_all(State(hands): State<Hands>, Json(order): Json<DeliveryToAll>) -> Answer {
    let delivered = deliver_to_all(&hands.shared, &order).await;
    Ok(Json(json!(delivered.map_err(Wrong::Order)?)))
}
