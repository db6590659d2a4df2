//! What the vendors' tests share.

use crate::{
    model::{
        device::Address,
        ids::PushId,
        push::{Category, Guard, Message, Notification, OnUnknown, Online, Options},
        secret::Secret,
        time::Millis,
    },
    vendor::{Draft, Ids, Vendor},
};

/// 2026-11-25T04:00:00Z.
pub(super) const NOW: Millis = Millis(1_795_579_200_000);
/// The P-256 key of RFC 6979 appendix A.2.5, published: a test key.
pub(super) const P256_TEST_KEY: &str = include_str!("../../tests/fixtures/rfc6979-p256.TEST.pem");
/// The RSA key of RFC 7515 appendix A.2, published: a test key.
pub(super) const RSA_TEST_KEY: &str = include_str!("../../tests/fixtures/rfc7515-a2.TEST.pem");

/// The push of all samples.
pub(super) fn push() -> PushId {
    PushId::new(NOW, [7; 10])
}

/// Its fourth delivery.
pub(super) fn ids() -> Ids {
    Ids::new(&push(), 3)
}

/// A title and a text, the category's defaults.
pub(super) fn message(category: Category) -> Message {
    Message {
        category,
        campaign: None,
        notification: Some(Notification {
            title: Some("Title".into()),
            body: Some("Body".into()),
            ..Notification::default()
        }),
        data: [("k".to_owned(), "v".to_owned())].into(),
        collapse: None,
        ttl: category.default_ttl(),
        guard: if category.personal() { Guard::Account } else { Guard::Open },
        online: Online::Never,
        on_unknown: OnUnknown::Keep,
        options: Options::default(),
    }
}

/// Every field of a notification.
pub(super) fn full(category: Category) -> Message {
    Message {
        campaign: Some("spring".into()),
        notification: Some(Notification {
            title: Some("Title".into()),
            body: Some("Body".into()),
            image: Some("https://a.example/b.png".into()),
            link: Some("app://order/4711".into()),
            badge: Some(3),
            sound: Some("chime.caf".into()),
        }),
        ..message(category)
    }
}

/// A JSON object.
pub(super) fn object(json: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    json.as_object().expect("an object").clone()
}

/// The body that the sample delivery gets, with its id written as `<id>`.
pub(super) fn body(draft: &Draft) -> String {
    draft.body.fill(&ids()).replace(&ids().delivery, "<id>")
}

/// An address with nothing but a token.
pub(super) fn address(vendor: Vendor, token: &str) -> Address {
    Address { vendor, token: Secret::new(token), environment: None, topic: None }
}
