//! An account is adopted without any of its endpoints being changed, and what is left out is seen.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::page::Guide;
use super::with_installed_provider;
use crate::fake_heygen::{FakeHeygen, NewEndpoint, Route};
use crate::support::engine::{Version, for_each_engine};

fn made_by_hand(heygen: &FakeHeygen, path: &str, events: Option<&[&str]>, entity_id: Option<&str>) -> String {
    let new = NewEndpoint {
        url: format!("https://hooks.example.com/{path}"),
        events: events.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
        entity_id: entity_id.map(str::to_owned),
    };
    heygen.put_endpoint(new).endpoint_id
}

/// Whether nothing but reads has come since the last time.
fn only_read(heygen: &FakeHeygen) -> bool {
    let only_read = heygen.requests().iter().all(|request| request.method == "GET");
    heygen.clear_requests();
    only_read
}

for_each_engine! {
    fn an_account_is_adopted_as_it_is(tf: Workspace) {
        let (tf, heygen) = with_installed_provider(tf);
        let videos = made_by_hand(&heygen, "videos", Some(&["avatar_video.success", "avatar_video.fail"]), None);
        let project = made_by_hand(&heygen, "projects/7", Some(&["batch.finished"]), Some("project-7"));
        let all = made_by_hand(&heygen, "all", None, None);
        let as_it_was = heygen.endpoints();
        let mut guide = Guide::open("adopt-an-existing-account");
        let managed = || -> BTreeSet<String> {
            let state = tf.state();
            state.instances().map(|(_, instance)| instance.text("id").to_owned()).collect()
        };

        let section = "With terraform query";
        if tf.engine().version() >= Version(1, 14, 0) {
            guide.follow(section, &tf);
            assert_eq!(managed(), [videos.clone(), project.clone(), all.clone()].into());
            tf.expect_nothing_to_do();
            // Readers follow one of the two ways.
            for file in ["account.tfquery.hcl", "generated.tf", "terraform.tfstate"] {
                fs::remove_file(tf.directory().join(file)).unwrap();
            }
        } else {
            // The page says that it needs a newer one.
            while let Some(block) = guide.take_if_in(section) {
                if let Some(query) = block.commands().iter().find(|command| command.starts_with("terraform query")) {
                    let refused = tf.shell(query, &[]).expect_failure();
                    assert!(refused.text().contains("no command named \"query\""), "{refused:?}");
                }
            }
        }

        guide.follow("In any engine", &tf);
        assert_eq!(managed(), [videos.clone(), project.clone(), all.clone()].into());
        guide.follow("Write it down", &tf);
        tf.expect_nothing_to_do();
        guide.follow("What an import cannot know: the entity", &tf);
        tf.expect_nothing_to_do();
        assert!(only_read(&heygen));
        assert_eq!(format!("{:?}", heygen.endpoints()), format!("{as_it_was:?}"));

        guide.follow("A secret that Terraform knows", &tf);
        let state = tf.state();
        let secret = |id: &str| {
            let adopted = state.instance(&format!("heygen_webhook_endpoint.adopted[\"{id}\"]"));
            adopted.attribute("secret").clone()
        };
        assert_eq!(secret(&videos), heygen.endpoint(&videos).unwrap().secret);
        assert_eq!((secret(&project), secret(&all)), (Value::Null, Value::Null));
        assert_eq!(heygen.requests_to(Route::Rotate).len(), 1);
        tf.expect_nothing_to_do();
        heygen.clear_requests();

        let late = made_by_hand(&heygen, "late", Some(&["personalized_video"]), None);
        let section = "What is not managed yet";
        let (check, plan, warns) = (guide.take(section), guide.take(section), guide.take(section));
        tf.write(check.file().unwrap(), &check.text);
        let output = tf.shell(&plan.commands()[0], &[]).expect_success();
        warns.expect_printed(&output);
        let messages = output.messages();
        let (_, named) = messages.rsplit_once("Not managed here: ").unwrap();
        let ids = named.split(' ').filter(|word| word.starts_with("ep_"));
        assert_eq!(ids.collect::<Vec<_>>(), [&late], "{output:?}");

        let section = "A single one, by its id";
        let import = guide.take(section);
        tf.write(import.file().unwrap(), &import.text.replace("ENDPOINT_ID", &late));
        guide.follow(section, &tf);
        assert_eq!(managed(), [videos, project, all, late].into());
        assert!(only_read(&heygen));
        // The block has done its work, and what is null can go.
        fs::remove_file(tf.directory().join("import.tf")).unwrap();
        let found = fs::read_to_string(tf.directory().join("found.tf")).unwrap();
        let said = found.lines().filter(|line| !line.ends_with("= null"));
        tf.write("found.tf", &said.collect::<Vec<_>>().join("\n"));
        tf.expect_nothing_to_do();
        guide.end(&[(section, "terraform")]);
    }
}
