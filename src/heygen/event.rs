//! Events, as HeyGen describes them.

/// A kind of event that can be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    /// Such as `avatar_video.success`.
    pub name: String,
    /// What it says, in HeyGen's words; `None` where HeyGen has none for it.
    pub description: Option<String>,
}

/// One event of the delivery history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// HeyGen's `event_id`.
    pub id: String,
    /// Such as `avatar_video.success`.
    pub event_type: String,
    /// What the delivery held under `event_data`: the text of a JSON object, with its keys in alphabetical order.
    pub data: String,
    /// The moment, as received.
    pub created_at: String,
}

/// Which events of the history are meant. What is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those of this type.
    pub event_type: Option<String>,
    /// Only those of this entity.
    pub entity_id: Option<String>,
}
