//! Imports in an order that no configuration can ask for.

use super::{ADDRESS, URL, with_account};
use crate::core::{ImportTarget, State};
use crate::fake_heygen::NewEndpoint;

#[tokio::test]
async fn the_warning_about_secrets_comes_with_the_first_import_that_succeeds() {
    let (core, heygen) = with_account().await;
    let endpoint = heygen.put_endpoint(NewEndpoint {
        url: URL.to_owned(),
        ..NewEndpoint::default()
    });
    let there = &*endpoint.endpoint_id;
    let warning = "The signing secret cannot be imported";
    for (id, said) in [
        ("ep_none", vec!["No such webhook endpoint"]),
        ("../ep", vec!["Not an endpoint id"]),
        (there, vec![warning]),
        (there, vec![]),
    ] {
        let mut state = State::new();
        let target = ImportTarget::Id(id.to_owned());
        let report = core.import(&mut state, ADDRESS, &target).await;
        let summaries: Vec<_> = report.about(ADDRESS).iter().map(|it| &*it.summary).collect();
        assert_eq!(summaries, said, "{id}");
    }
}
