//! Bodies that are read and written piece by piece.

use wasm_bindgen::{JsCast, JsValue};

use super::{
    glue::{self, Failed, failed},
    js,
    wait::{Came, Wait},
};

/// A body that is read piece by piece.
pub(super) struct Pieces(JsValue);

impl Pieces {
    pub(super) fn of(request: &web_sys::Request) -> Result<Self, Failed> {
        js::reader(request).map(Self).map_err(|error| failed(&error))
    }

    /// `None`: that was all.
    pub(super) async fn next(&self) -> Result<Option<Vec<u8>>, Failed> {
        if self.0.is_null() {
            return Ok(None);
        }
        let wait = Wait::new();
        js::piece(wait.number(), &self.0);
        Ok(match wait.await? {
            Came::Bytes(piece) => Some(piece),
            Came::Nothing | Came::Text(_) => None,
        })
    }
}

/// A response's body that is written piece by piece.
pub(super) struct Stream(JsValue);

impl Stream {
    /// The body, and the response that it is of.
    pub(super) fn ndjson() -> Result<(Self, web_sys::Response), Failed> {
        let pair = js_sys::Array::from(&js::ndjson().map_err(|error| failed(&error))?);
        Ok((Self(pair.get(1)), pair.get(0).unchecked_into()))
    }

    /// Writes a piece; waits until the reader has taken what came before.
    pub(super) async fn write(&self, text: &str) -> Result<(), Failed> {
        glue::io(|number| js::write_piece(number, &self.0, text)).await.map(|_| ())
    }

    /// That was all.
    pub(super) async fn close(&self) {
        let _ = glue::io(|number| js::end_pieces(number, &self.0, true)).await;
    }

    /// It breaks off.
    pub(super) fn abort(&self) {
        js::end_pieces(Wait::new().number(), &self.0, false);
    }
}
