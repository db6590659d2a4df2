//! A draft, its tokens, a bearer → the HTTP requests.

use serde_json::{Value, json};

use super::SPEC;
use crate::vendor::{Body, Facts, Outbound, payload::with_member, spec::Call};
use crate::wire::text;

/// An id of digits as the number that vivo wants; beyond its range a text, which vivo refuses by itself.
pub(super) fn number(digits: &str) -> Value {
    digits.parse::<u64>().map_or_else(|_| digits.into(), Value::from)
}

fn app(facts: &Facts) -> Result<Value, &'static str> {
    facts.open("app_id").map(number).ok_or("the credential has no `app_id`")
}

fn post(path: &str, call: &Call<'_>, body: String) -> Result<Outbound, &'static str> {
    let host = SPEC.hosts.first().ok_or("no host")?;
    let headers = vec![
        ("authtoken", call.bearer.to_owned()),
        ("content-type", "application/json; charset=utf-8".to_owned()),
    ];
    Ok(Outbound { url: format!("https://{host}/message/{path}"), headers, body: Body::Text(body) })
}

/// The message with its app and an id.
fn message(facts: &Facts, call: &Call<'_>, id: &str) -> Result<String, &'static str> {
    let id = text::write(&Value::from(id));
    let body = with_member(&call.draft.body.fill(call.ids), "requestId", &id);
    Ok(with_member(&body, "appId", &text::write(&app(facts)?)))
}

/// Saves the message of a list. Each try has an id of its own: the second gets no answer to the first one's.
pub(super) fn save(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    post("saveListPayload", call, message(facts, call, &format!("{}-{}", call.ids.uuid(), call.now.0))?)
}

/// The request for one token, or for the list of them.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let Some(task) = call.prepared else {
        let token = text::write(&call.first()?.address.token.reveal());
        return post("send", call, with_member(&message(facts, call, &call.ids.uuid())?, "regId", &token));
    };
    let written: Value = serde_json::from_str(&call.draft.body.fill(call.ids)).unwrap_or_default();
    let list = json!({
        "appId": app(facts)?,
        "taskId": task,
        "requestId": format!("{}-l", call.ids.uuid()),
        "regIds": call.tokens().collect::<Vec<_>>(),
        "pushMode": written.get("pushMode").cloned().unwrap_or_else(|| 0.into()),
    });
    post("pushToList", call, list.to_string())
}
