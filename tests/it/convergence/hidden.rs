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
