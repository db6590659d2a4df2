//! What the phone makers' messages have in common: texts that are counted in characters, taps, data, and how they all
//! become a draft.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Draft, Template, TooLarge, Vendor,
    draft::{fit, merge, own_fields},
    fill,
    spec::Brief,
};
use crate::{
    crypto::hash,
    model::{
        ids::PushId,
        push::{Message, Notification},
    },
    wire::text,
};

/// What is shown. These vendors want both lines: one that is blank or not given repeats the other.
pub(super) struct Shown {
    pub(super) title: String,
    pub(super) body: String,
    /// Something was cut.
    pub(super) cut: bool,
}

/// The lines of a message, cut to so many characters each. `None`: it shows no text.
pub(super) fn shown(message: &Message, title_max: usize, body_max: usize) -> Option<Shown> {
    let Notification { title, body, .. } = texts(message)?;
    let [title, body] = [title, body].map(|line| line.as_deref().filter(|line| !line.trim().is_empty()));
    let (first, second) = (title.or(body)?, body.or(title)?);
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

/// Refuses data that is over a vendor's limit with the longest id that a delivery can have.
pub(super) fn data_fits(brief: &Brief<'_>, limit: usize, size: fn(&str) -> usize) -> Result<(), TooLarge> {
    let data = text::write(&Value::Object(data(brief.message, brief.push)));
    fits(size(&Template::new(data, brief.push).longest()), limit)
}

/// Refuses what is over a limit.
pub(super) fn fits(bytes: usize, limit: usize) -> Result<(), TooLarge> {
    if bytes > limit { Err(TooLarge { bytes, limit }) } else { Ok(()) }
}

/// So many characters.
pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
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

/// The same in the words of Huawei and Honor, who take pages of the web by https only: for another the app opens, and finds
/// the link in its data.
pub(super) fn click(message: &Message, data: &Map<String, Value>) -> Value {
    match tap(message) {
        Tap::Link(link) => json!({"type": 1, "intent": intent(link, data)}),
        Tap::Web(url) if url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) => {
            json!({"type": 2, "url": url})
        }
        Tap::Open | Tap::Web(_) => json!({"type": 3}),
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
    let text = |value: &Value| value.as_str().map_or_else(|| text::write(value), str::to_owned);
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
            merge(&mut written, &fill::class(brief.class, shown));
        }
        if let Some(options) = brief.message.options.of(vendor) {
            merge(&mut written, options);
        }
        text::write(&Value::Object(written))
    };
    let body = whole.as_ref().map(|shown| shown.body.as_str());
    let measure = |body: Option<&str>| Template::new(text(body), brief.push).max_len();
    let cut = fit(body, limits.bytes, measure)?;
    let written = text(cut.as_deref().or(body));
    let shortened = cut.is_some() || whole.is_some_and(|shown| shown.cut);
    Ok(Draft { body: Template::new(written, brief.push), headers: Vec::new(), shortened })
}

/// The JSON object `text` with another member in front.
pub(super) fn with_member(text: &str, name: &str, value: &str) -> String {
    let inner = text.get(1..).unwrap_or_default();
    let comma = if inner.trim_start().starts_with('}') { "" } else { "," };
    ["{\"", name, "\":", value, comma, inner].concat()
}

#[cfg(test)]
mod tests;
