//! Rules on texts that several requests share.

use super::reader::Field;
use crate::model::{
    ids::{AudienceId, DeviceId, IdError, UserId},
    problem::{Code, Problem},
};

/// A text for people or machines: at most `max` bytes. Control characters are refused, except line breaks and tabs
/// where `lines` says so.
pub fn plain(field: Field, max: usize, lines: bool) -> Result<String, Problem> {
    let (text, at) = field.text()?;
    if text.len() > max {
        return Err(Problem::at(
            Code::InvalidValue,
            at,
            format!("must have at most {max} bytes, has {}", text.len()),
        ));
    }
    if has_control(&text, lines) {
        return Err(Problem::at(Code::InvalidCharacters, at, "control characters are not allowed here"));
    }
    Ok(text)
}

/// Whether a text has control characters: C0, DEL or C1 (Unicode's category Cc). Told by bytes: C1 are the only characters that
/// begin with `c2` and go on below `a0`.
fn has_control(text: &str, lines: bool) -> bool {
    let mut before = 0;
    text.bytes().any(|byte| {
        let c1 = before == 0xc2 && byte < 0xa0;
        before = byte;
        c1 || byte == 0x7f || (byte < 0x20 && !(lines && matches!(byte, b'\n' | b'\r' | b'\t')))
    })
}

/// Like [`plain`] on one line, and not empty.
pub fn word(field: Field, max: usize) -> Result<String, Problem> {
    let at = field.at.clone();
    let text = plain(field, max, false)?;
    if text.is_empty() { Err(Problem::at(Code::InvalidValue, at, "must not be empty")) } else { Ok(text) }
}

/// A word of a closed alphabet.
pub fn matching(
    field: Field,
    max: usize,
    form: &str,
    allowed: impl Fn(u8) -> bool,
) -> Result<String, Problem> {
    let at = field.at.clone();
    let text = word(field, max)?;
    if text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(Problem::at(Code::InvalidValue, at, format!("must be of the form {form}")))
    }
}

fn id_problem(at: &str, error: IdError) -> Problem {
    let code = match error {
        IdError::Control => Code::InvalidCharacters,
        IdError::Empty | IdError::TooLong | IdError::Dots | IdError::Form => Code::InvalidId,
    };
    Problem::at(code, at, error.to_string())
}

/// A user id.
pub fn user_id(field: Field) -> Result<UserId, Problem> {
    let (text, at) = field.text()?;
    UserId::parse(text).map_err(|error| id_problem(&at, error))
}

/// A device id.
pub fn device_id(field: Field) -> Result<DeviceId, Problem> {
    let (text, at) = field.text()?;
    DeviceId::parse(text).map_err(|error| id_problem(&at, error))
}

/// An audience's id.
pub fn audience_id(field: Field) -> Result<AudienceId, Problem> {
    let (text, at) = field.text()?;
    AudienceId::parse(text).map_err(|error| id_problem(&at, error))
}

/// An id that stands in the path: percent-decoded once (RFC 3986 section 2.1).
pub fn path_id<T>(raw: &str, name: &str, parse: impl Fn(String) -> Result<T, IdError>) -> Result<T, Problem> {
    let refuse = |code, detail: String| Problem::new(code, format!("{name} in the path: {detail}"));
    let text =
        percent_decode(raw).ok_or_else(|| refuse(Code::InvalidId, "not percent-encoded UTF-8".into()))?;
    parse(text).map_err(|error| {
        let problem = id_problem("", error);
        refuse(problem.code, problem.detail)
    })
}

/// A query string: names and values, percent-decoded (`+` is a blank, as forms have it).
pub fn query(raw: &str) -> Result<Vec<(String, String)>, Problem> {
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    };
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(pair).collect::<Option<Vec<_>>>();
    pairs.ok_or_else(|| Problem::new(Code::InvalidValue, "the query is not percent-encoded UTF-8"))
}

fn percent_decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut nibble = || char::from(rest.next()?).to_digit(16);
                u8::try_from(nibble()? * 16 + nibble()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// An https URL to something public: no userinfo, a host with a name.
pub fn https_url(field: Field, max: usize) -> Result<String, Problem> {
    let at = field.at.clone();
    let text = word(field, max)?;
    let authority =
        text.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    match authority {
        Some(host)
            if !host.is_empty() && !host.contains('@') && !text.contains([' ', '\\', '"', '<', '>']) =>
        {
            Ok(text)
        }
        Some(_) | None => Err(Problem::at(
            Code::LinkNotAllowed,
            at,
            "must be an https:// URL with a host and without user info",
        )),
    }
}

/// Schemes that run code or read the device when they are opened: never a link.
const NEVER: [&str; 9] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "content", "filesystem", "view-source"];

/// A link of any scheme that is not one of the never allowed, and is one of `schemes` where that list is not empty.
/// The list is the app's and is checked when the app is known; see [`link_scheme`].
pub fn link(field: Field, max: usize) -> Result<String, Problem> {
    let at = field.at.clone();
    let text = word(field, max)?;
    match link_scheme(&text) {
        Some(scheme) if !NEVER.contains(&scheme.as_str()) => Ok(text),
        Some(scheme) => Err(Problem::at(
            Code::LinkNotAllowed,
            at,
            format!("links with the scheme `{scheme}` are never allowed"),
        )),
        None => {
            Err(Problem::at(Code::LinkNotAllowed, at, "must begin with a scheme, as in https://… or app://…"))
        }
    }
}

/// The scheme of a URI, in lower case (RFC 3986 section 3.1).
pub fn link_scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let first = bytes.next()?.is_ascii_alphabetic();
    let rest = bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    (first && rest).then(|| scheme.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{super::json::Json, *};

    fn field(text: &str) -> Field {
        Field { json: Json::Text(text.into()), at: "/x".into() }
    }

    #[test]
    fn control_characters_are_refused() {
        assert_eq!(plain(field("a\nb\tc"), 9, true), Ok("a\nb\tc".into()));
        for (text, lines) in [("a\nb", false), ("a\0", true), ("\u{85}", true), ("\u{1b}[0m", true)] {
            assert_eq!(plain(field(text), 9, lines).unwrap_err().code, Code::InvalidCharacters, "{text:?}");
        }
        for c in '\0'..=char::MAX {
            assert_eq!(has_control(c.encode_utf8(&mut [0; 4]), false), c.is_control(), "{c:?}");
        }
        assert_eq!(plain(field("éé"), 3, true).unwrap_err().code, Code::InvalidValue);
        assert_eq!(user_id(field("a\0")).unwrap_err().code, Code::InvalidCharacters);
    }

    #[test]
    fn path_ids_are_decoded_once() {
        let user = |raw: &str| path_id(raw, "user", |id: String| UserId::parse(id)).map(|id| id.to_string());
        assert_eq!(user("a%20b"), Ok("a b".into()));
        assert_eq!(user("a%2520b"), Ok("a%20b".into()));
        assert_eq!(user("a%2Fb"), Ok("a/b".into()));
        for bad in ["%2e", "%2E%2e", "", "%", "%zz", "%ff", "%0a"] {
            assert!(user(bad).is_err(), "{bad}");
        }
        assert_eq!(user("%00").unwrap_err().code, Code::InvalidCharacters);
    }

    #[test]
    fn links_that_run_code_are_refused() {
        for good in ["https://a.example/x?y", "app://order/4711", "myapp:open", "http://a.example", "tel:+49"]
        {
            assert!(link(field(good), 999).is_ok(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JavaScript:x",
            "data:text/html,x",
            "file:///etc",
            "/relative",
            "order/1",
            "1a:b",
            "",
            ":x",
            "blob:x",
            "content://x",
        ] {
            assert!(link(field(bad), 999).is_err(), "{bad}");
        }
    }

    #[test]
    fn images_are_https() {
        assert!(https_url(field("https://img.example/a.png"), 99).is_ok());
        for bad in [
            "http://a.example/x",
            "https://",
            "https:///x",
            "https://u@a.example/",
            "https://a.example/ x",
            "//a.example",
        ] {
            assert_eq!(
                https_url(field(bad), 99).unwrap_err().code,
                if bad.is_empty() { Code::InvalidValue } else { Code::LinkNotAllowed },
                "{bad}"
            );
        }
    }
}
