//! `PATCH /v1/users/{user}`: bytes → what the user wants changed (JSON Merge Patch, RFC 7396).

use super::{
    body,
    device::{locale, time_zone},
    json::Json,
    reader::Field,
    text,
};
use crate::{
    model::{
        preferences::{Minute, QuietHours, TAGS_MAX},
        problem::{Code, Problem},
        push::Category,
        table::Table,
    },
    wire::user::Wish,
};

/// Most bytes of a change.
pub const BODY_MAX: usize = 16 * 1024;
/// Longest tag, bytes.
const TAG_MAX: usize = 64;

/// Reads a change.
pub fn wish(bytes: &[u8]) -> Result<Wish, Problem> {
    let mut fields = Field::root(body(bytes)?).object()?;
    let wish = Wish {
        locale: fields.take("locale").map(|field| or_null(field, locale)).transpose()?,
        time_zone: fields.take("time_zone").map(|field| or_null(field, time_zone)).transpose()?,
        quiet_hours: fields.take("quiet_hours").map(|field| or_null(field, quiet_hours)).transpose()?,
        opt_out: fields.take("opt_out").map(opt_out).transpose()?.unwrap_or_default(),
        tags: fields.take("tags").map(|field| or_null(field, tags)).transpose()?,
    };
    fields.end()?;
    Ok(wish)
}

fn or_null<T>(field: Field, read: impl Fn(Field) -> Result<T, Problem>) -> Result<Option<T>, Problem> {
    if field.json == Json::Null { Ok(None) } else { read(field).map(Some) }
}

fn minute(field: Field) -> Result<Minute, Problem> {
    let (text, at) = field.text()?;
    Minute::parse(&text)
        .ok_or_else(|| Problem::at(Code::InvalidValue, at, "must be HH:MM, from 00:00 to 23:59"))
}

fn quiet_hours(field: Field) -> Result<QuietHours, Problem> {
    let at = field.at.clone();
    let mut fields = field.object()?;
    let (from, to) = (minute(fields.need("from")?)?, minute(fields.need("to")?)?);
    let default = vec![Category::Follow, Category::Marketing];
    let categories = fields.take("categories").map(categories).transpose()?.unwrap_or(default);
    fields.end()?;
    if from == to {
        return Err(Problem::at(
            Code::InvalidValue,
            at,
            "`from` and `to` must differ; null removes quiet hours",
        ));
    }
    Ok(QuietHours { from, to, categories })
}

fn categories(field: Field) -> Result<Vec<Category>, Problem> {
    let all = Category::ALL.map(|category| (category.name(), category));
    let some = field.array()?.into_iter().map(|item| item.one_of(&all)).collect::<Result<Vec<_>, _>>()?;
    // Each once, in the order of the list.
    Ok(Category::ALL.into_iter().filter(|category| some.contains(category)).collect())
}

fn opt_out(field: Field) -> Result<Vec<(Category, bool)>, Problem> {
    let mut fields = field.object()?;
    let mut out = Vec::new();
    for category in Category::ALL {
        let Some(field) = fields.take(category.name()) else { continue };
        let stays_in = field.json == Json::Null;
        out.push((category, !stays_in && field.boolean()?));
    }
    fields.end()?;
    Ok(out)
}

fn tags(field: Field) -> Result<Vec<String>, Problem> {
    let at = field.at.clone();
    let items = field.array()?;
    if items.len() > TAGS_MAX {
        return Err(Problem::at(Code::InvalidValue, at, format!("at most {TAGS_MAX} tags")));
    }
    let mut tags = Table::new();
    for item in items {
        tags.insert(text::word(item, TAG_MAX)?, ());
    }
    Ok(tags.into_iter().map(|(tag, ())| tag).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_what_goes_what_comes_and_what_stays() {
        let read = wish(
            br#"{"locale":"de-CH","time_zone":null,"opt_out":{"marketing":true,"im":null},"tags":["b","a","b"],
                 "quiet_hours":{"from":"22:00","to":"07:30"}}"#,
        )
        .unwrap();
        assert_eq!(read.locale, Some(Some("de-CH".into())));
        assert_eq!(read.time_zone, Some(None));
        assert_eq!(read.opt_out, [(Category::Im, false), (Category::Marketing, true)]);
        assert_eq!(read.tags, Some(Some(vec!["a".into(), "b".into()])));
        let hours = read.quiet_hours.unwrap().unwrap();
        assert_eq!(hours.categories, [Category::Follow, Category::Marketing]);
        assert_eq!(wish(b"{}").unwrap(), Wish::default());
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        let tags: Vec<String> = (0..65).map(|n| n.to_string()).collect();
        let many = format!(r#"{{"tags":{}}}"#, serde_json::to_string(&tags).unwrap());
        for (json, code, at) in [
            (r#"{"time_zone":"Berlin Mitte"}"#, Code::InvalidValue, "/time_zone"),
            (r#"{"locale":"de_CH"}"#, Code::InvalidValue, "/locale"),
            (r#"{"quiet_hours":{"from":"22:00"}}"#, Code::MissingField, "/quiet_hours/to"),
            (r#"{"quiet_hours":{"from":"22:00","to":"22:00"}}"#, Code::InvalidValue, "/quiet_hours"),
            (r#"{"quiet_hours":{"from":"22:00","to":"24:00"}}"#, Code::InvalidValue, "/quiet_hours/to"),
            (
                r#"{"quiet_hours":{"from":"1:00","to":"02:00","categories":["sms"]}}"#,
                Code::InvalidValue,
                "/quiet_hours/from",
            ),
            (
                r#"{"quiet_hours":{"from":"01:00","to":"02:00","categories":["sms"]}}"#,
                Code::InvalidValue,
                "/quiet_hours/categories/0",
            ),
            (r#"{"opt_out":["im"]}"#, Code::WrongType, "/opt_out"),
            (r#"{"opt_out":{"sms":true}}"#, Code::UnknownField, "/opt_out/sms"),
            (r#"{"opt_out":{"im":1}}"#, Code::WrongType, "/opt_out/im"),
            (r#"{"tags":[""]}"#, Code::InvalidValue, "/tags/0"),
            (r#"{"devices":[]}"#, Code::UnknownField, "/devices"),
            (&many, Code::InvalidValue, "/tags"),
        ] {
            let problem = wish(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{json}");
        }
    }
}
