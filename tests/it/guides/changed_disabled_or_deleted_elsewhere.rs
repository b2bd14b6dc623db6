//! Each change made elsewhere is seen, and each way out leads out.

use std::time::Duration;

use super::page::Guide;
use super::with_installed_provider;
use crate::fake_heygen::{Endpoint, FakeHeygen, Route};
use crate::support::engine::for_each_engine;

fn only_endpoint(heygen: &FakeHeygen) -> Endpoint {
    let mut endpoints = heygen.endpoints();
    assert_eq!(endpoints.len(), 1, "{endpoints:?}");
    endpoints.remove(0)
}

/// Somebody else chooses what the endpoint is for.
fn subscribe(heygen: &FakeHeygen, events: &[&str]) {
    let events = events.iter().map(|&name| name.to_owned()).collect();
    heygen.edit_endpoint(&only_endpoint(heygen).endpoint_id, |it| it.events = Some(events));
}

fn disable(heygen: &FakeHeygen) {
    assert!(heygen.disable_endpoint(&only_endpoint(heygen).endpoint_id));
}

for_each_engine! {
    fn what_happened_elsewhere_is_seen_and_there_is_a_way_out(tf: Workspace) {
        let (tf, heygen) = with_installed_provider(tf);
        let mut guide = Guide::open("changed-disabled-or-deleted-elsewhere");
        guide.follow("When something was changed, disabled or deleted elsewhere", &tf);
        let first = only_endpoint(&heygen);

        subscribe(&heygen, &["avatar_video.success", "batch.finished"]);
        guide.follow("Changed: put it back", &tf);
        let repaired = only_endpoint(&heygen);
        assert_eq!((&repaired.endpoint_id, &repaired.secret), (&first.endpoint_id, &first.secret));
        let mut events = repaired.events.unwrap();
        events.sort();
        assert_eq!(events, ["avatar_video.fail", "avatar_video.success"]);

        subscribe(&heygen, &["avatar_video.success", "avatar_video.fail", "batch.finished"]);
        guide.follow("Changed: keep it", &tf);
        subscribe(&heygen, &["personalized_video"]);
        guide.follow("Changed: leave it to others", &tf);
        subscribe(&heygen, &["avatar_video.success", "avatar_video.fail"]);

        disable(&heygen);
        guide.follow("Disabled", &tf);
        let second = only_endpoint(&heygen);
        assert_ne!(second.endpoint_id, first.endpoint_id);
        assert_eq!(second.status, "enabled");
        tf.apply();

        disable(&heygen);
        guide.follow("Disabled again", &tf);
        let third = only_endpoint(&heygen);
        assert_ne!(third.endpoint_id, second.endpoint_id);
        tf.expect_nothing_to_do();

        // What was created just now is waited for.
        heygen.advance(Duration::from_mins(3));
        heygen.remove_endpoint(&third.endpoint_id);
        guide.follow("Deleted", &tf);
        assert_ne!(only_endpoint(&heygen).endpoint_id, third.endpoint_id);

        guide.follow("Notice it early", &tf);
        tf.apply();
        disable(&heygen);
        let section = "What the schedule then finds";
        let (plan, says) = (guide.take(section), guide.take(section));
        says.expect_printed(&tf.shell(&plan.commands()[0], &[]).expect_failure());
        tf.run(&["apply", "-auto-approve", "-replace=heygen_webhook_endpoint.videos"]).expect_success();
        assert_eq!(only_endpoint(&heygen).status, "enabled");
        tf.expect_nothing_to_do();
        assert!(heygen.requests_to(Route::Rotate).is_empty());
        guide.end(&[]);
    }
}
