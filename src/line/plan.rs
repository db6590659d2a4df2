//! Step 4: devices → what each of them gets, or why nothing. One draft per vendor is made and sized to fit; the
//! devices share it.

use crate::model::table::Table;

use super::{
    parse::text,
    receipts,
    resolve::{Found, Reached},
};
use crate::{
    config::Config,
    model::{
        app::App,
        delivery::{Reason, Recipient},
        device::{Address, Permission, Platform},
        ids::PushId,
        kind::Kind,
        once::Once,
        policy::Policy,
        problem::{Code, Problem},
        push::{Category, Message, Push},
        table::gather,
        time::Millis,
    },
    vendor::{Brief, Draft, Hosts, TooLarge, Vendor, rules},
    wire::ledger::To,
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
    /// Nothing before the user's quiet hours end; then what is planned for that time.
    Hold {
        /// Which vendor it would be.
        vendor: Vendor,
        /// When they end.
        until: Millis,
    },
}

/// One recipient, and what it gets.
#[derive(Debug)]
pub struct Decided {
    /// Who.
    pub recipient: Recipient,
    /// What the device runs, where that is known.
    pub platform: Option<Platform>,
    /// What it gets.
    pub decision: Decision,
}

/// What a push comes to.
#[derive(Debug)]
pub struct Plan {
    /// In the order named.
    pub decisions: Vec<Decided>,
    /// Per vendor that is sent to.
    pub drafts: Table<Vendor, Draft>,
}

/// Refuses a push as a whole, before anything of it is begun.
pub fn check(app: &App, push: &Push, hosts: &Hosts) -> Result<(), Problem> {
    for (at, address) in push.to.tokens.iter().enumerate() {
        allowed(address, hosts, &format!("/to/tokens/{at}/token"))?;
    }
    link_allowed(&app.policy, &push.message)
}

/// Refuses an address that leads where nothing may be sent.
pub fn allowed(address: &Address, hosts: &Hosts, at: &str) -> Result<(), Problem> {
    address.vendor.allows(address, hosts).map_err(|why| Problem::at(Code::InvalidToken, at, why))
}

/// Which push is planned, and its times.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// Which.
    pub push: &'a PushId,
    /// When it was due: the same for every try.
    pub due: Millis,
    /// When.
    pub now: Millis,
}

/// Why a vendor gets nothing of a message, whatever the device.
type Refused = (Reason, String);

fn draft(
    app: &App,
    message: &Message,
    of: Of<'_>,
    config: &Config,
    vendor: Vendor,
) -> Result<Draft, Refused> {
    let Of { push, due, now } = of;
    if vendor.spec().shows_only && !message.shows_text() {
        let detail =
            format!("`{}` has no messages that show nothing: give a `title` or a `body`", vendor.name());
        return Err((Reason::NotShown, detail));
    }
    let class = rules::class(vendor, message.category, &app.policy).map_err(|why| (Reason::NoClass, why))?;
    let facts = app.credentials.get(&vendor).map(|credential| &credential.facts);
    let callback = facts.and_then(|facts| receipts::url(config, &app.tenant(), vendor, facts).ok());
    let receipt_id = facts.and_then(|facts| facts.open("receipt_id"));
    let brief = Brief { message, push, due, now, class: &class, callback: callback.as_deref(), receipt_id };
    vendor.draft(&brief).map_err(|TooLarge { bytes, limit }| {
        let detail =
            format!("{bytes} bytes with the text cut as far as it goes; `{}` takes {limit}", vendor.name());
        (Reason::TooLarge, detail)
    })
}

/// What a vendor gets of a message whose own class has no more quota: the same in the lowest class.
pub fn lowest(
    app: &App,
    message: &Message,
    of: Of<'_>,
    config: &Config,
    vendor: Vendor,
) -> Result<Draft, (To, Reason, Option<String>)> {
    let message = Message { category: Category::Marketing, ..message.clone() };
    draft(app, &message, of, config, vendor)
        .map_err(|(reason, detail)| (To::Skipped(None), reason, Some(detail)))
}

/// Decides.
pub fn plan(app: &App, message: &Message, found: Vec<Found>, of: Of<'_>, config: &Config) -> Plan {
    let mut drafts: Table<Vendor, Result<Draft, Refused>> = Table::new();
    let mut once = Once::default();
    let decisions = found
        .into_iter()
        .map(|Found { recipient, platform, reach }| {
            let decision = match reach {
                None => skip(None, Reason::NoDevice, no_device(&recipient, message)),
                Some(reached) => {
                    let vendor = reached.address.vendor;
                    let mut fit = || {
                        drafts
                            .entry(vendor)
                            .or_insert_with(|| draft(app, message, of, config, vendor))
                            .as_ref()
                            .err()
                            .cloned()
                    };
                    decide(app, message, config, reached, &mut once, &mut fit, of.now)
                }
            };
            Decided { recipient, platform, decision }
        })
        .collect();
    let drafts = gather(drafts.into_iter().filter_map(|(vendor, draft)| Some((vendor, draft.ok()?))));
    Plan { decisions, drafts }
}

fn decide(
    app: &App,
    message: &Message,
    config: &Config,
    reached: Reached,
    once: &mut Once,
    refused: &mut dyn FnMut() -> Option<Refused>,
    now: Millis,
) -> Decision {
    let Reached { address, permission, seen: heard, opted_out, hush } = reached;
    let vendor = address.vendor;
    if permission == Permission::Denied && vendor.needs_permission(message) {
        return skip(
            Some(vendor),
            Reason::PermissionOff,
            "the user has switched notifications off on this device",
        );
    }
    if opted_out {
        let detail = format!("the user does not want messages of the category `{}`", message.category.name());
        return skip(Some(vendor), Reason::OptedOut, detail);
    }
    let Some(credential) = app.credentials.get(&vendor) else {
        let detail = format!(
            "the app has no credential for `{0}`: PUT /v1/apps/{1} with credentials.{0}",
            vendor.name(),
            app.id
        );
        return skip(Some(vendor), Reason::NoCredentials, detail);
    };
    if let Err(missing) =
        credential.facts.reaches(&address).and_then(|()| vendor.allows(&address, &config.webpush_hosts))
    {
        return skip(Some(vendor), Reason::NoCredentials, missing);
    }
    if message.category == Category::Marketing
        && let Some(days) = app.policy.stale(vendor, heard, now)
    {
        let detail = format!("no sign of life for {days} days; marketing is not sent to such devices");
        return skip(Some(vendor), Reason::Stale, detail);
    }
    if !once.first(&[vendor.name(), address.token.reveal()]) {
        return skip(Some(vendor), Reason::Duplicate, "another delivery of this push has the same token");
    }
    match refused() {
        None => match hush {
            None => Decision::Send(address),
            Some(until) if message.ttl > 0 => Decision::Hold { vendor, until },
            Some(_) => {
                skip(Some(vendor), Reason::QuietHours, "the user's quiet hours, and `ttl` 0 is now or never")
            }
        },
        Some((reason, detail)) => skip(Some(vendor), reason, detail),
    }
}

fn skip(vendor: Option<Vendor>, reason: Reason, detail: impl Into<String>) -> Decision {
    Decision::Skip { reason, vendor, detail: Some(detail.into()) }
}

fn no_device(recipient: &Recipient, message: &Message) -> String {
    let what = match recipient {
        Recipient::Missing(..) => "no such device",
        Recipient::User(_) | Recipient::Device(..) | Recipient::Token(_) => "no device",
    };
    let of = match (message.kind, message.activity.as_ref().and_then(|of| of.id.as_deref())) {
        (Kind::Alert, _) => String::new(),
        (kind, None) => format!(" of the kind `{}`", kind.name()),
        (_, Some(id)) => format!(" for the activity `{id}`"),
    };
    format!("this user has {what}{of} on file")
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

#[cfg(test)]
mod tests;
