//! `PUT /v1/users/{user}/devices/{device}`: bytes → [`Registration`].

use super::{
    body,
    reader::{Field, Fields},
    text,
};
use crate::{
    model::{
        device::{Address, Environment, Permission, Platform, Registration},
        kind::{ACTIVITY_MAX, Kind},
        problem::{Code, Problem},
        secret::Secret,
    },
    vendor::Vendor,
};

/// Most bytes of a registration.
pub const BODY_MAX: usize = 16 * 1024;

/// Reads a registration.
pub fn registration(bytes: &[u8]) -> Result<Registration, Problem> {
    of_fields(Field::root(body(bytes)?).object()?)
}

/// The same, where other fields have been taken out already.
pub fn of_fields(mut fields: Fields) -> Result<Registration, Problem> {
    let platform = fields.need("platform")?;
    let platform_at = platform.at.clone();
    let platform = platform.one_of(&Platform::ALL.map(|platform| (platform.name(), platform)))?;
    let address = address(&mut fields)?;
    if !address.vendor.reaches(platform) {
        let detail = format!("`{}` does not deliver to this platform", address.vendor.name());
        return Err(Problem::at(Code::InvalidValue, platform_at, detail));
    }
    let kind = kind(&mut fields, "kind")?;
    if kind != Kind::Alert && address.vendor != Vendor::Apns {
        let detail = "only tokens of `apns` are of a kind";
        return Err(Problem::at(Code::InvalidValue, format!("{}/kind", fields.at()), detail));
    }
    let activity = activity(&mut fields, kind)?;
    let registration = Registration {
        platform,
        address,
        permission: permission(&mut fields)?,
        app_version: fields.take("app_version").map(|field| text::word(field, 64)).transpose()?,
        locale: fields.take("locale").map(locale).transpose()?,
        time_zone: fields.take("time_zone").map(time_zone).transpose()?,
        kind,
        activity,
    };
    fields.end()?;
    Ok(registration)
}

/// Which Live Activity a token is of. Each that runs has a token of its own, so without a name nothing could tell them apart.
fn activity(fields: &mut Fields, kind: Kind) -> Result<Option<String>, Problem> {
    match (kind, fields.take("activity")) {
        (Kind::LiveActivity, None) => Err(Problem::at(
            Code::MissingField,
            format!("{}/activity", fields.at()),
            "a token of the kind `live_activity` is of one activity: name it as pushes will name it in `activity.id`",
        )),
        (_, None) => Ok(None),
        (kind, Some(name)) if kind.of_activity() => text::word(name, ACTIVITY_MAX).map(Some),
        (_, Some(name)) => Err(name.invalid("only tokens of Live Activities name one: see `kind`")),
    }
}

/// What a token, or a push, is for.
pub fn kind(fields: &mut Fields, name: &'static str) -> Result<Kind, Problem> {
    let all = Kind::ALL.map(|kind| (kind.name(), kind));
    fields.take(name).map_or(Ok(Kind::Alert), |field| field.one_of(&all))
}

/// Vendor, token and what belongs to them: also what `to.tokens` of a push names.
pub fn address(fields: &mut Fields) -> Result<Address, Problem> {
    let all = Vendor::ALL.map(|vendor| (vendor.name(), vendor));
    let vendor = fields.need("vendor")?.one_of(&all)?;
    let token = vendor.read_token(fields.need("token")?)?;
    let environment = fields.take("environment");
    let topic = fields.take("topic");
    let foreign = environment.as_ref().or(topic.as_ref()).filter(|_| vendor != Vendor::Apns);
    if let Some(field) = foreign {
        return Err(field.invalid("only tokens of `apns` have an environment and a topic"));
    }
    let worlds = [("sandbox", Environment::Sandbox), ("production", Environment::Production)];
    Ok(Address {
        vendor,
        token: Secret::new(token),
        environment: environment.map(|field| field.one_of(&worlds)).transpose()?,
        topic: topic.map(bundle_id).transpose()?,
    })
}

/// A bundle id as Apple allows it: letters, digits, hyphen and period.
pub fn bundle_id(field: Field) -> Result<String, Problem> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    text::matching(field, 255, "com.example.app: letters, digits, `-` and `.`", allowed)
}

fn permission(fields: &mut Fields) -> Result<Permission, Problem> {
    fields.take("permission").map_or(Ok(Permission::default()), permission_of)
}

/// One of the permissions.
pub fn permission_of(field: Field) -> Result<Permission, Problem> {
    field.one_of(&[
        ("granted", Permission::Granted),
        ("denied", Permission::Denied),
        ("provisional", Permission::Provisional),
        ("unknown", Permission::Unknown),
    ])
}

/// The shape of a BCP 47 tag: subtags of 1 to 8 letters and digits, the first of letters only.
pub fn locale(field: Field) -> Result<String, Problem> {
    let at = field.at.clone();
    let tag = text::word(field, 35)?;
    let mut subtags = tag.split('-');
    let language = subtags.next().is_some_and(|first| {
        (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic())
    });
    let rest =
        subtags.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if language && rest {
        Ok(tag)
    } else {
        Err(Problem::at(Code::InvalidValue, at, "must be a BCP 47 tag, as in de-CH"))
    }
}

/// The shape of an IANA name: `Area/Location`, or one word such as `UTC`. Whether there is such a zone the platform knows.
pub fn time_zone(field: Field) -> Result<String, Problem> {
    let at = field.at.clone();
    let name = text::word(field, 64)?;
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    if name.split('/').all(part) {
        Ok(name)
    } else {
        Err(Problem::at(Code::InvalidValue, at, "must be an IANA time zone, as in Europe/Berlin"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APNS: &str = "00aa11bb22cc33dd44ee55ff6677889900aa11bb22cc33dd44ee55ff66778899";

    fn refused(json: &str) -> (Code, String) {
        let problem = registration(json.as_bytes()).unwrap_err();
        (problem.code, problem.pointer.unwrap_or_default())
    }

    #[test]
    fn an_iphone_and_an_android_phone_are_read() {
        let text = format!(
            r#"{{"platform":"ios","vendor":"apns","token":"{APNS}","environment":"sandbox","topic":"com.example.demo",
                "permission":"granted","app_version":"5.1 (77)","locale":"zh-Hant-TW","time_zone":"America/Argentina/Ushuaia"}}"#
        );
        let device = registration(text.as_bytes()).unwrap();
        assert_eq!(device.address.environment, Some(Environment::Sandbox));
        assert_eq!(device.permission, Permission::Granted);
        let of = |rest: &str| {
            let text = format!(r#"{{"platform":"ios","vendor":"apns","token":"{APNS}","kind":{rest}}}"#);
            registration(text.as_bytes()).unwrap().activity
        };
        assert_eq!(of(r#""live_activity","activity":"order-4711""#).as_deref(), Some("order-4711"));
        assert_eq!(of(r#""live_activity_start","activity":"Ride""#).as_deref(), Some("Ride"));
        assert_eq!(of(r#""live_activity_start""#), None);
        let device = registration(br#"{"platform":"android","vendor":"fcm","token":"abc:DEF-_1"}"#).unwrap();
        assert_eq!((device.platform, device.permission), (Platform::Android, Permission::Unknown));
    }

    #[test]
    fn tokens_that_differ_in_letter_case_only_are_equal_where_the_vendor_takes_them_so() {
        let read = |token: &str, vendor: &str, platform: &str| {
            let text = format!(r#"{{"platform":"{platform}","vendor":"{vendor}","token":"{token}"}}"#);
            registration(text.as_bytes()).unwrap()
        };
        assert_eq!(read(APNS, "apns", "ios"), read(&APNS.to_uppercase(), "apns", "ios"));
        assert_ne!(read("aB", "fcm", "android"), read("ab", "fcm", "android"));
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        let apns = |rest: &str| format!(r#"{{"platform":"ios","vendor":"apns","token":"{APNS}"{rest}}}"#);
        for (json, code, at) in [
            (r#"{"vendor":"apns"}"#.to_owned(), Code::MissingField, "/platform"),
            (r#"{"platform":"ios"}"#.to_owned(), Code::MissingField, "/vendor"),
            (r#"{"platform":"ios","vendor":"apns","token":"xyz"}"#.to_owned(), Code::InvalidToken, "/token"),
            (
                r#"{"platform":"ios","vendor":"apns","token":"00/../11"}"#.to_owned(),
                Code::InvalidToken,
                "/token",
            ),
            (
                r#"{"platform":"android","vendor":"fcm","token":"a\nb"}"#.to_owned(),
                Code::InvalidToken,
                "/token",
            ),
            (
                format!(r#"{{"platform":"android","vendor":"apns","token":"{APNS}"}}"#),
                Code::InvalidValue,
                "/platform",
            ),
            (
                r#"{"platform":"android","vendor":"fcm","token":"abc","topic":"x"}"#.to_owned(),
                Code::InvalidValue,
                "/topic",
            ),
            (apns(r#","environment":"beta""#), Code::InvalidValue, "/environment"),
            (apns(r#","topic":"a/b""#), Code::InvalidValue, "/topic"),
            (apns(r#","permission":true"#), Code::WrongType, "/permission"),
            (apns(r#","kind":"carrier pigeon""#), Code::InvalidValue, "/kind"),
            (
                r#"{"platform":"android","vendor":"fcm","token":"a","kind":"voip"}"#.into(),
                Code::InvalidValue,
                "/kind",
            ),
            (apns(r#","kind":"live_activity""#), Code::MissingField, "/activity"),
            (apns(r#","kind":"live_activity","activity":"""#), Code::InvalidValue, "/activity"),
            (
                apns(&format!(r#","kind":"live_activity_start","activity":"{}""#, "x".repeat(65))),
                Code::InvalidValue,
                "/activity",
            ),
            (apns(r#","kind":"voip","activity":"a""#), Code::InvalidValue, "/activity"),
            (apns(r#","activity":"a""#), Code::InvalidValue, "/activity"),
            (apns(r#","locale":"de_CH""#), Code::InvalidValue, "/locale"),
            (apns(r#","time_zone":"Berlin Mitte""#), Code::InvalidValue, "/time_zone"),
            (apns(r#","app_version":"\u0000""#), Code::InvalidCharacters, "/app_version"),
            (apns(r#","colour":"red""#), Code::UnknownField, "/colour"),
        ] {
            assert_eq!(refused(&json), (code, at.to_owned()), "{json}");
        }
    }
}
