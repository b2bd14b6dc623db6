//! `rotate_trigger`.

use super::{ADDRESS, endpoint, expect_current_secret, id_in_state, with_account};
use crate::fake_heygen::Route;
use crate::support::engine::for_each_engine;
use crate::support::plan::Action;

fn with_trigger(trigger: &str) -> String {
    endpoint(&format!(
        "url = \"https://hooks.example.com/heygen\"\nrotate_trigger = {trigger}"
    ))
}

for_each_engine! {
    fn a_new_trigger_rotates_and_only_the_secret_is_unknown(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &with_trigger("\"2026-10\""));
        tf.apply().none();
        assert!(heygen.requests_to(Route::Rotate).is_empty(), "at creation it is only recorded");
        let id = id_in_state(&tf);
        let first = heygen.endpoints()[0].secret.clone();

        tf.write("main.tf", &with_trigger("\"2026-11\""));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.unknown()), (Action::Update, vec!["secret"]));
        assert_eq!(a.changed(), ["rotate_trigger", "secret"]);
        plan.diagnostics().warning("The signing secret will be rotated").at(ADDRESS, "rotate_trigger").says("stops working at once");

        tf.apply_saved_plan();
        assert_eq!(id_in_state(&tf), id);
        assert_ne!(heygen.endpoints()[0].secret, first);
        expect_current_secret(&tf, &heygen);
        let rotations = heygen.requests_to(Route::Rotate);
        assert_eq!(rotations.len(), 1);
        assert!(rotations[0].idempotency_key.is_some());
        assert!(heygen.requests_to(Route::Update).is_empty());
    }

    fn a_trigger_set_for_the_first_time_rotates_and_a_removed_one_does_not(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &with_trigger("null"));
        tf.apply().none();
        let first = heygen.endpoints()[0].secret.clone();

        tf.write("main.tf", &with_trigger("\"\""));
        tf.apply();
        let second = heygen.endpoints()[0].secret.clone();
        assert_ne!(first, second);
        expect_current_secret(&tf, &heygen);

        tf.write("main.tf", &with_trigger("null"));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.changed()), (Action::Update, vec!["rotate_trigger"]));
        heygen.clear_requests();
        tf.apply().none();
        assert_eq!(heygen.endpoints()[0].secret, second);
        expect_current_secret(&tf, &heygen);
        assert!(heygen.requests().iter().all(|request| request.method == "GET"), "it only changes state");
    }

    fn a_rotation_comes_after_the_patch(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &with_trigger("\"1\""));
        tf.apply();
        heygen.clear_requests();
        tf.write("main.tf", &endpoint("url = \"https://hooks.example.com/v2\"\nrotate_trigger = \"2\""));
        tf.apply();
        let requests = heygen.requests();
        let changes: Vec<&str> = requests.iter().map(|r| r.method.as_str()).filter(|m| *m != "GET").collect();
        assert_eq!(changes, ["PATCH", "POST"]);
        expect_current_secret(&tf, &heygen);
    }
}
