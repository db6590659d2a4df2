//! A message in the JSON of `notification`.

use serde_json::{Map, Value};

use crate::{
    model::push::Message,
    vendor::{
        Draft, Ids, TooLarge, Vendor,
        draft::object,
        payload::{self, Limits, Shown, Tap, chars, data, data_fits, fits, intent, number, tap},
        spec::Brief,
    },
    wire::text,
};

/// Characters of a standard notification; the data alone may have 4,000.
const LIMITS: Limits = Limits { title: 50, body: 200, bytes: 8_192 };
/// Most characters of `action_parameters`.
const DATA_MAX: usize = 4_000;
/// Most characters of `click_action_url`.
const URL_MAX: usize = 2_000;
/// Longest `off_line_ttl`, seconds: 10 days.
const TTL_MAX: u32 = 864_000;

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    data_fits(brief, DATA_MAX, chars)?;
    fits(click(brief.message).1.as_deref().map_or(0, chars), URL_MAX)?;
    payload::draft(brief, Vendor::Oppo, &LIMITS, &|shown| write(brief, shown))
}

/// What a tap does, and the address that it wants.
fn click(message: &Message) -> (u8, Option<String>) {
    match tap(message) {
        Tap::Open => (0, None),
        Tap::Web(url) => (2, Some(url.to_owned())),
        Tap::Link(link) => (5, Some(intent(link, &Map::new()))),
    }
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let id = || Some(Value::from(Ids::hole(brief.push)));
    // Where a template is named, OPPO writes the lines: free ones are not accepted beside it.
    let free = shown.filter(|_| !brief.class.contains_key("private_msg_template_id"));
    let (action, url) = click(message);
    object([
        ("app_message_id", id()),
        ("title", free.map(|shown| shown.title.as_str().into())),
        ("content", free.map(|shown| shown.body.as_str().into())),
        ("style", Some(1.into())),
        ("click_action_type", Some(action.into())),
        ("click_action_url", url.map(Value::from)),
        ("action_parameters", Some(text::write(&Value::Object(data(message, brief.push))).into())),
        ("off_line", Some((message.ttl > 0).into())),
        ("off_line_ttl", Some(message.ttl.clamp(1, TTL_MAX).into())),
        ("notify_id", message.collapse.as_deref().map(|key| number(key).into())),
        ("call_back_url", brief.callback.map(Value::from)),
        ("call_back_parameter", brief.callback.and_then(|_| id())),
    ])
}
