//! Step 6, I/O half: asks the `Account` objects, side by side, and signs bearers that need no asking.

use crate::model::table::Table;

use super::{
    bearer::signed,
    cx::{self, Cx, unavailable},
    lease, log,
    memory::{self, AccountKey},
    pace,
    together::together,
};
use crate::{
    crypto::hash,
    line::{
        admit::{self, Refusal},
        begin::Batch,
        lease::{Grants, Wish},
        pace as line,
    },
    model::{
        app::App, delivery::Reason, ids::Tenant, problem::Problem, push::Category, secret::Secret,
        time::Millis,
    },
    vendor::{self, Vendor},
    wire::account::{self as wire, Admit, Call, Class, Grant, Lowered, Outcome, Return},
};

/// What one account gave.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// What its requests carry, per audience.
    bearers: Vec<(String, Secret)>,
    /// What it lets pass.
    pub(super) class: Class,
    /// Its grants, where something limits the class.
    grants: Option<Grants>,
    /// Its grants in the lower class.
    lower: Option<(Class, Grants)>,
    /// It is a probe of the account's circuit breaker.
    pub(super) probe: Option<Millis>,
    /// It has its turn at this time.
    pub(super) starts: Millis,
}

impl Pass {
    fn new(class: Class, bearers: Vec<(String, Secret)>) -> Self {
        Self { bearers, class, grants: None, lower: None, probe: None, starts: Millis(0) }
    }

    /// One that was fetched is for every audience.
    fn fetched(class: Class, bearer: Secret) -> Self {
        Self::new(class, vec![(String::new(), bearer)])
    }

    /// What requests to one audience carry.
    pub(super) fn bearer(&self, audience: &str) -> Option<&Secret> {
        self.bearers.iter().find(|(of, _)| of == audience).map(|(_, bearer)| bearer)
    }

    /// The same grants with a bearer that was fetched anew.
    pub(super) fn renewed(&self, bearer: Secret) -> Self {
        Self { bearers: Self::fetched(self.class, bearer).bearers, ..self.clone() }
    }
}

/// What all accounts gave, and what they did not let through.
#[derive(Debug, Default)]
pub(super) struct Passes {
    passes: Table<Vendor, Pass>,
    /// Per vendor: how many pass, how many in the lower class, and how the rest ends.
    refused: Vec<(Vendor, [u64; 2], Refusal)>,
}

impl Passes {
    /// What one account gave.
    pub(super) fn get(&self, vendor: Vendor) -> Option<&Pass> {
        self.passes.get(&vendor)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Vendor, &Pass)> {
        self.passes.iter()
    }

    /// Ends what was not let through.
    pub(super) fn apply(&mut self, batch: &mut Batch) {
        for (vendor, [own, lower], end) in self.refused.drain(..) {
            batch.pass(vendor, own, lower, &end);
        }
    }

    /// How many of so many that were asked for a vendor's account lets pass, in their own class and in the lower one.
    pub(super) fn granted(&self, vendor: Vendor, asked: u64) -> [u64; 2] {
        self.refused.iter().find(|(of, ..)| *of == vendor).map_or([asked, 0], |(_, passed, _)| *passed)
    }

    /// Gives everything back: nothing is sent.
    pub(super) async fn undo(&self, cx: &Cx, app: &App, batch: &Batch) {
        for (vendor, pass) in self.passes.iter() {
            let [own, lower] = self.granted(*vendor, batch.under_way(*vendor) as u64);
            give_back(cx, app, *vendor, pass, (own, false), false).await;
            give_back(cx, app, *vendor, pass, (lower, true), false).await;
        }
        pace::tell(cx, app, self, &[]).await;
    }
}

/// Asks all accounts of a batch. `Err`: one does not answer; what the others gave has gone back.
pub(super) async fn admit(cx: &Cx, app: &App, category: Category, batch: &Batch) -> Result<Passes, Problem> {
    let vendors = batch.vendors();
    let answers =
        together(usize::MAX, vendors.iter().map(|vendor| one(cx, app, category, *vendor, batch))).await;
    let mut all = Passes::default();
    let mut fault = None;
    for (vendor, answer) in vendors.into_iter().zip(answers) {
        match answer {
            Ok(Admitted { granted, rest, pass: Ok(pass) }) => {
                if let Some((granted, until)) = granted {
                    let over = app.policy.over_quota(category);
                    let quota = || admit::no_quota(over, category, until, batch.page.expires);
                    let end = rest.unwrap_or_else(quota);
                    all.refused.push((vendor, granted, end));
                }
                all.passes.insert(vendor, pass);
            }
            Ok(Admitted { rest: Some(end), .. }) => all.refused.push((vendor, [0, 0], end)),
            Ok(Admitted { pass: Err((reason, detail)), .. }) => {
                all.refused.push((vendor, [0, 0], admit::no_bearer(reason, detail)));
            }
            Err(problem) => fault = Some(problem),
        }
    }
    let Some(problem) = fault else { return Ok(all) };
    all.undo(cx, app, batch).await;
    Err(problem)
}

/// Unused grants go back: so many, of those in the lower class or of the others. `close`: the vendor says that its day has no more
/// of them, also where nothing limited the class.
pub(super) async fn give_back(
    cx: &Cx,
    app: &App,
    vendor: Vendor,
    pass: &Pass,
    (n, downgraded): (u64, bool),
    close: bool,
) {
    let (class, grants) = match pass.lower {
        Some((class, grants)) if downgraded => (class, Some(grants)),
        Some(_) | None => (pass.class, pass.grants),
    };
    if close {
        memory::close(&account_key(app, vendor), class.goes_as, vendor.refused_until(cx::now()));
    }
    if n == 0 || (grants.is_none() && !close) {
        return;
    }
    let grants = grants.unwrap_or_default();
    let n = if close { n } else { lease::put_back(app, vendor, class, n, grants) };
    if n > 0 {
        let Grants { resets_at, own } = grants;
        bring_back(cx, &app.tenant(), vendor, Return { class, resets_at, n, own, close, lease: 0 }).await;
    }
}

/// Tells an account what was not used.
pub(super) async fn bring_back(cx: &Cx, tenant: &Tenant, vendor: Vendor, back: Return) {
    if call(cx, tenant, vendor, Call::Return(back)).await.is_err() {
        log::error("grants_not_returned", &[("app", tenant.app.as_str()), ("vendor", vendor.name())]);
    }
}

struct Admitted {
    /// How many, how many in the lower class, and until when the rest waits; `None`: nothing was asked.
    granted: Option<([u64; 2], Millis)>,
    /// What becomes of the others, where it is not a quota that refuses them.
    rest: Option<Refusal>,
    pass: Result<Pass, (Reason, String)>,
}

async fn one(
    cx: &Cx,
    app: &App,
    category: Category,
    vendor: Vendor,
    batch: &Batch,
) -> Result<Admitted, Problem> {
    let n = batch.under_way(vendor);
    let account = account_key(app, vendor);
    let class = admit::class(app, vendor, category);
    let revision = app.credentials.get(&vendor).map_or(0, |credential| credential.revision);
    let at_hand = match vendor.bearer() {
        vendor::Bearer::Made => match signed(cx, app, vendor, batch) {
            Ok(bearers) => Some(Pass::new(class, bearers)),
            Err(refused) => return Ok(Admitted { granted: None, rest: None, pass: Err(refused) }),
        },
        vendor::Bearer::Given => {
            memory::fetched(&account, revision, cx.now).map(|bearer| Pass::fetched(class, bearer))
        }
    };
    let (limited, large) = (admit::limited(app, vendor, class), line::large(batch, n));
    // A page that comes again may come because its vendor has refused it, to another isolate.
    let asks = batch.again || memory::asks(&account, class.goes_as, cx.now);
    let wish = match &at_hand {
        Some(pass) if limited && !asks && !large => {
            if let Some(grants) = lease::take(app, vendor, class, n) {
                let pass = Pass { grants: Some(grants), ..pass.clone() };
                return Ok(Admitted { granted: None, rest: None, pass: Ok(pass) });
            }
            lease::wish(cx, app, vendor, class, n)
        }
        Some(_) | None => Wish::default(),
    };
    let Some(ask) = admit::ask(app, vendor, class, n, at_hand.is_some(), asks, large) else {
        return Ok(Admitted { granted: None, rest: None, pass: at_hand.ok_or_else(no_bearer) });
    };
    let lower = admit::lower(app, vendor, category, batch.page.expires, cx.now);
    let ask = Admit { lower, lease: wish.lease, back: wish.back, ..ask };
    Ok(match call(cx, &app.tenant(), vendor, Call::Admit(ask)).await? {
        Outcome::Granted(grant) => {
            memory::note_trouble(&account, grant.trouble);
            lease::keep(cx, app, vendor, class, &grant);
            let Grant { n, until, own, bearer, wait_ms, probe, rest, open_for, lower: lowered, .. } = grant;
            let starts = Millis(cx::now().0.saturating_add(wait_ms));
            let rest = rest.map(|until| line::waits(until, open_for));
            let fetched = bearer.map(|bearer| Pass::fetched(class, remember(account, bearer)));
            let grants = (limited || own).then_some(Grants { resets_at: until, own });
            let passed = [n, lowered.map_or(0, |lowered| lowered.n)];
            let lower = lower
                .zip(lowered)
                .map(|(lower, Lowered { own, until, .. })| (lower.class, Grants { resets_at: until, own }));
            let pass = fetched.or(at_hand).map(|pass| Pass { grants, lower, probe, starts, ..pass });
            Admitted { granted: Some((passed, until)), rest, pass: pass.ok_or_else(no_bearer) }
        }
        Outcome::NoBearer(reason, detail) => {
            Admitted { granted: None, rest: None, pass: Err((reason, detail)) }
        }
        Outcome::Returned | Outcome::Judged(..) | Outcome::Levels(..) => {
            return Err(unavailable("an account gave no usable answer"));
        }
    })
}

/// A new bearer in place of one that the vendor has just refused. `Err`: why there is none.
pub(super) async fn renew(
    cx: &Cx,
    app: &App,
    vendor: Vendor,
    refused: &Pass,
) -> Result<Secret, (Reason, String)> {
    memory::forget_fetched(&account_key(app, vendor));
    let revision = app.credentials.get(&vendor).map_or(0, |credential| credential.revision);
    let class = refused.class;
    let refused = refused.bearer("").map(|bearer| hash::sha256_hex(bearer.reveal().as_bytes()));
    let ask = Admit { bearer: true, refused, ..Admit::of(class, app.revision, revision) };
    match call(cx, &app.tenant(), vendor, Call::Admit(ask)).await {
        Ok(Outcome::Granted(Grant { bearer: Some(bearer), .. })) => {
            Ok(remember(account_key(app, vendor), bearer))
        }
        Ok(Outcome::NoBearer(reason, detail)) => Err((reason, detail)),
        Ok(Outcome::Granted(..) | Outcome::Returned | Outcome::Judged(..) | Outcome::Levels(..)) => {
            Err(no_bearer())
        }
        Err(problem) => Err((Reason::VendorUnavailable, problem.detail)),
    }
}

/// Asks one account.
pub(super) async fn call(cx: &Cx, tenant: &Tenant, vendor: Vendor, call: Call) -> Result<Outcome, Problem> {
    let name = wire::name(tenant, vendor);
    let request = wire::Request { tenant: tenant.clone(), vendor, call };
    let reply: wire::Reply = cx.ask(wire::BINDING, &name, &request).await?;
    cx.cost.rows(reply.rows);
    Ok(reply.outcome)
}

/// Names an account in the isolate's memory.
pub(super) fn account_key(app: &App, vendor: Vendor) -> AccountKey {
    AccountKey { tenant: app.tenant(), vendor }
}

fn remember(account: AccountKey, bearer: wire::Bearer) -> Secret {
    let token = bearer.token.clone();
    memory::remember_fetched(account, bearer);
    token
}

fn no_bearer() -> (Reason, String) {
    (Reason::Credentials, "the account gave no access token".into())
}
