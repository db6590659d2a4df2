//! `POST /v1/receipts/{app}/{vendor}/{secret}`: where vendors report to. Most of them sign nothing, so the path itself is the
//! proof: it is made from `SEAL_KEY`, and nobody can guess it.

use crate::{
    config::Config,
    crypto::{base64url, hash, seal::SealKeys},
    model::ids::Tenant,
    vendor::{Facts, Vendor},
};

/// Longest address that all vendors take who are told it with each message (vivo, Meizu).
const URL_MAX: usize = 128;

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

/// The path.
pub fn path(keys: &SealKeys, tenant: &Tenant, vendor: Vendor) -> String {
    format!("/v1/receipts/{}/{}/{}", tenant.app, vendor.name(), secret(keys, tenant, vendor))
}

/// The address that a vendor is told with each message. `None`: the gateway does not know its own, or it is too long.
pub fn url(config: &Config, tenant: &Tenant, vendor: Vendor, facts: &Facts) -> Option<String> {
    let own = config.public_url.as_deref().filter(|_| (vendor.spec().called_back)(facts))?;
    Some(format!("{own}{}", path(&config.seal_keys, tenant, vendor))).filter(|url| url.len() <= URL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::AppId;

    fn tenant(generation: u32) -> Tenant {
        Tenant { app: AppId::parse("shop").unwrap(), generation }
    }

    #[test]
    fn a_path_proves_itself_for_one_app_and_vendor_also_after_a_change_of_keys() {
        let (first, second) =
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
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
}
