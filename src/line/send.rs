//! Step 7: admitted deliveries → one answer each. Pure half: where a request may go, how a bundle of requests crosses
//! to JavaScript and back as one text each way, and what an answer means.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    model::{
        delivery::Reason,
        outcome::{Again, Answer, Outcome, Reply, RetryWhy, Verdict},
        time::Millis,
    },
    vendor::{Body, Hosts, Outbound, Split, Vendor, spec::Prepare},
    wire::text,
};

/// Requests under way at once in one invocation: Cloudflare lets six wait for their answer's headers.
pub const IN_FLIGHT: u32 = 6;
/// Longest wait for a vendor's answer.
pub const TIMEOUT_MS: u32 = 15_000;
/// Most bytes read of an answer: the longest real ones name each token of a list of a hundred.
pub const ANSWER_MAX: u32 = 64 * 1024;

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
        Some(proxy) => [proxy, "/", rest].concat(),
        None => url.to_owned(),
    })
}

#[derive(Serialize)]
struct Crossing<'a> {
    url: &'a str,
    headers: Headers<'a>,
    body: Carried<'a>,
}

/// An object of names and values: a list of pairs costs the platform an iterator for each. No vendor wants a name twice.
struct Headers<'a>(&'a [(&'static str, String)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (*name, value)))
    }
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

/// A bundle of requests, as JavaScript takes it: `[{url, headers: {name: value, …}, body}, …]`.
pub fn encode(requests: &[Outbound]) -> String {
    let crossing: Vec<Crossing<'_>> = requests
        .iter()
        .map(|out| Crossing { url: &out.url, headers: Headers(&out.headers), body: Carried::of(&out.body) })
        .collect();
    text::write(&crossing)
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
    let crossed: Vec<Crossed> = crate::wire::text::read(text).ok()?;
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

/// What an answer means for the tokens of its request; they are not shown.
pub fn split(vendor: Vendor, answer: &Answer, tokens: &[&str], now: Millis) -> Split {
    match answer {
        Answer::Reply(reply) => vendor.classify(reply, tokens.len(), now).masked(tokens),
        Answer::NotSent(why) => Split::all(Verdict::not_sent(why)),
        Answer::Silence(why) => Split::all(Verdict::new(Outcome::Unknown, why.clone())),
        Answer::Late => Split::all(Verdict::not_sent("its lookup was too long ago")),
    }
}

/// What the request before a list gave; `Err`: how all of the list end. Nothing was shown to anybody yet: what is not known
/// of it is no more than trouble.
pub fn prepared(prepare: &Prepare, answer: &Answer, now: Millis) -> Result<String, Split> {
    match answer {
        Answer::Reply(reply) => (prepare.read)(reply, now),
        Answer::NotSent(why) => Err(Split::all(Verdict::not_sent(why))),
        Answer::Silence(why) => {
            let outcome = Outcome::Retry { after: None, why: RetryWhy::Unavailable };
            Err(Split::all(Verdict::new(outcome, format!("not sent: {why}"))))
        }
        Answer::Late => Err(Split::all(Verdict::not_sent("its lookup was too long ago"))),
    }
}

/// Cuts deliveries with the same lane into calls of at most so many tokens.
pub fn calls<T: PartialEq>(lanes: Vec<(usize, T)>, most: usize) -> Vec<Vec<usize>> {
    if most <= 1 {
        return lanes.into_iter().map(|(entry, _)| vec![entry]).collect();
    }
    let mut calls: Vec<(T, Vec<usize>)> = Vec::new();
    for (entry, lane) in lanes {
        match calls.iter_mut().find(|(of, entries)| *of == lane && entries.len() < most) {
            Some((_, entries)) => entries.push(entry),
            None => calls.push((lane, vec![entry])),
        }
    }
    calls.into_iter().map(|(_, entries)| entries).collect()
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
            r#"[{"url":"https://a/b","headers":{"x":"y"},"body":"{}"},{"url":"https://a/b","headers":{},"body":{"base64":"AP8="}}]"#
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
        let verdict = |vendor, answer| split(vendor, &answer, &["t"], Millis(0)).of("t").outcome.clone();
        assert_eq!(verdict(Vendor::Apns, Answer::Silence("x".into())), Outcome::Unknown);
        let retry = Outcome::Retry { after: None, why: RetryWhy::Unavailable };
        assert_eq!(verdict(Vendor::Fcm, Answer::NotSent("x".into())), retry);
        // Nothing was shown to anybody by a message that was saved only.
        let prepare = Vendor::Vivo.spec().prepare.as_ref().unwrap();
        let silent = prepared(prepare, &Answer::Silence("x".into()), Millis(0)).unwrap_err();
        assert_eq!(silent.of("t").outcome, retry);
    }

    #[test]
    fn calls_are_of_one_lane_and_no_longer_than_the_vendor_takes() {
        let lanes = vec![(0, "a"), (1, "b"), (2, "a"), (3, "a"), (5, "b")];
        assert_eq!(calls(lanes.clone(), 2), [vec![0, 2], vec![1, 5], vec![3]]);
        assert_eq!(calls(lanes, 1), [[0], [1], [2], [3], [5]]);
    }
}
