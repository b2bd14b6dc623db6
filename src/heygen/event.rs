//! Events, as HeyGen describes them.

use super::Field;

/// A kind of event that can be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    /// Such as `avatar_video.success`.
    pub name: Field<String>,
    /// What the event means, in HeyGen's words; not all types have a description.
    pub description: Field<String>,
}

/// One event of the delivery history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// HeyGen's `event_id`.
    pub id: Field<String>,
    /// Such as `avatar_video.success`.
    pub event_type: Field<String>,
    /// What the delivery held under `event_data`: the text of a JSON object, with its keys in alphabetical order.
    pub data: Field<String>,
    /// The moment, as received.
    pub created_at: Field<String>,
}

/// Which events of the history to read. A field that is `None` does not restrict them.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those of this type.
    pub event_type: Option<String>,
    /// Only those of this entity.
    pub entity_id: Option<String>,
}
