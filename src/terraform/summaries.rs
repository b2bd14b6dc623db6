//! What the protocol's side of the provider has to say, by its summaries.

use super::summary::declare_summaries;

declare_summaries! {
    /// Every summary of this room.
    pub const SUMMARIES;
    MISSING_ARGUMENT = "Missing required argument";
    READ_ONLY_ATTRIBUTE = "Read-only attribute is set";
    UNREADABLE_STATE = "The stored state cannot be read";
    STATE_OF_UNKNOWN_VERSION = "State of an unknown version";
    IDENTITY_OF_UNKNOWN_VERSION = "Identity of an unknown version";
    UNREADABLE_PRIVATE_DATA = "The private data in state cannot be read";
    NEWER_PRIVATE_DATA = "Private data of a newer provider";
    NO_MOVE = "Objects of another type cannot be moved here";
    NO_GENERATED_CONFIGURATION = "No configuration can be generated";
    NOT_IN_THIS_VERSION = "Not in this version of the provider";
    PROTOCOL = "Terraform and the provider do not understand each other";
    PROVIDER_BUG = "The provider made a mistake";
    CRASHED = "The provider crashed";
}
