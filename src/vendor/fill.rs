//! Vendors' templates take the message's lines as parameters: a class names them by `{title}` and `{body}`.

use serde_json::{Map, Value};

use super::payload::Shown;

/// A class with the lines in its texts. A text that is itself a JSON object is filled as one, so that it stays one.
pub(super) fn class(class: &Map<String, Value>, shown: &Shown) -> Map<String, Value> {
    class.iter().map(|(name, value)| (name.clone(), filled(value, shown))).collect()
}

fn filled(value: &Value, shown: &Shown) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(inner)) => {
                Value::String(crate::wire::text::write(&Value::Object(class(&inner, shown))))
            }
            Ok(_) | Err(_) => Value::String(line(text, shown)),
        },
        Value::Object(inner) => Value::Object(class(inner, shown)),
        Value::Array(items) => items.iter().map(|item| filled(item, shown)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// In one pass: what a line itself has in braces stays as it is.
fn line(text: &str, shown: &Shown) -> String {
    let (mut line, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        line.push_str(before);
        rest = after;
        let named = [("title}", &shown.title), ("body}", &shown.body)];
        match named.iter().find_map(|(name, value)| Some((after.strip_prefix(name)?, value))) {
            Some((behind, value)) => {
                line.extend(value.chars().filter(|c| taken(*c)));
                rest = behind;
            }
            None => line.push('{'),
        }
    }
    line + rest
}

/// Whether a template takes it: no emoji and no other symbols (Xiaomi). Told by the blocks of Unicode, so the few letters and
/// numbers among symbols go too.
fn taken(c: char) -> bool {
    !matches!(
        c,
        '¦' | '©'
            | '®'
            | '°'
            // What joins emoji, and keycaps.
            | '\u{200d}'
            | '\u{20e3}'
            // Letterlike; arrows to control pictures; enclosed letters; boxes, shapes, dingbats, arrows.
            | '\u{2100}'..='\u{214f}'
            | '\u{2190}'..='\u{245f}'
            | '\u{249c}'..='\u{24e9}'
            | '\u{2500}'..='\u{2775}'
            | '\u{2794}'..='\u{2bff}'
            // Of Chinese and Japanese.
            | '\u{3004}'
            | '\u{3012}'
            | '\u{3013}'
            | '\u{3020}'
            | '\u{3200}'..='\u{33ff}'
            // Private; variants; what stands for something else.
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fffc}'..='\u{ffff}'
            | '\u{1f000}'..='\u{1fbff}'
            | '\u{e0000}'..
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendor::sample::object;

    fn fill(class: Value, title: &str, body: &str) -> Value {
        let shown = Shown { title: title.into(), body: body.into(), cut: false };
        Value::Object(super::class(&object(class), &shown))
    }

    #[test]
    fn parameters_are_filled_in_objects_lists_and_texts_that_are_objects() {
        let class = json!({"p": {"who": "{title}", "text": "say {body}"}, "list": ["{title}", [1, "{body}"]], "n": 1});
        let filled = json!({"p": {"who": "T", "text": "say B \"q\""}, "list": ["T", [1, "B \"q\""]], "n": 1});
        assert_eq!(fill(class, "T", "B \"q\""), filled);
        // Xiaomi's `template_param` is an object in a text: what is filled in cannot leave its place.
        let param = fill(
            json!({"extra.template_param": r#"{"who":"{title}","n":{"m":"{body}"}}"#}),
            "\",\"x\":\"",
            "\\",
        );
        let param: Value = serde_json::from_str(param["extra.template_param"].as_str().unwrap()).unwrap();
        assert_eq!(param, json!({"who": "\",\"x\":\"", "n": {"m": "\\"}}));
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        for (text, filled) in [
            ("{title}/{body}", "{body}/{title}"),
            ("{{title}}", "{{body}}"),
            ("{titel} {", "{titel} {"),
            ("{}{title", "{}{title"),
        ] {
            assert_eq!(fill(json!({"t": text}), "{body}", "{title}"), json!({"t": filled}));
        }
    }

    #[test]
    fn templates_get_no_emoji() {
        for (given, taken) in [
            ("Ünï 订单，已发货！「9」…", "Ünï 订单，已发货！「9」…"),
            ("हिन्दी العربية ไทย — €5 + 5 %", "हिन्दी العربية ไทย — €5 + 5 %"),
            ("a👨‍👩‍👧‍👦b🇫🇷c☀️d1️⃣e™f🅰g❤️h", "abcd1efgh"),
        ] {
            assert_eq!(fill(json!({"t": "{title}"}), given, ""), json!({"t": taken}));
        }
        // Texts of the policy's own stay.
        assert_eq!(fill(json!({"t": "☀ {title}"}), "a", ""), json!({"t": "☀ a"}));
    }
}
