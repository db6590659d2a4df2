//! `POST /v1/receipts/{app}/{vendor}/{secret}`: where vendors report to. Most of them sign nothing, so the path itself is the
//! proof: it is made from `SEAL_KEY`, and nobody can guess it.

use crate::{
    config::Config,
    crypto::{base64url, hash, seal::SealKeys},
    model::{app::App, ids::Tenant},
    vendor::{Facts, Vendor},
};

fn purpose(tenant: &Tenant, vendor: Vendor) -> String {
    format!("receipts of {tenant} at {}", vendor.name())
}

/// The secret part of the path.
pub fn secret(keys: &SealKeys, tenant: &Tenant, vendor: Vendor) -> String {
    base64url::encode(&keys.derive(&purpose(tenant, vendor)))
}

/// Whether it is the secret part, made from the present seal key or one of before.
pub fn proves(keys: &SealKeys, tenant: &Tenant, vendor: Vendor, given: &str) -> bool {
    let all = keys.derive_all(&purpose(tenant, vendor));
    all.iter().fold(false, |proves, secret| {
        proves | hash::same(base64url::encode(secret).as_bytes(), given.as_bytes())
    })
}

fn folder(tenant: &Tenant, vendor: Vendor) -> String {
    format!("/v1/receipts/{}/{}/", tenant.app, vendor.name())
}

/// The path.
pub fn path(keys: &SealKeys, tenant: &Tenant, vendor: Vendor) -> String {
    folder(tenant, vendor) + &secret(keys, tenant, vendor)
}

/// Why a vendor is not told with each message where to report to.
#[derive(Debug, PartialEq, Eq)]
pub enum Untold {
    /// Its console is told.
    ByConsole,
    /// The gateway does not know its own address.
    NoAddress,
    /// In order: the bytes of the address; how many the vendor takes.
    TooLong(usize, usize),
    /// The credential does not say that the vendor's console knows an address that is this gateway's.
    NotRegistered,
}

impl Untold {
    /// What to do about it; none: nothing is amiss.
    pub fn words(&self) -> Option<String> {
        Some(match self {
            Self::ByConsole => return None,
            Self::NoAddress => "`PUBLIC_URL` is not set".to_owned(),
            Self::TooLong(bytes, max) => {
                format!("the address has {bytes} bytes and the vendor takes {max}: shorten `PUBLIC_URL`")
            }
            Self::NotRegistered => {
                "register `PUBLIC_URL` with the path above in the vendor's console, and give it as the credential's `receipts`".to_owned()
            }
        })
    }
}

/// The address that a vendor is told with each message.
pub fn url(config: &Config, tenant: &Tenant, vendor: Vendor, facts: &Facts) -> Result<String, Untold> {
    let told = vendor.spec().called_back.as_ref().filter(|_| facts.open("receipt_id").is_none());
    let told = told.ok_or(Untold::ByConsole)?;
    let own = config.public_url.as_deref().ok_or(Untold::NoAddress)?;
    let url = format!("{own}{}", path(&config.seal_keys, tenant, vendor));
    if url.len() > told.max {
        return Err(Untold::TooLong(url.len(), told.max));
    }
    if !told.registered {
        return Ok(url);
    }
    // While the seal key is changed that is still one with the secret of before.
    let given = facts.open("receipts").filter(|given| {
        let rest = given.strip_prefix(own).and_then(|path| path.strip_prefix(&folder(tenant, vendor)));
        rest.is_some_and(|secret| proves(&config.seal_keys, tenant, vendor, secret))
    });
    given.map(str::to_owned).ok_or(Untold::NotRegistered)
}

/// A text for people who may not report, such as requests that name addresses: without their secrets.
pub fn hide(config: &Config, app: &App, mut text: String, instead: &str) -> String {
    for (vendor, credential) in app.credentials.iter() {
        if let Ok(url) = url(config, &app.tenant(), *vendor, &credential.facts)
            && let Some((_, secret)) = url.rsplit_once('/')
        {
            text = text.replace(secret, instead);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Raw,
        model::{ids::AppId, secret::Secret},
    };

    const KEYS: (&str, &str) =
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");

    fn tenant(generation: u32) -> Tenant {
        Tenant { app: AppId::parse("shop").unwrap(), generation }
    }

    #[test]
    fn a_path_proves_itself_for_one_app_and_vendor_also_after_a_change_of_keys() {
        let (first, second) = KEYS;
        let keys = SealKeys::parse(first, "").unwrap();
        let given = secret(&keys, &tenant(1), Vendor::Oppo);
        assert_eq!(given.len(), 27);
        assert!(proves(&keys, &tenant(1), Vendor::Oppo, &given));
        assert!(proves(&SealKeys::parse(second, first).unwrap(), &tenant(1), Vendor::Oppo, &given));
        assert!(!proves(&SealKeys::parse(second, "").unwrap(), &tenant(1), Vendor::Oppo, &given));
        assert!(!proves(&keys, &tenant(2), Vendor::Oppo, &given));
        assert!(!proves(&keys, &tenant(1), Vendor::Vivo, &given));
        assert!(!proves(&keys, &tenant(1), Vendor::Oppo, ""));
        assert!(path(&keys, &tenant(1), Vendor::Oppo).starts_with("/v1/receipts/shop/oppo/"));
    }
    fn config(key: &str, old: &str, public_url: &str) -> Config {
        let raw = Raw {
            admin_key: Secret::new("0123456789abcdef"),
            seal_key: Secret::new(key),
            seal_key_old: Secret::new(old),
            public_url: public_url.into(),
            ..Raw::default()
        };
        Config::parse(&raw).unwrap()
    }

    fn none() -> Facts {
        Facts::Keys([].into())
    }

    #[test]
    fn an_address_is_told_if_the_vendor_takes_it_and_else_it_is_said_why() {
        let told = |vendor, facts: &Facts, host: usize| {
            let own = format!("https://{}", "h".repeat(host));
            url(&config(KEYS.0, "", &own), &tenant(1), vendor, facts).map(|url| url.len())
        };
        for (vendor, max) in [(Vendor::Vivo, 128), (Vendor::Xiaomi, 200), (Vendor::Oppo, 200)] {
            let longest = (1..220).rev().find(|host| told(vendor, &none(), *host).is_ok()).unwrap();
            assert_eq!(told(vendor, &none(), longest), Ok(max), "{vendor:?}");
            let long = told(vendor, &none(), longest + 1);
            assert_eq!(long, Err(Untold::TooLong(max + 1, max)));
            assert!(long.unwrap_err().words().unwrap().contains("PUBLIC_URL"));
        }
        let by_console = Facts::Keys([("receipt_id".to_owned(), "r1".to_owned())].into());
        assert_eq!(told(Vendor::Vivo, &by_console, 200), Err(Untold::ByConsole));
        assert_eq!(told(Vendor::Huawei, &none(), 5), Err(Untold::ByConsole));
        let unset = url(&config(KEYS.0, "", ""), &tenant(1), Vendor::Oppo, &none());
        assert_eq!(unset, Err(Untold::NoAddress));
    }

    /// Meizu drops messages that name an address which its console does not know.
    #[test]
    fn meizu_is_told_the_registered_address_for_as_long_as_it_is_ours() {
        let own = "https://push.example.com";
        let registered =
            format!("{own}{}", path(&SealKeys::parse(KEYS.0, "").unwrap(), &tenant(1), Vendor::Meizu));
        let facts = Facts::Keys([("receipts".to_owned(), registered.clone())].into());
        let told = |config: Config, tenant: &Tenant| url(&config, tenant, Vendor::Meizu, &facts);
        assert_eq!(told(config(KEYS.0, "", own), &tenant(1)), Ok(registered.clone()));
        // While the old key opens, reports to the old address are taken.
        assert_eq!(told(config(KEYS.1, KEYS.0, own), &tenant(1)), Ok(registered));
        for (config, tenant) in [
            (config(KEYS.1, "", own), tenant(1)),
            (config(KEYS.0, "", "https://other.example.com"), tenant(1)),
            (config(KEYS.0, "", own), tenant(2)),
        ] {
            assert_eq!(told(config, &tenant), Err(Untold::NotRegistered));
        }
        let unregistered = url(&config(KEYS.0, "", own), &tenant(1), Vendor::Meizu, &none());
        assert_eq!(unregistered, Err(Untold::NotRegistered));
    }
}
