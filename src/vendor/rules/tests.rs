use serde_json::json;

use super::*;
use crate::{model::table::gather, vendor::sample::object};

fn policy(vendor: Vendor, category: Category, class: Value) -> Policy {
    Policy { classes: gather([(vendor, gather([(category, object(class))]))]), ..Policy::default() }
}

#[test]
fn every_class_of_every_vendor_is_there_and_is_an_object() {
    for vendor in Vendor::ALL.into_iter().filter(|vendor| vendor.sorts()) {
        for category in Category::ALL {
            let rule = rule(vendor, category).unwrap_or_else(|| panic!("{vendor:?} {category:?}"));
            assert!(serde_json::from_str::<Map<String, Value>>(rule.class).is_ok());
        }
    }
    assert_eq!(RULES.len(), Vendor::ALL.into_iter().filter(|vendor| vendor.sorts()).count() * 4);
}

#[test]
fn a_rate_grows_with_the_devices_that_its_vendor_counts() {
    let of = |vendor, installed, enabled| {
        rate(vendor).map(|rate| (rate.per_second(Devices { installed, enabled }), rate.requests))
    };
    assert_eq!(of(Vendor::Xiaomi, 9_000_000, 0), Some((500, true)));
    assert_eq!(of(Vendor::Xiaomi, 0, 99_999), Some((500, true)));
    assert_eq!(of(Vendor::Xiaomi, 0, 100_000), Some((1_000, true)));
    assert_eq!(of(Vendor::Xiaomi, 0, 10_000_000), Some((3_000, true)));
    assert_eq!(of(Vendor::Oppo, 50_000_000, 0), Some((20_000, false)));
    assert_eq!(of(Vendor::Meizu, 1, 1), Some((200, true)));
    for vendor in Vendor::ALL {
        assert_eq!(rate(vendor).is_some(), vendor.sorts(), "Apple, Google and browsers name none");
    }
}

#[test]
fn what_only_the_app_can_say_is_asked_for_by_the_name_of_the_setting() {
    let refused = class(Vendor::Xiaomi, Category::Im, &Policy::default()).unwrap_err();
    assert!(refused.contains("extra.channel_id") && refused.contains("classes.xiaomi.im"), "{refused}");
    let half = policy(Vendor::Xiaomi, Category::Im, json!({"extra.channel_id": "1"}));
    assert!(class(Vendor::Xiaomi, Category::Im, &half).unwrap_err().contains("extra.template_id"));
    let whole = json!({"extra.channel_id": "1", "extra.template_id": "T"});
    let policy_of = policy(Vendor::Xiaomi, Category::Im, whole.clone());
    assert_eq!(class(Vendor::Xiaomi, Category::Im, &policy_of).unwrap(), object(whole));
    for empty in [json!(""), json!(" "), json!(null), json!(1), json!({})] {
        let of = policy(Vendor::Oppo, Category::Im, json!({"channel_id": empty}));
        assert!(class(Vendor::Oppo, Category::Im, &of).unwrap_err().contains("`channel_id`"));
    }
    let granted = policy(Vendor::Huawei, Category::Im, json!({}));
    assert_eq!(class(Vendor::Huawei, Category::Im, &granted).unwrap()["android"]["category"], "IM");
}

#[test]
fn classes_that_are_granted_are_named() {
    use Category::{Follow, Im, Marketing, Order};
    for (vendor, named) in [
        (Vendor::Huawei, &[Im, Order, Follow][..]),
        (Vendor::Harmony, &[Im, Order, Follow]),
        (Vendor::Honor, &[Im, Order, Follow]),
        (Vendor::Xiaomi, &[Im, Order, Follow, Marketing]),
        (Vendor::Oppo, &[Im, Order]),
        (Vendor::Vivo, &[]),
        (Vendor::Meizu, &[]),
        (Vendor::Jpush, &[Im, Order, Follow]),
    ] {
        for category in Category::ALL {
            let refused = class(vendor, category, &Policy::default()).err();
            let setting = format!("classes.{}.{}", vendor.name(), category.name());
            let says = refused.map(|why| why.contains(&setting));
            assert_eq!(says, named.contains(&category).then_some(true), "{setting}");
        }
    }
    let public = policy(Vendor::Xiaomi, Marketing, json!({}));
    assert_eq!(class(Vendor::Xiaomi, Marketing, &public), Ok(Map::new()));
    let lower = Policy { lower_class: true, ..Policy::default() };
    let refused = class(Vendor::Xiaomi, Im, &lower).unwrap_err();
    assert!(refused.contains("classes.xiaomi.marketing"), "{refused}");
}

#[test]
fn or_the_message_goes_as_marketing_where_the_policy_says_so() {
    let lower = Policy { lower_class: true, ..Policy::default() };
    let class = class(Vendor::Huawei, Category::Im, &lower).unwrap();
    assert_eq!(class["android"]["category"], "MARKETING");
}

#[test]
fn a_device_may_have_so_many_by_vendor_and_kind_of_app() {
    use Category::{Follow, Im, Marketing};
    let news = Policy { app_kind: AppKind::News, ..Policy::default() };
    for (vendor, category, other, of_news) in [
        (Vendor::Huawei, Marketing, Some(2), Some(5)),
        (Vendor::Huawei, Follow, None, None),
        (Vendor::Harmony, Marketing, Some(2), Some(5)),
        (Vendor::Honor, Marketing, Some(2), Some(5)),
        (Vendor::Xiaomi, Follow, Some(5), Some(8)),
        (Vendor::Oppo, Follow, Some(2), Some(5)),
        (Vendor::Vivo, Marketing, Some(2), Some(5)),
        (Vendor::Vivo, Im, None, None),
        (Vendor::Meizu, Marketing, Some(3), Some(5)),
        (Vendor::Fcm, Marketing, None, None),
    ] {
        assert_eq!(per_device(vendor, category, &Policy::default(), true), other, "{vendor:?} {category:?}");
        assert_eq!(per_device(vendor, category, &news, true), of_news, "{vendor:?} {category:?}");
    }
    let kept = |said, at_once| {
        let policy = Policy { per_device: said, ..Policy::default() };
        per_device(Vendor::Vivo, Marketing, &policy, at_once).is_some()
    };
    assert_eq!(
        [kept(Some(false), true), kept(None, true), kept(None, false), kept(Some(true), false)],
        [false, true, false, true]
    );
}

#[test]
fn an_app_changes_a_class_for_itself() {
    let own =
        policy(Vendor::Vivo, Category::Follow, json!({"category": "SUBSCRIPTION", "classification": 1}));
    let class = class(Vendor::Vivo, Category::Follow, &own).unwrap();
    assert_eq!(Value::Object(class), json!({"category": "SUBSCRIPTION", "classification": 1}));
}
