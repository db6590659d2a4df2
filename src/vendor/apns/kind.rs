//! Apple's push types: what each adds to the topic, and what its requests may be.
//!
//! - Types: <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>
//! - Widgets: <https://developer.apple.com/documentation/widgetkit/updating-widgets-with-widgetkit-push-notifications>
//! - Controls: <https://developer.apple.com/documentation/widgetkit/updating-controls-locally-and-remotely>
//! - Live Activities: <https://developer.apple.com/documentation/activitykit/starting-and-updating-live-activities-with-activitykit-push-notifications>

use serde_json::{Map, Value};

use crate::{
    model::{
        kind::{Activity, Kind},
        time::Millis,
    },
    vendor::draft::object,
};

/// Stands among a draft's headers for what the topic gets behind the bundle id: the bundle id is the device's.
pub(super) const SUFFIX: &str = "topic-suffix";

/// Widgets and controls have to load anew.
const CHANGED: Option<(&str, Flag)> = Some(("content-changed", Flag::True));

/// What is fixed for a type.
pub(super) struct Form {
    /// `apns-push-type`.
    pub(super) push_type: &'static str,
    /// What the topic has behind the bundle id.
    pub(super) suffix: &'static str,
    /// Most bytes of a payload.
    pub(super) limit: usize,
    /// `apns-priority`, where it is not the category's.
    pub(super) priority: Option<&'static str>,
    /// What `aps` has where nothing is shown: a member that says so, in Apple's own type.
    pub(super) alone: Option<(&'static str, Flag)>,
    /// `apns-expiration` is 0.
    pub(super) now_or_never: bool,
}

/// How Apple writes yes: a 1 in one place, `true` in the other.
#[derive(Clone, Copy)]
pub(super) enum Flag {
    One,
    True,
}

impl From<Flag> for Value {
    fn from(flag: Flag) -> Self {
        match flag {
            Flag::One => 1.into(),
            Flag::True => true.into(),
        }
    }
}

/// One row per kind.
pub(super) fn form(kind: Kind) -> Form {
    let row = |push_type, suffix, priority, alone| Form {
        push_type,
        suffix,
        limit: 4_096,
        priority,
        alone,
        now_or_never: false,
    };
    match kind {
        Kind::Alert => row("alert", "", None, Some(("content-available", Flag::One))),
        Kind::Voip => Form { limit: 5_120, ..row("voip", ".voip", Some("10"), None) },
        // 5 is not counted against the phone's budget, 10 is: the category decides.
        Kind::LiveActivity | Kind::LiveActivityStart => {
            row("liveactivity", ".push-type.liveactivity", None, None)
        }
        Kind::Complication => row("complication", ".complication", None, None),
        Kind::Fileprovider => row("fileprovider", ".pushkit.fileprovider", None, None),
        Kind::Location => row("location", ".location-query", None, None),
        // Priority and expiration: unverified.
        Kind::Pushtotalk => Form { now_or_never: true, ..row("pushtotalk", ".voip-ptt", Some("10"), None) },
        // Both are told to load anew by the same member, which is `true` and not 1.
        Kind::Widgets => row("widgets", ".push-type.widgets", None, CHANGED),
        Kind::Controls => row("controls", ".push-type.controls", None, CHANGED),
    }
}

/// What a Live Activity has in `aps`. A phone ignores a state that is older than the one it shows, so its time is when the push
/// was due: the same for every try, so that a late one does not overtake a newer state, and not that of a push for later's
/// making, which may be hours older than what went out since.
pub(super) fn activity(of: &Activity, due: Millis) -> Map<String, Value> {
    let secs = |at: Option<Millis>| at.map(|at| at.secs().into());
    let (name, attributes) = of.attributes.clone().unzip();
    object([
        ("timestamp", Some(due.secs().into())),
        ("event", Some(of.event.as_str().into())),
        ("content-state", Some(Value::Object(of.state.clone()))),
        ("attributes-type", name.map(Value::from)),
        ("attributes", attributes.map(Value::Object)),
        ("stale-date", secs(of.stale_at)),
        ("dismissal-date", secs(of.dismiss_at)),
    ])
}
