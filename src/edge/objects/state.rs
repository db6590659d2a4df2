//! What the platform gives an object: its database and its alarm.

use wasm_bindgen::JsValue;

use super::super::{glue, js};
use crate::model::time::Millis;

/// `DurableObjectState`.
pub(super) struct State(JsValue);

impl State {
    pub(super) fn new(state: JsValue) -> Self {
        Self(state)
    }

    /// The SQLite database.
    pub(super) fn database(&self) -> JsValue {
        js::database(&self.0)
    }

    /// Sets the alarm, which replaces the one that is set: a row written.
    pub(super) async fn set_alarm(&self, at: Millis) -> worker::Result<()> {
        glue::io(|number| js::set_alarm(number, &self.0, at.0 as f64)).await?;
        Ok(())
    }

    /// When the alarm comes, if one is set.
    pub(super) async fn alarm(&self) -> worker::Result<Option<Millis>> {
        let at = glue::io(|number| js::get_alarm(number, &self.0)).await?;
        Ok(at.and_then(|at| at.parse().ok()).map(Millis))
    }
}
