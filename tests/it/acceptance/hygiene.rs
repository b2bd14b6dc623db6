//! What must never be seen: secrets in logs and messages, plugins that have to be killed.

use super::{ADDRESS, endpoint, expect_current_secret, with_account};
use crate::support::engine::for_each_engine;

for_each_engine! {
    fn no_secret_and_no_key_is_in_any_log_or_message(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let tf = tf.with_trace_log();
        let of = |trigger: u32| endpoint(&format!("url = \"https://hooks.example.com/heygen\"\nrotate_trigger = \"{trigger}\""));
        let mut said = String::new();
        let mut secrets = vec![heygen.api_key().to_owned()];
        for trigger in 1..=2 {
            tf.write("main.tf", &of(trigger));
            said += &tf.run_ready(&["apply", "-auto-approve"]).expect_success().text();
            expect_current_secret(&tf, &heygen);
            secrets.push(heygen.endpoints()[0].secret.clone());
        }
        // A refused key, and one that the server is fool enough to repeat.
        let tf = tf.with_env("HEYGEN_API_KEY", "wrong-key-5f2a");
        secrets.push("wrong-key-5f2a".to_owned());
        said += &tf.run(&["plan"]).expect_failure().text();
        tf.write("main.tf", &endpoint("url = \"https://jane:hunter22@hooks.example.com/\""));
        let refused = tf.run(&["validate", "-json"]).text();
        let details: Vec<&str> = refused.lines().filter(|line| line.contains("\"detail\"")).collect();
        assert!(!details.is_empty() && details.iter().all(|line| !line.contains("hunter22")), "{details:?}");

        let log = tf.log();
        let ours = log.lines().filter(|line| line.contains("HeyGen API call")).count();
        assert!(ours >= 4, "the provider's own lines are in the log");
        for secret in secrets {
            assert!(!log.contains(&secret), "a secret is in the log");
            assert!(!said.contains(&secret), "a secret is in the output");
        }
    }

    fn every_plugin_process_ends_by_itself(tf: Workspace) {
        let (tf, _heygen) = with_account(tf);
        let tf = tf.with_trace_log();
        tf.write("main.tf", &endpoint("url = \"https://hooks.example.com/heygen\""));
        tf.apply().none();
        let log = tf.log();
        let started = log.matches("plugin: plugin started").count().max(log.matches("plugin started").count());
        assert!(started >= 4, "schema, validate, plan and apply each have a process");
        assert_eq!(log.matches("plugin failed to exit gracefully").count(), 0);
        assert_eq!(log.matches("plugin process exited").count(), started, "each exited, none was killed");
        assert!(!log.contains("unexpected data"), "nothing but the handshake is on stdout");
        assert_eq!(tf.temporary_files(), [] as [std::path::PathBuf; 0], "sockets are cleaned up");
        assert!(tf.state().addresses().contains(&ADDRESS.to_owned()));
    }
}
