//! What no source says about the API: the provider copes with either answer.

use serde_json::{Value, json};

use super::{ADDRESS, endpoint, expect_current_secret, id_in_state, with_account};
use crate::fake_heygen::{AllEvents, Route, Timestamps, TrailingSlash, UrlSpelling};
use crate::support::engine::for_each_engine;
use crate::support::plan::Action;

const URL: &str = "url = \"https://hooks.example.com/heygen\"";

for_each_engine! {
    fn the_order_and_number_of_events_in_answers_do_not_matter(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|b| (b.shuffle_events, b.duplicate_events, b.extra_fields) = (true, true, true));
        tf.write("main.tf", &endpoint(&format!("{URL}\nevents = [\"video_agent.fail\", \"batch.finished\", \"avatar_video.fail\", \"video_agent.success\"]")));
        tf.apply().none();
        for _ in 0..3 {
            tf.plan().expect_empty();
        }
    }

    fn all_events_are_null_however_they_are_answered(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        for answered in [AllEvents::Null, AllEvents::Omitted, AllEvents::Listed] {
            heygen.behave(|b| (b.all_events, b.shuffle_events) = (answered, true));
            tf.write("main.tf", &endpoint(URL));
            tf.apply().none();
            assert_eq!(tf.state().instance(ADDRESS).attribute("events"), &Value::Null, "{answered:?}");

            tf.write("main.tf", &endpoint(&format!("{URL}\nevents = [\"batch.finished\"]")));
            tf.apply().none();
            heygen.clear_requests();
            tf.write("main.tf", &endpoint(URL));
            let plan = tf.plan();
            assert_eq!(plan.resource(ADDRESS).changed(), ["events"]);
            tf.apply().none();
            assert_eq!(heygen.requests_to(Route::Update)[0].body, Some(json!({"events": null})), "the null is explicit");
            assert_eq!(heygen.endpoints()[0].events, None);
            tf.destroy().none();
        }
    }

    fn a_server_that_keeps_its_list_is_an_error_that_names_the_remedy(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|b| b.patch_ignores_null_events = true);
        tf.write("main.tf", &endpoint(&format!("{URL}\nevents = [\"batch.finished\"]")));
        tf.apply();
        tf.write("main.tf", &endpoint(URL));
        let failed = tf.apply_expecting_failure();
        failed.error("kept the list of events").says("-replace");
        assert_eq!(tf.state().instance(ADDRESS).attribute("events"), &json!(["batch.finished"]), "state has what HeyGen has");
        assert_eq!(tf.plan().resource(ADDRESS).changed(), ["events"]);
        let replaced = tf.run(&["apply", "-auto-approve", &format!("-replace={ADDRESS}")]);
        assert_eq!(replaced.code(), Some(0), "{replaced:?}");
        tf.expect_nothing_to_do();
        expect_current_secret(&tf, &heygen);
    }

    fn a_url_that_heygen_spells_differently_is_no_drift_and_another_url_is(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let url = "https://Hooks.Example.com:443/heygen/";
        tf.write("main.tf", &endpoint(&format!("url = \"{url}\"")));
        for trailing_slash in [TrailingSlash::Removed, TrailingSlash::Added] {
            heygen.behave(|b| b.urls = UrlSpelling { lower_case_host: true, no_default_port: true, trailing_slash });
            tf.apply().none();
            tf.plan().expect_empty();
            assert_eq!(tf.state().instance(ADDRESS).text("url"), url, "the configured spelling stays");
        }
        heygen.edit_endpoint(&id_in_state(&tf), |e| "https://hooks.example.com/Heygen".clone_into(&mut e.url));
        assert_eq!(tf.plan().resource(ADDRESS).changed(), ["url"]);
    }

    fn a_timestamp_is_kept_as_received(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(URL));
        for (written, ends) in [(Timestamps::NakedMicroseconds, None), (Timestamps::Offset, Some("+00:00")), (Timestamps::Seconds, Some("Z"))] {
            heygen.behave(|b| b.timestamps = written);
            tf.apply().none();
            let created_at = tf.state().instance(ADDRESS).text("created_at").to_owned();
            match ends {
                Some(end) => assert!(created_at.ends_with(end), "{created_at}"),
                None => assert!(created_at.ends_with(|c: char| c.is_ascii_digit()), "{created_at}"),
            }
            tf.destroy().none();
        }
    }

    fn a_disabled_endpoint_warns_and_is_replaced_only_on_request(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(URL));
        tf.apply();
        let id = id_in_state(&tf);
        heygen.disable_endpoint(&id);

        let plan = tf.plan();
        assert_eq!(plan.changes(), []);
        plan.diagnostics().warning("Webhook endpoint is disabled").says("cannot re-enable").says(&id);
        tf.apply();
        assert_eq!(id_in_state(&tf), id);
        assert_eq!(tf.state().instance(ADDRESS).text("status"), "disabled");

        tf.write("main.tf", &endpoint(&format!("{URL}\nreplace_when_disabled = true")));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.replace_paths()), (Action::Replace, vec!["status".to_owned()]));
        tf.apply();
        assert_ne!(id_in_state(&tf), id);
        assert_eq!(tf.state().instance(ADDRESS).text("status"), "enabled");
        assert_eq!(heygen.endpoints().len(), 1);
        expect_current_secret(&tf, &heygen);
    }

    fn changing_replace_when_disabled_makes_no_call(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&format!("{URL}\nreplace_when_disabled = true")));
        tf.apply();
        heygen.clear_requests();
        tf.write("main.tf", &endpoint(&format!("{URL}\nreplace_when_disabled = false")));
        tf.apply().none();
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
        expect_current_secret(&tf, &heygen);
    }

    fn a_status_nobody_has_heard_of_passes_through(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|b| b.status_of_new = Some("paused".to_owned()));
        tf.write("main.tf", &endpoint(&format!("{URL}\nreplace_when_disabled = true")));
        tf.apply().none();
        assert_eq!(tf.state().instance(ADDRESS).text("status"), "paused");
    }

    fn a_refused_registration_says_that_the_receiver_must_be_up(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|b| b.unreachable_receivers = vec!["https://hooks.example.com/heygen".to_owned()]);
        tf.write("main.tf", &endpoint(URL));
        let failed = tf.apply_expecting_failure();
        failed.error("HeyGen refused the request").at(ADDRESS, "url").says("receiver must be up").says("request id");
        assert!(tf.state().addresses().is_empty());
        assert!(heygen.endpoints().is_empty());
    }
}
