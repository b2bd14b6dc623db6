//! What other runs make in the same account, and what may become of none of it.

use serde_json::json;

use super::{Scenario, Trouble};
use crate::convergence::Holdings;
use crate::fake_heygen::{
    Creation, Effect, Endpoint, FakeHeygen, Fault, NewEndpoint, Oddity, Route, Rule, Undecodable,
};

impl Scenario {
    /// Every endpoint that other runs made, as they made it.
    pub(in crate::convergence) fn foreign(&self, heygen: &FakeHeygen) -> Vec<Endpoint> {
        let twins = heygen.twins();
        self.neighbours.iter().cloned().chain(twins).collect()
    }

    /// Other runs have made endpoints whose items are odd.
    pub(in crate::convergence) fn add_neighbours(&mut self, heygen: &FakeHeygen) {
        if !self.troubles.meet(Trouble::OddNeighbours) {
            return;
        }
        for _ in 0..self.random.usize(1..=2) {
            let url = format!("https://neighbours.example.com/{}", self.neighbours.len());
            let neighbour = heygen.put_endpoint(NewEndpoint {
                url,
                ..NewEndpoint::default()
            });
            let oddity = self.random.choice(oddities()).and_then(|kind| self.random.choice(kind));
            heygen.make_odd(&neighbour.endpoint_id, oddity);
            self.neighbours.push(neighbour);
        }
    }

    /// HeyGen mends its list where something of ours is gone: an item without a readable id is no obstacle but to who
    /// looks for what is not there, and must say so then instead of taking it for gone.
    pub(in crate::convergence) fn mend_neighbours(&self, heygen: &FakeHeygen, held: &Holdings) {
        if held.values().any(|held| heygen.endpoint(&held.id).is_none()) {
            for neighbour in &self.neighbours {
                heygen.make_odd(&neighbour.endpoint_id, None);
            }
        }
    }

    /// Another run makes, before the next command, what this one may be about to make.
    pub(in crate::convergence) fn add_twin(&mut self, heygen: &FakeHeygen) {
        if self.troubles.meet(Trouble::TwinsBefore) && self.chance(0.5) {
            let name = self.any();
            let wanted = &self.wanted[&name];
            let events = wanted.events.as_ref();
            let twin = heygen.put_endpoint(NewEndpoint {
                url: wanted.url.clone(),
                events: events.map(|events| events.iter().map(|&name| name.to_owned()).collect()),
                entity_id: None,
            });
            self.neighbours.push(twin);
        }
    }

    /// What strikes one of the next creations beside chance, once in a while: a twin, and the loss of the answer, which
    /// would hardly ever come together by chance.
    ///
    /// A twin made during a creation comes only where that takes effect: one that does nothing beside a twin of the
    /// same second cannot be told from one that does, by anyone.
    pub(super) fn twins(&mut self) -> Vec<Rule> {
        let lost = |creation| match creation {
            Creation::Undone => Fault::Reset { effect: Effect::None },
            Creation::Answered | Creation::Lost => Fault::Reset { effect: Effect::Done },
        };
        let during = Fault::TwinDuring {
            creation: Creation::Lost,
        };
        let mut faults = Vec::new();
        if self.troubles.meet(Trouble::TwinsDuring) {
            faults.push((during, lost(Creation::Lost)));
        }
        if self.troubles.meet(Trouble::TwinsBefore) {
            // Of two clocks, the one shows for new what the other one shows to be older by less than they are apart.
            let most = if self.troubles.meet(Trouble::TwoClocks) {
                6_000
            } else {
                30_000
            };
            let ms = self.between(4_000, most);
            for creation in [Creation::Lost, Creation::Undone] {
                faults.push((Fault::TwinBefore { ms, creation }, lost(creation)));
            }
        }
        match self.random.choice(faults).filter(|_| self.random.bool()) {
            Some((twin, again)) => {
                let skip = self.random.u32(0..=2);
                vec![
                    Rule::on(Route::Create, twin).after(skip),
                    Rule::on(Route::Create, again).after(skip),
                ]
            }
            None => Vec::new(),
        }
    }
}

/// Everything that somebody else's item can be, short of what would make it another sound one, by kind.
fn oddities() -> [Vec<Oddity>; 4] {
    let instead = [json!(17), json!("an endpoint"), json!(null), json!([]), json!({})];
    let without = ["endpoint_id", "url", "status", "created_at"];
    let with = [
        ("endpoint_id", json!(null)),
        ("endpoint_id", json!(7)),
        ("endpoint_id", json!("")),
        ("endpoint_id", json!("../elsewhere")),
        ("url", json!(null)),
        ("url", json!(["https://neighbours.example.com"])),
        ("events", json!(7)),
        ("events", json!([null])),
        ("events", json!("batch.finished")),
        ("status", json!(null)),
        ("created_at", json!(1_751_371_200)),
    ];
    let fields = [
        "endpoint_id",
        "url",
        "events",
        "status",
        "created_at",
        "secret",
        "remark",
    ];
    let undecodable = Undecodable::ALL.into_iter().flat_map(|value| {
        let field = fields.map(|field| Oddity::undecodable(field, value));
        field.into_iter().chain([Oddity::Undecodable { field: None, value }])
    });
    [
        instead.map(Oddity::instead).into(),
        without.map(Oddity::without).into(),
        with.map(|(field, value)| Oddity::with(field, value)).into(),
        undecodable.collect(),
    ]
}
