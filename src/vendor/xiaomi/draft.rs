//! A message in the fields of Xiaomi's form, but for its tokens.

use serde_json::{Map, Value};

use crate::{
    crypto::base64url,
    vendor::{
        Draft, Ids, TooLarge, Vendor,
        draft::object,
        payload::{self, Limits, Shown, Tap, data, data_fits, intent, number, tap},
        spec::Brief,
    },
};

/// Below 50 and 128 characters. The size of the whole is from memory (unverified).
const LIMITS: Limits = Limits { title: 49, body: 127, bytes: 8_192 };
/// Most bytes of the payload as it travels (unverified).
const DATA_MAX: usize = 4_096;
/// Longest `time_to_live`, seconds: of private messages, of all others.
const TTL_MAX: (u32, u32) = (864_000, 86_400);
/// Delivered, clicked, no such device, push switched off, filtered, over the quota.
const EVENTS: &str = "243";

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    data_fits(brief, DATA_MAX, |data| (data.len() * 4).div_ceil(3))?;
    payload::draft(brief, Vendor::Xiaomi, &LIMITS, &|shown| write(brief, shown))
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    // The payload is made for each call: base64 hides the place of the delivery's id.
    let data = Value::Object(data(message, brief.push));
    let private = brief.class.contains_key("extra.template_id");
    let longest = if private { TTL_MAX.0 } else { TTL_MAX.1 };
    let text = |text: &str| Some(Value::from(text));
    let (effect, intent_uri, web_uri) = match tap(message) {
        Tap::Open => ("1", None, None),
        Tap::Link(link) => ("2", Some(intent(link, &Map::new()).into()), None),
        Tap::Web(url) => ("3", None, text(url)),
    };
    let callback = |value: Value| brief.callback.map(|_| value);
    object([
        ("title", shown.and_then(|shown| text(&shown.title))),
        ("description", shown.and_then(|shown| text(&shown.body))),
        ("payload", Some(data)),
        ("pass_through", text("0")),
        ("notify_type", text("-1")),
        ("notify_id", message.collapse.as_deref().map(|key| number(key).into())),
        ("time_to_live", Some((u64::from(message.ttl.clamp(1, longest)) * 1_000).into())),
        ("extra.only_send_once", (message.ttl == 0).then(|| "1".into())),
        ("extra.notify_effect", text(effect)),
        ("extra.intent_uri", intent_uri),
        ("extra.web_uri", web_uri),
        ("extra.badge", message.notification.as_ref().and_then(|given| given.badge).map(Value::from)),
        ("extra.callback", brief.callback.and_then(text)),
        ("extra.callback.param", callback(Ids::hole(brief.push).into())),
        ("extra.callback.type", callback(EVENTS.into())),
    ])
}

/// The data as it travels.
pub(super) fn payload(data: &Value) -> String {
    base64url::encode(data.to_string().as_bytes())
}
