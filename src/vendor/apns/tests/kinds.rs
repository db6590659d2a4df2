//! Apple's other push types.

use super::*;
use crate::model::kind::{Activity, Kind};

fn of_kind(kind: Kind, category: Category) -> Message {
    let notification = message(category).notification.filter(|_| kind.shows());
    Message { kind, notification, ..message(category) }
}

fn activity(event: &str) -> Activity {
    Activity {
        event: event.into(),
        state: object(json!({"eta": 5})),
        attributes: (event == "start").then(|| ("Ride".to_owned(), object(json!({"car": "7"})))),
        stale_at: Some(Millis(1_795_579_260_000)),
        dismiss_at: (event == "end").then_some(Millis(1_795_579_320_000)),
        id: None,
    }
}

/// Type, topic, priority, expiration, collapse id.
fn head(message: &Message, topic: Option<&str>) -> String {
    let mut to = address(Vendor::Apns, TOKEN);
    to.topic = topic.map(str::to_owned);
    let sent = request(&facts(), &made(message), &to, &ids(), "JWT").unwrap();
    let names = ["apns-push-type", "apns-topic", "apns-priority", "apns-expiration", "apns-collapse-id"];
    let value = |name: &str| sent.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str());
    assert!(
        sent.headers.iter().all(|(name, _)| *name == "authorization"
            || *name == "content-type"
            || name.starts_with("apns-"))
    );
    names.map(|name| value(name).unwrap_or("-")).join(" ")
}

#[test]
fn each_type_has_its_topic_priority_and_time() {
    for (kind, im, marketing) in [
        (
            Kind::Voip,
            "voip com.example.demo.voip 10 1796184000 -",
            "voip com.example.demo.voip 10 1795665600 -",
        ),
        (
            Kind::LiveActivity,
            "liveactivity com.example.demo.push-type.liveactivity 10 1796184000 -",
            "liveactivity com.example.demo.push-type.liveactivity 5 1795665600 -",
        ),
        (
            Kind::Complication,
            "complication com.example.demo.complication 10 1796184000 -",
            "complication com.example.demo.complication 5 1795665600 -",
        ),
        (
            Kind::Fileprovider,
            "fileprovider com.example.demo.pushkit.fileprovider 10 1796184000 -",
            "fileprovider com.example.demo.pushkit.fileprovider 5 1795665600 -",
        ),
        (
            Kind::Location,
            "location com.example.demo.location-query 10 1796184000 -",
            "location com.example.demo.location-query 5 1795665600 -",
        ),
        (
            Kind::Pushtotalk,
            "pushtotalk com.example.demo.voip-ptt 10 0 -",
            "pushtotalk com.example.demo.voip-ptt 10 0 -",
        ),
        (
            Kind::Widgets,
            "widgets com.example.demo.push-type.widgets 10 1796184000 -",
            "widgets com.example.demo.push-type.widgets 5 1795665600 -",
        ),
        (
            Kind::Controls,
            "controls com.example.demo.push-type.controls 10 1796184000 -",
            "controls com.example.demo.push-type.controls 5 1795665600 -",
        ),
    ] {
        assert_eq!(head(&of_kind(kind, Category::Im), None), im);
        assert_eq!(head(&of_kind(kind, Category::Marketing), None), marketing);
    }
}

#[test]
fn a_suffix_that_the_operator_gave_is_not_added_again() {
    let call = of_kind(Kind::Voip, Category::Im);
    assert!(head(&call, Some("com.example.demo.voip")).starts_with("voip com.example.demo.voip "));
    assert!(
        head(&call, Some("com.voip")).starts_with("voip com.voip "),
        "one that ends so by itself is taken for one"
    );
}

#[test]
fn a_live_activity_in_apples_words() {
    let of = |kind, event: &str| {
        let shown = message(Category::Im).notification.filter(|_| event == "start");
        let sent = Message {
            notification: shown,
            data: Default::default(),
            activity: Some(activity(event)),
            ..of_kind(kind, Category::Im)
        };
        body(&made(&sent))
    };
    let rest = r#""ep_guard":"account","ep_id":"<id>"}"#;
    assert_eq!(
        of(Kind::LiveActivityStart, "start"),
        format!(
            r#"{{"aps":{{"alert":{{"body":"Body","title":"Title"}},"attributes":{{"car":"7"}},"attributes-type":"Ride","content-state":{{"eta":5}},"event":"start","interruption-level":"active","relevance-score":1.0,"sound":"default","stale-date":1795579260,"timestamp":1795579200}},{rest}"#
        )
    );
    assert_eq!(
        of(Kind::LiveActivity, "update"),
        format!(
            r#"{{"aps":{{"content-state":{{"eta":5}},"event":"update","stale-date":1795579260,"timestamp":1795579200}},{rest}"#
        )
    );
    assert_eq!(
        of(Kind::LiveActivity, "end"),
        format!(
            r#"{{"aps":{{"content-state":{{"eta":5}},"dismissal-date":1795579320,"event":"end","stale-date":1795579260,"timestamp":1795579200}},{rest}"#
        )
    );
}

/// An end that was planned at noon for the evening is newer than an update of the afternoon.
#[test]
fn a_live_activitys_time_is_when_the_push_was_due_whatever_the_try() {
    let ends = Message { activity: Some(activity("end")), ..of_kind(Kind::LiveActivity, Category::Order) };
    let due = NOW.plus_secs(6 * 3_600);
    for now in [due, due.plus_secs(900)] {
        let sent = draft(&ends, &push(), due, now).unwrap();
        assert!(body(&sent).contains(&format!(r#""timestamp":{}"#, due.secs())), "{}", body(&sent));
    }
}

#[test]
fn what_shows_nothing_has_the_apps_data_only() {
    for (kind, aps) in [
        (Kind::Complication, "{}"),
        (Kind::Location, "{}"),
        (Kind::Fileprovider, "{}"),
        (Kind::Pushtotalk, "{}"),
        (Kind::Widgets, r#"{"content-changed":true}"#),
        (Kind::Controls, r#"{"content-changed":true}"#),
    ] {
        let sent = body(&made(&of_kind(kind, Category::Order)));
        assert_eq!(sent, format!(r#"{{"aps":{aps},"ep_guard":"account","ep_id":"<id>","k":"v"}}"#));
    }
}

#[test]
fn a_call_may_have_more_bytes() {
    let with = |kind, length: usize| {
        let mut message = of_kind(kind, Category::Im);
        message.data.insert("sdp".into(), "x".repeat(length));
        draft(&message, &push(), NOW, NOW).map(|draft| draft.body.max_len())
    };
    assert!((4_096..=5_120).contains(&with(Kind::Voip, 4_600).unwrap()));
    assert!(with(Kind::Voip, 5_100).is_err() && with(Kind::Alert, 4_600).is_err());
}
