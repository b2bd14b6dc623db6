//! The client under a limit of HeyGen's rate, with a clock that jumps to the next thing to happen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Act, Scripted, id};
use crate::heygen::call::Caller;
use crate::heygen::request::{IdempotencyKey, Request};
use crate::heygen::retry::Backoff;
use crate::heygen::{Client, Effect, Fault, Stop, Timing};

fn ok() -> Act {
    Act::ok(&json!({}))
}

fn limited(retry_after: Option<&str>) -> Act {
    let refusal = Act::error(429, "rate_limit_exceeded");
    match retry_after {
        None => refusal,
        Some(asked) => refusal.with_header("retry-after", asked),
    }
}

/// A server that says when it was asked for which endpoint.
struct Logged {
    server: Scripted,
    log: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Logged {
    /// Each answer takes 10 ms. `script` is given how many requests were there before.
    fn new(mut script: impl FnMut(usize) -> Act + Send + 'static) -> Self {
        let (log, began) = (Arc::<Mutex<Vec<(u64, String)>>>::default(), Instant::now());
        let logged = log.clone();
        let server = Scripted::new(move |request| {
            let mut log = logged.lock().unwrap();
            let asked = name(request);
            log.push((millis(began.elapsed()), asked));
            script(log.len() - 1).after(Duration::from_millis(10))
        });
        Self { server, log }
    }

    fn log(&self) -> Vec<(u64, String)> {
        self.log.lock().unwrap().clone()
    }

    fn times(&self) -> Vec<u64> {
        self.log().into_iter().map(|(at, _)| at).collect()
    }
}

/// The endpoint that a request is about.
fn name(request: &Request) -> String {
    let endpoint = request.operation.endpoint();
    endpoint.map_or_else(|| "none".to_owned(), |id| id.as_str().to_owned())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

/// A client without jitter.
fn client(server: &Scripted) -> Client {
    let caller = Caller {
        backoff: Backoff::new(Timing::default(), || 0.0),
        ..server.caller(4)
    };
    Client::with_parts(caller, IdempotencyKey::random)
}

async fn delete(client: &Client, endpoint: &str) {
    client.delete(&id(endpoint), &Stop::new()).await.unwrap();
}

/// Deletes these at once.
async fn delete_all(client: &Client, endpoints: impl IntoIterator<Item = String>) {
    let mut all = JoinSet::new();
    for endpoint in endpoints {
        let client = client.clone();
        all.spawn(async move { delete(&client, &endpoint).await });
    }
    all.join_all().await;
}

fn named(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("ep_{number}"))
}

#[tokio::test(start_paused = true)]
async fn without_a_refusal_nothing_waits() {
    let server = Logged::new(|number| match number {
        // None of these says anything about a rate.
        3 => Act::error(503, "busy").with_header("retry-after", "7"),
        4 => Act::error(429, "resource_limit_reached").with_header("retry-after", "7"),
        _ => ok(),
    });
    let client = client(&server.server);
    delete_all(&client, named(3)).await;
    let busy = tokio::spawn({
        let client = client.clone();
        async move { delete(&client, "ep_busy").await }
    });
    sleep(Duration::from_millis(90)).await;
    let full = client.delete(&id("ep_full"), &Stop::new()).await.unwrap_err();
    assert_eq!(full.attempts, 1);
    delete_all(&client, named(2)).await;
    busy.await.unwrap();
    assert_eq!(server.times(), [0, 0, 0, 10, 100, 110, 110, 7020]);
}

#[tokio::test(start_paused = true)]
async fn one_refusal_makes_everybody_wait_and_then_they_go_one_by_one() {
    let server = Logged::new(|number| if number == 4 { limited(Some("2")) } else { ok() });
    let client = client(&server.server);
    delete_all(&client, named(4)).await;
    let refused = tokio::spawn({
        let client = client.clone();
        async move { delete(&client, "ep_refused").await }
    });
    sleep(Duration::from_millis(500)).await;
    delete_all(&client, named(3)).await;
    refused.await.unwrap();
    let log = server.log();
    // Refused at 20 ms, after four requests were accepted in the two seconds that it asks for.
    let times: Vec<u64> = log.iter().map(|(at, _)| *at).collect();
    assert_eq!(&times[..6], [0, 0, 0, 0, 10, 2020]);
    assert_eq!(log[5].1, "ep_refused", "it goes first");
    let apart: Vec<u64> = times[6..]
        .iter()
        .zip(&times[5..])
        .map(|(later, earlier)| later - earlier)
        .collect();
    assert_eq!((apart.len(), apart[0]), (3, 500), "{times:?}");
    assert!(
        apart.is_sorted_by(|one, next| one >= next) && apart[2] > 300,
        "{times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_most_often_goes_first() {
    // The second request is refused twice, the third once, and then others come.
    let mut refusals = [("ep_twice", 2), ("ep_once", 1)];
    let log = Arc::<Mutex<Vec<String>>>::default();
    let logged = log.clone();
    let server = Scripted::new(move |request| {
        let asked = name(request);
        logged.lock().unwrap().push(asked.clone());
        let left = refusals.iter_mut().find(|(name, _)| *name == asked);
        match left {
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                limited(Some("1"))
            }
            _ => ok(),
        }
    });
    let client = client(&server);
    delete_all(&client, named(2)).await;
    let mut all = JoinSet::new();
    for (endpoint, at) in [("ep_twice", 0), ("ep_fresh", 100), ("ep_once", 1000), ("ep_late", 1100)] {
        let client = client.clone();
        all.spawn(async move {
            sleep(Duration::from_millis(at)).await;
            delete(&client, endpoint).await;
        });
    }
    all.join_all().await;
    let asked = log.lock().unwrap().split_off(2);
    assert_eq!(
        asked,
        [
            "ep_twice", "ep_twice", "ep_twice", "ep_fresh", "ep_once", "ep_once", "ep_late"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn one_request_alone_waits_no_longer_than_its_own_wait() {
    for (asked, waits) in [(Some("3"), 3000), (None, 0)] {
        let server = Logged::new(move |number| if number == 1 { limited(asked) } else { ok() });
        let client = client(&server.server);
        delete(&client, "ep_1").await;
        delete(&client, "ep_2").await;
        assert_eq!(server.times(), [0, 10, 20 + waits]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_is_never_longer_than_the_longest_between_attempts() {
    // A single request is accepted before, so that a long queue goes slowly.
    let server = Logged::new(|number| match number {
        1..=20 => limited(Some("29")),
        _ => ok(),
    });
    let client = client(&server.server);
    delete(&client, "ep_first").await;
    delete_all(&client, named(20)).await;
    let log = server.log();
    for (at, endpoint) in &log[1..21] {
        let again = log[21..].iter().find(|(_, again)| again == endpoint).unwrap().0;
        let waited = again - at;
        assert!((29_000..=30_020).contains(&waited), "{endpoint}: {waited}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_a_turn_at_once_and_tells_the_truth() {
    let server = Logged::new(|_| limited(Some("25")));
    let client = client(&server.server);
    let (stop, began) = (Stop::new(), Instant::now());
    let fails = |endpoint: &'static str, after: u64| {
        let (client, stop) = (client.clone(), stop.clone());
        async move {
            sleep(Duration::from_millis(after)).await;
            client.delete(&id(endpoint), &stop).await.unwrap_err()
        }
    };
    let stopping = async {
        sleep(Duration::from_secs(2)).await;
        stop.cancel();
    };
    let (refused, fresh, read, ()) = tokio::join!(
        fails("ep_refused", 0),
        fails("ep_fresh", 1000),
        async {
            sleep(Duration::from_secs(1)).await;
            client.list(&stop).await.unwrap_err()
        },
        stopping
    );
    assert_eq!(millis(began.elapsed()), 2000);
    assert_eq!(server.times(), [0], "nothing was sent meanwhile");
    for waited in [&fresh, &read] {
        assert_eq!(
            (&waited.fault, waited.attempts, waited.effect),
            (&Fault::STOPPED, 0, Effect::None)
        );
    }
    assert_eq!(fresh.to_string(), "deleting webhook endpoint ep_fresh: interrupted");
    assert_eq!(
        refused.to_string(),
        "deleting webhook endpoint ep_refused: interrupted; before that: the API answered 429 \
         rate_limit_exceeded: so it is"
    );
    assert_eq!((refused.attempts, refused.effect), (1, Effect::None));
    // Who left the queue holds nobody up.
    let next = async { client.delete(&id("ep_next"), &Stop::new()).await };
    let _ = tokio::time::timeout(Duration::from_secs(24), next).await;
    assert_eq!(server.log()[1], (25_010, "ep_next".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn it_speeds_up_and_is_forgotten_after_a_while() {
    let server = Logged::new(|number| if number == 2 { limited(Some("1")) } else { ok() });
    let client = client(&server.server);
    delete_all(&client, named(2)).await;
    delete(&client, "ep_refused").await;
    delete_all(&client, named(30)).await;
    let times = server.times();
    // At first the spacing is half a second, and the rate doubles in every second.
    let apart: Vec<u64> = times[4..]
        .iter()
        .zip(&times[3..])
        .map(|(later, earlier)| later - earlier)
        .collect();
    assert_eq!((apart.len(), apart[0]), (30, 500), "{times:?}");
    assert!(apart.is_sorted_by(|one, next| *one + 1 >= *next), "{times:?}");
    let took = times.last().unwrap() - times[3];
    assert!((3000..5000).contains(&took), "{times:?}");

    sleep(Duration::from_secs(25)).await;
    let at = server.log().len();
    delete_all(&client, named(3)).await;
    let times = server.times().split_off(at);
    assert_ne!(times[0], times[2], "it is still remembered: {times:?}");
    sleep(Duration::from_secs(30)).await;
    let at = server.log().len();
    delete_all(&client, named(3)).await;
    let times = server.times().split_off(at);
    assert_eq!(times[0], times[2], "it is forgotten: {times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_for_ever_is_given_up_in_about_the_time_of_one_call() {
    for accepted in [0, 3] {
        let server = Logged::new(move |number| if number < accepted { ok() } else { limited(Some("1")) });
        let client = client(&server.server);
        delete_all(&client, named(accepted)).await;
        let began = Instant::now();
        let mut all = JoinSet::new();
        for endpoint in named(50) {
            let client = client.clone();
            all.spawn(async move { client.delete(&id(&endpoint), &Stop::new()).await.unwrap_err().attempts });
        }
        let attempts = all.join_all().await;
        assert!(attempts.iter().all(|it| *it == 5), "{attempts:?}");
        let took = began.elapsed().as_secs_f64();
        assert!((4.0..7.0).contains(&took), "{took}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_polls_does_not_hold_up_the_others_for_long() {
    let server = Logged::new(|number| if number == 1 { limited(Some("2")) } else { ok() });
    let client = client(&server.server);
    delete(&client, "ep_first").await;
    let refused = tokio::spawn({
        let client = client.clone();
        async move { delete(&client, "ep_refused").await }
    });
    sleep(Duration::from_millis(100)).await;
    let (endpoint, stop) = (id("ep_left_alone"), Stop::new());
    let left_alone = Box::pin(client.delete(&endpoint, &stop));
    let Either::Left(((), left_alone)) = select(Box::pin(sleep(Duration::from_millis(1))), left_alone).await else {
        panic!("it has to wait");
    };
    refused.await.unwrap();
    delete(&client, "ep_behind_it").await;
    // The refused one goes after 2 s, the next after another 2 s, and this one a second later.
    assert_eq!(
        server.log()[2..],
        [(2020, "ep_refused".to_owned()), (5020, "ep_behind_it".to_owned())]
    );
    left_alone.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn more_accepted_requests_than_are_remembered_are_no_lower_rate() {
    let server = Logged::new(|number| if number == 400 { limited(Some("30")) } else { ok() });
    let client = client(&server.server);
    // One after the other, 10 ms each, and all of them within the half minute that is asked for.
    for endpoint in named(401) {
        delete(&client, &endpoint).await;
    }
    delete_all(&client, named(3)).await;
    let times = server.times().split_off(401);
    let apart: Vec<u64> = times[1..]
        .iter()
        .zip(&times)
        .map(|(later, earlier)| later - earlier)
        .collect();
    assert!(apart.iter().all(|apart| (9..=11).contains(apart)), "{apart:?}");
}

/// A limit as APIs have it.
struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self) -> bool {
        let come = self.at.elapsed().as_secs_f64() * self.per_second;
        (self.at, self.tokens) = (Instant::now(), (self.tokens + come).min(self.burst));
        let is_there = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(is_there));
        is_there
    }
}

/// Lets `processes` of ten workers each delete 200 endpoints in all, ten in a second. Answers the time it took, as a
/// share of what the limit allows, and the most attempts that one of them needed.
async fn under_a_limit(processes: u64, latency: Duration, seed: u64) -> (f64, u32) {
    let mut bucket = Bucket {
        per_second: 10.0,
        burst: 10.0,
        tokens: 10.0,
        at: Instant::now(),
    };
    let attempts = Arc::<Mutex<BTreeMap<String, u32>>>::default();
    let counted = attempts.clone();
    let server = Scripted::new(move |request| {
        *counted.lock().unwrap().entry(name(request)).or_default() += 1;
        if bucket.take() { ok() } else { limited(Some("1")) }.after(latency)
    });
    let began = Instant::now();
    let mut all = JoinSet::new();
    for process in 0..processes {
        let random = Mutex::new(fastrand::Rng::with_seed(seed * 10 + process));
        let caller = Caller {
            backoff: Backoff::new(Timing::default(), move || random.lock().unwrap().f64()),
            ..server.caller(4)
        };
        let client = Client::with_parts(caller, IdempotencyKey::random);
        let workers = Arc::new(Semaphore::new(10));
        for number in 0..200 / processes {
            let (client, workers) = (client.clone(), workers.clone());
            all.spawn(async move {
                let _working = workers.acquire().await.unwrap();
                delete(&client, &format!("ep_{process}_{number}")).await;
            });
        }
    }
    all.join_all().await;
    let most = attempts.lock().unwrap().values().copied().max().unwrap();
    (began.elapsed().as_secs_f64() / 19.0, most)
}

#[tokio::test(start_paused = true)]
async fn two_hundred_calls_take_what_the_limit_allows_and_few_attempts() {
    for latency in [5, 50, 100].map(Duration::from_millis) {
        for processes in [1, 2] {
            let mut runs = Vec::new();
            for seed in 0..15 {
                runs.push(under_a_limit(processes, latency, seed).await);
            }
            runs.sort_by(|one, other| one.0.total_cmp(&other.0));
            let most = runs.iter().map(|(_, attempts)| *attempts).max().unwrap();
            let (median, worst) = (runs[7].0, runs[14].0);
            // Processes know nothing of each other, and one that is left alone has to find that out.
            let bounds = if processes == 1 { (1.1, 1.15, 3) } else { (1.25, 1.4, 4) };
            assert!(
                median < bounds.0 && worst < bounds.1 && most <= bounds.2,
                "{processes} processes, {latency:?}: {runs:?}"
            );
        }
    }
}
