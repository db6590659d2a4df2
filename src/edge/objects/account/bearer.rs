//! The access token of an account: fetched from the vendor once, however many ask, and kept sealed.

use super::{
    super::super::{
        bearer::seal_owner,
        cx::{Cx, config, now, random},
        send::post_one,
    },
    super::{flight::Turn, rows::Rows},
    Account, fault,
};
use worker::Env;

use crate::{
    crypto::seal::Sealed,
    model::delivery::Reason,
    object::bearer::{Have, Refusal},
    vendor::Credential,
    wire::{
        account::{Admit, Bearer, Request as Ask},
        app, text,
    },
};

impl Account {
    /// The current bearer, or a new one, fetched once however many ask.
    pub(super) async fn bearer(&self, ask: &Ask, admit: &Admit) -> worker::Result<Result<Bearer, Refusal>> {
        loop {
            let refused = admit.refused.as_deref();
            let mut have = Have::Ask;
            self.with(ask, &mut |held, _| {
                have = held.bearers.have(admit.revision, refused, now());
                Ok(())
            })?;
            match have {
                Have::Bearer(bearer) => return Ok(Ok(bearer)),
                Have::Not(refusal) => return Ok(Err(refusal)),
                Have::Ask => {}
            }
            match self.flight.turn().await {
                Turn::Told(Err(refusal)) => return Ok(Err(refusal)),
                // It may be of an older credential, or the very one that was refused: the state decides.
                Turn::Told(Ok(_)) | Turn::Again => {}
                Turn::Mine(landing) => {
                    let result = self.fetch_bearer(ask).await?;
                    self.with(ask, &mut |held, rows| {
                        match &result {
                            Ok(bearer) => {
                                keep(rows, &self.shell.env, ask, bearer)?;
                                held.bearers.fetched(bearer.clone(), refused.is_some(), now());
                            }
                            Err(refusal) => held.bearers.failed(admit.revision, refusal, now()),
                        }
                        Ok(())
                    })?;
                    landing.tell(&result);
                    return Ok(result);
                }
            }
        }
    }

    /// Fetches a bearer from the vendor with the credential that the `App` object has now.
    async fn fetch_bearer(&self, ask: &Ask) -> worker::Result<Result<Bearer, Refusal>> {
        let cx = Cx::new(self.shell.env.clone(), config(&self.shell.env).map_err(fault)?);
        let request = app::Request { app: ask.tenant.app.clone(), call: app::Call::Get };
        let reply: app::Reply =
            cx.ask(app::BINDING, &app::name(&ask.tenant.app), &request).await.map_err(fault)?;
        let stored = reply
            .app
            .filter(|app| app.tenant() == ask.tenant)
            .and_then(|app| app.credentials.get(&ask.vendor).cloned());
        let Some(stored) = stored else {
            return Ok(Err(credentials("the app has no credential for this vendor")));
        };
        let owner = seal_owner(&ask.tenant.app, ask.vendor);
        let opened = cx.config.seal_keys.open(&owner, &stored.sealed).ok();
        let Some(credential) = opened.and_then(|bytes| Credential::from_stored(ask.vendor, &bytes)) else {
            return Ok(Err(credentials(
                "the credential does not open: was SEAL_KEY changed without SEAL_KEY_OLD?",
            )));
        };
        if let Some(bearer) = credential.signed(stored.revision, cx.now) {
            return Ok(Ok(bearer));
        }
        let Some(request) = credential.token_request(cx.now) else {
            return Ok(Err(credentials("the credential does not sign")));
        };
        let answer = post_one(&cx, ask.vendor, request).await;
        Ok(credential.bearer_from(&answer, stored.revision, now()))
    }
}

fn credentials(detail: &str) -> Refusal {
    (Reason::Credentials, detail.to_owned())
}

/// The one that was kept. One that does not open is fetched anew.
pub(super) fn load(rows: &Rows, env: &Env, ask: &Ask) -> worker::Result<Option<Bearer>> {
    let sealed = rows.read("SELECT record FROM bearer")?.into_iter().flatten().next();
    Ok(sealed.and_then(|text| open(&text, env, ask)))
}

fn bearer_owner(ask: &Ask) -> String {
    format!("bearer of {}", seal_owner(&ask.tenant.app, ask.vendor))
}

/// The bearer outlives the object's memory, sealed like the credential it was made from.
fn keep(rows: &Rows, env: &Env, ask: &Ask, bearer: &Bearer) -> worker::Result<()> {
    let text = text::write(bearer);
    let nonce = random().map_err(fault)?;
    let sealed = config(env).map_err(fault)?.seal_keys.seal(&bearer_owner(ask), text.as_bytes(), nonce);
    let Ok(sealed) = sealed else { return Ok(()) };
    rows.write("INSERT OR REPLACE INTO bearer (id, record) VALUES (1, ?)", vec![text::write(&sealed).into()])
}

fn open(stored: &str, env: &Env, ask: &Ask) -> Option<Bearer> {
    let sealed: Sealed = text::read(stored).ok()?;
    let bytes = config(env).ok()?.seal_keys.open(&bearer_owner(ask), &sealed).ok()?;
    text::read(std::str::from_utf8(&bytes).ok()?).ok()
}
