//! A category in terms of Web Push.

use crate::{
    crypto::{base64url, hash},
    model::{
        ids::PushId,
        push::{Category, Message},
    },
    vendor::Ids,
};

/// What a category means to a browser.
pub(super) struct Class {
    /// `Urgency` (RFC 8030 section 5.3): whether a device is woken, by its battery and network.
    pub(super) urgency: &'static str,
    /// `silent`: no sound and no vibration.
    pub(super) silent: bool,
}

/// One row per category.
pub(super) fn class(category: Category) -> Class {
    let row = |urgency, silent| Class { urgency, silent };
    match category {
        Category::Im | Category::Order => row("high", false),
        Category::Follow => row("low", true),
        Category::Marketing => row("very-low", true),
    }
}

/// `tag`: which shown notification this one replaces, and which message that still waits. Where nothing else is to be
/// replaced it is the delivery's own id, so that a repeated try replaces the first one instead of ringing twice. What
/// shows nothing replaces nothing unless the caller says so.
pub(super) fn tag(message: &Message, push: &PushId, shown: bool) -> Option<String> {
    if message.collapse.is_some() || !shown {
        return message.collapse.clone();
    }
    Some(match message.category {
        Category::Im | Category::Order => Ids::hole(push),
        Category::Follow => "follow".into(),
        Category::Marketing => message.campaign.clone().unwrap_or_else(|| Ids::hole(push)),
    })
}

/// `Topic`: of every tag 32 characters of base64url. Apple decodes it, and refuses lengths that RFC 8030 allows.
pub(super) fn topic(tag: &str) -> String {
    let digest = hash::sha256(tag.as_bytes());
    digest.first_chunk::<24>().map(|first| base64url::encode(first)).unwrap_or_default()
}
