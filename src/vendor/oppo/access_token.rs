//! The master secret for an access token.

use serde_json::Value;

use crate::{
    crypto::hash,
    model::{delivery::Reason, outcome::Reply, time::Millis},
    vendor::{
        Keys, Outbound,
        exchange::{Read, post_form},
        payload::form,
        said::{detail, number, text},
    },
};

/// Seconds for which a token is used: it is good for a day.
const LIFE: u64 = 20 * 3_600;

/// `sign` is the SHA-256 of app key, time and master secret.
pub(super) fn request(keys: &Keys, now: Millis) -> Outbound {
    let (key, time) = (keys.get("app_key"), now.0.to_string());
    let sign = hash::sha256_hex(format!("{key}{time}{}", keys.get("master_secret")).as_bytes());
    let (key, time, sign) = (Value::from(key), Value::from(time), Value::from(sign));
    let fields = form([("app_key", &key), ("timestamp", &time), ("sign", &sign)]);
    post_form("https://api.push.oppomobile.com/server/v1/auth", fields)
}

/// `{"code":0,"data":{"auth_token":"…"}}`
pub(super) fn read(reply: &Reply, body: &Value) -> Read {
    let code = body.get("code").and_then(number);
    if let (Some(0), Some(token)) =
        (code, body.get("data").and_then(|data| data.get("auth_token")).and_then(text))
    {
        return Ok((token, LIFE));
    }
    let said =
        detail(code.unwrap_or_else(|| reply.status.into()), body.get("message").and_then(Value::as_str));
    let reason = match code {
        Some(-2 | 13 | 55) => Reason::RateLimited,
        Some(11 | 14..=19 | 26..=30) => Reason::Credentials,
        Some(_) | None => Reason::VendorUnavailable,
    };
    Err((reason, format!("access token: {said}")))
}
