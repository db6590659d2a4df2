//! `POST /v1/push`: bytes → [`Push`].

use std::collections::BTreeMap;

use serde_json::Map;

use super::{
    activity::{activity, fits},
    body, device,
    json::Json,
    reader::{Field, Fields},
    targets::{targets, unsupported},
    text,
};
use crate::{
    model::{
        kind::Kind,
        problem::{Code, Problem},
        push::{Category, Guard, Message, Notification, OnUnknown, Online, Options, Push, When},
        time::Millis,
    },
    vendor::Vendor,
};

/// Most bytes of a push request.
pub const BODY_MAX: usize = 2 * 1024 * 1024;
/// Longest `ttl`, seconds: 30 days.
pub const TTL_MAX: u64 = 2_592_000;
/// Longest text of a title or body, bytes: more cannot pass any vendor, even shortened it is not worth measuring.
const TEXT_MAX: usize = 16 * 1024;
/// Longest idempotency key, bytes.
const KEY_MAX: usize = 255;
/// Longest link or picture address, bytes.
const LINK_MAX: usize = 2_048;

/// Reads a push request.
pub fn push(bytes: &[u8]) -> Result<Push, Problem> {
    read(bytes, false)
}

/// The same; `bare`: one without contents shows something.
pub(super) fn read(bytes: &[u8], bare: bool) -> Result<Push, Problem> {
    let mut fields = Field::root(body(bytes)?).object()?;
    let to = targets(fields.need("to")?)?;
    let category = category(&mut fields)?;
    let kind = device::kind(&mut fields, "type")?;
    let mut message = Message {
        category,
        campaign: fields.take("campaign").map(campaign).transpose()?,
        notification: fields.take("notification").map(notification).transpose()?,
        data: fields.take("data").map(data).transpose()?.unwrap_or_default(),
        collapse: fields.take("collapse").map(collapse).transpose()?,
        ttl: match fields.take("ttl") {
            Some(field) => u32::try_from(field.whole(TTL_MAX)?).unwrap_or(u32::MAX),
            None => kind.default_ttl().unwrap_or(category.default_ttl()),
        },
        guard: guard(&mut fields, category)?,
        online: online(&mut fields, category)?,
        on_unknown: on_unknown(&mut fields, category)?,
        options: fields.take("options").map(options).transpose()?.unwrap_or_default(),
        kind,
        activity: fields.take("activity").map(|field| activity(field, kind)).transpose()?,
    };
    fits(&message, &to)?;
    if message.kind == Kind::Alert
        && message.notification.is_none()
        && message.data.is_empty()
        && message.options == Options::default()
    {
        if !bare {
            return Err(Problem::at(
                Code::MissingField,
                "/notification",
                "give a `notification`, `data`, or both",
            ));
        }
        message.notification =
            Some(Notification { title: Some("Title".to_owned()), ..Notification::default() });
    }
    if !message.shows_text() {
        for (vendor, given) in message.options.more.iter() {
            vendor.check_silent(given, &format!("/options/{}", vendor.name()))?;
        }
    }
    let when = fields.take("send").map(when).transpose()?.unwrap_or_default();
    let wait = fields.take("wait").map_or(Ok(true), Field::boolean)?;
    fields.end()?;
    Ok(Push { to, message, when, wait })
}

fn category(fields: &mut Fields) -> Result<Category, Problem> {
    let all = Category::ALL.map(|category| (category.name(), category));
    fields.take("category").map_or(Ok(Category::default()), |field| field.one_of(&all))
}

/// A campaign's name goes into FCM's analytics label as `mkt-<campaign>`, of at most 50 characters of this alphabet.
pub(super) fn campaign(field: Field) -> Result<String, Problem> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'%');
    text::matching(field, 46, "[a-zA-Z0-9-_.~%]{1,46}", allowed)
}

fn notification(field: Field) -> Result<Notification, Problem> {
    let mut fields = field.object()?;
    let notification = Notification {
        title: fields.take("title").map(|field| text::plain(field, TEXT_MAX, false)).transpose()?,
        body: fields.take("body").map(|field| text::plain(field, TEXT_MAX, true)).transpose()?,
        image: fields.take("image").map(|field| text::https_url(field, LINK_MAX)).transpose()?,
        link: fields.take("link").map(|field| text::link(field, LINK_MAX)).transpose()?,
        badge: fields.take("badge").map(badge).transpose()?,
        sound: fields.take("sound").map(|field| text::word(field, 128)).transpose()?,
    };
    let at = fields.at().to_owned();
    fields.end()?;
    if notification.title.is_none() && notification.body.is_none() && notification.badge.is_none() {
        return Err(Problem::at(
            Code::MissingField,
            at,
            "a notification shows a `title`, a `body` or a `badge`",
        ));
    }
    Ok(notification)
}

fn badge(field: Field) -> Result<u32, Problem> {
    // Android keeps the number in 32 bits with a sign.
    field.whole(i32::MAX as u64).map(|number| u32::try_from(number).unwrap_or_default())
}

fn data(field: Field) -> Result<BTreeMap<String, String>, Problem> {
    let mut data = BTreeMap::new();
    for (name, value) in field.object()?.rest() {
        let at = value.at.clone();
        if reserved(&name) {
            let detail =
                "kept for vendors and edgepush: `from`, `message_type`, `aps`, `google…`, `gcm…`, `ep_…`";
            return Err(Problem::at(Code::ReservedName, at, detail));
        }
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Problem::at(
                Code::InvalidCharacters,
                at,
                "a name in `data` is not empty and has no control characters",
            ));
        }
        data.insert(name, value.text()?.0);
    }
    Ok(data)
}

/// Names that FCM refuses, that APNs keeps, or that carry our own fields.
pub fn reserved(name: &str) -> bool {
    matches!(name, "from" | "message_type" | "aps")
        || ["google", "gcm", "ep_"].iter().any(|kept| name.starts_with(kept))
}

fn collapse(field: Field) -> Result<String, Problem> {
    text::word(field, 256)
}

fn guard(fields: &mut Fields, category: Category) -> Result<Guard, Problem> {
    let default = if category.personal() { Guard::Account } else { Guard::Open };
    let all = [("account", Guard::Account), ("open", Guard::Open)];
    fields.take("guard").map_or(Ok(default), |field| field.one_of(&all))
}

fn online(fields: &mut Fields, category: Category) -> Result<Online, Problem> {
    let default = if category == Category::Im { Online::First } else { Online::Never };
    let Some(field) = fields.take("online") else { return Ok(default) };
    let at = field.at.clone();
    let all = [("first", Some(Online::First)), ("only", None), ("never", Some(Online::Never))];
    field.one_of(&all)?.ok_or_else(|| unsupported(&at, "pushes on the online channel alone"))
}

fn on_unknown(fields: &mut Fields, category: Category) -> Result<OnUnknown, Problem> {
    let default = if category.personal() { OnUnknown::Resend } else { OnUnknown::Keep };
    let all = [("resend", OnUnknown::Resend), ("keep", OnUnknown::Keep)];
    fields.take("on_unknown").map_or(Ok(default), |field| field.one_of(&all))
}

fn options(field: Field) -> Result<Options, Problem> {
    let mut fields = field.object()?;
    let mut options = Options::default();
    for vendor in Vendor::ALL {
        let Some(field) = fields.take(vendor.name()) else { continue };
        let given = free(field)?;
        vendor.check_options(&given, &format!("{}/{}", fields.at(), vendor.name()))?;
        if vendor == Vendor::Apns {
            options.apns = given;
        } else if vendor == Vendor::Fcm {
            options.fcm = given;
        } else if vendor == Vendor::Webpush {
            options.webpush = given;
        } else {
            options.more.insert(vendor, given);
        }
    }
    fields.end()?;
    Ok(options)
}

/// An object whose names are the vendor's, not ours.
pub(super) fn free(field: Field) -> Result<Map<String, serde_json::Value>, Problem> {
    let at = field.at.clone();
    let Json::Object(_) = &field.json else {
        return Err(Problem::at(Code::WrongType, at, format!("must be an object, is {}", field.json.kind())));
    };
    match field.json.into_value(&at) {
        Ok(serde_json::Value::Object(map)) => Ok(map),
        Ok(_) => Ok(Map::new()),
        Err(pointer) => Err(Problem::at(Code::DuplicateField, pointer, "this field stands here twice")),
    }
}

/// `"now"` or `{"at": time}`.
fn when(field: Field) -> Result<When, Problem> {
    if field.json == Json::Text("now".into()) {
        return Ok(When::Now);
    }
    if field.json == Json::Text("best".into()) {
        return Err(unsupported(&field.at, "pushes at the best time"));
    }
    let mut fields = field.object()?;
    let at = time(fields.need("at")?)?;
    fields.end()?;
    Ok(When::At(at))
}

/// An instant.
pub(super) fn time(field: Field) -> Result<Millis, Problem> {
    let (text, at) = field.text()?;
    let refused =
        || Problem::at(Code::InvalidValue, at, "must be an RFC 3339 time, such as 2026-12-24T18:00:00Z");
    Millis::parse_rfc3339(&text).ok_or_else(refused)
}

/// Checks the header `Idempotency-Key`: whatever the caller takes for one, of 1 to 255 visible ASCII characters.
pub fn idempotency_key(header: Option<&str>) -> Result<Option<&str>, Problem> {
    // RFC 9110 section 5.5: blanks and tabs around a value are none of it. Other spaces are not ASCII.
    let Some(key) = header.map(|header| header.trim_matches([' ', '\t'])) else { return Ok(None) };
    if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        let detail = "the header Idempotency-Key must have 1 to 255 visible ASCII characters";
        return Err(Problem::new(Code::InvalidValue, detail));
    }
    Ok(Some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> (Code, String) {
        let problem = push(json.as_bytes()).unwrap_err();
        (problem.code, problem.pointer.unwrap_or_default())
    }

    fn with(field: &str) -> String {
        format!(r#"{{"to":{{"users":["u"]}},"notification":{{"title":"t"}},{field}}}"#)
    }

    #[test]
    fn the_contracts_example_is_read() {
        let text = r#"{
            "to": { "users": ["u42"] }, "category": "order",
            "notification": { "title": "Sent", "body": "Your parcel has left", "image": "https://a.example/b.png",
                              "link": "app://order/4711", "badge": 3, "sound": "default" },
            "data": { "order": "4711" }, "collapse": "order-4711", "ttl": 86400, "guard": "account", "online": "first",
            "send": "now", "on_unknown": "resend", "wait": true,
            "options": { "apns": { "aps": { "interruption-level": "time-sensitive" } } }
        }"#;
        let push = push(text.as_bytes()).unwrap();
        assert_eq!(push.to.users, [crate::model::ids::UserId::parse("u42").unwrap()]);
        assert_eq!((push.message.category, push.message.ttl), (Category::Order, 86_400));
        assert_eq!(push.message.options.apns["aps"]["interruption-level"], "time-sensitive");
    }

    #[test]
    fn when_and_wait_are_read() {
        let push =
            push(with(r#""send":{"at":"2026-12-01T01:00:00+01:00"},"wait":false"#).as_bytes()).unwrap();
        assert_eq!((push.when, push.wait), (When::At(Millis(1_796_083_200_000)), false));
        for (key, good) in [
            ("a", true),
            (" a b\t", true),
            ("", false),
            ("\u{e9}", false),
            ("\u{85}a", false),
            ("a\u{a0}", false),
            (&"x".repeat(256), false),
        ] {
            assert_eq!(idempotency_key(Some(key)).is_ok(), good, "{key}");
        }
        assert_eq!(idempotency_key(None), Ok(None));
    }

    #[test]
    fn no_category_is_marketing_and_open() {
        let message = push(with(r#""ttl":0"#).as_bytes()).unwrap().message;
        assert_eq!((message.category, message.guard, message.ttl), (Category::Marketing, Guard::Open, 0));
        assert_eq!((message.online, message.on_unknown), (Online::Never, OnUnknown::Keep));
        let message = push(with(r#""category":"im""#).as_bytes()).unwrap().message;
        assert_eq!(
            (message.guard, message.online, message.on_unknown),
            (Guard::Account, Online::First, OnUnknown::Resend)
        );
        assert_eq!(message.ttl, 604_800);
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        for (field, code, at) in [
            (r#""titel":1"#, Code::UnknownField, "/titel"),
            (r#""data":{"a":"1","a":"2"}"#, Code::DuplicateField, "/data/a"),
            (r#""options":{"apns":{"aps":{"x":1,"x":2}}}"#, Code::DuplicateField, "/options/apns/aps/x"),
            (r#""options":{"mars":{}}"#, Code::UnknownField, "/options/mars"),
            (r#""options":{"fcm":{"token":"x"}}"#, Code::InvalidValue, "/options/fcm/token"),
            (r#""data":{"a":1}"#, Code::WrongType, "/data/a"),
            (r#""data":{"a":null}"#, Code::WrongType, "/data/a"),
            (r#""data":{"from":"x"}"#, Code::ReservedName, "/data/from"),
            (r#""data":{"gcm_x":"x"}"#, Code::ReservedName, "/data/gcm_x"),
            (r#""data":{"ep_id":"x"}"#, Code::ReservedName, "/data/ep_id"),
            (r#""category":"promo""#, Code::InvalidValue, "/category"),
            (r#""ttl":2592001"#, Code::InvalidValue, "/ttl"),
            (r#""ttl":-1"#, Code::InvalidValue, "/ttl"),
            (r#""ttl":"60""#, Code::WrongType, "/ttl"),
            (r#""collapse":"""#, Code::InvalidValue, "/collapse"),
            (r#""collapse":"a\u0000""#, Code::InvalidCharacters, "/collapse"),
            (r#""campaign":"a b""#, Code::InvalidValue, "/campaign"),
            (r#""guard":"none""#, Code::InvalidValue, "/guard"),
            (r#""online":"only""#, Code::NotSupported, "/online"),
            (r#""send":"best""#, Code::NotSupported, "/send"),
            (r#""send":"soon""#, Code::WrongType, "/send"),
            (r#""send":{}"#, Code::MissingField, "/send/at"),
            (r#""send":{"at":"tomorrow"}"#, Code::InvalidValue, "/send/at"),
            (r#""send":{"at":"1969-12-31T23:59:59Z"}"#, Code::InvalidValue, "/send/at"),
            (r#""wait":"no""#, Code::WrongType, "/wait"),
            (r#""type":"carrier""#, Code::InvalidValue, "/type"),
            (r#""options":{"oppo":{"callBackUrl":"x"}}"#, Code::InvalidValue, "/options/oppo/callBackUrl"),
            (r#""options":{"honor":{"ep_id":"x"}}"#, Code::ReservedName, "/options/honor/ep_id"),
        ] {
            assert_eq!(refused(&with(field)), (code, at.to_owned()), "{field}");
        }
    }

    #[test]
    fn notifications_are_checked() {
        let with = |fields: &str| format!(r#"{{"to":{{"users":["u"]}},"notification":{{{fields}}}}}"#);
        for (fields, code, at) in [
            ("", Code::MissingField, "/notification"),
            (r#""image":"https://a.example/""#, Code::MissingField, "/notification"),
            (r#""title":"a\nb""#, Code::InvalidCharacters, "/notification/title"),
            (r#""title":"t","link":"javascript:alert(1)""#, Code::LinkNotAllowed, "/notification/link"),
            (r#""title":"t","image":"http://a.example/""#, Code::LinkNotAllowed, "/notification/image"),
            (r#""title":"t","badge":-1"#, Code::InvalidValue, "/notification/badge"),
            (r#""title":"t","badge":2147483648"#, Code::InvalidValue, "/notification/badge"),
            (r#""title":"t","badge":null"#, Code::WrongType, "/notification/badge"),
        ] {
            assert_eq!(refused(&with(fields)), (code, at.to_owned()), "{fields}");
        }
    }

    #[test]
    fn what_is_not_a_push_is_refused() {
        assert_eq!(refused(r#"{"to":{"users":["u"]}}"#), (Code::MissingField, "/notification".into()));
        assert_eq!(push(b"\xff").unwrap_err().code, Code::InvalidUtf8);
        assert_eq!(push(b"[").unwrap_err().code, Code::InvalidJson);
        assert_eq!(push(b"[]").unwrap_err().code, Code::WrongType);
    }
}
