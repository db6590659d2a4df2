//! Settings and secrets, read once and checked whole: what is missing or wrong is named.

use crate::{
    crypto::seal::SealKeys,
    model::{
        problem::{Code, Problem},
        secret::Secret,
    },
    object::ledger::Keep,
    vendor::Hosts,
};

/// Shortest admin key.
const ADMIN_KEY_MIN: usize = 16;
/// Most ledgers of an app.
const SHARDS_MAX: u64 = 1_024;

/// The settings as text, each empty where it is not set.
#[derive(Debug, Default, Clone)]
pub struct Raw {
    /// Secret `ADMIN_KEY`.
    pub admin_key: Secret,
    /// Secret `SEAL_KEY`.
    pub seal_key: Secret,
    /// Secret `SEAL_KEY_OLD`.
    pub seal_key_old: Secret,
    /// Variable `VENDOR_PROXY`.
    pub vendor_proxy: String,
    /// Variable `LEDGER_SHARDS`.
    pub ledger_shards: String,
    /// Variable `LEDGER_SHARDS_BEFORE`.
    pub ledger_shards_before: String,
    /// Variable `IDEMPOTENCY_HOURS`.
    pub idempotency_hours: String,
    /// Variable `KEEP_DAYS`.
    pub keep_days: String,
    /// Variable `WEBPUSH_HOSTS`.
    pub webpush_hosts: String,
    /// Variable `PUBLIC_URL`.
    pub public_url: String,
    /// Variable `QUOTA_LEASES`.
    pub quota_leases: String,
}

/// The settings, checked.
#[derive(Debug)]
pub struct Config {
    /// Makes apps.
    pub admin_key: Secret,
    /// Seal credentials.
    pub seal_keys: SealKeys,
    /// Where requests to vendors are led through, without a slash at its end; `None`: the vendors' own hosts.
    pub vendor_proxy: Option<String>,
    /// Ledgers of an app.
    pub ledger_shards: u32,
    /// Ledgers of an app before their number was changed: pushes of then are looked for there too.
    pub ledger_shards_before: Option<u32>,
    /// How long ledgers keep things.
    pub keep: Keep,
    /// Push services of the operator's own, beside the known ones.
    pub webpush_hosts: Hosts,
    /// The gateway's own address, without a slash at its end; `None`: vendors are not told where to report to.
    pub public_url: Option<String>,
    /// Isolates hold grants ahead.
    pub quota_leases: bool,
}

impl Config {
    /// Checks all of it.
    pub fn parse(raw: &Raw) -> Result<Self, Problem> {
        let wrong = |name: &str, what: &str| Problem::new(Code::Misconfigured, format!("{name} {what}"));
        if raw.admin_key.reveal().len() < ADMIN_KEY_MIN {
            return Err(wrong(
                "ADMIN_KEY",
                "must be a secret of at least 16 characters: `wrangler secret put ADMIN_KEY`",
            ));
        }
        let seal_keys = SealKeys::parse(raw.seal_key.reveal(), raw.seal_key_old.reveal()).map_err(|name| {
            wrong(name, "must be base64 of 32 random bytes (SEAL_KEY_OLD: a comma-separated list): `openssl rand -base64 32`")
        })?;
        let proxy = raw.vendor_proxy.trim().trim_end_matches('/');
        if !proxy.is_empty() && !proxy.starts_with("https://") && !proxy.starts_with("http://") {
            return Err(wrong("VENDOR_PROXY", "must be empty or a URL with http:// or https://"));
        }
        let vendor_proxy = (!proxy.is_empty()).then(|| proxy.to_owned());
        let number = |name: &str, text: &str, default: u64, range: std::ops::RangeInclusive<u64>| {
            let text = text.trim();
            let value = if text.is_empty() { Some(default) } else { text.parse().ok() };
            let what = format!("must be a whole number from {} to {}", range.start(), range.end());
            value.filter(|value| range.contains(value)).ok_or_else(|| wrong(name, &what))
        };
        let shards = |name: &str, text: &str, default: u64| {
            number(name, text, default, 1..=SHARDS_MAX).map(|n| u32::try_from(n).unwrap_or(1))
        };
        let before = raw.ledger_shards_before.trim();
        let before = (!before.is_empty()).then(|| shards("LEDGER_SHARDS_BEFORE", before, 0)).transpose()?;
        let keep_days = number("KEEP_DAYS", &raw.keep_days, 7, 2..=30)?;
        let hours = number("IDEMPOTENCY_HOURS", &raw.idempotency_hours, 24, 24..=24 * (keep_days - 1))?;
        let webpush_hosts = Hosts::parse(&raw.webpush_hosts)
            .ok_or_else(|| wrong("WEBPUSH_HOSTS", "must be empty or hosts' names, separated by commas"))?;
        let public_url = raw.public_url.trim().trim_end_matches('/');
        if !public_url.is_empty() && !public_url.starts_with("https://") && !public_url.starts_with("http://")
        {
            return Err(wrong("PUBLIC_URL", "must be empty or a URL with https://"));
        }
        let quota_leases = match raw.quota_leases.trim() {
            "" | "on" => true,
            "off" => false,
            _ => return Err(wrong("QUOTA_LEASES", "must be on or off")),
        };
        Ok(Self {
            admin_key: raw.admin_key.clone(),
            seal_keys,
            vendor_proxy,
            ledger_shards: shards("LEDGER_SHARDS", &raw.ledger_shards, 4)?,
            ledger_shards_before: before,
            keep: Keep { keys_ms: hours * 3_600_000, days: keep_days },
            webpush_hosts,
            public_url: (!public_url.is_empty()).then(|| public_url.to_owned()),
            quota_leases,
        })
    }
}

#[cfg(test)]
impl Config {
    /// Settings for tests.
    pub(crate) fn sample() -> Self {
        let seal_key = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let raw = Raw { admin_key: Secret::new("0123456789abcdef"), seal_key, ..Raw::default() };
        Self::parse(&raw).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let good = Raw {
            admin_key: Secret::new("0123456789abcdef"),
            seal_key: Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            seal_key_old: Secret::default(),
            vendor_proxy: "http://127.0.0.1:8791/".into(),
            ..Raw::default()
        };
        let config = Config::parse(&good).unwrap();
        assert_eq!(config.vendor_proxy.as_deref(), Some("http://127.0.0.1:8791"));
        assert_eq!((config.ledger_shards, config.ledger_shards_before), (4, None));
        assert_eq!(config.keep, Keep { keys_ms: 86_400_000, days: 7 });
        for (raw, name) in [
            (Raw { admin_key: Secret::new("short"), ..good.clone() }, "ADMIN_KEY "),
            (Raw { seal_key: Secret::new("short"), ..good.clone() }, "SEAL_KEY "),
            (Raw { seal_key_old: Secret::new("short"), ..good.clone() }, "SEAL_KEY_OLD "),
            (Raw { vendor_proxy: "127.0.0.1".into(), ..good.clone() }, "VENDOR_PROXY "),
            (Raw { ledger_shards: "0".into(), ..good.clone() }, "LEDGER_SHARDS "),
            (Raw { ledger_shards_before: "x".into(), ..good.clone() }, "LEDGER_SHARDS_BEFORE "),
            (Raw { keep_days: "1".into(), ..good.clone() }, "KEEP_DAYS "),
            (Raw { public_url: "push.example.com".into(), ..good.clone() }, "PUBLIC_URL "),
            (Raw { quota_leases: "yes".into(), ..good.clone() }, "QUOTA_LEASES "),
            (Raw { webpush_hosts: "https://a.example".into(), ..good.clone() }, "WEBPUSH_HOSTS "),
            (Raw { idempotency_hours: "23".into(), ..good.clone() }, "IDEMPOTENCY_HOURS "),
            (Raw { idempotency_hours: "48".into(), keep_days: "2".into(), ..good }, "IDEMPOTENCY_HOURS "),
        ] {
            let problem = Config::parse(&raw).unwrap_err();
            assert!(
                problem.code == Code::Misconfigured && problem.detail.starts_with(name),
                "{}",
                problem.detail
            );
        }
    }
}
