//! What vendors report of messages later: a module's `receipts` reads its vendor's body into [`Receipt`]s. Codes that a module
//! does not know change nothing: they say nothing of a delivery that could be relied on. They are counted in the log.

use serde_json::Value;

use super::{said, words::words};
use crate::{
    model::{
        delivery::{Reason, Seen},
        ids::PushId,
        time::Millis,
    },
    wire::ledger::Event,
};

/// How a vendor reports.
pub struct Receipts {
    /// The reports in a body. `None`: it is not of the vendor's form.
    pub read: fn(&str) -> Option<Vec<Receipt>>,
    /// What the vendor wants to be answered.
    pub answer: &'static str,
    /// It can sign its calls: with `callback_user` and `callback_secret` of the credential.
    pub signs: bool,
}

/// One report about tokens of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Our own name of the call, which the vendor has carried along.
    pub tag: String,
    /// The tokens it is about.
    pub tokens: Vec<String>,
    /// What it says.
    pub word: Word,
    /// When it was so, where the vendor says it.
    pub at: Option<Millis>,
}

/// What a report says; `Err`: its code, whose meaning is not known.
pub type Word = Result<Event, String>;

/// Most tokens of one body. Of a body with more no more than one report more is read: it is refused.
pub const TOKENS_MAX: usize = 10_000;
/// Longest code that is named in the log.
const CODE_MAX: usize = 32;

/// The push and the number in it that a delivery's id (`ep_id`, and what vendors carry along) names.
pub fn place(id: &str) -> Option<(PushId, u32)> {
    let (push, n) = id.split_once('.')?;
    Some((PushId::parse(push)?, n.parse().ok()?))
}

/// It came to the phone.
pub(super) const RECEIVED: Event = Event::Seen(Seen::Received);
/// It was tapped.
pub(super) const CLICKED: Event = Event::Seen(Seen::Clicked);

/// It did not arrive, with the vendor's code.
pub(super) fn lost(reason: Reason, code: impl std::fmt::Display) -> Event {
    Event::Lost(reason, words(&format!("receipt {code}")))
}

/// A code whose meaning is not known: a number, or a word such as codes are made of.
pub(super) fn unknown(code: &str) -> Word {
    let of_a_code = |c: char| c.is_ascii_lowercase() || c == '_';
    let known_form = code.parse::<i64>().is_ok() || code.chars().all(of_a_code);
    Err(if known_form && code.len() <= CODE_MAX { code } else { "other" }.to_owned())
}

/// A report with these parts, if all are there.
pub(super) fn receipt(
    tag: Option<&Value>,
    tokens: Option<&Value>,
    at: Option<&Value>,
    word: Option<Word>,
) -> Option<Receipt> {
    let tokens: Vec<String> = match tokens? {
        Value::String(list) => {
            let tokens = list.split(',').map(str::trim).filter(|token| !token.is_empty());
            tokens.take(TOKENS_MAX + 1).map(str::to_owned).collect()
        }
        Value::Array(list) => {
            list.iter().filter_map(Value::as_str).take(TOKENS_MAX + 1).map(str::to_owned).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    if tokens.is_empty() {
        return None;
    }
    Some(Receipt { tag: said::text(tag?)?, tokens, word: word?, at: at.and_then(time) })
}

/// Milliseconds or seconds since the epoch.
fn time(value: &Value) -> Option<Millis> {
    let at = u64::try_from(said::number(value)?).ok().filter(|at| *at > 0)?;
    Some(Millis(if at < 100_000_000_000 { at * 1_000 } else { at }))
}

/// The reports of a body, up to the bound.
pub(super) fn bounded<'a>(
    all: &mut dyn Iterator<Item = &'a Value>,
    one: &dyn Fn(&Value) -> Option<Receipt>,
) -> Vec<Receipt> {
    let mut tokens = 0;
    let mut read = Vec::new();
    for receipt in all.filter_map(one) {
        tokens += receipt.tokens.len();
        read.push(receipt);
        if tokens > TOKENS_MAX {
            break;
        }
    }
    read
}

/// Reports in an object whose names are message ids: what is behind each is a report (Xiaomi, vivo, Meizu).
pub(super) fn by_message(body: &str, word: fn(&Value) -> Option<Word>) -> Option<Vec<Receipt>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let one = |one: &Value| {
        let at = one.get("timestamp").or_else(|| one.get("ackTime"));
        receipt(one.get("param"), one.get("targets"), at, word(one))
    };
    Some(bounded(&mut body.as_object()?.values(), &one))
}

/// Reports of Huawei and of Honor, which was Huawei's: `{"statuses": [{token, biTag, …}]}`.
pub(super) fn statuses(body: &str, word: fn(i64, &Value) -> Option<Word>) -> Option<Vec<Receipt>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let one = |one: &Value| {
        // Version 2 of Huawei's reports has its code and its time one level deeper.
        let deeper = |name| one.get("deliveryStatus")?.get(name);
        let code = one.get("status").or_else(|| deeper("result"));
        let at = one.get("timestamp").or_else(|| deeper("timestamp"));
        receipt(one.get("biTag"), one.get("token"), at, word(said::number(code?)?, one))
    };
    Some(bounded(&mut body.get("statuses")?.as_array()?.iter(), &one))
}

/// A field of a form.
pub(super) fn form_field(body: &str, name: &str) -> Option<String> {
    let value = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let spaces = value.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&spaces).decode_utf8().ok()?.into_owned())
}

/// The success answer of Huawei and Honor.
pub(super) const SUCCESS: &str = r#"{"code":"0","message":"success"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_is_taken() {
        let read = |body: &str| by_message(body, |_| Some(Ok(RECEIVED))).unwrap();
        let tokens = |body: &str| read(body).iter().map(|one| one.tokens.len()).sum::<usize>();
        let one = |n: usize, token: &str| {
            format!(r#"{{"m":{{"param":"p","targets":"{}"}}}}"#, vec![token; n].join(","))
        };
        assert_eq!(tokens(&one(TOKENS_MAX, "t")), TOKENS_MAX);
        assert_eq!(tokens(&one(TOKENS_MAX * 3, "t")), TOKENS_MAX + 1);
        assert_eq!(tokens(&one(TOKENS_MAX * 3, " ")), 0, "commas are no tokens");
        let many: Vec<String> =
            (0..TOKENS_MAX * 2).map(|n| format!(r#""{n}":{{"param":"p","targets":["t"]}}"#)).collect();
        assert_eq!(read(&format!("{{{}}}", many.join(","))).len(), TOKENS_MAX + 1);
    }

    #[test]
    fn a_time_is_read_in_both_units_and_a_code_says_no_more_than_a_code() {
        for (text, at) in [
            ("1760000000123", Some(1_760_000_000_123)),
            (r#""1760000000123""#, Some(1_760_000_000_123)),
            ("1760000000", Some(1_760_000_000_000)),
            ("0", None),
            ("-5", None),
            (r#""soon""#, None),
        ] {
            assert_eq!(time(&serde_json::from_str(text).unwrap()), at.map(Millis), "{text}");
        }
        for (code, named) in
            [("77", "77"), ("push_click", "push_click"), ("OPPO_CN_1", "other"), (&"a".repeat(33), "other")]
        {
            assert_eq!(unknown(code), Err(named.to_owned()));
        }
    }
}
