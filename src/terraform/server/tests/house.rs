//! The provider: its resource does what the name of a door says.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::terraform::{
    AnyDataSource, AnyListResource, AnyResource, Attr, Attribute, DataSource, Diagnostic, Diagnostics, EarlierVersion,
    Function, HostVersion, IdentityAttribute, IdentitySchema, ImportTarget, ListResource, ListResult, Listed, Object,
    Outcome, Plan, Proposal, Provider, Resource, Results, Schema, Set, Stored, Type, Value, declare_summaries, model,
};

pub(super) const DOOR: &str = "house_door";
pub(super) const BELL: &str = "house_bell";

declare_summaries! {
    const _;
    GONE = "The door is gone";
    STUCK = "The door is stuck";
    MADE_HERE = "Doors are made here";
    LOST = "Nobody has a key";
    NO_FLOOR = "No floor";
    INTERRUPTED = "Interrupted";
    CREAKS = "It creaks";
    NO_NUMBER = "Doors without a number";
}

pub(super) fn door() -> Arc<dyn AnyResource> {
    Arc::new(Door)
}

model! {
    /// A door.
    pub(super) struct DoorModel {
        /// What it does.
        name: String,
        /// Who has a key.
        keys: Set<String>,
        /// Given by the house.
        number: String,
    }
}

model! {
    /// A door of version 1, whose keys were one text.
    struct DoorModel1 {
        /// What it does.
        name: String,
        /// Who has a key, with commas between.
        keys: String,
        /// Given by the house.
        number: String,
    }
}

/// What is remembered of a door.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DoorPrivate {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    oiled: bool,
}

pub(super) struct Door;

type StoredDoor = Stored<DoorModel, DoorPrivate>;

#[async_trait]
impl Resource for Door {
    type Model = DoorModel;
    type Private = DoorPrivate;

    fn type_name(&self) -> &'static str {
        DOOR
    }

    fn schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            let attributes = vec![
                Attribute::required("name", Type::String, ""),
                Attribute::optional("keys", Type::set(Type::String), "").sensitive(),
                Attribute::computed("number", Type::String, ""),
            ];
            Schema::new(2, "", attributes)
        });
        &SCHEMA
    }

    fn identity_schema(&self) -> &'static IdentitySchema {
        static SCHEMA: LazyLock<IdentitySchema> = LazyLock::new(|| {
            let number = IdentityAttribute {
                name: "number",
                ty: Type::String,
                description: "",
            };
            IdentitySchema::new(0, vec![number])
        });
        &SCHEMA
    }

    fn identity(&self, state: &DoorModel) -> Option<Object> {
        let number = state.number.known()?;
        Some([("number".into(), Value::String(number.clone()))].into())
    }

    fn validate(&self, _config: &DoorModel) -> Diagnostics {
        Diagnostics::none()
    }

    fn plan(&self, proposal: Proposal<DoorModel, DoorPrivate>) -> Plan<DoorModel> {
        let (number, config) = match proposal {
            Proposal::Create { config } => (Attr::Unknown, config),
            Proposal::Update { prior, config, .. } => (prior.state.number, config),
        };
        Plan {
            planned: DoorModel { number, ..config },
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::none(),
        }
    }

    async fn read(&self, stored: StoredDoor, _stop: &CancellationToken) -> Outcome<Option<StoredDoor>> {
        match named(&stored.state) {
            "gone" => Outcome::new(None, Diagnostic::warning(GONE, "")),
            "stuck" => Outcome::new(Some(renumbered(stored)), Diagnostic::error(STUCK, "")),
            "swapped" => Outcome::ok(Some(renumbered(stored))),
            "rotten" => panic!("on purpose"),
            _ => Outcome::ok(Some(stored)),
        }
    }

    async fn create(&self, planned: DoorModel, _stop: &CancellationToken) -> Outcome<Option<StoredDoor>> {
        let state = DoorModel {
            number: Attr::Known("8".to_owned()),
            ..planned
        };
        let private = DoorPrivate::default();
        Outcome::ok(Some(Stored { state, private }))
    }

    async fn update(&self, prior: StoredDoor, planned: DoorModel, _stop: &CancellationToken) -> Outcome<StoredDoor> {
        match named(&prior.state) {
            "stuck" => Outcome::new(prior, Diagnostic::error(STUCK, "")),
            "rotten" => panic!("on purpose"),
            _ => Outcome::ok(Stored {
                state: planned,
                private: DoorPrivate { oiled: true },
            }),
        }
    }

    async fn delete(&self, prior: StoredDoor, _stop: &CancellationToken) -> Diagnostics {
        match named(&prior.state) {
            "stuck" => Diagnostic::error(STUCK, "").into(),
            _ => Diagnostics::none(),
        }
    }

    async fn import(&self, _target: ImportTarget, _stop: &CancellationToken) -> Outcome<Option<StoredDoor>> {
        Outcome::new(None, Diagnostic::error(MADE_HERE, ""))
    }

    fn earlier_versions(&self) -> Vec<EarlierVersion<DoorModel>> {
        let attributes = vec![
            Attribute::required("name", Type::String, ""),
            Attribute::optional("keys", Type::String, ""),
            Attribute::computed("number", Type::String, ""),
        ];
        vec![EarlierVersion::new(
            &Schema::new(1, "", attributes),
            |old: DoorModel1| match old.keys.known().map(String::as_str) {
                Some("lost") => Err(Diagnostic::error(LOST, "")),
                _ => Ok(DoorModel {
                    name: old.name,
                    keys: old
                        .keys
                        .map(|keys| keys.split(',').map(str::to_owned).map(Attr::Known).collect()),
                    number: old.number,
                }),
            },
        )]
    }

    fn loss_of_private_data(&self) -> &'static str {
        "Without it the door squeaks."
    }
}

fn named(state: &DoorModel) -> &str {
    state.name.known().map_or("", String::as_str)
}

fn renumbered(stored: StoredDoor) -> StoredDoor {
    Stored {
        state: DoorModel {
            number: Attr::Known("9".to_owned()),
            ..stored.state
        },
        ..stored
    }
}

model! {
    /// Which doors are listed.
    pub(super) struct DoorFilter {
        /// What the list has: page after page with `|` between, and on each the numbers of doors with `,` between.
        numbers: String,
        /// Whether that is less than there is.
        floor: String,
        /// Given by the house.
        color: String,
    }
}

/// Lists the doors that its filter names.
pub(super) struct Doors;

#[async_trait]
impl ListResource for Doors {
    type Config = DoorFilter;
    type Model = DoorModel;

    fn type_name(&self) -> &'static str {
        DOOR
    }

    fn schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            let attributes = vec![
                Attribute::required("numbers", Type::String, ""),
                Attribute::optional("floor", Type::String, ""),
                Attribute::computed("color", Type::String, ""),
            ];
            Schema::new(0, "", attributes)
        });
        &SCHEMA
    }

    fn validate(&self, config: &DoorFilter) -> Diagnostics {
        let is_empty = config.floor.known().is_some_and(String::is_empty);
        is_empty
            .then(|| Diagnostic::error(NO_FLOOR, "").at("floor"))
            .into_iter()
            .collect()
    }

    fn is_filtered(&self, config: &DoorFilter) -> bool {
        !config.floor.is_null()
    }

    fn left_out(&self, known_as: &[Option<String>]) -> Diagnostic {
        let names = known_as.iter().map(|name| name.as_deref().unwrap_or("?"));
        Diagnostic::warning(NO_NUMBER, names.collect::<Vec<_>>().join(","))
    }

    async fn list(
        &self,
        config: DoorFilter,
        results: &mut Results<'_, DoorModel>,
        stop: &CancellationToken,
    ) -> Result<(), Diagnostics> {
        let numbers = config.numbers.into_known().unwrap_or_default();
        let mut pages = numbers.split('|').peekable();
        while let Some(page) = pages.next() {
            match page {
                "rotten" => panic!("on purpose"),
                "stuck" => return Err(Diagnostic::error(STUCK, "").at("floor").into()),
                "slow" => {
                    stop.cancelled().await;
                    return Err(Diagnostic::error(INTERRUPTED, "").into());
                }
                _ => {}
            }
            let listed = page.split(',').filter(|number| !number.is_empty()).map(listed);
            let goes_on = pages.peek().is_some();
            if results.page(listed.collect(), goes_on).await?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The door of a number; the one of a name with `?` in it has none.
fn listed(number: &str) -> Listed<ListResult<DoorModel>> {
    let known = |text: &str| Attr::Known(text.to_owned());
    let mut door = DoorModel {
        name: known("front"),
        keys: Attr::Null,
        number: known(number),
    };
    let mut identity = Value::String(number.to_owned());
    match number {
        name if name.contains('?') => {
            let known_as = Some(name.replace('?', "")).filter(|name| !name.is_empty());
            return Listed::Unidentified { known_as };
        }
        "nameless" => door.name = Attr::Unknown,
        "open" => door.keys = Attr::Known([known("mine")].into_iter().collect()),
        "anonymous" => identity = Value::Null,
        _ => {}
    }
    let warning = Diagnostic::warning(CREAKS, "").at("floor");
    Listed::Object(ListResult {
        identity: [("number".into(), identity)].into(),
        display_name: format!("door {number}"),
        object: Some(door),
        warnings: (number == "13").then_some(warning).into_iter().collect(),
    })
}

model! {
    /// A bell, and what is heard.
    pub(super) struct BellModel {
        /// Asked.
        button: String,
        /// Answered.
        sound: String,
    }
}

pub(super) struct Bell;

#[async_trait]
impl DataSource for Bell {
    type Model = BellModel;

    fn type_name(&self) -> &'static str {
        BELL
    }

    fn schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            let attributes = vec![
                Attribute::required("button", Type::String, ""),
                Attribute::computed("sound", Type::String, ""),
            ];
            Schema::new(0, "", attributes)
        });
        &SCHEMA
    }

    fn validate(&self, _config: &BellModel) -> Diagnostics {
        Diagnostics::none()
    }

    async fn read(&self, config: BellModel, _stop: &CancellationToken) -> Result<Outcome<BellModel>, Diagnostics> {
        Ok(Outcome::ok(config))
    }
}

model! {
    /// The provider block.
    pub(in crate::terraform::server) struct HouseModel {
        /// Where it is.
        street: String,
        /// Who lives there.
        owner: String,
    }
}

pub(in crate::terraform::server) struct House;

#[async_trait]
impl Provider for House {
    const API_NAME: &'static str = "the house";

    type Config = HouseModel;

    fn schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            let attributes = vec![
                Attribute::required("street", Type::String, ""),
                Attribute::computed("owner", Type::String, ""),
            ];
            Schema::new(0, "", attributes)
        });
        &SCHEMA
    }

    fn resources(&self) -> Vec<Arc<dyn AnyResource>> {
        vec![door()]
    }

    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>> {
        vec![Arc::new(Bell)]
    }

    fn list_resources(&self) -> Vec<Arc<dyn AnyListResource>> {
        vec![Arc::new(Doors)]
    }

    fn functions(&self) -> Vec<Box<dyn Function>> {
        Vec::new()
    }

    fn validate(&self, _config: &HouseModel) -> Diagnostics {
        Diagnostics::none()
    }

    async fn configure(&self, _config: HouseModel, _host: HostVersion) -> Diagnostics {
        Diagnostics::none()
    }
}
