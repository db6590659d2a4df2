//! What a token of Apple's is for, and which Live Activity: a push reaches tokens of its own kind, and of the activity that it
//! names.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::time::Millis;

/// The kind of a token, and the type of a push. All but the first are Apple's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Notifications, and background pushes.
    #[default]
    Alert,
    /// PushKit: calls.
    Voip,
    /// One running Live Activity.
    LiveActivity,
    /// Starts a Live Activity.
    LiveActivityStart,
    /// A watch's complication.
    Complication,
    /// A file provider extension.
    Fileprovider,
    /// A location push service extension.
    Location,
    /// Push to Talk.
    Pushtotalk,
    /// Widgets.
    Widgets,
    /// Controls.
    Controls,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Alert,
        Self::Voip,
        Self::LiveActivity,
        Self::LiveActivityStart,
        Self::Complication,
        Self::Fileprovider,
        Self::Location,
        Self::Pushtotalk,
        Self::Widgets,
        Self::Controls,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Voip => "voip",
            Self::LiveActivity => "live_activity",
            Self::LiveActivityStart => "live_activity_start",
            Self::Complication => "complication",
            Self::Fileprovider => "fileprovider",
            Self::Location => "location",
            Self::Pushtotalk => "pushtotalk",
            Self::Widgets => "widgets",
            Self::Controls => "controls",
        }
    }

    /// It shows a notification, or may.
    pub fn shows(self) -> bool {
        self.of_activity() || matches!(self, Self::Alert | Self::Voip)
    }

    /// How long a push is worth delivering when it does not say, where that is not the category's to decide: somebody waits for
    /// the answer, and nobody is to be called days later. Seconds: Apple's word for calls is none or a few, and these are
    /// enough for a second and third try.
    pub fn default_ttl(self) -> Option<u32> {
        matches!(self, Self::Voip | Self::Pushtotalk).then_some(30)
    }

    /// It is about a Live Activity.
    pub fn of_activity(self) -> bool {
        matches!(self, Self::LiveActivity | Self::LiveActivityStart)
    }
}

/// What a push does to a Live Activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Activity {
    /// `start`, `update` or `end`.
    pub event: String,
    /// The state that is shown from then on.
    pub state: Map<String, Value>,
    /// Of a start: the name of the attributes' type, and the attributes.
    pub attributes: Option<(String, Map<String, Value>)>,
    /// From when on the state is shown as old.
    pub stale_at: Option<Millis>,
    /// When an ended activity goes from the screen.
    pub dismiss_at: Option<Millis>,
    /// Which of the user's activities, by the app's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Longest name of an activity or of a type of attributes, bytes.
pub const ACTIVITY_MAX: usize = 64;

impl Activity {
    /// It is for a token that was registered for this: an activity has a token of its own, and another one's state is not written
    /// into it. The token that starts activities is of one type of attributes, where the app has said which.
    pub fn reaches(&self, registered: Option<&str>) -> bool {
        match (&self.id, &self.attributes) {
            (Some(id), _) => registered == Some(id.as_str()),
            (None, Some((name, _))) => registered.is_none_or(|of| of == name),
            (None, None) => true,
        }
    }
}
