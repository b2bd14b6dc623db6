//! The secret is where the guide says, and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::page::Guide;
use super::with_installed_provider;
use crate::support::engine::for_each_engine;

for_each_engine! {
    fn the_secret_is_in_state_and_plans_and_reaches_the_receiver_without_an_output(tf: Workspace) {
        let (tf, heygen) = with_installed_provider(tf);
        let mut guide = Guide::open("where-the-secret-is");
        guide.follow("Where the secret is", &tf);
        guide.follow("Saved plans and state have it in clear text", &tf);
        let secret = || heygen.endpoints()[0].secret.clone();
        assert!(secret().starts_with("whsec_"), "or nothing was looked for");
        guide.follow("Keep the state encrypted", &tf);
        guide.follow("Hand it to a secret store, without an output", &tf);
        guide.follow("Hand it to a program", &tf);
        let handed_over = || {
            let file = tf.directory().join("receiver-secret");
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "for the receiver alone");
            fs::read_to_string(file).unwrap()
        };
        assert_eq!(handed_over(), format!("{}\n", secret()));
        let state = tf.state();
        let receiver = state.instance("terraform_data.receiver");
        assert!(!format!("{receiver:?}").contains(&secret()));
        tf.expect_nothing_to_do();

        // A rotation reaches the receiver by itself.
        let before = secret();
        let configuration = fs::read_to_string(tf.directory().join("main.tf")).unwrap();
        tf.write("main.tf", &configuration.replacen("url ", "rotate_trigger = \"1\"\n  url ", 1));
        let output = tf.run(&["apply", "-auto-approve"]).expect_success();
        assert_ne!(secret(), before);
        assert_eq!(handed_over(), format!("{}\n", secret()));
        assert!(!output.text().contains("whsec_"), "{output:?}");
        tf.expect_nothing_to_do();

        guide.end(&[
            ("Keep the state encrypted", "terraform"),
            ("Keep the state encrypted", "terraform"),
            ("Hand it to a secret store, without an output", "terraform"),
            ("Hand it to a secret store, without an output", "terraform"),
        ]);
    }
}
