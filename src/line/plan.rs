//! Step 4: devices → what each of them gets, or why nothing. One draft per vendor is made and sized to fit; the
//! devices share it.

use std::collections::{BTreeMap, HashSet};

use super::{
    parse::{push::DEVICES_MAX, push::too_many, text},
    resolve::Found,
};
use crate::{
    model::{
        app::{App, Policy},
        delivery::{Reason, Recipient},
        device::{Address, Permission},
        ids::PushId,
        problem::{Code, Problem},
        push::Message,
        time::Millis,
    },
    vendor::{Draft, TooLarge, Vendor},
};

/// What one recipient gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The vendor's draft, at this address.
    Send(Address),
    /// Nothing.
    Skip {
        /// Why.
        reason: Reason,
        /// Which vendor it would have been.
        vendor: Option<Vendor>,
        /// In words.
        detail: Option<String>,
    },
}

/// What a push comes to.
#[derive(Debug)]
pub struct Plan {
    /// In the order named.
    pub decisions: Vec<(Recipient, Decision)>,
    /// Per vendor that is sent to.
    pub drafts: BTreeMap<Vendor, Draft>,
}

/// Decides. `Err`: the whole push is refused and nothing of it is sent.
pub fn plan(
    app: &App,
    message: &Message,
    found: Vec<Found>,
    push: &PushId,
    now: Millis,
) -> Result<Plan, Problem> {
    if found.len() > DEVICES_MAX {
        return Err(too_many(found.len()));
    }
    link_allowed(&app.policy, message)?;
    let mut drafts: BTreeMap<Vendor, Result<Draft, TooLarge>> = BTreeMap::new();
    let mut seen = HashSet::new();
    let decisions = found
        .into_iter()
        .map(|Found { recipient, reach }| {
            let decision = match reach {
                None => skip(None, Reason::NoDevice, no_device(&recipient)),
                Some((address, permission)) => {
                    let vendor = address.vendor;
                    let mut fit = || {
                        drafts
                            .entry(vendor)
                            .or_insert_with(|| vendor.draft(message, push, now))
                            .as_ref()
                            .err()
                            .copied()
                    };
                    decide(app, address, permission, &mut seen, &mut fit)
                }
            };
            (recipient, decision)
        })
        .collect();
    let drafts = drafts.into_iter().filter_map(|(vendor, draft)| Some((vendor, draft.ok()?))).collect();
    Ok(Plan { decisions, drafts })
}

fn decide(
    app: &App,
    address: Address,
    permission: Permission,
    seen: &mut HashSet<(Vendor, String)>,
    too_large: &mut dyn FnMut() -> Option<TooLarge>,
) -> Decision {
    let vendor = address.vendor;
    if permission == Permission::Denied {
        return skip(
            Some(vendor),
            Reason::PermissionOff,
            "the user has switched notifications off on this device",
        );
    }
    let Some(credential) = app.credentials.get(&vendor) else {
        let detail = format!(
            "the app has no credential for `{0}`: PUT /v1/apps/{1} with credentials.{0}",
            vendor.name(),
            app.id
        );
        return skip(Some(vendor), Reason::NoCredentials, detail);
    };
    if let Err(missing) = credential.facts.reaches(&address) {
        return skip(Some(vendor), Reason::NoCredentials, missing);
    }
    if !seen.insert((vendor, vendor.canonical_token(address.token.reveal()))) {
        return skip(Some(vendor), Reason::Duplicate, "another delivery of this push has the same token");
    }
    match too_large() {
        None => Decision::Send(address),
        Some(TooLarge { bytes, limit }) => {
            let detail = format!(
                "{bytes} bytes with the text cut as far as it goes; `{}` takes {limit}",
                vendor.name()
            );
            skip(Some(vendor), Reason::TooLarge, detail)
        }
    }
}

fn skip(vendor: Option<Vendor>, reason: Reason, detail: impl Into<String>) -> Decision {
    Decision::Skip { reason, vendor, detail: Some(detail.into()) }
}

fn no_device(recipient: &Recipient) -> &'static str {
    match recipient {
        Recipient::Missing(..) => "this user has no such device on file",
        Recipient::User(_) | Recipient::Device(..) | Recipient::Token(_) => "this user has no device on file",
    }
}

/// The app may say which schemes its links have.
fn link_allowed(policy: &Policy, message: &Message) -> Result<(), Problem> {
    let link = message.notification.as_ref().and_then(|notification| notification.link.as_deref());
    let Some(scheme) = link.and_then(text::link_scheme) else { return Ok(()) };
    if policy.link_schemes.is_empty() || policy.link_schemes.contains(&scheme) {
        return Ok(());
    }
    let detail = format!("the app's policy allows links with: {}", policy.link_schemes.join(", "));
    Err(Problem::at(Code::LinkNotAllowed, "/notification/link", detail))
}
