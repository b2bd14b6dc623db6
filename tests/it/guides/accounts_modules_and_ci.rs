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
        let tf = tf.with_env("TF_VAR_production_key", "key-of-production");
        let tf = tf.with_env("TF_VAR_staging_key", "key-of-staging");
        let mut guide = Guide::open("accounts-modules-and-ci");
        guide.follow("Several accounts", &tf);
        // Readers have one HeyGen with both accounts; here each is a server.
        let at = |alias: &str, base_url: String| {
            format!("provider \"heygen\" {{\n  alias    = \"{alias}\"\n  base_url = \"{base_url}\"\n}}\n")
        };
        let elsewhere = at("production", production.base_url()) + &at("staging", staging.base_url());
        tf.write("accounts_override.tf", &elsewhere);

        guide.follow("A module", &tf);
        let mut production_has = production.endpoints().into_iter();
        let endpoint = production_has.next().unwrap();
        assert_eq!((endpoint.url.as_str(), production_has.next()), ("https://hooks.example.com/production", None));
        let mut events = endpoint.events.unwrap();
        events.sort();
        assert_eq!(events, ["avatar_video.fail", "avatar_video.success"]);
        let staging_has: Vec<_> = staging.endpoints().into_iter().map(|it| (it.url, it.events)).collect();
        assert_eq!(staging_has, [("https://hooks.example.com/staging".to_owned(), None)]);

        let calls = || production.requests().len() + staging.requests().len();
        let before = calls();
        guide.follow("Test the module without an account", &tf);
        assert_eq!(calls(), before, "a mock calls nobody");

        guide.follow("In CI", &tf);
        guide.end(&[("In CI", "yaml")]);
    }
}
