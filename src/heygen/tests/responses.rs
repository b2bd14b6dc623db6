//! Answers as plain bytes.

use std::fmt::Debug;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{KEY, endpoint, endpoint_with_secret, id};
use crate::heygen::redact::Redactor;
use crate::heygen::response;
use crate::heygen::{CreatedEndpoint, Event, EventType, Fault, FieldError};

fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

fn reason<T: Debug>(read: Result<T, response::DecodeError>) -> String {
    read.unwrap_err().to_string()
}

fn with(key: &str, value: Value) -> Vec<u8> {
    let mut data = endpoint("ep_1");
    data[key] = value;
    bytes(&json!({"data": data}))
}

fn without(key: &str) -> Vec<u8> {
    let mut data = endpoint("ep_1");
    data.as_object_mut().unwrap().remove(key);
    bytes(&json!({"data": data}))
}

#[test]
fn an_endpoint_is_read_with_what_is_new_and_without_what_is_optional() {
    let body = json!({"data": {
        "endpoint_id": "ep_1", "url": "https://a.example/", "status": "paused", "created_at": "2026-07-01T12:00:00",
        "events": ["b", "a", "b"], "secret": "whsec_1", "colour": {"new": []},
    }, "meta": 1});
    let CreatedEndpoint { endpoint, secret } = response::created(&bytes(&body)).unwrap();
    assert_eq!(
        (endpoint.id.as_str(), endpoint.url.as_deref()),
        ("ep_1", Ok("https://a.example/"))
    );
    assert_eq!(
        (endpoint.status.as_deref(), endpoint.created_at.as_deref()),
        (Ok("paused"), Ok("2026-07-01T12:00:00"))
    );
    let events = endpoint.events.unwrap().unwrap();
    assert_eq!(events.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(secret.unwrap().expose_secret(), "whsec_1");

    for body in [without("events"), with("events", Value::Null)] {
        assert_eq!(response::created(&body).unwrap().endpoint.events, Ok(None));
    }
    for body in [
        without("secret"),
        with("secret", Value::Null),
        with("secret", json!("")),
        with("secret", json!(1)),
    ] {
        assert!(response::created(&body).unwrap().secret.is_none());
    }
    let none = response::created(&with("events", json!([]))).unwrap().endpoint.events;
    assert_eq!(none, Ok(Some([].into())));
}

#[test]
fn a_creation_must_have_an_id_and_every_other_field_is_judged_when_it_is_asked_for() {
    for body in [without("endpoint_id"), with("endpoint_id", Value::Null)] {
        assert_eq!(reason(response::created(&body)), "`data.endpoint_id` is missing");
    }
    assert_eq!(
        reason(response::created(&with("endpoint_id", json!(7)))),
        "`data.endpoint_id` is not text"
    );
    assert_eq!(
        reason(response::created(&with("endpoint_id", json!("../x")))),
        "`data.endpoint_id` is not an endpoint id: it holds the character `/`, which no id can have"
    );
    for key in ["url", "status", "created_at"] {
        let field = |body: &[u8]| {
            let endpoint = response::created(body).unwrap().endpoint;
            [
                ("url", endpoint.url),
                ("status", endpoint.status),
                ("created_at", endpoint.created_at),
            ]
            .into_iter()
            .find_map(|(name, field)| (name == key).then_some(field))
            .unwrap()
        };
        assert_eq!(field(&without(key)), Err(FieldError::Missing));
        assert_eq!(field(&with(key, Value::Null)), Err(FieldError::Missing));
        assert_eq!(field(&with(key, json!(7))), Err(FieldError::Malformed));
    }
    for events in [json!("all"), json!([1]), json!({})] {
        let endpoint = response::created(&with("events", events)).unwrap().endpoint;
        assert_eq!(endpoint.events, Err(FieldError::Malformed));
    }
    for (body, why) in [
        ("", "it is not JSON (line 1, column 0)"),
        (
            "{\"data\": {\"secret\": \"whsec_half",
            "it is not JSON (line 1, column 31)",
        ),
        ("<html>", "it is not JSON (line 1, column 1)"),
        ("[]", "the answer is not an object"),
        ("{}", "`data` is missing"),
        ("{\"data\": null}", "`data` is not an object"),
        (&"[".repeat(100_000), "it is not JSON (line 1, column 128)"),
    ] {
        assert_eq!(reason(response::created(body.as_bytes())), why);
    }
}

#[test]
fn an_answer_about_another_endpoint_is_no_answer() {
    let body = bytes(&json!({"data": endpoint_with_secret("ep_1")}));
    assert_eq!(
        response::rotated(&body, &id("ep_1")).unwrap().expose_secret(),
        "whsec_first"
    );
    assert!(response::updated(&body, &id("ep_1")).is_ok());
    assert!(response::deleted(&body, &id("ep_1")).is_ok());
    assert_eq!(
        reason(response::rotated(&body, &id("ep_2"))),
        "it is about another endpoint"
    );
    assert_eq!(
        reason(response::updated(&body, &id("ep_2"))),
        "it is about another endpoint"
    );
    assert_eq!(
        reason(response::deleted(&body, &id("ep_2"))),
        "it is about another endpoint"
    );
}

#[test]
fn a_value_that_no_decoder_can_read_makes_nothing_unreadable_but_itself() {
    let half_a_pair = br#""launch \ud83d""#.to_vec();
    let no_unicode = b"\"caf\xe9\"".to_vec();
    let without_end = ["[".repeat(500), "]".repeat(500)].concat().into_bytes();
    let odd_values = [half_a_pair, no_unicode, without_end];
    let with = |field: &str, value: &[u8]| {
        let mut text = endpoint_with_secret("ep_1");
        text[field] = json!("HERE");
        let text = text.to_string();
        let (before, after) = text.split_once("\"HERE\"").unwrap();
        [before.as_bytes(), value, after.as_bytes()].concat()
    };
    let answer = |item: &[u8]| [b"{\"data\": ", item, b"}"].concat();
    let list = |item: &[u8]| {
        let other = endpoint("ep_2").to_string();
        [
            b"{\"data\": [",
            item,
            b",",
            other.as_bytes(),
            b"], \"has_more\": false}",
        ]
        .concat()
    };
    for value in &odd_values {
        for field in ["description", "url", "status", "created_at", "events"] {
            let item = with(field, value);
            let CreatedEndpoint { endpoint: made, secret } = response::created(&answer(&item)).unwrap();
            assert_eq!((made.id, secret.unwrap().expose_secret()), (id("ep_1"), "whsec_first"));
            assert_eq!(made.url.is_err(), field == "url");
            assert_eq!(made.status.is_err(), field == "status");
            assert_eq!(made.created_at.is_err(), field == "created_at");
            assert_eq!(made.events.is_err(), field == "events");
            let rotated = response::rotated(&answer(&item), &id("ep_1")).unwrap();
            assert_eq!(rotated.expose_secret(), "whsec_first");

            let items = response::endpoints(&list(&item)).unwrap().items;
            assert_eq!(items[0].url.is_err(), field == "url");
            assert_eq!(items[1].id, Ok(id("ep_2")));
            assert!(items[1].url.is_ok());
        }
        assert!(response::created(&answer(&with("endpoint_id", value))).is_err());
        assert_eq!(
            response::secret_of_unidentified(&answer(&with("endpoint_id", value)))
                .unwrap()
                .expose_secret(),
            "whsec_first"
        );
        assert!(
            response::created(&answer(&with("secret", value)))
                .unwrap()
                .secret
                .is_none()
        );
        let with_end = [b"{\"data\": [], \"has_more\": ", value.as_slice(), b"}"].concat();
        assert!(response::endpoints(&with_end).unwrap().next.is_err(), "that is no end");

        let event = [
            b"{\"data\": [{\"event_id\": \"evt_1\", \"event_data\": {\"title\": ",
            value.as_slice(),
            b"}}], \"has_more\": false}",
        ]
        .concat();
        let events = response::events(&event).unwrap().items;
        assert_eq!(events[0].id.as_deref(), Ok("evt_1"));
    }
    // In one of the events alone, it is the events that cannot be read.
    let item = with("events", br#"["batch.finished", "\ud83d"]"#);
    assert!(response::created(&answer(&item)).unwrap().endpoint.events.is_err());
    // HeyGen's code is read beside a message that cannot be.
    let redactor = Redactor::new(SecretString::from(KEY));
    let refused = response::refusal(
        404,
        br#"{"error": {"code": "not_found", "message": "\ud83d"}}"#,
        &redactor,
    );
    assert!(matches!(refused, Fault::Refused { code: Some(code), .. } if code == "not_found"));
}

#[test]
fn a_secret_is_read_whatever_stands_before_and_after_its_answer() {
    let answer = json!({"data": endpoint_with_secret("ep_1")}).to_string();
    for (before, after) in [("\u{feff}", ""), ("", "\n<!-- edge 7 -->"), ("", "{}"), ("", "\0")] {
        let body = [before, &*answer, after].concat();
        let created = response::created(body.as_bytes()).unwrap();
        assert_eq!(created.secret.unwrap().expose_secret(), "whsec_first");
        let rotated = response::rotated(body.as_bytes(), &id("ep_1")).unwrap();
        assert_eq!(rotated.expose_secret(), "whsec_first");
    }
    // Of a list nobody knows whether what follows belongs to it.
    let list = br#"{"data": [], "has_more": false} {"data": []}"#;
    assert!(reason(response::endpoints(list)).starts_with("it is not JSON"));
    let marked = [b"\xef\xbb\xbf".as_slice(), br#"{"data": [], "has_more": false}"#].concat();
    assert!(response::endpoints(&marked).is_ok());
}

#[test]
fn an_id_that_cannot_be_read_is_not_anothers() {
    for odd in [json!(""), json!(7), json!("a/b"), json!("x".repeat(5000))] {
        let body = bytes(&json!({"data": {"endpoint_id": odd, "secret": "whsec_2"}}));
        assert_eq!(
            response::rotated(&body, &id("ep_1")).unwrap().expose_secret(),
            "whsec_2"
        );
        assert!(response::updated(&body, &id("ep_1")).is_ok());
    }
}

#[test]
fn a_rotation_must_have_a_secret_and_need_not_repeat_the_id() {
    for secret in [json!(null), json!(""), json!(7)] {
        let body = bytes(&json!({"data": {"endpoint_id": "ep_1", "secret": secret}}));
        assert_eq!(
            reason(response::rotated(&body, &id("ep_1"))),
            "`data.secret` is missing, or not text"
        );
    }
    for body in [
        json!({"secret": "whsec_2"}),
        json!({"secret": "whsec_2", "endpoint_id": null}),
    ] {
        let body = bytes(&json!({"data": body}));
        assert_eq!(
            response::rotated(&body, &id("ep_1")).unwrap().expose_secret(),
            "whsec_2"
        );
    }
}

#[test]
fn a_delete_is_confirmed_by_json_or_by_nothing() {
    for body in ["", "  \n", "{}", "{\"data\": {}}", "{\"error\": null}"] {
        response::deleted(body.as_bytes(), &id("ep_1")).unwrap();
    }
    let failed = r#"{"error": {"code": "internal_error"}}"#;
    for body in ["<html>sign in</html>", "{\"data\"", "[]", "null", failed] {
        response::deleted(body.as_bytes(), &id("ep_1")).unwrap_err();
    }
}

#[test]
fn half_a_list_never_passes_for_a_whole_one() {
    let page = |more: Value| {
        let mut body = json!({"data": [endpoint("ep_1"), endpoint("ep_2")]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        response::endpoints(&bytes(&body))
    };
    // What is on the page is read all the same, for those who look for no more.
    let unclear = |more: Value| {
        let page = page(more).unwrap();
        assert_eq!(page.items.len(), 2);
        page.next.unwrap_err().to_string()
    };
    let last = page(json!({"has_more": false, "next_token": null})).unwrap();
    assert_eq!(last.items.len(), 2);
    assert_eq!(last.next, Ok(None));
    assert_eq!(
        page(json!({"has_more": false, "next_token": "left over"}))
            .unwrap()
            .next,
        Ok(None)
    );
    assert_eq!(
        page(json!({"has_more": true, "next_token": "t"})).unwrap().next,
        Ok(Some("t".to_owned()))
    );

    for token in [json!(null), json!(""), json!(7)] {
        assert_eq!(
            unclear(json!({"has_more": true, "next_token": token})),
            "`has_more` is true, but there is no `next_token`"
        );
    }
    for more in [json!({}), json!({"next_token": "t"})] {
        assert_eq!(unclear(more), "`has_more` is missing");
    }
    for more in [json!(null), json!("false"), json!(0)] {
        assert_eq!(
            unclear(json!({"has_more": more})),
            "`has_more` is neither true nor false"
        );
    }
    assert!(unclear(json!({"has_more": true, "next_token": "t".repeat(5000)})).contains("longer than"));
    assert_eq!(
        reason(page(json!({"has_more": false, "error": {"code": "internal_error"}}))),
        "it says \"done\" and holds an error"
    );
    assert!(page(json!({"has_more": false, "error": null})).is_ok());
    assert_eq!(
        reason(response::endpoints(b"{\"data\": {}, \"has_more\": false}")),
        "`data` is not a list"
    );
}

#[test]
fn an_event_is_read_with_its_particulars_as_text() {
    let event = |changes: Value| {
        let mut event = json!({
            "event_id": "evt_1", "event_type": "new.type", "created_at": "2026-07-01T12:00:00", "colour": 1,
            "event_data": {"b": {"d": 1, "c": [null, "é"]}, "a": 12_345_678_901_234_567_890_u64},
        });
        for (key, value) in changes.as_object().unwrap() {
            event[key] = value.clone();
        }
        response::events(&bytes(&json!({"data": [event], "has_more": false})))
    };
    let read = event(json!({})).unwrap().items.remove(0);
    assert_eq!(
        (read.id.as_deref(), read.event_type.as_deref()),
        (Ok("evt_1"), Ok("new.type"))
    );
    assert_eq!(read.created_at.as_deref(), Ok("2026-07-01T12:00:00"));
    assert_eq!(
        read.data.as_deref(),
        Ok(r#"{"a":12345678901234567890,"b":{"c":[null,"é"],"d":1}}"#)
    );
    let missing = |event: Event| [event.id, event.event_type, event.data, event.created_at];
    for (at, key) in ["event_id", "event_type", "event_data", "created_at"]
        .into_iter()
        .enumerate()
    {
        let read = missing(event(json!({key: null})).unwrap().items.remove(0));
        let errors: Vec<_> = read.into_iter().map(Result::err).collect();
        let mut expected = [None; 4];
        expected[at] = Some(FieldError::Missing);
        assert_eq!(errors, expected, "{key}");
    }
    let read = event(json!({"event_data": "{}"})).unwrap().items.remove(0);
    assert_eq!(read.data, Err(FieldError::Malformed));
    let no_object = response::events(&bytes(&json!({"data": [7], "has_more": false}))).unwrap();
    assert!(missing(no_object.items[0].clone()).iter().all(Result::is_err));
}

#[test]
fn an_event_type_may_do_without_a_description() {
    let read = |data: Value| {
        let page = response::event_types(&bytes(&json!({"data": [data], "has_more": false})));
        let EventType { name, description } = page.unwrap().items.remove(0);
        (name, description)
    };
    let a = || Ok("a".to_owned());
    assert_eq!(
        read(json!({"event_type": "a", "description": "A."})),
        (a(), Ok("A.".to_owned()))
    );
    assert_eq!(read(json!({"event_type": "a"})), (a(), Err(FieldError::Missing)));
    assert_eq!(
        read(json!({"event_type": "a", "description": null})),
        (a(), Err(FieldError::Missing))
    );
    assert_eq!(
        read(json!({"event_type": "a", "description": 1})),
        (a(), Err(FieldError::Malformed))
    );
    assert_eq!(read(json!({"description": "A."})).0, Err(FieldError::Missing));
}

#[test]
fn any_error_body_becomes_a_refusal_without_secrets() {
    let read = |body: &str| match response::refusal(400, body.as_bytes(), &Redactor::new(SecretString::from(KEY))) {
        Fault::Refused {
            status: 400,
            code,
            message,
            param,
        } => (code, message, param),
        other => panic!("{other:?}"),
    };
    let own = |text: &str| Some(text.to_owned());
    assert_eq!(
        read(
            r#"{"error": {"code": "invalid_parameter", "message": "no\nsuch event", "param": "events", "doc_url": 1}}"#
        ),
        (own("invalid_parameter"), "no such event".into(), own("events"))
    );
    assert_eq!(
        read(
            &json!({"error": {"message": format!("key {KEY}, whsec_abc, https://u:p@h/?q"), "code": KEY}}).to_string()
        ),
        (own("[redacted]"), "key [redacted], [redacted], https://h/".into(), None)
    );
    assert_eq!(read(r#"{"error": "short"}"#), (None, "short".into(), None));
    assert_eq!(
        read(r#"{"error": {"code": 1, "message": null, "param": []}}"#),
        (None, String::new(), None)
    );
    assert_eq!(read("[]"), (None, String::new(), None));
    assert_eq!(read(""), (None, String::new(), None));
    assert_eq!(read(" upstream\u{7} is down "), (None, "upstream is down".into(), None));
    assert_eq!(
        read("<html>\n<head><TITLE>502 Bad\nGateway</TITLE>"),
        (None, "502 Bad Gateway".into(), None)
    );
    assert_eq!(
        read("<!doctype html><p>…"),
        (None, "a page instead of an explanation".into(), None)
    );
    assert_eq!(read(&"x".repeat(9000)).1.chars().count(), 501);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("ep_1")),
    ];
    let key = prop_oneof![
        Just("data".to_owned()),
        Just("error".to_owned()),
        Just("endpoint_id".to_owned()),
        Just("events".to_owned()),
        Just("secret".to_owned()),
        Just("has_more".to_owned()),
        Just("next_token".to_owned()),
        ".{0,4}",
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_us_panic(json in any_json(), raw in prop::collection::vec(any::<u8>(), 0..64)) {
        let redactor = Redactor::new(SecretString::from(KEY));
        for body in [bytes(&json), bytes(&json!({"data": json})), raw] {
            let _ = response::created(&body);
            let _ = response::secret_of_unidentified(&body).is_some();
            let _ = response::updated(&body, &id("ep_1"));
            let _ = response::rotated(&body, &id("ep_1")).is_ok();
            let _ = response::deleted(&body, &id("ep_1"));
            let _ = response::endpoints(&body);
            let _ = response::event_types(&body);
            let _ = response::events(&body);
            let _ = response::refusal(500, &body, &redactor);
        }
    }
}

#[test]
fn text_is_brought_to_the_form_in_which_terraform_keeps_it_and_an_id_is_not() {
    let decomposed = "e\u{301}";
    let item = json!({"endpoint_id": "ep_1", "url": decomposed, "status": decomposed, "created_at": decomposed, "events": [decomposed]});
    let page = response::endpoints(&bytes(&json!({"data": [item], "has_more": false}))).unwrap();
    let composed = || Ok("\u{e9}".to_owned());
    let read = &page.items[0];
    assert_eq!(
        (&read.url, &read.status, &read.created_at),
        (&composed(), &composed(), &composed())
    );
    assert_eq!(read.events, Ok(Some(["\u{e9}".to_owned()].into())));

    let odd = json!({"data": [{"endpoint_id": decomposed}], "has_more": false});
    let page = response::endpoints(&bytes(&odd)).unwrap();
    assert_eq!(page.items[0].id, Err(FieldError::Malformed));
}
