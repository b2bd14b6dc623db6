//! A rotation by generations, with deliveries at every step of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{copy, pages};
use crate::fake_api::deliveries::signature_fits;
use crate::fake_heygen::{Delivered, EventIds, FakeHeygen, Route};
use crate::support::account::{named, with_account};
use crate::support::engine::for_each_engine;
use crate::support::http::{Request, Server, response};
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

const CONFIGURATION: &str = r#"
    variable "generations" { type = set(number) }
    module "hook" {
      source      = "./generations"
      url         = "https://hooks.example.com/heygen?team=studio"
      generations = var.generations
    }
    output "secrets" {
      value     = module.hook.secrets
      sensitive = true
    }
    output "endpoints" { value = module.hook.endpoints }
"#;

/// A receiver that accepts what any generation it knows has signed, and tells duplicates by what is in the event.
struct Receiver {
    server: Server,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    secrets: BTreeMap<String, String>,
    /// The secrets that it knows once it has refused a delivery.
    given_next: Option<BTreeMap<String, String>>,
    handled: Vec<Value>,
}

impl Receiver {
    fn start() -> Self {
        let known = Arc::new(Mutex::new(Known::default()));
        let receiving = Arc::clone(&known);
        let server = Server::answering(move |request| {
            let accepted = receiving.lock().unwrap().receive(request);
            response(if accepted { 204 } else { 401 }, "")
        });
        Self { server, known }
    }

    /// From now on it knows these secrets and no others.
    fn change_over(&self, secrets: &BTreeMap<String, String>) {
        self.known.lock().unwrap().secrets.clone_from(secrets);
    }

    /// It knows these secrets from the moment in which it has refused a delivery for want of one.
    fn change_over_after_a_refusal(&self, secrets: &BTreeMap<String, String>) {
        self.known.lock().unwrap().given_next = Some(secrets.clone());
    }

    /// The videos of the events handled, in order.
    fn handled(&self) -> Vec<String> {
        let known = self.known.lock().unwrap();
        let videos = known.handled.iter().map(|event| &event["event_data"]["video_id"]);
        videos.map(|video| video.as_str().unwrap().to_owned()).collect()
    }
}

impl Known {
    fn receive(&mut self, request: &Request) -> bool {
        let (_, generation) = request.path().split_once("&generation=").expect("a generation");
        let Some(secret) = self.secrets.get(generation) else {
            if let Some(secrets) = self.given_next.take() {
                self.secrets = secrets;
            }
            return false;
        };
        if !signature_fits(request, secret) {
            return false;
        }
        let event: Value = serde_json::from_slice(&request.body).unwrap();
        if !self.handled.contains(&event) {
            self.handled.push(event);
        }
        true
    }
}

/// What the configuration hands on after an apply.
#[track_caller]
fn apply(tf: &Workspace, generations: &Value) -> BTreeMap<String, String> {
    tf.write(
        "terraform.tfvars.json",
        &json!({ "generations": generations }).to_string(),
    );
    tf.apply_unchecked().none();
    serde_json::from_value(tf.outputs()["secrets"].clone()).unwrap()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// One event for all endpoints, whose ids are as the switch says.
fn deliver(heygen: &FakeHeygen, receiver: &Receiver, event_ids: EventIds, video: &str) -> Vec<Delivered> {
    heygen.behave(|it| it.event_ids = event_ids);
    let order = json!({
        "via": receiver.server.url(),
        "event_type": "avatar_video.success",
        "event_data": { "video_id": video },
        "attempts": 2,
    });
    now(heygen.deliver_to_all(&serde_json::from_value(order).unwrap())).unwrap()
}

/// Which deliveries were accepted, the first generation's first.
fn accepted(deliveries: &[Delivered]) -> Vec<bool> {
    deliveries.iter().map(|delivered| delivered.accepted).collect()
}

for_each_engine! {
    fn a_rotation_by_generations_loses_no_event_and_none_is_handled_twice(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|it| it.unique_urls = true);
        copy(&tf, "modules/generations", "generations");
        tf.write("main.tf", CONFIGURATION);
        let receiver = Receiver::start();
        let both_ways = [(EventIds::PerEvent, "one id"), (EventIds::PerEndpoint, "own ids")];

        // Before: one generation.
        let first = apply(&tf, &json!([1]));
        receiver.change_over(&first);
        for (event_ids, video) in both_ways {
            let delivered = deliver(&heygen, &receiver, event_ids, &format!("before, {video}"));
            assert_eq!(accepted(&delivered), [true]);
        }

        // Step 1: a second generation, of which the receiver does not know yet.
        let both = apply(&tf, &json!([1, 2]));
        assert_eq!(both["1"], first["1"]);
        assert_ne!(both["2"], first["1"]);
        for (event_ids, video) in both_ways {
            let delivered = deliver(&heygen, &receiver, event_ids, &format!("first step, {video}"));
            assert_eq!(accepted(&delivered), [true, false]);
            let one_id = delivered[0].event_id == delivered[1].event_id;
            assert_eq!(one_id, event_ids == EventIds::PerEvent);
        }

        tf.expect_nothing_to_do();

        // Step 2: the receiver is given both secrets, in the middle of an event and between events.
        for (event_ids, video) in both_ways {
            receiver.change_over(&first);
            receiver.change_over_after_a_refusal(&both);
            let delivered = deliver(&heygen, &receiver, event_ids, &format!("changing over, {video}"));
            assert_eq!(accepted(&delivered), [true, true]);
            assert_eq!(delivered[1].attempts.len(), 2, "what was refused comes again");
            let delivered = deliver(&heygen, &receiver, event_ids, &format!("second step, {video}"));
            assert_eq!(accepted(&delivered), [true, true]);
        }

        // Step 3: the first generation goes, and the receiver forgets it.
        let second = apply(&tf, &json!([2]));
        assert_eq!(second, BTreeMap::from([("2".to_owned(), both["2"].clone())]));
        receiver.change_over(&second);
        for (event_ids, video) in both_ways {
            let delivered = deliver(&heygen, &receiver, event_ids, &format!("after, {video}"));
            assert_eq!(accepted(&delivered), [true]);
        }

        assert_eq!(receiver.handled(), [
            "before, one id", "before, own ids",
            "first step, one id", "first step, own ids",
            "changing over, one id", "second step, one id",
            "changing over, own ids", "second step, own ids",
            "after, one id", "after, own ids",
        ]);
    }

    fn an_endpoint_that_is_there_becomes_the_first_generation_and_keeps_its_secret(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &named("billing", "url = \"https://hooks.example.com/billing\""));
        tf.apply().none();
        let before = heygen.endpoints().remove(0);

        copy(&tf, "modules/generations", "modules/generations");
        let page = pages::examples_of("generations");
        let [use_of_it, moved] = ["module \"billing\"", "moved {"].map(|start| {
            let found = page.iter().find(|block| block.starts_with(start));
            found.unwrap_or_else(|| panic!("the page has no {start}")).as_str()
        });
        tf.write("main.tf", &[use_of_it, moved].concat());
        tf.init();
        let plan = tf.plan();
        let address = "module.billing.heygen_webhook_endpoint.generation[\"1\"]";
        assert_eq!(plan.changes(), [(address, Action::Update)]);
        assert_eq!(plan.resource(address).changed(), ["url"]);
        tf.apply_saved_plan().none();
        let after = heygen.endpoints();
        assert_eq!(after.len(), 1);
        assert_eq!((&after[0].endpoint_id, &after[0].secret), (&before.endpoint_id, &before.secret));
        assert_eq!(after[0].url, "https://hooks.example.com/billing?generation=1");
        assert_eq!(tf.outputs()["billing_secrets"], json!({ "1": before.secret }));

        // The plan of what is there asks no more for the module's sake: both read the same list.
        heygen.clear_requests();
        tf.plan().expect_empty();
        assert_eq!(heygen.requests_to(Route::List).len(), 1);
    }

    fn the_only_generation_cannot_go_in_the_apply_that_makes_its_successor(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        copy(&tf, "modules/generations", "generations");
        tf.write("main.tf", CONFIGURATION);
        apply(&tf, &json!([1]));
        heygen.clear_requests();

        tf.write("terraform.tfvars.json", &json!({ "generations": [2] }).to_string());
        let url = "https://hooks.example.com/heygen?team=studio&generation=1";
        for diagnostics in [tf.plan_expecting_failure(), tf.apply_expecting_failure()] {
            let error = diagnostics.error("Resource postcondition failed");
            error.says(&format!("HeyGen delivers to {url}, and none of")).says("one of them in generations beside");
        }
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));

        // A successor that HeyGen has disabled is none.
        apply(&tf, &json!([1, 2]));
        let endpoints = heygen.endpoints();
        let successor = endpoints.iter().find(|it| it.url.ends_with("generation=2")).unwrap();
        heygen.disable_endpoint(&successor.endpoint_id);
        tf.write("terraform.tfvars.json", &json!({ "generations": [2] }).to_string());
        tf.plan_expecting_failure().error("Resource postcondition failed");
        tf.write("terraform.tfvars.json", &json!({ "generations": [1] }).to_string());
        tf.apply_unchecked();
        tf.write("terraform.tfvars.json", &json!({ "generations": [2] }).to_string());

        // Nothing is delivered to one that HeyGen has disabled, so nothing is lost with it.
        let id = heygen.endpoints()[0].endpoint_id.clone();
        heygen.disable_endpoint(&id);
        tf.apply_unchecked();
        let endpoints = heygen.endpoints();
        assert_eq!(endpoints.len(), 1);
        assert_eq!(endpoints[0].url, "https://hooks.example.com/heygen?team=studio&generation=2");

        // What is wanted no more can always be destroyed.
        tf.write("terraform.tfvars.json", &json!({ "generations": [3] }).to_string());
        tf.destroy();
        assert!(heygen.endpoints().is_empty());
    }
}
