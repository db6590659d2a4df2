//! Step 7: admitted deliveries → one answer each. Pure half: where a request may go, how a bundle of requests crosses
//! to JavaScript and back as one text each way, and what an answer means.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        delivery::Reason,
        outcome::{Again, Answer, Outcome, Reply, RetryWhy, Verdict},
        time::Millis,
    },
    vendor::{Body, Hosts, Outbound, Vendor},
};

/// Requests under way at once in one invocation: Cloudflare lets six wait for their answer's headers.
pub const IN_FLIGHT: u32 = 6;
/// Longest wait for a vendor's answer.
pub const TIMEOUT_MS: u32 = 15_000;
/// Most bytes read of an answer: the longest real one (a Google error) has about 2 KB.
pub const ANSWER_MAX: u32 = 16 * 1024;

/// Checks that a request goes to one of the vendor's own hosts, and leads it through the proxy where one is set:
/// `https://host/path` becomes `<proxy>/host/path`. The proxy is the operator's setting, never a caller's; so are `more`,
/// the hosts of [`Vendor::serves`].
pub fn route(url: &str, vendor: Vendor, proxy: Option<&str>, more: &Hosts) -> Result<String, &'static str> {
    let rest = url.strip_prefix("https://").ok_or("not https")?;
    let slash = rest.find('/').ok_or("no path")?;
    let (host, path) = rest.split_at_checked(slash).ok_or("no path")?;
    if !vendor.serves(host, path, more) {
        return Err("not a host of this vendor");
    }
    Ok(match proxy {
        Some(proxy) => format!("{proxy}/{rest}"),
        None => url.to_owned(),
    })
}

#[derive(Serialize)]
struct Crossing<'a> {
    url: &'a str,
    headers: &'a [(&'static str, String)],
    body: Carried<'a>,
}

/// A text as it is, or `{"base64": …}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Carried<'a> {
    Text(&'a str),
    Bytes { base64: String },
}

impl<'a> Carried<'a> {
    fn of(body: &'a Body) -> Self {
        match body {
            Body::Text(text) => Self::Text(text),
            Body::Bytes(bytes) => Self::Bytes { base64: STANDARD.encode(bytes) },
        }
    }
}

/// How many requests each vendor may have under way, of [`IN_FLIGHT`] in all: each at least one, so that one that hangs
/// does not hold another back, and the rest by how many wait. More vendors than places have one each, in turn.
pub fn places(waiting: &[usize]) -> Vec<u32> {
    let mut places = vec![1u32; waiting.len()];
    for _ in waiting.len()..IN_FLIGHT as usize {
        let longest = |(n, places): &(&usize, &mut u32)| **n * 100 / **places as usize;
        if let Some((_, places)) = waiting.iter().zip(&mut places).max_by_key(longest) {
            *places += 1;
        }
    }
    places
}

/// A bundle of requests, as JavaScript takes it: `[{url, headers: [[name, value], …], body}, …]`.
pub fn encode(requests: &[Outbound]) -> String {
    let crossing: Vec<Crossing<'_>> = requests
        .iter()
        .map(|out| Crossing { url: &out.url, headers: &out.headers, body: Carried::of(&out.body) })
        .collect();
    serde_json::to_string(&crossing).unwrap_or_default()
}

/// What JavaScript gives back for each request, in the same order.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Crossed {
    /// `[status, apns-id, retry-after, location, body, read to its end]`
    Reply(u16, Option<String>, Option<String>, Option<String>, String, bool),
    /// The request could not be made.
    NotSent(String),
    /// No answer.
    Silence(String),
    /// What was looked up for it holds no longer.
    Late(()),
}

/// The answers. `None`: not what was agreed; the requests may have left all the same.
pub fn decode(text: &str, expected: usize) -> Option<Vec<Answer>> {
    let crossed: Vec<Crossed> = serde_json::from_str(text).ok()?;
    if crossed.len() != expected {
        return None;
    }
    let answer = |crossed| match crossed {
        Crossed::Reply(status, apns_id, retry_after, location, body, whole) => {
            Answer::Reply(Reply { status, apns_id, retry_after, location, body, whole })
        }
        Crossed::NotSent(why) => Answer::NotSent(why),
        Crossed::Silence(why) => Answer::Silence(why),
        Crossed::Late(()) => Answer::Late,
    };
    Some(crossed.into_iter().map(answer).collect())
}

/// What an answer means.
pub fn verdict(vendor: Vendor, answer: &Answer, now: Millis) -> Verdict {
    match answer {
        Answer::Reply(reply) => vendor.classify(reply, now),
        Answer::NotSent(why) => Verdict::not_sent(why),
        Answer::Silence(why) => Verdict::new(Outcome::Unknown, why.clone()),
        Answer::Late => Verdict::not_sent("its lookup was too long ago"),
    }
}

/// A bearer was refused, and there is no new one to be had.
pub fn no_new_bearer(reason: Reason, detail: String) -> Verdict {
    let outcome = if reason == Reason::Credentials {
        Outcome::Credentials(Again::No)
    } else {
        Outcome::Retry { after: None, why: RetryWhy::Unavailable }
    };
    Verdict::new(outcome, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_vendors_hosts_are_reached() {
        let ours = "https://api.push.apple.com/3/device/00ff";
        let none = Hosts::default();
        let route = |url: &str, vendor, proxy| route(url, vendor, proxy, &none);
        assert_eq!(route(ours, Vendor::Apns, None), Ok(ours.into()));
        let browser = "https://web.push.apple.com/x";
        assert_eq!(route(browser, Vendor::Webpush, None), Ok(browser.into()));
        for other in [ours, "https://fcm.googleapis.com/v1/projects/p/messages:send", "https://a.example/x"] {
            assert!(route(other, Vendor::Webpush, None).is_err(), "{other}");
        }
        assert_eq!(
            route(ours, Vendor::Apns, Some("http://127.0.0.1:8791")),
            Ok("http://127.0.0.1:8791/api.push.apple.com/3/device/00ff".into())
        );
        for other in [
            "http://api.push.apple.com/3/device/00ff",
            "https://api.push.apple.com.evil.example/3/device/00ff",
            "https://api.push.apple.com:444/3/device/00ff",
            "https://user@api.push.apple.com/3/device/00ff",
            "https://API.PUSH.APPLE.COM/3/device/00ff",
            "https://api.push.apple.com",
            "https://fcm.googleapis.com/v1/projects/p/messages:send",
            "",
        ] {
            assert!(route(other, Vendor::Apns, None).is_err(), "{other}");
        }
    }

    #[test]
    fn places_are_shared_by_what_waits_and_nobody_has_none() {
        assert_eq!(places(&[50]), [6]);
        assert_eq!(places(&[25, 25]), [3, 3]);
        assert_eq!(places(&[45, 5]), [5, 1]);
        assert_eq!(places(&[1, 49]), [1, 5]);
        assert_eq!(places(&[1; 6]), [1; 6]);
        assert_eq!(places(&[9; 10]), [1; 10]);
        assert_eq!(places(&[]), [0u32; 0]);
    }

    #[test]
    fn the_crossing_is_pinned() {
        let out = Outbound {
            url: "https://a/b".into(),
            headers: vec![("x", "y".into())],
            body: Body::Text("{}".into()),
        };
        let bytes = Outbound { headers: Vec::new(), body: Body::Bytes(vec![0, 255]), ..out.clone() };
        assert_eq!(
            encode(&[out, bytes]),
            r#"[{"url":"https://a/b","headers":[["x","y"]],"body":"{}"},{"url":"https://a/b","headers":[],"body":{"base64":"AP8="}}]"#
        );
        let back = r#"[{"reply":[429,"id",null,"/m/1","{}",true]},{"silence":"no answer within 15 s"},{"not_sent":"bad URL"}]"#;
        let answers = decode(back, 3).unwrap();
        assert!(
            matches!(&answers[0], Answer::Reply(reply) if reply.status == 429 && reply.whole && reply.location.is_some())
        );
        assert_eq!(answers[1], Answer::Silence("no answer within 15 s".into()));
        assert_eq!(answers[2], Answer::NotSent("bad URL".into()));
        assert_eq!(decode(back, 2), None);
        assert_eq!(decode("", 0), None);
    }

    #[test]
    fn silence_is_unknown_and_never_a_dead_token() {
        assert_eq!(verdict(Vendor::Apns, &Answer::Silence("x".into()), Millis(0)).outcome, Outcome::Unknown);
        let not_sent = verdict(Vendor::Fcm, &Answer::NotSent("x".into()), Millis(0)).outcome;
        assert_eq!(not_sent, Outcome::Retry { after: None, why: RetryWhy::Unavailable });
    }
}
