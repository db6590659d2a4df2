//! A category in Apple's terms.
//!
//! `time-sensitive` is never chosen here: it needs a capability of the app and an urgency that only the caller
//! knows, so it comes through `options.apns`.

use super::{COLLAPSE_MAX, header_safe};
use crate::{
    crypto::hash,
    model::{
        ids::PushId,
        push::{Category, Message},
        time::Millis,
    },
    vendor::Ids,
};

/// What a category means to a phone.
pub(super) struct Class {
    /// `apns-priority`: 10 at once, 5 when it suits the phone.
    pub(super) priority: &'static str,
    /// `interruption-level`.
    pub(super) interruption_level: &'static str,
    /// `relevance-score`: the order in a summary.
    pub(super) relevance_score: f64,
    /// `sound`, where the caller gives none.
    pub(super) sound: Option<&'static str>,
}

/// One row per category.
pub(super) fn class(category: Category) -> Class {
    let row = |priority, interruption_level, relevance_score, sound| Class {
        priority,
        interruption_level,
        relevance_score,
        sound,
    };
    match category {
        Category::Im => row("10", "active", 1.0, Some("default")),
        Category::Order => row("10", "active", 0.8, Some("default")),
        Category::Follow => row("5", "passive", 0.4, None),
        Category::Marketing => row("5", "passive", 0.1, None),
    }
}

/// `thread-id`: what the phone stacks together.
pub(super) fn thread_id(message: &Message) -> Option<&str> {
    match message.category {
        Category::Im | Category::Order => message.collapse.as_deref(),
        Category::Follow => Some("follow"),
        Category::Marketing => message.campaign.as_deref(),
    }
}

/// `apns-collapse-id`: which shown notification this one replaces. Where nothing else is to be replaced it is the
/// delivery's own id, so that a repeated try replaces the first one instead of ringing twice. What shows nothing
/// replaces nothing unless the caller says so.
pub(super) fn collapse_id(message: &Message, push: &PushId, now: Millis) -> Option<String> {
    if let Some(collapse) = &message.collapse {
        return Some(carried(collapse));
    }
    message.notification.as_ref()?;
    Some(match message.category {
        Category::Im | Category::Order => Ids::hole(push),
        Category::Follow => format!("follow:{}", now.rfc3339().split('T').next().unwrap_or_default()),
        Category::Marketing => message.campaign.as_deref().map_or_else(|| Ids::hole(push), carried),
    })
}

/// A value as a header carries it: unchanged where it fits, else a UUID made from it.
fn carried(value: &str) -> String {
    if value.len() <= COLLAPSE_MAX && header_safe(value) { value.to_owned() } else { hash::uuid(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::sample::{self, NOW};

    fn collapsed(value: &str) -> String {
        let message = Message { collapse: Some(value.into()), ..sample::message(Category::Im) };
        collapse_id(&message, &sample::push(), NOW).unwrap()
    }

    #[test]
    fn a_collapse_value_that_fits_is_unchanged() {
        for fits in ["order-4711", "two words", &"x".repeat(64)] {
            assert_eq!(collapsed(fits), fits);
        }
    }

    #[test]
    fn one_that_does_not_fit_gets_a_stable_short_form_of_its_own() {
        let all = ["x".repeat(65), "y".repeat(65), "订单 4711".into(), "é".into(), " a".into(), "a ".into()];
        let mut short: Vec<String> = all.iter().map(|value| collapsed(value)).collect();
        assert_eq!(short, all.iter().map(|value| collapsed(value)).collect::<Vec<_>>());
        assert!(short.iter().all(|id| id.len() == 36 && header_safe(id)));
        short.sort_unstable();
        short.dedup();
        assert_eq!(short.len(), all.len());
    }

    #[test]
    fn without_a_collapse_value_the_category_decides() {
        let push = sample::push();
        let id = |message: &Message| collapse_id(message, &push, NOW);
        let hole = Some(Ids::hole(&push));
        assert_eq!(id(&sample::message(Category::Im)), hole);
        assert_eq!(id(&sample::message(Category::Order)), hole);
        assert_eq!(id(&sample::message(Category::Marketing)), hole);
        assert_eq!(id(&sample::full(Category::Marketing)), Some("spring".into()));
        assert_eq!(id(&sample::message(Category::Follow)), Some("follow:2026-11-25".into()));
        assert_eq!(id(&Message { notification: None, ..sample::message(Category::Follow) }), None);
    }
}
