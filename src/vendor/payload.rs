//! What the phone makers' messages have in common: texts that are counted in characters, taps, data, and how they all
//! become a draft.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Draft, Template, TooLarge, Vendor,
    draft::{fit, merge, own_fields},
    spec::Brief,
};
use crate::{
    crypto::hash,
    model::{
        ids::PushId,
        push::{Message, Notification},
    },
};

/// What is shown. These vendors want both lines: one that is not given repeats the other.
pub(super) struct Shown {
    pub(super) title: String,
    pub(super) body: String,
    /// Something was cut.
    pub(super) cut: bool,
}

/// The lines of a message, cut to so many characters each. `None`: it shows no text.
pub(super) fn shown(message: &Message, title_max: usize, body_max: usize) -> Option<Shown> {
    let Notification { title, body, .. } = texts(message)?;
    let (first, second) = (title.as_deref().or(body.as_deref())?, body.as_deref().or(title.as_deref())?);
    let (title, body) = (clip(first, title_max), clip(second, body_max));
    let cut = title.len() < first.len() || body.len() < second.len();
    Some(Shown { title, body, cut })
}

/// The notification, if it shows a text that is more than blanks.
pub(super) fn texts(message: &Message) -> Option<&Notification> {
    message.notification.as_ref().filter(|_| message.shows_text())
}

/// The beginning of a text, of at most so many characters (Unicode scalar values, as these vendors count), cut between
/// graphemes.
fn clip(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let (mut kept, mut left) = (String::new(), max.saturating_sub(1));
    for grapheme in text.graphemes(true) {
        let Some(rest) = left.checked_sub(grapheme.chars().count()) else { break };
        left = rest;
        kept.push_str(grapheme);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// The caller's data and our own fields.
pub(super) fn data(message: &Message, push: &PushId) -> Map<String, Value> {
    let mut data = own_fields(message, push);
    data.extend(message.data.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    data
}

/// Where a tap leads.
pub(super) enum Tap<'a> {
    /// Into the app.
    Open,
    /// To a page of the web.
    Web(&'a str),
    /// To a place in the app, named by a link of the app's own scheme.
    Link(&'a str),
}

/// Where a tap on this message leads.
pub(super) fn tap(message: &Message) -> Tap<'_> {
    let Some(link) = message.notification.as_ref().and_then(|shown| shown.link.as_deref()) else {
        return Tap::Open;
    };
    match link.split_once(':') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") => {
            Tap::Web(link)
        }
        Some(_) | None => Tap::Link(link),
    }
}

/// A link as Android's `Intent.parseUri` reads it (`URI_INTENT_SCHEME`), texts going along as extras.
pub(super) fn intent(link: &str, extras: &Map<String, Value>) -> String {
    let (scheme, rest) = link.split_once(':').unwrap_or(("", link));
    let mut intent = format!("intent:{rest}#Intent;scheme={scheme};");
    for (name, value) in extras {
        let _ = write!(intent, "S.{}={};", escaped(name), escaped(value.as_str().unwrap_or_default()));
    }
    intent.push_str("end");
    intent
}

/// All but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encoded: right in forms, queries and intents.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A form of these fields. What is not a text is written as JSON.
pub(super) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs =
        fields.into_iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(&text(value))));
    pairs.collect::<Vec<_>>().join("&")
}

/// A positive number of 31 bits made of a text, for vendors whose ids are numbers.
pub(super) fn number(text: &str) -> u32 {
    let [a, b, c, d, ..] = hash::sha256(text.as_bytes());
    (u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff).max(1)
}

/// A handful of letters and digits made of a text.
pub(super) fn short(text: &str, letters: usize) -> String {
    hash::sha256_hex(text.as_bytes()).chars().take(letters).collect()
}

/// What a module writes of a message, given the lines to be shown.
pub(super) type Writer<'a> = &'a dyn Fn(Option<&Shown>) -> Map<String, Value>;

/// Limits of a message.
pub(super) struct Limits {
    /// Most characters of a title.
    pub(super) title: usize,
    /// Most characters of a text.
    pub(super) body: usize,
    /// Most bytes of the whole without its targets.
    pub(super) bytes: usize,
}

/// Makes a draft: the module's own JSON, then the class, then the caller's options; its text cut where that makes it fit.
pub(super) fn draft(
    brief: &Brief<'_>,
    vendor: Vendor,
    limits: &Limits,
    write: Writer<'_>,
) -> Result<Draft, TooLarge> {
    let whole = shown(brief.message, limits.title, limits.body);
    let text = |body: Option<&str>| {
        let shown = whole.as_ref().map(|shown| Shown {
            title: shown.title.clone(),
            body: body.unwrap_or_default().to_owned(),
            cut: shown.cut,
        });
        let mut written = write(shown.as_ref());
        if let Some(shown) = &shown {
            merge(&mut written, &filled(brief.class, shown));
        }
        if let Some(options) = brief.message.options.of(vendor) {
            merge(&mut written, options);
        }
        Value::Object(written).to_string()
    };
    let body = whole.as_ref().map(|shown| shown.body.as_str());
    let measure = |body: Option<&str>| Template::new(&text(body), brief.push).max_len();
    let cut = fit(body, limits.bytes, measure)?;
    let written = text(cut.as_deref().or(body));
    let shortened = cut.is_some() || whole.is_some_and(|shown| shown.cut);
    Ok(Draft { body: Template::new(&written, brief.push), headers: Vec::new(), shortened })
}

/// A class, with `{title}` and `{body}` in its texts replaced: vendors' templates take them as parameters.
fn filled(class: &Map<String, Value>, shown: &Shown) -> Map<String, Value> {
    let fill = |value: &Value| match value {
        Value::String(text) if text.contains('{') => {
            Value::String(text.replace("{title}", &shown.title).replace("{body}", &shown.body))
        }
        Value::Object(inner) => Value::Object(filled(inner, shown)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => value.clone(),
    };
    class.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
}

/// The JSON object `text` with another member in front.
pub(super) fn with_member(text: &str, name: &str, value: &str) -> String {
    let inner = text.get(1..).unwrap_or_default();
    let comma = if inner.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"{name}\":{value}{comma}{inner}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendor::sample::object;

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
    fn templates_parameters_are_filled_in() {
        let shown = Shown { title: "T".into(), body: "B \"q\"".into(), cut: false };
        let class = object(json!({"p": {"who": "{title}", "text": "say {body}"}, "n": 1}));
        assert_eq!(
            Value::Object(filled(&class, &shown)),
            json!({"p": {"who": "T", "text": "say B \"q\""}, "n": 1})
        );
    }
}
