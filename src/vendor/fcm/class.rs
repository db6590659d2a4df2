//! A category in Google's terms.

use crate::{
    model::{
        ids::PushId,
        push::{Category, Message},
    },
    vendor::Ids,
};

/// What a category means to a phone. The channel has the category's name: the app creates it.
pub(super) struct Class {
    /// `android.priority`: HIGH wakes a dozing phone.
    pub(super) priority: &'static str,
    /// `notification_priority`: counts below Android 8, where there are no channels.
    pub(super) notification_priority: &'static str,
    /// `visibility` on a locked screen.
    pub(super) visibility: &'static str,
    /// `sound`, where the caller gives none.
    pub(super) sound: Option<&'static str>,
}

/// One row per category.
pub(super) fn class(category: Category) -> Class {
    let row = |priority, notification_priority, visibility, sound| Class {
        priority,
        notification_priority,
        visibility,
        sound,
    };
    match category {
        Category::Im | Category::Order => row("HIGH", "PRIORITY_HIGH", "PRIVATE", Some("default")),
        Category::Follow => row("NORMAL", "PRIORITY_DEFAULT", "PUBLIC", None),
        Category::Marketing => row("NORMAL", "PRIORITY_LOW", "PUBLIC", None),
    }
}

/// `tag`: which shown notification this one replaces. Where nothing else is to be replaced it is the delivery's own
/// id, so that a repeated try replaces the first one instead of ringing twice.
pub(super) fn tag(message: &Message, push: &PushId) -> String {
    let own = || Ids::hole(push);
    message.collapse.clone().unwrap_or_else(|| match message.category {
        Category::Im | Category::Order => own(),
        Category::Follow => "follow".into(),
        Category::Marketing => message.campaign.clone().unwrap_or_else(own),
    })
}

/// `collapse_key`: which message that still waits for the phone this one replaces. A phone has four keys at a time,
/// and what exceeds them is dropped without a word; so what is shown to one person has none (each message waits, the
/// tag replaces on the phone), and the rest shares one per category. What shows nothing has no tag: its key is the
/// caller's own.
pub(super) fn collapse_key(message: &Message, shown: bool) -> Option<&str> {
    match message.category {
        _ if !shown => message.collapse.as_deref(),
        Category::Im | Category::Order => None,
        Category::Follow | Category::Marketing => Some(message.category.name()),
    }
}

/// `analytics_label`. Campaign names are checked when a push is read: they fit.
pub(super) fn label(message: &Message) -> String {
    match (message.category, &message.campaign) {
        (Category::Marketing, Some(campaign)) => format!("mkt-{campaign}"),
        (Category::Marketing, None) => "mkt".into(),
        (category @ (Category::Im | Category::Order | Category::Follow), _) => category.name().into(),
    }
}
