//! Two accounts, a module for both, its test without an account, and the commands of CI.

use super::page::Guide;
use crate::fake_heygen::{FakeHeygen, Options};
use crate::support::engine::for_each_engine;

fn account(api_key: &str) -> FakeHeygen {
    FakeHeygen::start_with(Options {
        api_key: api_key.to_owned(),
        ..Options::default()
    })
    .unwrap()
}

for_each_engine! {
    fn each_account_gets_its_own_and_ci_applies_what_was_planned(tf: Workspace) {
        let (production, staging) = (account("key-of-production"), account("key-of-staging"));
        let tf = tf.with_env("TF_VAR_production_key", "key-of-production").with_env("TF_VAR_staging_key", "key-of-staging");
        let mut guide = Guide::open("accounts-modules-and-ci");
        guide.follow("Several accounts", &tf);
        // Readers have one HeyGen with both accounts; here each is a server.
        let at = |alias: &str, base_url: String| {
            format!("provider \"heygen\" {{\n  alias    = \"{alias}\"\n  base_url = \"{base_url}\"\n}}\n")
        };
        let elsewhere = at("production", production.base_url()) + &at("staging", staging.base_url());
        tf.write("accounts_override.tf", &elsewhere);

        guide.follow("A module", &tf);
        let of = |account: &FakeHeygen| account.endpoints().into_iter().map(|it| (it.url, it.events)).collect::<Vec<_>>();
        let events = ["avatar_video.success", "avatar_video.fail"].map(str::to_owned);
        let [(url, subscribed)] = &of(&production)[..] else { panic!("{:?}", of(&production)) };
        assert_eq!(url, "https://hooks.example.com/production");
        assert!(subscribed.as_ref().is_some_and(|names| events.iter().all(|name| names.contains(name))));
        assert_eq!(of(&staging), [("https://hooks.example.com/staging".to_owned(), None)]);

        let calls = || production.requests().len() + staging.requests().len();
        let before = calls();
        guide.follow("Test the module without an account", &tf);
        assert_eq!(calls(), before, "a mock calls nobody");

        guide.follow("In CI", &tf);
        guide.end(&[("In CI", "yaml")]);
    }
}
