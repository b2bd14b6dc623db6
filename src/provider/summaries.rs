//! What the provider has to say about its configuration, HeyGen and the endpoints there, by its summaries.

use crate::terraform::declare_summaries;

declare_summaries! {
    /// Every summary of this room.
    pub const SUMMARIES;

    // The provider block, and what it needs.
    NO_CREDENTIALS = "No HeyGen credentials";
    TWO_KINDS_OF_CREDENTIALS = "Two kinds of credentials";
    UNUSABLE_API_KEY = "Not a usable API key";
    UNUSABLE_ACCESS_TOKEN = "Not a usable access token";
    EXPIRED_ACCESS_TOKEN = "The access token has expired";
    UNREADABLE_CREDENTIALS_FILE = "The credentials file cannot be read";
    VARIABLE_NOT_TEXT = "An environment variable is not text";
    NOT_A_BASE_URL = "Not a base URL";
    NOT_A_NUMBER_OF_RETRIES = "Not a number of retries";
    NOT_A_DURATION = "Not a duration";
    NOT_CONFIGURED = "The provider is not configured";
    CONFIGURATION_NOT_KNOWN_YET = "The provider's configuration is not known yet";

    // The configuration of a resource.
    UNDELIVERABLE_URL = "Not a URL that HeyGen can deliver to";
    PERHAPS_UNREACHABLE_URL = "HeyGen may not reach this URL";
    NO_EVENTS = "No events";
    NOT_AN_EVENT_TYPE = "Not an event type";
    UNKNOWN_EVENT_TYPE = "Event type unknown to this provider";

    // Refresh and plan.
    NOT_REFRESHED = "Webhook endpoint not refreshed";
    ENDPOINT_GONE = "Webhook endpoint deleted outside of Terraform, or the credentials are of another account";
    ENDPOINT_NOT_READ_COMPLETELY = "Webhook endpoint not read completely";
    ENDPOINT_DISABLED = "Webhook endpoint is disabled";
    PERHAPS_REPLACED = "The disabled endpoint may have to be replaced";
    ROTATION_PLANNED = "The signing secret will be rotated";
    ROTATION_PERHAPS_PLANNED = "The signing secret may be rotated";
    ROTATION_PLANNED_AGAIN = "The signing secret will be rotated again";
    ID_IN_STATE_UNUSABLE = "Not an endpoint id in state";

    // Apply.
    CREATED_WITHOUT_SECRET = "Webhook endpoint created without a secret";
    CREATED_NOT_DESCRIBED = "Webhook endpoint created, but not described completely";
    CREATED_SECRET_LOST = "Webhook endpoint created, but its secret was lost";
    CREATED_ID_FOUND = "Webhook endpoint created, and its id found in the list";
    PERHAPS_CREATED = "Webhook endpoint perhaps created";
    ENDPOINT_VANISHED = "Webhook endpoint has vanished";
    ALL_EVENTS_NOT_CONFIRMED = "All events not confirmed";
    EVENTS_KEPT = "HeyGen kept the list of events";

    // Import, data sources and lists.
    SECRET_NOT_IMPORTED = "The signing secret cannot be imported";
    NOT_AN_ENDPOINT_ID = "Not an endpoint id";
    NO_SUCH_ENDPOINT = "No such webhook endpoint";
    NEITHER_ID_NOR_URL = "Neither id nor url is set";
    BOTH_ID_AND_URL = "Both id and url are set";
    SEVERAL_ENDPOINTS = "Several webhook endpoints have this URL";
    EMPTY_FILTER = "Empty filter";
    LISTED_WITHOUT_ID = "A webhook endpoint without a readable id";
    PERHAPS_NO_MATCH = "Webhook endpoint listed, though it may not match";
    NOT_CONFIGURABLE = "Webhook endpoint cannot be configured as it is";
    NOT_A_NUMBER_OF_EVENTS = "Not a number of events";

    // Calls that failed.
    CREDENTIALS_REJECTED = "HeyGen does not accept the credentials";
    PAYMENT_NEEDED = "HeyGen asks for payment";
    NOT_ALLOWED = "The call is not allowed";
    FOREIGN_404 = "A 404 without HeyGen's error code";
    ENDPOINT_NOT_KNOWN = "HeyGen does not know this endpoint";
    ACCOUNT_FULL = "The account has no room for another endpoint";
    RATE_LIMITED = "HeyGen limits the rate of calls";
    HEYGEN_FAILED = "HeyGen failed";
    REFUSED = "HeyGen refused the request";
    UNREACHABLE = "HeyGen cannot be reached";
    UNTRUSTED = "HeyGen's certificate is not trusted";
    UNTRUSTED_PROXY = "The proxy's certificate is not trusted";
    CLIENT_CERTIFICATE_WANTED = "A certificate of the client is asked for";
    NO_ANSWER = "HeyGen's answer did not arrive";
    UNINTELLIGIBLE_ANSWER = "HeyGen's answer cannot be understood";
    REDIRECTED = "HeyGen's answer points to another place";
    INTERRUPTED = "Interrupted";
    NO_ROOT_CERTIFICATES = "No root certificates on this machine";
    NO_NAMED_ROOT_CERTIFICATES = "No root certificates where the environment names them";
    NO_HTTP_CLIENT = "No HTTP client on this machine";
}
