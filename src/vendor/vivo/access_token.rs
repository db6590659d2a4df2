//! The app's secret for an access token.

use serde_json::{Value, json};

use crate::{
    crypto::hash,
    model::{delivery::Reason, outcome::Reply, time::Millis},
    vendor::{
        Body, Keys, Outbound,
        exchange::Read,
        said::{detail, number, text},
    },
};

/// Seconds for which a token is used: vivo advises to renew it every hour or two, though it is good for a day.
const LIFE: u64 = 2 * 3_600;

/// `sign` is the MD5 of app id, app key, time and secret.
pub(super) fn request(keys: &Keys, now: Millis) -> Outbound {
    let (id, key) = (keys.get("app_id"), keys.get("app_key"));
    let sign = hash::md5_hex(format!("{id}{key}{}{}", now.0, keys.get("app_secret")).as_bytes());
    let body = json!({"appId": super::request::number(id), "appKey": key, "timestamp": now.0, "sign": sign});
    Outbound {
        url: "https://api-push.vivo.com.cn/message/auth".to_owned(),
        headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
        body: Body::Text(crate::wire::text::write(&body)),
    }
}

/// `{"result":0,"desc":"…","authToken":"…"}`
pub(super) fn read(reply: &Reply, body: &Value) -> Read {
    let code = body.get("result").and_then(number);
    if let (Some(0), Some(token)) = (code, body.get("authToken").and_then(text)) {
        return Ok((token, LIFE));
    }
    let said = detail(code.unwrap_or_else(|| reply.status.into()), body.get("desc").and_then(Value::as_str));
    let reason = match code {
        Some(10_045 | 10_072) => Reason::RateLimited,
        Some(10_000 | 10_082 | 10_094 | 10_200..=10_205) => Reason::Credentials,
        Some(_) | None => Reason::VendorUnavailable,
    };
    Err((reason, format!("access token: {said}")))
}
