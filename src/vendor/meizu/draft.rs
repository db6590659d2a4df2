//! A message in the JSON of `messageJson`.

use serde_json::{Map, Value, json};

use crate::vendor::{
    Draft, Ids, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, Tap, data, data_fits, short, tap},
    spec::Brief,
};

/// Characters; the size of the whole is not documented.
const LIMITS: Limits = Limits { title: 32, body: 100, bytes: 8_192 };
/// Most bytes of the data: what a link and a custom attribute may have.
const DATA_MAX: usize = 1_000;
/// Longest `validTime`, hours.
const HOURS_MAX: u32 = 72;

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    data_fits(brief, DATA_MAX, str::len)?;
    payload::draft(brief, Vendor::Meizu, &LIMITS, &|shown| write(brief, shown))
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let data = data(message, brief.push);
    let click = match tap(message) {
        Tap::Open => json!({"clickType": 0, "parameters": data}),
        Tap::Web(link) | Tap::Link(link) => json!({"clickType": 2, "url": link, "parameters": data}),
    };
    let time = json!({
        "offLine": u8::from(message.ttl > 0),
        "validTime": message.ttl.div_ceil(3_600).clamp(1, HOURS_MAX),
    });
    let callback =
        |url: &str| json!({"callback": url, "callback.param": Ids::hole(brief.push), "callback.type": "3"});
    object([
        ("noticeBarInfo", shown.map(|shown| json!({"title": shown.title, "content": shown.body}))),
        ("clickTypeInfo", Some(click)),
        ("pushTimeInfo", Some(time)),
        // Eight characters at most: of any name a short form.
        ("advanceInfo", message.collapse.as_deref().map(|key| json!({"notifyKey": short(key, 8)}))),
        ("extra", brief.callback.map(callback)),
    ])
}
