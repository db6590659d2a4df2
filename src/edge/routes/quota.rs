//! `/v1/quota`.

use super::super::{
    admit, authenticate, census,
    cx::{Cx, unavailable},
    exchange::{Reply, Request},
    together::together,
};
use crate::{
    line::quota::{self, Account},
    model::{
        app::{App, Scope},
        problem::Problem,
    },
    vendor::Vendor,
    wire::{
        account::{Call, Outcome},
        census::Reply as Counted,
    },
};

/// What is left of the limits at every vendor that the app has a credential for. Asks each of their accounts and the census.
pub(super) async fn show(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Read).await?;
    let (accounts, counted) = state(cx, &app).await?;
    Ok(Reply::json(200, quota::quota(&app, &accounts, &counted, cx.now)))
}

/// What all accounts count, and the census.
pub(super) async fn state(cx: &Cx, app: &App) -> Result<(Vec<Account>, Vec<Counted>), Problem> {
    let asked = app.credentials.keys().map(|vendor| account(cx, app, *vendor));
    let accounts = together(usize::MAX, asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok((accounts, census::count(cx, &app.tenant()).await?))
}

async fn account(cx: &Cx, app: &App, vendor: Vendor) -> Result<Account, Problem> {
    match admit::call(cx, &app.tenant(), vendor, Call::Show).await? {
        Outcome::Levels(levels, resets_at, devices, until, reason) => {
            Ok(Account { vendor, levels, resets_at, devices, open: until.zip(reason) })
        }
        Outcome::Granted(..) | Outcome::NoBearer(..) | Outcome::Returned | Outcome::Judged(..) => {
            Err(unavailable("an account gave no usable answer"))
        }
    }
}
