//! Filters: what may be asked with one, and which endpoints they let through.

use crate::heygen::{Field, ListItem};
use crate::provider::summaries;
use crate::terraform::{Attr, Diagnostic};

/// An empty filter would let nothing through, or everything.
pub(super) fn refuse_empty(filter: &Attr<String>, attribute: &str) -> Option<Diagnostic> {
    let empty = filter.known().is_some_and(String::is_empty);
    empty.then(|| {
        Diagnostic::error(
            summaries::EMPTY_FILTER,
            format!("{attribute} must not be empty. Omit it to have everything."),
        )
        .at(attribute)
    })
}

/// Which endpoints are wanted: those that all filters let through that are set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EndpointFilter<'a> {
    url_prefix: Option<&'a str>,
    event: Option<&'a str>,
    status: Option<&'a str>,
}

/// Whether an endpoint is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    No,
    /// What this filter asks about cannot be read.
    NotKnown(Unreadable),
}

/// A filter that could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) filter: &'static str,
    /// The attribute that it asks about.
    pub(super) attribute: &'static str,
}

impl<'a> EndpointFilter<'a> {
    /// Those whose URL, as HeyGen spells it, begins with this. Every URL begins with nothing.
    pub(super) fn url_prefix(self, prefix: &'a Attr<String>) -> Self {
        let prefix = prefix.known().map(String::as_str);
        Self {
            url_prefix: prefix.filter(|prefix| !prefix.is_empty()),
            ..self
        }
    }

    /// Those that receive this event type, those that receive all events included.
    pub(super) fn event(self, event: &'a Attr<String>) -> Self {
        Self {
            event: event.known().map(String::as_str),
            ..self
        }
    }

    /// Those of this status.
    pub(super) fn status(self, status: &'a Attr<String>) -> Self {
        Self {
            status: status.known().map(String::as_str),
            ..self
        }
    }

    /// Whether every endpoint is wanted.
    pub(super) fn is_empty(&self) -> bool {
        self.url_prefix.is_none() && self.event.is_none() && self.status.is_none()
    }

    /// Whether this endpoint is wanted. One that a filter leaves out is not, whatever cannot be read of it.
    pub(super) fn wants(&self, item: &ListItem) -> Wanted {
        let url = judge(self.url_prefix, &item.url, |prefix, url| url.starts_with(prefix));
        let event = judge(self.event, &item.events, |event, events| {
            events.as_ref().is_none_or(|names| names.contains(event))
        });
        let status = judge(self.status, &item.status, |wanted, status| wanted == status);
        let unreadable = |filter, attribute| Unreadable { filter, attribute };
        let judged = [
            (url, unreadable("url_prefix", "url")),
            (event, unreadable("event", "events")),
            (status, unreadable("status", "status")),
        ];
        if judged.iter().any(|(passes, _)| *passes == Some(false)) {
            return Wanted::No;
        }
        let not_known = judged.into_iter().find(|(passes, _)| passes.is_none());
        not_known.map_or(Wanted::Yes, |(_, unreadable)| Wanted::NotKnown(unreadable))
    }
}

/// Whether a filter, if it is set, lets through what a field says; `None` if the field cannot be read.
fn judge<T>(filter: Option<&str>, field: &Field<T>, passes: impl Fn(&str, &T) -> bool) -> Option<bool> {
    match (filter, field) {
        (None, _) => Some(true),
        (Some(filter), Ok(value)) => Some(passes(filter, value)),
        (Some(_), Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::{Endpoint, EndpointId, FieldError};

    fn endpoint() -> ListItem {
        Endpoint {
            id: Ok(EndpointId::parse("ep_1").unwrap()),
            url: Ok("https://a.example/hook".to_owned()),
            events: Ok(Some(["x".to_owned()].into())),
            status: Ok("enabled".to_owned()),
            created_at: Ok("2026-07-01T12:00:00".to_owned()),
        }
    }

    fn wants(item: &ListItem, prefix: Option<&str>, event: Option<&str>, status: Option<&str>) -> Wanted {
        let set = |filter: Option<&str>| Attr::from(filter.map(str::to_owned));
        let (prefix, event, status) = (set(prefix), set(event), set(status));
        let filter = EndpointFilter::default()
            .url_prefix(&prefix)
            .event(&event)
            .status(&status);
        filter.wants(item)
    }

    #[test]
    fn each_filter_lets_through_what_fits_and_several_what_fits_all() {
        let wants = |prefix, event, status| wants(&endpoint(), prefix, event, status) == Wanted::Yes;
        let (fits, fits_not) = (Some("https://a.example/"), Some("https://b.example/"));
        assert!(wants(None, None, None));
        assert!(wants(fits, None, None));
        assert!(!wants(fits_not, None, None));
        assert!(!wants(Some("a.example"), None, None), "a prefix is no part");
        assert!(wants(None, Some("x"), None));
        assert!(!wants(None, Some("y"), None));
        assert!(wants(None, None, Some("enabled")));
        assert!(!wants(None, None, Some("enable")));
        assert!(wants(fits, Some("x"), Some("enabled")));
        assert!(!wants(fits, Some("y"), Some("enabled")));
        assert!(!wants(fits_not, Some("x"), Some("enabled")));
        assert!(!wants(fits, Some("x"), Some("disabled")));
        let of_all_events = ListItem {
            events: Ok(None),
            ..endpoint()
        };
        assert_eq!(
            super::tests::wants(&of_all_events, None, Some("y"), None),
            Wanted::Yes,
            "no list of events is all events"
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_known_to_fit_and_may_still_be_left_out() {
        let odd = ListItem {
            url: Err(FieldError::Missing),
            status: Err(FieldError::Malformed),
            ..endpoint()
        };
        assert_eq!(wants(&odd, None, Some("x"), None), Wanted::Yes);
        for (prefix, status, filter, attribute) in [
            (Some("https://"), None, "url_prefix", "url"),
            (None, Some("enabled"), "status", "status"),
        ] {
            let unreadable = Unreadable { filter, attribute };
            assert_eq!(wants(&odd, prefix, Some("x"), status), Wanted::NotKnown(unreadable));
            assert_eq!(wants(&odd, prefix, Some("y"), status), Wanted::No);
        }
        assert_eq!(wants(&odd, Some(""), None, None), Wanted::Yes, "it asks for nothing");
    }

    #[test]
    fn an_empty_prefix_is_no_filter() {
        let empty = Attr::Known(String::new());
        assert!(EndpointFilter::default().url_prefix(&empty).is_empty());
        let some = Attr::Known("https://".to_owned());
        assert!(!EndpointFilter::default().url_prefix(&some).is_empty());
        assert!(!EndpointFilter::default().event(&some).is_empty());
        assert!(!EndpointFilter::default().status(&some).is_empty());
    }
}
