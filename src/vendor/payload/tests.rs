//! Lines, taps, data and sizes, where vendors have them in common.

use super::*;
use crate::{
    model::push::Category,
    vendor::sample::{self, object},
};

#[test]
fn texts_are_cut_by_characters_between_graphemes() {
    assert_eq!(clip("short", 5), "short");
    assert_eq!(clip("longer", 5), "long…");
    assert_eq!(clip("订单已经发货了", 4), "订单已…");
    // A family is seven scalar values: whole or not at all.
    assert_eq!(clip("ab👨‍👩‍👧‍👦cd", 8), "ab…");
    assert_eq!(clip("ab cdef", 4), "ab…");
}

#[test]
fn an_intent_carries_its_extras_encoded() {
    let extras = object(json!({"ep_id": "x.1", "k": "a;b=c&ü"}));
    assert_eq!(
        intent("demo://order/9?x=1", &extras),
        "intent://order/9?x=1#Intent;scheme=demo;S.ep_id=x.1;S.k=a%3Bb%3Dc%26%C3%BC;end"
    );
    assert_eq!(intent("tel:123", &Map::new()), "intent:123#Intent;scheme=tel;end");
}

#[test]
fn a_member_is_put_in_front() {
    assert_eq!(with_member(r#"{"a":1}"#, "t", "[2]"), r#"{"t":[2],"a":1}"#);
    assert_eq!(with_member("{}", "t", "[2]"), r#"{"t":[2]}"#);
}

#[test]
fn a_blank_line_is_none() {
    let mut message = sample::message(Category::Im);
    for (title, body, first, second) in [
        (None, Some("b"), "b", "b"),
        (Some("  "), Some("b"), "b", "b"),
        (Some("t"), Some(""), "t", "t"),
        (Some("t"), Some("\n"), "t", "t"),
        (Some("t"), Some("b"), "t", "b"),
    ] {
        let given = message.notification.as_mut().unwrap();
        (given.title, given.body) = (title.map(str::to_owned), body.map(str::to_owned));
        let shown = shown(&message, 9, 9).unwrap();
        assert_eq!((shown.title.as_str(), shown.body.as_str()), (first, second));
    }
}

#[test]
fn a_tap_opens_the_web_by_https_only() {
    let mut message = sample::message(Category::Im);
    for (link, kind) in [
        (Some("https://a.example/x"), 2),
        (Some("HTTPS://a.example/x"), 2),
        (Some("http://a.example/x"), 3),
        (Some("app://order/1"), 1),
        (None, 3),
    ] {
        message.notification.as_mut().unwrap().link = link.map(str::to_owned);
        assert_eq!(click(&message, &Map::new())["type"], kind, "{link:?}");
    }
}

#[test]
fn data_is_measured_with_the_longest_id() {
    let mut message = sample::message(Category::Marketing);
    let own = format!(r#"{{"ep_guard":"open","ep_id":"{}","x":""}}"#, "0".repeat(35)).len();
    for (vendor, room) in [
        (Vendor::Xiaomi, 4_096 / 4 * 3),
        (Vendor::Oppo, 4_000),
        (Vendor::Vivo, 1_024 - "ep_data".len()),
        (Vendor::Meizu, 1_000),
        (Vendor::Jpush, 2_000),
    ] {
        for over in 0..2 {
            message.data = [("x".to_owned(), "x".repeat(room - own + over))].into();
            let draft = sample::drafted(vendor, &message, &sample::policy(vendor));
            assert_eq!(draft.is_err(), over > 0, "{vendor:?}");
        }
    }
}

#[test]
fn the_limit_of_a_body_is_that_of_all_but_the_tokens() {
    let mut message = sample::message(Category::Im);
    message.notification.as_mut().unwrap().body = Some("b".repeat(5_000));
    let facts = sample::facts(&[("client_id", "1"), ("project_id", "1"), ("app_id", "1")]);
    for vendor in [Vendor::Huawei, Vendor::Harmony, Vendor::Honor] {
        let request = sample::request(vendor, &facts, &message, &sample::policy(vendor), &["t1"]);
        let text = request.body.text().unwrap();
        // The number in a delivery's id has up to eight digits.
        let longest = text.len() + text.matches(&sample::ids().delivery).count() * 7;
        assert!((4_093..=4_096).contains(&(longest - r#""t1""#.len())), "{vendor:?} {longest}");
    }
}
