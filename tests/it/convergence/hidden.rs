//! What of a configuration is not known while it is planned, and known when it is applied.

use std::collections::BTreeSet;

use super::scenario::Wanted;

/// What is hidden of one endpoint's configuration in one command.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each attribute is hidden by itself")]
pub(super) struct Hidden {
    pub(super) url: bool,
    pub(super) events: HiddenEvents,
    pub(super) rotate_trigger: bool,
    pub(super) entity_id: bool,
    pub(super) replace_when_disabled: bool,
}

/// What is hidden of a set of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum HiddenEvents {
    #[default]
    Nothing,
    /// The set itself.
    Whole,
    /// These members. `repeated`: another one, which turns out to be one of them once more.
    Members {
        names: BTreeSet<&'static str>,
        repeated: bool,
    },
}

impl Hidden {
    /// Draws what is hidden of this configuration; often nothing.
    pub(super) fn draw(wanted: &Wanted, random: &mut fastrand::Rng) -> Self {
        let mut one_in = |n: u8| random.u8(0..n) == 0;
        if one_in(2) {
            return Self::default();
        }
        let (url, rotate_trigger, entity_id, replace_when_disabled) = (one_in(4), one_in(3), one_in(5), one_in(3));
        Self {
            url,
            events: HiddenEvents::draw(wanted, random),
            rotate_trigger,
            entity_id,
            replace_when_disabled,
        }
    }
}

impl HiddenEvents {
    fn draw(wanted: &Wanted, random: &mut fastrand::Rng) -> Self {
        match (random.u8(0..4), &wanted.events) {
            (0, _) => Self::Whole,
            (1 | 2, Some(events)) => {
                let names: BTreeSet<_> = events.iter().copied().filter(|_| random.bool()).collect();
                let repeated = !names.is_empty() && random.u8(0..4) == 0;
                Self::Members { names, repeated }
            }
            _ => Self::Nothing,
        }
    }
}

/// An endpoint of which everything is configured.
pub(super) fn all_of_it() -> Wanted {
    Wanted {
        url: "https://hooks.example.com/".to_owned(),
        events: Some(BTreeSet::from(["a", "b", "c"])),
        rotate_trigger: Some("1".to_owned()),
        entity_id: Some("one".to_owned()),
        replace_when_disabled: Some(true),
        imported: None,
    }
}

/// Everything is hidden, and events in this way.
pub(super) fn everything(events: HiddenEvents) -> Hidden {
    Hidden {
        url: true,
        events,
        rotate_trigger: true,
        entity_id: true,
        replace_when_disabled: true,
    }
}

/// One member is hidden, and another one that turns out to be the same.
pub(super) fn one_member_twice() -> HiddenEvents {
    HiddenEvents::Members {
        names: BTreeSet::from(["a"]),
        repeated: true,
    }
}

/// Whether something of a configuration is hidden.
type IsHidden = fn(&Hidden) -> bool;

/// How many members of events are hidden by themselves, and whether one is repeated.
fn members(hidden: &Hidden) -> (usize, bool) {
    match &hidden.events {
        HiddenEvents::Members { names, repeated } => (names.len(), *repeated),
        HiddenEvents::Nothing | HiddenEvents::Whole => (0, false),
    }
}

#[test]
fn each_attribute_is_hidden_at_times_and_events_in_each_way() {
    let wanted = all_of_it();
    let mut random = fastrand::Rng::with_seed(0);
    let drawn: Vec<Hidden> = (0..1_000).map(|_| Hidden::draw(&wanted, &mut random)).collect();
    let ways: [(&str, IsHidden); 9] = [
        ("nothing", |it| *it == Hidden::default()),
        ("url", |it| it.url),
        ("rotate_trigger", |it| it.rotate_trigger),
        ("entity_id", |it| it.entity_id),
        ("replace_when_disabled", |it| it.replace_when_disabled),
        ("events", |it| it.events == HiddenEvents::Whole),
        ("one member of events", |it| members(it) == (1, false)),
        ("several members of events", |it| members(it).0 > 1),
        ("a member of events that repeats another", |it| members(it).1),
    ];
    for (what, is_hidden) in ways {
        let often = drawn.iter().filter(|it| is_hidden(it)).count();
        assert!(often > 20, "{what}: {often} times");
    }
}
