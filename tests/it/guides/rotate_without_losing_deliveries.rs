//! While one endpoint replaces another, each event is taken exactly once.

use super::page::Guide;
use super::{deliver, with_installed_provider};
use crate::fake_heygen::{FakeHeygen, Route};
use crate::support::engine::for_each_engine;
use crate::support::receiver::Receiver;

/// Delivers an event and answers whether the receiver took it as one that is new; `None` where it refused it.
fn taken(heygen: &FakeHeygen, receiver: &mut Receiver, endpoint_id: &str, event: &str) -> Option<bool> {
    let delivered = deliver(heygen, endpoint_id, receiver.url(), event);
    let said = receiver.says();
    assert_eq!(delivered.accepted, said["accepted"].is_string(), "{delivered:?}");
    said["repeated"].as_bool().map(|repeated| !repeated)
}

for_each_engine! {
    fn no_event_is_lost_and_none_is_taken_twice(tf: Workspace) {
        let (tf, heygen) = with_installed_provider(tf);
        let mut receiver = Receiver::with_secrets_in(&tf.directory().join("secrets"));
        let ids = || heygen.endpoints().into_iter().map(|it| it.endpoint_id).collect::<Vec<_>>();
        let mut guide = Guide::open("rotate-without-losing-deliveries");

        guide.follow("Where it begins", &tf);
        let first = ids().remove(0);
        assert_eq!(taken(&heygen, &mut receiver, &first, "before"), Some(true));

        heygen.clear_requests();
        guide.follow("Make room for a second endpoint", &tf);
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
        guide.follow("Add the second endpoint", &tf);
        let second = ids().remove(1);
        assert_eq!(ids(), [&*first, &*second]);
        // The receiver has only the first one's secret.
        assert_eq!(taken(&heygen, &mut receiver, &second, "early"), None);
        assert_eq!(taken(&heygen, &mut receiver, &first, "early"), Some(true));

        guide.follow("Hand over both secrets", &tf);
        assert_eq!(taken(&heygen, &mut receiver, &second, "early"), Some(false));
        assert_eq!(taken(&heygen, &mut receiver, &second, "between"), Some(true));
        assert_eq!(taken(&heygen, &mut receiver, &first, "between"), Some(false));
        assert_eq!(taken(&heygen, &mut receiver, &first, "between"), Some(true), "the same again is another event");

        guide.follow("Remove the first endpoint", &tf);
        assert_eq!(ids(), [&*second]);
        assert_eq!(taken(&heygen, &mut receiver, &second, "after"), Some(true));
        tf.expect_nothing_to_do();
        assert!(heygen.requests_to(Route::Rotate).is_empty());

        let before = heygen.endpoints()[0].secret.clone();
        guide.follow("When the secret has leaked", &tf);
        assert_eq!(ids(), [&*second]);
        assert_ne!(heygen.endpoints()[0].secret, before);
        assert_eq!(taken(&heygen, &mut receiver, &second, "after the leak"), Some(true));
        let secrets = std::fs::read_to_string(tf.directory().join("secrets")).unwrap();
        assert_eq!(secrets, heygen.endpoints()[0].secret, "nothing is left of the old one");
        tf.expect_nothing_to_do();
        guide.end(&[]);
    }
}
