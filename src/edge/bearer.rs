//! What requests carry: credentials opened, and bearers signed here. What is fetched is the account's.

use zeroize::Zeroizing;

use super::{admit::account_key, cx::Cx, memory};
use crate::{
    line::begin::Batch,
    model::{app::App, delivery::Reason, ids::AppId, secret::Secret},
    vendor::{Credential, Vendor},
};

/// Signs for each audience of a batch, once per step and credential; the same bytes as every other isolate (law 9).
pub(super) fn signed(
    cx: &Cx,
    app: &App,
    vendor: Vendor,
    batch: &Batch,
) -> Result<Vec<(String, Secret)>, (Reason, String)> {
    let fault = |detail: &str| (Reason::Credentials, detail.to_owned());
    let stored = app.credentials.get(&vendor).ok_or_else(|| fault("no credential"))?;
    let (account, step) = (account_key(app, vendor), vendor.step(cx.now));
    let mut opened = None;
    let mut bearers = Vec::new();
    for audience in audiences(vendor, batch) {
        let key = (account.clone(), audience);
        let token = match memory::signed(&key, stored.revision, step) {
            Some(token) => token,
            None => {
                if opened.is_none() {
                    opened = open(cx, app, vendor);
                }
                let closed = "the credential does not open: was SEAL_KEY changed without SEAL_KEY_OLD?";
                let credential = opened.as_ref().ok_or_else(|| fault(closed))?;
                let token = credential.bearer(&key.1, cx.now).map(Secret::new);
                let token = token.ok_or_else(|| fault("the credential does not sign"))?;
                memory::remember_signed(key.clone(), stored.revision, step, token.clone());
                token
            }
        };
        bearers.push((key.1, token));
    }
    Ok(bearers)
}

fn audiences(vendor: Vendor, batch: &Batch) -> Vec<String> {
    let mut audiences = Vec::new();
    for (_, address) in (0..batch.entries.len()).filter_map(|at| batch.address(at, vendor)) {
        let audience = vendor.audience(address);
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    audiences
}

/// Opens a credential.
pub(super) fn open(cx: &Cx, app: &App, vendor: Vendor) -> Option<Credential> {
    Credential::from_stored(vendor, &unsealed(cx, app, vendor)?)
}

/// Opens what a vendor signs its reports with, if it is set. The outer `None`: there is no credential that opens.
pub(super) fn callback(cx: &Cx, app: &App, vendor: Vendor) -> Option<Option<(Secret, Secret)>> {
    Credential::callback(vendor, &unsealed(cx, app, vendor)?)
}

fn unsealed(cx: &Cx, app: &App, vendor: Vendor) -> Option<Zeroizing<Vec<u8>>> {
    let stored = app.credentials.get(&vendor)?;
    cx.config.seal_keys.open(&seal_owner(&app.id, vendor), &stored.sealed).ok()
}

/// What a credential is sealed for: associated data of the seal.
pub(super) fn seal_owner(app: &AppId, vendor: Vendor) -> String {
    format!("{app}/{}", vendor.name())
}
