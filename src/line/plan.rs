//! Step 4: devices → what each of them gets, or why nothing. One draft per vendor is made and sized to fit; the
//! devices share it.

use std::collections::HashSet;

use crate::model::table::Table;

use super::{
    parse::text,
    receipts,
    resolve::{Found, Reached},
};
use crate::{
    config::Config,
    model::{
        app::{App, Policy},
        delivery::{Reason, Recipient},
        device::{Address, Permission, Platform},
        ids::PushId,
        problem::{Code, Problem},
        push::{Category, Message, Push},
        table::gather,
        time::Millis,
    },
    vendor::{Brief, Draft, Hosts, TooLarge, Vendor, rules},
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

/// Why a vendor gets nothing of a message, whatever the device.
type Refused = (Reason, String);

fn draft(
    app: &App,
    message: &Message,
    push: &PushId,
    config: &Config,
    vendor: Vendor,
    now: Millis,
) -> Result<Draft, Refused> {
    if vendor.spec().shows_only && !message.shows_text() {
        let detail =
            format!("`{}` has no messages that show nothing: give a `title` or a `body`", vendor.name());
        return Err((Reason::NotShown, detail));
    }
    let class = rules::class(vendor, message.category, &app.policy).map_err(|why| (Reason::NoClass, why))?;
    let facts = app.credentials.get(&vendor).map(|credential| &credential.facts);
    let callback = facts.and_then(|facts| receipts::url(config, &app.tenant(), vendor, facts).ok());
    let receipt_id = facts.and_then(|facts| facts.open("receipt_id"));
    let brief = Brief { message, push, now, class: &class, callback: callback.as_deref(), receipt_id };
    vendor.draft(&brief).map_err(|TooLarge { bytes, limit }| {
        let detail =
            format!("{bytes} bytes with the text cut as far as it goes; `{}` takes {limit}", vendor.name());
        (Reason::TooLarge, detail)
    })
}

/// Decides.
pub fn plan(
    app: &App,
    message: &Message,
    found: Vec<Found>,
    push: &PushId,
    config: &Config,
    now: Millis,
) -> Plan {
    let mut drafts: Table<Vendor, Result<Draft, Refused>> = Table::new();
    let mut seen = HashSet::new();
    let decisions = found
        .into_iter()
        .map(|Found { recipient, platform, reach }| {
            let decision = match reach {
                None => skip(None, Reason::NoDevice, no_device(&recipient)),
                Some(reached) => {
                    let vendor = reached.address.vendor;
                    let mut fit = || {
                        drafts
                            .entry(vendor)
                            .or_insert_with(|| draft(app, message, push, config, vendor, now))
                            .as_ref()
                            .err()
                            .cloned()
                    };
                    decide(app, message, config, reached, &mut seen, &mut fit, now)
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
    seen: &mut HashSet<(Vendor, String)>,
    refused: &mut dyn FnMut() -> Option<Refused>,
    now: Millis,
) -> Decision {
    let Reached { address, permission, seen: heard, opted_out, hush } = reached;
    let vendor = address.vendor;
    if permission == Permission::Denied {
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
    if !seen.insert((vendor, address.token.reveal().to_owned())) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        line::parse,
        model::{
            app::Credential,
            ids::{AppId, DeviceId, UserId},
            secret::Secret,
        },
        vendor::{Facts, fcm},
    };

    fn app() -> App {
        let sealed = serde_json::from_str(r#"["00000000","",""]"#).expect("a sealed text");
        let facts = Facts::Fcm(fcm::Facts { project_id: "p".into(), client_email: "e".into() });
        App {
            id: AppId::parse("shop").unwrap(),
            generation: 1,
            revision: 1,
            credentials: gather([(Vendor::Fcm, Credential { sealed, revision: 1, facts })]),
            policy: Policy::default(),
            keys: Vec::new(),
            user_token_keys: Vec::new(),
            created_at: Millis(0),
            updated_at: Millis(0),
        }
    }

    fn push(fields: &str) -> Push {
        let text = format!(r#"{{"to":{{"users":["u"]}},{fields}}}"#);
        parse::push::push(text.as_bytes()).unwrap()
    }

    fn message(fields: &str) -> Message {
        push(fields).message
    }

    fn found(device: &str, vendor: Vendor, token: &str, permission: Permission) -> Found {
        let address = Address { vendor, token: Secret::new(token), environment: None, topic: None };
        let (user, device) = (UserId::parse("u").unwrap(), DeviceId::parse(device).unwrap());
        Found {
            recipient: Recipient::Device(user, device),
            platform: None,
            reach: Some(Reached { address, permission, seen: None, opted_out: false, hush: None }),
        }
    }

    fn reasons(app: &App, message: &Message, found: Vec<Found>) -> Vec<Option<Reason>> {
        let plan = plan(app, message, found, &PushId::new(Millis(1), [1; 10]), &Config::sample(), Millis(1));
        let reason = |decided: &Decided| match &decided.decision {
            Decision::Send(_) => None,
            Decision::Skip { reason, .. } => Some(*reason),
            Decision::Hold { .. } => Some(Reason::QuietHours),
        };
        plan.decisions.iter().map(reason).collect()
    }

    #[test]
    fn every_skip_has_its_reason_and_the_rest_is_sent() {
        let nobody =
            Found { recipient: Recipient::User(UserId::parse("n").unwrap()), platform: None, reach: None };
        let all = vec![
            found("sent", Vendor::Fcm, "t1", Permission::Granted),
            found("asked not", Vendor::Fcm, "t2", Permission::Denied),
            found("quiet", Vendor::Fcm, "t3", Permission::Provisional),
            found("same token", Vendor::Fcm, "t1", Permission::Granted),
            found("no credential", Vendor::Apns, "00", Permission::Granted),
            nobody,
        ];
        assert_eq!(
            reasons(&app(), &message(r#""notification":{"title":"t"}"#), all),
            [
                None,
                Some(Reason::PermissionOff),
                None,
                Some(Reason::Duplicate),
                Some(Reason::NoCredentials),
                Some(Reason::NoDevice),
            ]
        );
    }

    #[test]
    fn a_skipped_device_does_not_make_another_one_a_duplicate() {
        let all = vec![
            found("off", Vendor::Fcm, "t", Permission::Denied),
            found("on", Vendor::Fcm, "t", Permission::Granted),
        ];
        let message = message(r#""notification":{"title":"t"}"#);
        assert_eq!(reasons(&app(), &message, all), [Some(Reason::PermissionOff), None]);
    }

    #[test]
    fn what_cannot_fit_is_skipped_for_every_device() {
        let message = message(&format!(r#""data":{{"x":"{}"}}"#, "x".repeat(5_000)));
        let all = ["a", "b"].map(|id| found(id, Vendor::Fcm, id, Permission::Granted)).to_vec();
        assert_eq!(reasons(&app(), &message, all), [Some(Reason::TooLarge); 2]);
    }

    #[test]
    fn what_the_user_does_not_want_is_not_sent_and_what_can_wait_is_held() {
        let marketing = message(r#""notification":{"title":"t"}"#);
        let now_or_never = message(r#""notification":{"title":"t"},"ttl":0"#);
        let im = message(r#""notification":{"title":"t"},"category":"im""#);
        let one = |change: &dyn Fn(&mut Reached)| {
            let mut found = found("d", Vendor::Fcm, "t", Permission::Granted);
            found.reach.iter_mut().for_each(change);
            vec![found]
        };
        let out = one(&|reached| reached.opted_out = true);
        let hushed = one(&|reached| reached.hush = Some(Millis(9)));
        let stale = one(&|reached| reached.seen = Some(0));
        let (app, day) = (app(), 86_400_000);
        assert_eq!(reasons(&app, &marketing, out), [Some(Reason::OptedOut)]);
        assert_eq!(reasons(&app, &now_or_never, hushed.clone()), [Some(Reason::QuietHours)]);
        let held =
            plan(&app, &marketing, hushed, &PushId::new(Millis(1), [1; 10]), &Config::sample(), Millis(1));
        assert_eq!(held.decisions[0].decision, Decision::Hold { vendor: Vendor::Fcm, until: Millis(9) });
        let at = |message: &Message, days: u64| {
            let plan = plan(
                &app,
                message,
                stale.clone(),
                &PushId::new(Millis(1), [1; 10]),
                &Config::sample(),
                Millis(days * day),
            );
            matches!(plan.decisions[0].decision, Decision::Send(_))
        };
        assert!(at(&marketing, 30) && !at(&marketing, 31) && at(&im, 300));
    }

    #[test]
    fn links_follow_the_apps_policy() {
        let mut app = app();
        let push = push(r#""notification":{"title":"t","link":"APP://x"}"#);
        let run = |app: &App| check(app, &push, &Hosts::default());
        assert!(run(&app).is_ok());
        app.policy.link_schemes = vec!["app".into()];
        assert!(run(&app).is_ok());
        app.policy.link_schemes = vec!["https".into()];
        assert_eq!(run(&app).unwrap_err().code, Code::LinkNotAllowed);
    }
}
