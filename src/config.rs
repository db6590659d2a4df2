//! Settings and secrets, read once and checked whole: what is missing or wrong is named.

use crate::{
    crypto::seal::SealKeys,
    model::{
        problem::{Code, Problem},
        secret::Secret,
    },
};

/// Shortest admin key.
const ADMIN_KEY_MIN: usize = 16;

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
        Ok(Self { admin_key: raw.admin_key.clone(), seal_keys, vendor_proxy })
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
        };
        assert_eq!(Config::parse(&good).unwrap().vendor_proxy.as_deref(), Some("http://127.0.0.1:8791"));
        for (raw, name) in [
            (Raw { admin_key: Secret::new("short"), ..good.clone() }, "ADMIN_KEY "),
            (Raw { seal_key: Secret::new("short"), ..good.clone() }, "SEAL_KEY "),
            (Raw { seal_key_old: Secret::new("short"), ..good.clone() }, "SEAL_KEY_OLD "),
            (Raw { vendor_proxy: "127.0.0.1".into(), ..good }, "VENDOR_PROXY "),
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
