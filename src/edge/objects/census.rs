//! Shell of the `Census` object: counts of an app's devices. SQLite does the counting; what is decided is in
//! `object::census`.

use std::cell::Cell;

use worker::Env;

use super::{
    super::cx::now,
    rows::{Rows, Table},
    shell::{PLACE, Shell},
    state::State,
};
use crate::{
    model::time::{DayZone, Millis},
    object::census::Bitmap,
    wire::census::{BINDING, Call, Entry, Reply},
    wire::text,
};

const TABLES: &[Table] = &[
    Table {
        name: "report",
        make: "CREATE TABLE IF NOT EXISTS report (who TEXT PRIMARY KEY, devices TEXT NOT NULL) WITHOUT ROWID",
    },
    Table {
        name: "without",
        make: "CREATE TABLE IF NOT EXISTS without (day INTEGER PRIMARY KEY, map TEXT NOT NULL)",
    },
    Table {
        name: "refused",
        make: "CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, until INTEGER NOT NULL)",
    },
];

/// Days of users without a device that are kept.
const DAYS: u64 = 7;
/// Marks are written down so long after the first one, seconds: a row a minute at most.
const WRITE_SECS: u64 = 60;

/// Marks of today that are not all written down.
struct Today {
    day: u64,
    map: Bitmap,
}

/// The object.
struct Census {
    shell: Shell<Option<Today>>,
    armed: Cell<bool>,
}

export!(Census, BINDING, alarm);

impl Census {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env, TABLES, PLACE), armed: Cell::new(false) }
    }

    /// Writes the marks down.
    async fn alarm(&self) -> worker::Result<()> {
        self.armed.set(false);
        self.shell.with(load, |today, rows| {
            if let Some(Today { day, map }) = today {
                write(rows, *day, map)?;
                rows.write("DELETE FROM without WHERE day + ? < ?", vec![DAYS.into(), (*day).into()])?;
            }
            Ok(())
        })
    }

    async fn call(&self, call: Call) -> worker::Result<Reply> {
        let (reply, marked) = self.shell.with(load, |today, rows| match call {
            Call::Report(who, devices) => report(rows, who, &devices).map(|()| (Reply::default(), false)),
            Call::Without(slots) => {
                let map = map_of(today, rows)?;
                let new = slots.into_iter().filter(|slot| map.mark(*slot)).count();
                Ok((Reply::default(), new > 0))
            }
            Call::Refused(until) => {
                let insert = "INSERT INTO refused (id, until) VALUES (1, ?) ON CONFLICT DO UPDATE SET until = excluded.until WHERE excluded.until > until";
                rows.write(insert, vec![until.0.into()])?;
                Ok((Reply::default(), false))
            }
            Call::Count => {
                map_of(today, rows)?;
                Ok((count(rows, today.as_ref())?, false))
            }
        })?;
        if marked && !self.armed.replace(true) {
            self.shell.rows()?.count(1);
            self.shell.state.set_alarm(now().plus_secs(WRITE_SECS)).await?;
        }
        Ok(Reply { rows: self.shell.rows()?.take_written(), ..reply })
    }
}

fn load(_: &Rows) -> worker::Result<Option<Today>> {
    Ok(None)
}

fn write(rows: &Rows, day: u64, map: &Bitmap) -> worker::Result<()> {
    rows.write("INSERT OR REPLACE INTO without (day, map) VALUES (?, ?)", vec![day.into(), map.text().into()])
}

/// Today's marks, from the row on file where memory has none.
fn map_of<'a>(today: &'a mut Option<Today>, rows: &Rows) -> worker::Result<&'a mut Bitmap> {
    let day = now().day(DayZone::Utc).0;
    let map = match today.take() {
        Some(today) if today.day == day => today.map,
        before => {
            // Marks of the last minute before midnight.
            if let Some(Today { day, map }) = before {
                write(rows, day, &map)?;
            }
            let stored = rows.read_with("SELECT map FROM without WHERE day = ?", vec![day.into()])?;
            stored.into_iter().flatten().next().map(|text| Bitmap::parse(&text)).unwrap_or_default()
        }
    };
    Ok(&mut today.insert(Today { day, map }).map)
}

/// A report that says nothing new writes nothing.
fn report(rows: &Rows, who: String, devices: &[Entry]) -> worker::Result<()> {
    let known = rows.read_with("SELECT devices FROM report WHERE who = ?", vec![who.as_str().into()])?;
    let known = known.into_iter().flatten().next();
    let text = text::write(devices);
    match known {
        Some(known) if known == text => Ok(()),
        None if devices.is_empty() => Ok(()),
        Some(_) if devices.is_empty() => rows.write("DELETE FROM report WHERE who = ?", vec![who.into()]),
        Some(_) | None => rows.write(
            "INSERT OR REPLACE INTO report (who, devices) VALUES (?, ?)",
            vec![who.into(), text.into()],
        ),
    }
}

fn count(rows: &Rows, today: Option<&Today>) -> worker::Result<Reply> {
    let select =
        "SELECT json_each.value, COUNT(*) FROM report, json_each(report.devices) GROUP BY json_each.value";
    let entry = |row: Vec<String>| {
        let [entry, n] = <[String; 2]>::try_from(row).ok()?;
        Some((Entry::try_from(entry).ok()?, n.parse().ok()?))
    };
    let devices = rows.read(select)?.into_iter().filter_map(entry).collect();
    let day = |row: Vec<String>| {
        let [day, map] = <[String; 2]>::try_from(row).ok()?;
        Some((day.parse().ok()?, Bitmap::parse(&map).estimate()))
    };
    let mut without: Vec<(u64, u64)> =
        rows.read("SELECT day, map FROM without ORDER BY day")?.into_iter().filter_map(day).collect();
    if let Some(Today { day, map }) = today {
        without.retain(|(other, _)| other != day);
        without.push((*day, map.estimate()));
    }
    let until = rows.read("SELECT until FROM refused")?.into_iter().flatten().next();
    let refused_until = until.and_then(|until| until.parse().ok()).map(Millis).filter(|until| *until > now());
    Ok(Reply { devices, without, refused_until, rows: 0 })
}
