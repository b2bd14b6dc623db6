//! What comes back of a callback, and how the receiver takes it.

use serde_json::{Map, Value, json};

use super::page::Guide;
use super::send;
use crate::fake_heygen::{FakeHeygen, NewEndpoint};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::terraform::Workspace;

#[test]
fn a_callback_is_taken_where_it_is_allowed_and_deliveries_are_verified_all_the_same() {
    let (tf, heygen) = (Workspace::new(Engine::from_path()), FakeHeygen::start());
    let endpoint = heygen.put_endpoint(NewEndpoint {
        url: "https://hooks.example.com/heygen".to_owned(),
        ..NewEndpoint::default()
    });
    tf.write("secrets", &endpoint.secret);
    let mut guide = Guide::open("webhooks-or-callbacks");

    let asked: Map<String, Value> = serde_json::from_str(&guide.take("Ask for one").text).unwrap();
    let suffix = guide.take("Ask for one").commands().remove(0);
    let suffix = tf.shell(&suffix, &[]).expect_success().stdout;
    let as_long = asked["callback_id"].as_str().unwrap().rsplit('-').next().unwrap().len();
    assert_eq!(suffix.trim().len(), as_long, "{suffix}");

    let told: Value = serde_json::from_str(&guide.take("What comes back").text).unwrap();
    assert_eq!(told["event_data"]["callback_id"], asked["callback_id"]);
    let command = guide.take("Receive it").commands().remove(0);
    let arguments = command.strip_prefix("python3 receiver.py ").unwrap();
    let mut receiver = Receiver::command();
    receiver.args(arguments.split(' ')).current_dir(tf.directory());
    let mut receiver = Receiver::start(receiver);
    let mut callback = json!({
        "endpoint_id": endpoint.endpoint_id,
        "via": format!("{}/heygen/callbacks", receiver.url()),
        "event_type": told["event_type"],
        "event_data": {"video_id": told["event_data"]["video_id"]},
        "callback_id": asked["callback_id"],
        "unsigned": true,
    });
    let delivered = send(&heygen, callback.clone());
    assert!(delivered.accepted, "{delivered:?}");
    assert_eq!(serde_json::from_str::<Value>(&delivered.body).unwrap(), told);
    let said = receiver.says();
    assert_eq!(
        (&said["signed"], &said["callback_id"]),
        (&json!(false), &asked["callback_id"])
    );

    // Without the callback_id it is no callback, and a delivery whose body was changed is refused as ever.
    callback["callback_id"] = Value::Null;
    assert!(!send(&heygen, callback.clone()).accepted);
    receiver.says();
    callback["unsigned"] = json!(false);
    assert!(send(&heygen, callback.clone()).accepted);
    assert_eq!(receiver.says()["signed"], true);
    callback["tampered"] = json!(true);
    assert!(!send(&heygen, callback).accepted);
    guide.end(&[]);
}
