//! Values that are known only during apply.

use super::{ADDRESS, endpoint, expect_current_secret, id_in_state, with_account};
use crate::fake_heygen::{FakeHeygen, Route};
use crate::support::diagnostics::Diagnostics;
use crate::support::engine::for_each_engine;
use crate::support::plan::Action;

/// A value that is unknown whenever `input` changes.
fn later(input: &str) -> String {
    format!("resource \"terraform_data\" \"later\" {{\n  input = {input}\n}}\n")
}

for_each_engine! {
    fn url_events_and_trigger_may_be_unknown_at_creation(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &(later(r#"{ url = "https://hooks.example.com/1", event = "batch.finished", trigger = "1" }"#) + &endpoint("
            url            = terraform_data.later.output.url
            events         = [terraform_data.later.output.event]
            rotate_trigger = terraform_data.later.output.trigger
        ")));
        let plan = tf.plan();
        assert_eq!(plan.resource(ADDRESS).action(), Action::Create);
        tf.apply().none();
        assert_eq!(heygen.endpoints()[0].url, "https://hooks.example.com/1");
        assert!(heygen.requests_to(Route::Rotate).is_empty());
        expect_current_secret(&tf, &heygen);
    }

    fn several_members_of_events_may_be_unknown(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        // An id is known to be no null, an output is not known to be anything: two unknown values that are told apart.
        let of = |event: &str, events: &str| format!("resource \"terraform_data\" \"a\" {{\n  input = \"{event}\"\n}}\n")
            + &later("\"video_agent.fail\"")
            + &endpoint(&format!("url = \"https://hooks.example.com/1\"\nevents = {events}"));
        let unknown = r#"[terraform_data.a.output, terraform_data.later.output, "batch.finished"]"#;
        tf.write("main.tf", &of("avatar_video.fail", unknown));
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Create);
        tf.apply().none();
        assert_eq!(heygen.endpoints()[0].events.as_ref().map(Vec::len), Some(3));

        tf.write("main.tf", &of("batch.finished", "[terraform_data.a.output, replace(terraform_data.b.id, \"/.*/\", \"avatar_video.fail\")]"));
        tf.write("b.tf", "resource \"terraform_data\" \"b\" {}\n");
        let plan = tf.plan();
        assert_eq!((plan.resource(ADDRESS).action(), plan.resource(ADDRESS).unknown()), (Action::Update, vec!["events"]));
        tf.apply().none();
        assert_eq!(heygen.endpoints()[0].events.as_ref().map(Vec::len), Some(2));
    }

    fn members_that_turn_out_to_be_the_ids_of_something_are_refused_by_heygen_and_not_by_the_engine(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &(later("\"batch.finished\"")
            + "resource \"terraform_data\" \"b\" {}\n"
            + &endpoint("url = \"https://hooks.example.com/1\"\nevents = [terraform_data.later.output, terraform_data.b.id]")));
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Create);
        let failed = tf.apply_expecting_failure();
        failed.error("HeyGen refused the request");
        assert!(heygen.endpoints().is_empty());
    }

    fn an_unknown_url_or_set_of_events_leaves_everything_else_known(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let of = |path: &str, event: &str| later(&format!(r#"{{ url = "https://hooks.example.com/{path}", events = ["{event}"] }}"#)) + &endpoint("
            url    = terraform_data.later.output.url
            events = terraform_data.later.output.events
        ");
        tf.write("main.tf", &of("1", "batch.finished"));
        tf.apply();
        let id = id_in_state(&tf);
        tf.write("main.tf", &of("2", "batch.finished"));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.unknown()), (Action::Update, vec!["events", "url"]));
        tf.apply().none();
        assert_eq!(id_in_state(&tf), id);
        assert_eq!(heygen.endpoints()[0].url, "https://hooks.example.com/2");
        expect_current_secret(&tf, &heygen);
    }

    fn an_unknown_trigger_rotates_only_if_its_value_really_changed(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let of = |number: u32, trigger: &str| later(&format!(r#"{{ number = {number}, trigger = "{trigger}" }}"#)) + &endpoint(r#"
            url            = "https://hooks.example.com/1"
            rotate_trigger = terraform_data.later.output.trigger
        "#);
        tf.write("main.tf", &of(1, "a"));
        tf.apply().none();
        let first = heygen.endpoints()[0].secret.clone();

        tf.write("main.tf", &of(2, "a"));
        let plan = tf.plan();
        assert_eq!(plan.resource(ADDRESS).unknown(), ["rotate_trigger", "secret"]);
        plan.diagnostics().warning("The signing secret may be rotated").at(ADDRESS, "rotate_trigger");
        tf.apply();
        assert!(heygen.requests_to(Route::Rotate).is_empty(), "the value is the same");
        assert_eq!(heygen.endpoints()[0].secret, first);
        expect_current_secret(&tf, &heygen);

        tf.write("main.tf", &of(3, "b"));
        tf.apply();
        assert_eq!(heygen.requests_to(Route::Rotate).len(), 1);
        expect_current_secret(&tf, &heygen);
    }

    fn an_unknown_entity_plans_a_replacement(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let of = |entity: &str| later(&format!("\"{entity}\"")) + &endpoint(r#"
            url       = "https://hooks.example.com/1"
            entity_id = terraform_data.later.output
        "#);
        tf.write("main.tf", &of("one"));
        tf.apply();
        tf.write("main.tf", &of("two"));
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Replace);
        tf.apply().none();
        assert_eq!(heygen.endpoints()[0].entity_id.as_deref(), Some("two"));
    }

    fn a_disabled_endpoint_is_not_replaced_on_a_guess(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let of = |number: u32, setting: bool| later(&format!("{{ number = {number}, setting = {setting} }}")) + &endpoint(r#"
            url                   = "https://hooks.example.com/1"
            replace_when_disabled = terraform_data.later.output.setting
        "#);
        tf.write("main.tf", &of(1, false));
        tf.apply().none();
        let id = id_in_state(&tf);
        heygen.disable_endpoint(&id);
        for (number, setting) in [(2, false), (3, true)] {
            tf.write("main.tf", &of(number, setting));
            let plan = tf.plan();
            assert_eq!(plan.resource(ADDRESS).action(), Action::Update);
            plan.diagnostics().warning("may have to be replaced").at(ADDRESS, "replace_when_disabled").says(&id);
            if setting && tf.engine().is_opentofu() {
                // It does not say that it applies, so it is told of the replacement, and refuses what was not planned.
                let refused = tf.spawn(&["apply", "-auto-approve", "-json"]).wait().expect_failure();
                let refused = Diagnostics::from_event_lines(&refused.stdout);
                refused.error("Provider produced inconsistent final plan");
            } else {
                tf.apply_unchecked();
            }
            assert_eq!(id_in_state(&tf), id, "{setting}");
            assert_eq!(heygen.endpoints().len(), 1);
            assert!(heygen.requests_to(Route::Delete).is_empty());
        }
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Replace);
        tf.apply();
        assert_ne!(id_in_state(&tf), id);
        expect_current_secret(&tf, &heygen);
    }

    fn an_api_key_from_another_resource_plans_as_far_as_no_call_is_needed(tf: Workspace) {
        let heygen = FakeHeygen::start();
        let tf = tf.with_env("HEYGEN_API_BASE", heygen.base_url());
        let of = |rotated: u32, path: &str| {
            later(&format!(r#"{{ key = "{}", rotated = {rotated} }}"#, heygen.api_key()))
                + "provider \"heygen\" {\n  api_key = terraform_data.later.output.key\n}\n"
                + &endpoint(&format!("url = \"https://hooks.example.com/{path}\""))
        };
        tf.write("main.tf", &of(1, "1"));
        let plan = tf.plan();
        assert_eq!(plan.resource(ADDRESS).action(), Action::Create);
        assert!(heygen.requests().is_empty());
        tf.apply().none();
        expect_current_secret(&tf, &heygen);

        heygen.clear_requests();
        tf.write("main.tf", &of(2, "2"));
        let plan = tf.plan();
        assert_eq!(plan.resource(ADDRESS).changed(), ["url"]);
        plan.diagnostics().warning("not refreshed").says("api_key").says(&id_in_state(&tf));
        assert!(heygen.requests().is_empty());
        tf.apply();
        assert_eq!(heygen.endpoints()[0].url, "https://hooks.example.com/2");
    }
}
