//! Of an app's policy: how often its users are sent to, and what they do not care for.

use super::{json::Json, policy::number, push, reader::Field};
use crate::model::{
    govern::{ClickRate, Govern, Whose},
    policy::Cap,
    problem::{Code, Problem},
    push::Category,
    table::Table,
};

/// Most caps of one category.
const CAPS_MAX: usize = 4;
/// Most pushes that a cap can let pass: a user's object remembers each of them.
const CAP_MOST_MAX: u64 = 100;
/// A cap's window, seconds: a minute to 30 days.
const CAP_IN: (u64, u64) = (60, 2_592_000);
/// Most rules on what users do not care for.
const GOVERN_MAX: usize = 16;
/// Most sends of a user that a rule looks at: the user's object remembers each of them.
const GOVERN_USER_MAX: u64 = 100;
/// Most sends of the app that a rule looks at.
const GOVERN_APP_MAX: u64 = 1_000_000;
/// Longest time for a message to be clicked, seconds.
const GOVERN_WAIT_MAX: u64 = 86_400;

/// `caps`.
pub(super) fn caps(field: Field) -> Result<Table<Category, Vec<Cap>>, Problem> {
    let mut all = Table::new();
    let mut categories = field.object()?;
    for category in Category::ALL {
        let Some(field) = categories.take(category.name()) else { continue };
        all.insert(category, list(field, CAPS_MAX, cap)?);
    }
    categories.end()?;
    Ok(all)
}

fn cap(field: Field) -> Result<Cap, Problem> {
    let mut fields = field.object()?;
    let cap = Cap {
        most: number(fields.need("most")?, 1, CAP_MOST_MAX)?,
        window_secs: number(fields.need("in")?, CAP_IN.0, CAP_IN.1)?,
    };
    fields.end()?;
    Ok(cap)
}

/// `govern`.
pub(super) fn govern(field: Field) -> Result<Vec<Govern>, Problem> {
    list(field, GOVERN_MAX, rule)
}

fn rule(field: Field) -> Result<Govern, Problem> {
    let mut fields = field.object()?;
    let category = fields.need("category")?.one_of(&Category::ALL.map(|of| (of.name(), of)))?;
    let campaign = fields.take("campaign").map(push::campaign).transpose()?;
    let click_rate_under = click_rate(&fields.need("click_rate_under")?)?;
    let whose = fields.need("of")?.one_of(&[("user", Whose::User), ("app", Whose::APP)])?;
    let (whose, most) = match whose {
        Whose::User => (whose, GOVERN_USER_MAX),
        Whose::App { .. } => match fields.take("wait") {
            Some(field) => (Whose::App { wait_secs: number(field, 0, GOVERN_WAIT_MAX)? }, GOVERN_APP_MAX),
            None => (whose, GOVERN_APP_MAX),
        },
    };
    let sends = number(fields.need("sends")?, 1, most)?;
    fields.end()?;
    Ok(Govern { category, campaign, click_rate_under, sends, whose })
}

fn click_rate(field: &Field) -> Result<ClickRate, Problem> {
    let rate = match &field.json {
        Json::Number(number) => number.as_f64().and_then(ClickRate::new),
        Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_) => None,
    };
    rate.ok_or_else(|| field.invalid("must be a number from 0.000001 to 1"))
}

/// A list of at most so many.
fn list<T>(field: Field, most: usize, one: fn(Field) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    let at = field.at.clone();
    let all = field.array()?;
    if all.len() > most {
        return Err(Problem::at(Code::InvalidValue, at, format!("at most {most} in this list")));
    }
    all.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::app::app, *};
    use crate::model::policy::{AppKind, Policy};

    fn read(said: &str) -> Result<Policy, Problem> {
        app(format!(r#"{{"policy":{said}}}"#).as_bytes()).map(|change| change.policy.unwrap())
    }

    fn assert_shown(policy: &Policy, said: &str) {
        let said: Value = serde_json::from_str(said).unwrap();
        assert_eq!(serde_json::to_value(policy).unwrap(), said);
    }

    #[test]
    fn caps_are_read_in_order_and_shown_as_they_were_said() {
        let said = r#"{"app_kind":"news","per_device":false,"caps":{"marketing":[{"most":3,"in":86400},{"most":100,"in":2592000}]}}"#;
        let policy = read(said).unwrap();
        assert_eq!((policy.app_kind, policy.per_device), (AppKind::News, Some(false)));
        let caps = [Cap { most: 3, window_secs: 86_400 }, Cap { most: 100, window_secs: 2_592_000 }];
        assert_eq!(policy.caps(Category::Marketing), caps);
        assert_eq!(policy.caps(Category::Im), []);
        assert_shown(&policy, said);
        assert_eq!(read("{}").unwrap(), Policy::default());
    }

    #[test]
    fn rules_on_what_users_do_not_care_for_are_read_and_shown_as_they_were_said() {
        let said = r#"{"govern":[{"category":"marketing","campaign":"spring","click_rate_under":0.01,"sends":20,"of":"user"},{"category":"follow","click_rate_under":1.0,"sends":5000,"of":"app","wait":60}]}"#;
        let policy = read(said).unwrap();
        let of_user = Govern {
            category: Category::Marketing,
            campaign: Some("spring".to_owned()),
            click_rate_under: ClickRate::new(0.01).unwrap(),
            sends: 20,
            whose: Whose::User,
        };
        let of_app = Govern {
            category: Category::Follow,
            campaign: None,
            click_rate_under: ClickRate::new(1.0).unwrap(),
            sends: 5_000,
            whose: Whose::App { wait_secs: 60 },
        };
        assert_eq!(policy.govern, [of_user, of_app]);
        assert_shown(&policy, said);
        let hour =
            read(r#"{"govern":[{"category":"im","click_rate_under":1,"sends":1,"of":"app"}]}"#).unwrap();
        assert_eq!(hour.govern[0].whose, Whose::APP);
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        for (said, code, at) in [
            (r#"{"caps":{"promo":[]}}"#, Code::UnknownField, "/policy/caps/promo"),
            (r#"{"caps":{"im":{}}}"#, Code::WrongType, "/policy/caps/im"),
            (r#"{"caps":{"im":[{"most":1}]}}"#, Code::MissingField, "/policy/caps/im/0/in"),
            (r#"{"caps":{"im":[{"most":0,"in":60}]}}"#, Code::InvalidValue, "/policy/caps/im/0/most"),
            (r#"{"caps":{"im":[{"most":101,"in":60}]}}"#, Code::InvalidValue, "/policy/caps/im/0/most"),
            (r#"{"caps":{"im":[{"most":1,"in":59}]}}"#, Code::InvalidValue, "/policy/caps/im/0/in"),
            (r#"{"caps":{"im":[{"most":1,"in":2592001}]}}"#, Code::InvalidValue, "/policy/caps/im/0/in"),
            (
                r#"{"caps":{"im":[{"most":1,"in":60},{"most":1,"in":60},{"most":1,"in":60},{"most":1,"in":60},{"most":1,"in":60}]}}"#,
                Code::InvalidValue,
                "/policy/caps/im",
            ),
            (r#"{"govern":{}}"#, Code::WrongType, "/policy/govern"),
            (r#"{"govern":[{"category":"promo"}]}"#, Code::InvalidValue, "/policy/govern/0/category"),
            (
                r#"{"govern":[{"category":"im","click_rate_under":"1","of":"app","sends":1}]}"#,
                Code::InvalidValue,
                "/policy/govern/0/click_rate_under",
            ),
            (
                r#"{"govern":[{"category":"im","click_rate_under":1.1,"of":"app","sends":1}]}"#,
                Code::InvalidValue,
                "/policy/govern/0/click_rate_under",
            ),
            (
                r#"{"govern":[{"category":"im","click_rate_under":0.1,"of":"user","sends":101}]}"#,
                Code::InvalidValue,
                "/policy/govern/0/sends",
            ),
            (
                r#"{"govern":[{"category":"im","click_rate_under":0.1,"of":"user","sends":9,"wait":1}]}"#,
                Code::UnknownField,
                "/policy/govern/0/wait",
            ),
        ] {
            let problem = read(said).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{said}");
        }
    }
}
