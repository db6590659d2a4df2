//! What the vendors' tests share.

use crate::{
    model::{
        device::Address,
        ids::PushId,
        kind::Kind,
        outcome::{Again, Certainty, Outcome, Reply, RetryWhy},
        policy::Policy,
        push::{Category, Guard, Message, Notification, OnUnknown, Online, Options},
        secret::Secret,
        table::gather,
        time::Millis,
    },
    vendor::{Brief, Call, Draft, Facts, Ids, Outbound, To, TooLarge, Vendor, rules},
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
        kind: Kind::Alert,
        activity: None,
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

/// A message as the vendor gets it: the request of a call for these tokens.
pub(super) fn request(
    vendor: Vendor,
    facts: &Facts,
    message: &Message,
    policy: &Policy,
    tokens: &[&str],
) -> Outbound {
    let draft = drafted(vendor, message, policy).expect("a draft");
    let addresses: Vec<Address> = tokens.iter().map(|token| address(vendor, token)).collect();
    let own: Vec<Ids> = (0..tokens.len()).map(|n| Ids::new(&push(), n + 3)).collect();
    let to: Vec<To<'_>> = addresses.iter().zip(&own).map(|(address, ids)| To { address, ids }).collect();
    let ids = Ids::of_call(&own.iter().collect::<Vec<_>>()).expect("ids");
    let call =
        Call { draft: &draft, to: &to, ids: &ids, bearer: "bearer", random: None, prepared: None, now: NOW };
    (vendor.spec().request)(facts, &call).expect("a request")
}

/// The draft of a message under an app's policy.
pub(super) fn drafted(vendor: Vendor, message: &Message, policy: &Policy) -> Result<Draft, TooLarge> {
    let class = rules::class(vendor, message.category, policy).expect("a class");
    let told = vendor.spec().called_back.as_ref();
    let callback = told.map(|_| "https://push.example/v1/receipts/a/b/c");
    vendor.draft(&Brief {
        message,
        push: &push(),
        due: NOW,
        now: NOW,
        class: &class,
        callback,
        receipt_id: None,
    })
}

/// A policy that names everything that a vendor's classes need.
pub(super) fn policy(vendor: Vendor) -> Policy {
    let class = |category| {
        let own = match (vendor, category) {
            (Vendor::Xiaomi, Category::Im | Category::Order) => {
                serde_json::json!({"extra.channel_id": "ch1", "extra.template_id": "T1"})
            }
            (Vendor::Oppo, Category::Im) => serde_json::json!({"channel_id": "chat"}),
            (Vendor::Oppo, Category::Order) => {
                serde_json::json!({"channel_id": "order", "private_msg_template_id": "T1", "private_content_parameters": {"what": "{body}"}})
            }
            _ => serde_json::json!({}),
        };
        (category, object(own))
    };
    Policy { classes: gather([(vendor, gather(Category::ALL.map(class)))]), ..Policy::default() }
}

/// Open texts of a credential.
pub(super) fn facts(texts: &[(&str, &str)]) -> Facts {
    Facts::Keys(gather(texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))))
}

/// The request's body with the call's id written as `<id>` and what is made of it as `<uuid>`.
pub(super) fn text(request: &Outbound) -> String {
    let all = [3, 4].map(|n| Ids::new(&push(), n));
    let list = Ids::of_call(&[&all[0], &all[1]]).expect("ids");
    let text = request.body.text().expect("a text").to_owned();
    let text = text.replace(&all[0].delivery, "<id>").replace(&all[1].delivery, "<id 2>");
    text.replace(&all[0].uuid(), "<uuid>").replace(&list.uuid(), "<list>")
}

/// A form's fields, in the order of their names.
pub(super) fn fields(request: &Outbound) -> std::collections::BTreeMap<String, String> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned();
    let pairs = request.body.text().expect("a form").split('&');
    pairs
        .map(|pair| pair.split_once('=').expect("a pair"))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// An answer.
pub(super) fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.into(), whole: true, ..Reply::default() }
}

/// What an answer says of a token, `t1` of two.
pub(super) fn verdict(vendor: Vendor, status: u16, body: &str, token: &str) -> Outcome {
    vendor.classify(&reply(status, body), 2, NOW).of(token).outcome.clone()
}

/// What an answer says of the only token of a call, shortly.
pub(super) fn alone(vendor: Vendor, status: u16, body: &str) -> &'static str {
    short(&vendor.classify(&reply(status, body), 1, NOW).of("t1").outcome)
}

/// What can be said of a token, shortly.
pub(super) fn short(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::TokenGone { certainty: Certainty::Certain, .. } => "gone",
        Outcome::TokenGone { certainty: Certainty::Ambiguous, .. } => "doubtful",
        Outcome::Retry { why: RetryWhy::RateLimited | RetryWhy::DeviceLimited, .. } => "slow",
        Outcome::Retry { why: RetryWhy::Unavailable, .. } => "down",
        Outcome::Rejected => "rejected",
        Outcome::TooLarge => "too large",
        Outcome::Quota => "quota",
        Outcome::Capped => "capped",
        Outcome::Muted => "muted",
        Outcome::Credentials(Again::NewToken) => "renew",
        Outcome::Credentials(_) => "credentials",
        Outcome::Unknown => "unknown",
    }
}

/// What is not the vendor's word, or no word that can be read: nothing of it says that a token is dead.
pub(super) fn assert_noise_is_harmless(vendor: Vendor) {
    for (status, body, said) in [
        (200, "", "unknown"),
        (200, "<html>ok</html>", "unknown"),
        (200, "[]", "unknown"),
        (200, "{\"code\":", "unknown"),
        (302, "", "down"),
        (404, "<html>", "down"),
        (410, "", "down"),
        (502, "<html>Bad Gateway</html>", "down"),
        (504, "", "down"),
        (429, "", "slow"),
    ] {
        assert_eq!(short(&verdict(vendor, status, body, "t1")), said, "{vendor:?} {status} {body}");
    }
    // A wait that is asked for is kept, whoever asks.
    for (status, why) in [(429, RetryWhy::RateLimited), (503, RetryWhy::Unavailable)] {
        let busy = Reply { retry_after: Some("7".into()), ..reply(status, "<html>") };
        let outcome = vendor.classify(&busy, 1, NOW).of("t1").outcome.clone();
        assert_eq!(outcome, Outcome::Retry { after: Some(7), why }, "{vendor:?} {status}");
    }
    let cut = Reply { whole: false, ..reply(200, "{}") };
    assert_eq!(short(&vendor.classify(&cut, 1, NOW).of("t1").outcome), "unknown");
}
