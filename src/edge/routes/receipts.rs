//! `/v1/receipts/{app}/{vendor}/{secret}`: the vendors' own callbacks.

use super::super::{
    authenticate, bearer,
    cx::Cx,
    exchange::{Reply, Request},
    log, receipts,
};
use crate::{
    crypto::callback,
    line::receipts as line,
    model::{
        app::App,
        ids::AppId,
        problem::{Code, Problem},
    },
    vendor::{Vendor, receipt::TOKENS_MAX},
};

/// Most bytes of a body: Huawei sends a hundred reports at once, others join them.
const BODY_MAX: usize = 1024 * 1024;
/// Huawei's signature.
const SIGNATURE: &str = "x-huawei-callback-id";

/// Takes a vendor's reports. Whoever does not know the path's secret is told what is told of a route that does not exist.
pub(super) async fn take(
    cx: &Cx,
    request: &Request<'_>,
    app: &str,
    vendor: &str,
    secret: &str,
) -> Result<Reply, Problem> {
    let nowhere = || Problem::new(Code::NotFound, "no such route; the contract is at /openapi.json");
    let vendor = Vendor::ALL.into_iter().find(|of| of.name() == vendor).ok_or_else(nowhere)?;
    let form = vendor.spec().receipts.as_ref().ok_or_else(nowhere)?;
    let id = AppId::parse(app).map_err(|_| nowhere())?;
    let app = authenticate::known(cx, &id).await?.ok_or_else(nowhere)?;
    let tenant = app.tenant();
    if !line::proves(&cx.config.seal_keys, &tenant, vendor, secret) {
        return Err(nowhere());
    }
    if form.signs && !signed(cx, request, &app, vendor) {
        log::warn("receipts_not_signed", &[("app", id.as_str()), ("vendor", vendor.name())]);
        let detail = "the callback's signature is missing or wrong: callback_user and callback_secret of the credential must be those of the vendor's console, and the credential one that opens";
        return Err(Problem::new(Code::Unauthorized, detail));
    }
    let body = std::str::from_utf8(request.body(BODY_MAX)?).ok();
    let Some(all) = body.and_then(form.read) else {
        let detail = "not of the form in which this vendor reports";
        return Err(Problem::new(Code::InvalidValue, detail));
    };
    if all.iter().map(|receipt| receipt.tokens.len()).sum::<usize>() > TOKENS_MAX {
        return Err(Problem::new(Code::BodyTooLarge, format!("at most {TOKENS_MAX} tokens in one call")));
    }
    receipts::take(cx, &app, vendor, all).await?;
    Ok(Reply::json(200, form.answer.to_owned()))
}

/// Where the credential has the callback's user and secret, the vendor signs with them. One that cannot be opened may have
/// them: nothing is believed then.
fn signed(cx: &Cx, request: &Request<'_>, app: &App, vendor: Vendor) -> bool {
    let Some(callback) = bearer::callback(cx, app, vendor) else { return false };
    let Some((user, secret)) = callback else { return true };
    let header = request.stream.headers().get(SIGNATURE).ok().flatten();
    header.is_some_and(|header| callback::verify(&header, user.reveal(), secret.reveal(), cx.now))
}
