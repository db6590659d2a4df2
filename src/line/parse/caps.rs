//! What of an app's policy is checked and kept as it was said: how often its users and their devices are sent to, and what they do
//! not care for.

use serde_json::Value;

use super::{json::Json, policy::between, push, reader::Field};
use crate::model::{
    problem::{Code, Problem},
    push::Category,
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

/// What was said, once it is checked.
pub(super) fn said(field: Field, check: fn(Field) -> Result<(), Problem>) -> Result<Value, Problem> {
    let said = field.json.clone();
    check(field)?;
    // No name stands twice in what is checked.
    Ok(said.into_value("").unwrap_or_default())
}

/// `app_kind`.
pub(super) fn app_kind(field: Field) -> Result<(), Problem> {
    field.one_of(&[("news", ()), ("other", ())])
}

/// `per_device`.
pub(super) fn per_device(field: Field) -> Result<(), Problem> {
    field.boolean().map(drop)
}

/// `caps`.
pub(super) fn caps(field: Field) -> Result<(), Problem> {
    let mut categories = field.object()?;
    for category in Category::ALL {
        if let Some(field) = categories.take(category.name()) {
            list(field, CAPS_MAX, cap)?;
        }
    }
    categories.end()
}

fn cap(field: Field) -> Result<(), Problem> {
    let mut fields = field.object()?;
    between(fields.need("most")?, 1, CAP_MOST_MAX)?;
    between(fields.need("in")?, CAP_IN.0, CAP_IN.1)?;
    fields.end()
}

/// `govern`.
pub(super) fn govern(field: Field) -> Result<(), Problem> {
    list(field, GOVERN_MAX, rule)
}

fn rule(field: Field) -> Result<(), Problem> {
    let mut fields = field.object()?;
    fields.need("category")?.one_of(&Category::ALL.map(|category| (category.name(), ())))?;
    if let Some(campaign) = fields.take("campaign") {
        push::campaign(campaign)?;
    }
    let rate = fields.need("click_rate_under")?;
    let fits = match &rate.json {
        Json::Number(number) => number.as_f64().is_some_and(|rate| (1e-6..=1.0).contains(&rate)),
        Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_) => false,
    };
    if !fits {
        return Err(rate.invalid("must be a number from 0.000001 to 1"));
    }
    let of_app = fields.need("of")?.one_of(&[("user", false), ("app", true)])?;
    between(fields.need("sends")?, 1, if of_app { GOVERN_APP_MAX } else { GOVERN_USER_MAX })?;
    if of_app && let Some(wait) = fields.take("wait") {
        wait.whole(86_400)?;
    }
    fields.end()
}

/// A list of at most so many.
fn list(field: Field, most: usize, one: fn(Field) -> Result<(), Problem>) -> Result<(), Problem> {
    let at = field.at.clone();
    let all = field.array()?;
    if all.len() > most {
        return Err(Problem::at(Code::InvalidValue, at, format!("at most {most} in this list")));
    }
    all.into_iter().try_for_each(one)
}
