//! What is said of endpoints of which HeyGen's list says nothing readable.

use crate::heygen::ListItem;
use crate::provider::summaries;
use crate::terraform::Diagnostic;

/// How many endpoints are named.
const MOST_NAMED: usize = 5;

/// The warning about what cannot be read of endpoints, and is null for it. `left_out`: those that are not in the answer,
/// because nobody can tell whether they pass its filters.
pub(super) fn warning(answered: &[&ListItem], left_out: &[&ListItem]) -> Option<Diagnostic> {
    let answered: Vec<&ListItem> = answered
        .iter()
        .copied()
        .filter(|item| !attributes(item).is_empty())
        .collect();
    let mut sentences = Vec::new();
    if !answered.is_empty() {
        let unreadable = attributes_of_all(&answered);
        sentences.push(format!(
            "HeyGen's list has {}, but what it says about {} is missing or malformed.",
            names(&answered),
            unreadable.join(", ")
        ));
        sentences.push(match (answered.as_slice(), unreadable.as_slice()) {
            (_, [_]) => "It is null here.".to_owned(),
            ([_], _) => "They are null here.".to_owned(),
            _ => "What cannot be read is null here.".to_owned(),
        });
        if unreadable.contains(&"events") {
            let says = "Elsewhere null means all events; here it says only that events could not be read.";
            sentences.push(says.to_owned());
        }
    }
    if !left_out.is_empty() {
        let (verb, whom) = if left_out.len() == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        sentences.push(format!(
            "Left out here {verb} {}: what HeyGen's list says about {} is missing or malformed, so nobody can tell whether \
             the filters let {whom} through.",
            names(left_out),
            attributes_of_all(left_out).join(", ")
        ));
    }
    (!sentences.is_empty()).then(|| Diagnostic::warning(summaries::ENDPOINT_NOT_READ_COMPLETELY, sentences.join(" ")))
}

/// The attributes of an endpoint that cannot be read.
fn attributes(item: &ListItem) -> Vec<&'static str> {
    let id = item.id.is_err().then_some("id");
    id.into_iter().chain(item.unreadable_fields()).collect()
}

/// The attributes that cannot be read of at least one, in the order of the schema.
fn attributes_of_all(items: &[&ListItem]) -> Vec<&'static str> {
    let all = ["id", "url", "events", "status", "created_at"];
    let unreadable = |name: &&str| items.iter().any(|item| attributes(item).contains(name));
    all.into_iter().filter(unreadable).collect()
}

/// Some endpoints by their ids, and the others by their number.
fn names(items: &[&ListItem]) -> String {
    let ids: Vec<String> = items
        .iter()
        .filter_map(|item| item.id.as_ref().ok().map(ToString::to_string))
        .collect();
    let unidentified = items.len() - ids.len();
    let more = ids.len().saturating_sub(MOST_NAMED);
    let mut names: Vec<String> = ids.into_iter().take(MOST_NAMED).collect();
    names.extend((more > 0).then(|| format!("{more} more")));
    names.extend(match unidentified {
        0 => None,
        1 => Some("one whose id cannot be read".to_owned()),
        count => Some(format!("{count} whose ids cannot be read")),
    });
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::{Endpoint, EndpointId, FieldError};

    fn sound(id: &str) -> ListItem {
        Endpoint {
            id: EndpointId::parse(id).map_err(|_| FieldError::Malformed),
            url: Ok("https://a.example/".to_owned()),
            events: Ok(None),
            status: Ok("enabled".to_owned()),
            created_at: Ok("2026-07-01T12:00:00".to_owned()),
        }
    }

    fn without_events(id: &str) -> ListItem {
        ListItem {
            events: Err(FieldError::Malformed),
            ..sound(id)
        }
    }

    fn said(answered: &[ListItem], left_out: &[ListItem]) -> Option<String> {
        let answered: Vec<_> = answered.iter().collect();
        let left_out: Vec<_> = left_out.iter().collect();
        warning(&answered, &left_out).map(|warning| warning.detail)
    }

    #[test]
    fn of_what_can_be_read_nothing_is_said() {
        assert_eq!(said(&[], &[]), None);
        assert_eq!(said(&[sound("ep_1"), sound("ep_2")], &[]), None);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_null_for_it_is_not_all_events() {
        let odd = ListItem {
            status: Err(FieldError::Missing),
            ..sound("ep_2")
        };
        assert_eq!(
            said(&[sound("ep_1"), odd.clone()], &[]).as_deref(),
            Some("HeyGen's list has ep_2, but what it says about status is missing or malformed. It is null here.")
        );
        assert_eq!(
            said(&[without_events("ep_1"), odd, sound("a/b")], &[]).as_deref(),
            Some(
                "HeyGen's list has ep_1, ep_2 and one whose id cannot be read, but what it says about id, events, status is \
                 missing or malformed. What cannot be read is null here. Elsewhere null means all events; here it says only \
                 that events could not be read."
            )
        );
    }

    #[test]
    fn several_attributes_of_one_endpoint_are_null() {
        let odd = ListItem {
            status: Err(FieldError::Missing),
            created_at: Err(FieldError::Missing),
            ..sound("ep_1")
        };
        assert_eq!(
            said(&[odd], &[]).as_deref(),
            Some(
                "HeyGen's list has ep_1, but what it says about status, created_at is missing or malformed. They are null \
                 here."
            )
        );
    }

    #[test]
    fn a_few_endpoints_are_named_and_the_others_counted() {
        let mut many: Vec<ListItem> = (1..=8).map(|n| without_events(&format!("ep_{n}"))).collect();
        many.extend([sound("a/b"), sound("a/c")]);
        let said = said(&many, &[]).unwrap();
        let names = "HeyGen's list has ep_1, ep_2, ep_3, ep_4, ep_5, 3 more and 2 whose ids cannot be read, but";
        assert!(said.starts_with(names), "{said}");
        let long = without_events(&"x".repeat(255));
        let said = super::names(&[&long]);
        assert_eq!(said, format!("{}…", "x".repeat(64)));
    }

    #[test]
    fn what_a_filter_leaves_out_for_it_is_named_too() {
        assert_eq!(
            said(&[], &[without_events("ep_1")]).as_deref(),
            Some(
                "Left out here is ep_1: what HeyGen's list says about events is missing or malformed, so nobody can tell \
                 whether the filters let it through."
            )
        );
        let said = said(&[], &[without_events("ep_1"), without_events("ep_2")]).unwrap();
        assert!(
            said.starts_with("Left out here are ep_1 and ep_2: ") && said.ends_with("let them through."),
            "{said}"
        );
    }
}
