//! Audiences as the line sees them: how many users, and some of them.

use super::{
    cx::{Cx, unavailable},
    stream::Pieces,
};
use crate::{
    line::{audience as line, parse::audience::Lines},
    model::{
        ids::{AudienceId, Tenant, UserId},
        problem::{Code, Problem},
    },
    object::audience::Version,
    wire::{
        audience::{self as wire, Call, Outcome, ROW},
        ledger::Target,
    },
};

/// Rows in one call to the object: 1 MB at most.
const ROWS_A_CALL: usize = 8;

/// Asks an audience's object.
pub(super) async fn ask(cx: &Cx, tenant: &Tenant, id: &AudienceId, call: Call) -> Result<Outcome, Problem> {
    let reply: wire::Reply = cx.ask(wire::BINDING, &wire::name(tenant, id), &call).await?;
    cx.cost.rows(reply.rows);
    Ok(reply.outcome)
}

/// The version that is read now.
pub(super) async fn current(cx: &Cx, tenant: &Tenant, id: &AudienceId) -> Result<Option<Version>, Problem> {
    match ask(cx, tenant, id, Call::Get).await? {
        Outcome::Current(version) => Ok(Some(version)),
        Outcome::Version(_) | Outcome::Missing | Outcome::Removed | Outcome::Ids(_) => Ok(None),
    }
}

/// Some users of a version, all of one row. `None`: that version is gone.
pub(super) async fn slice(
    cx: &Cx,
    tenant: &Tenant,
    id: &AudienceId,
    version: u64,
    first: u32,
    n: u32,
) -> Result<Option<Vec<Target>>, Problem> {
    match ask(cx, tenant, id, Call::Slice(version, first, n)).await? {
        Outcome::Ids(ids) => {
            let user = |id: &str| UserId::parse(id).ok().map(Target::User);
            Ok(Some(ids.split('\n').filter_map(user).collect()))
        }
        Outcome::Version(_) | Outcome::Missing | Outcome::Removed | Outcome::Current(_) => Ok(None),
    }
}

/// Users of the current version from so many places, evenly spread, so many each; of one that has no more than that all. And how
/// many it has. In one place are up to [`ROW`] users.
pub(super) async fn sample(
    cx: &Cx,
    tenant: &Tenant,
    id: &AudienceId,
    (places, each): (u32, u32),
) -> Result<(Vec<Target>, u32), Problem> {
    let Version { version, users, .. } = current(cx, tenant, id).await?.ok_or_else(|| unknown(id))?;
    let (places, each) = line::places(users, places, each);
    let mut sample = Vec::new();
    for at in 0..places {
        let some = slice(cx, tenant, id, version, line::first(users, at, places, each), each).await?;
        sample.append(&mut some.unwrap_or_default());
    }
    Ok((sample, users))
}

/// There is none.
pub(super) fn unknown(id: &AudienceId) -> Problem {
    Problem::new(
        Code::UnknownAudience,
        format!("there is no audience `{id}`; make it with PUT /v1/audiences/{id}"),
    )
}

/// Reads an upload to its end and makes it the current version. In memory are some rows at any time, however long it is.
pub(super) async fn upload(
    cx: &Cx,
    tenant: &Tenant,
    id: &AudienceId,
    pieces: &Pieces,
) -> Result<(Version, Lines), Problem> {
    let Outcome::Version(version) = ask(cx, tenant, id, Call::Start).await? else { return Err(unusable()) };
    let broken =
        |_| Problem::new(Code::Unavailable, "the upload broke off; the audience is as it was before");
    let mut lines = Lines::default();
    let mut upload = Upload::default();
    loop {
        let piece = pieces.next().await.map_err(broken)?;
        match &piece {
            Some(bytes) => lines.feed(bytes, |user| upload.add(&user)),
            None => lines.end(|user| upload.add(&user)),
        }
        while upload.rows.len() > ROWS_A_CALL || (piece.is_none() && !upload.rows.is_empty()) {
            let rows: Vec<String> = upload.rows.drain(..upload.rows.len().min(ROWS_A_CALL)).collect();
            let (first, n) = (upload.sent, u32::try_from(rows.len()).unwrap_or(0));
            ask(cx, tenant, id, Call::Add(version, first, rows)).await?;
            upload.sent += n;
        }
        if piece.is_none() {
            break;
        }
    }
    match ask(cx, tenant, id, Call::Finish(version, upload.users)).await? {
        Outcome::Current(current) => Ok((current, lines)),
        Outcome::Missing => {
            Err(Problem::new(Code::Unavailable, "another upload of this audience was quicker; send it again"))
        }
        Outcome::Version(_) | Outcome::Removed | Outcome::Ids(_) => Err(unusable()),
    }
}

/// Rows that are not sent yet; the last one may not be full.
#[derive(Default)]
struct Upload {
    users: u32,
    rows: Vec<String>,
    sent: u32,
}

impl Upload {
    fn add(&mut self, user: &UserId) {
        match self.rows.last_mut() {
            Some(row) if !self.users.is_multiple_of(ROW) => {
                row.push('\n');
                row.push_str(user.as_str());
            }
            Some(_) | None => self.rows.push(user.as_str().to_owned()),
        }
        self.users = self.users.saturating_add(1);
    }
}

fn unusable() -> Problem {
    unavailable("an audience gave no usable answer")
}
