//! `rules.json` → the table of rules. The build runs it, and the tests: a mistake in the file ends the build and is named,
//! whatever it is, for a word that is read as "nothing" would send messages in a class that the app does not have.

use std::{fmt::Write as _, ops::Range};

use serde_json::{Map, Value};

/// Vendors that sort messages, and have a block each.
const VENDORS: [&str; 8] = ["huawei", "harmony", "honor", "xiaomi", "oppo", "vivo", "meizu", "jpush"];
/// Categories, each with a row in each block.
const CATEGORIES: [&str; 4] = ["im", "order", "follow", "marketing"];

/// The table, as Rust.
pub(crate) fn table(json: &str) -> Result<String, String> {
    let vendors: Value = serde_json::from_str(json).map_err(|error| format!("rules.json: {error}"))?;
    let vendors = vendors.as_array().ok_or("rules.json: must be a list of vendors")?;
    let mut table = String::from("/// Classes and limits, from `rules.json`.\nstatic RULES: &[Rule] = &[\n");
    let mut seen = Vec::new();
    for vendor in vendors {
        let name = text(vendor, "vendor").ok_or("rules.json: a block without `vendor`")?;
        let fault = |what: String| format!("rules.json, {name}: {what}");
        if !VENDORS.contains(&name) || seen.contains(&name) {
            return Err(fault("no vendor that sorts messages, or one that stands here twice".into()));
        }
        seen.push(name);
        block(&mut table, name, vendor).map_err(fault)?;
    }
    if let Some(missing) = VENDORS.iter().find(|name| !seen.contains(name)) {
        return Err(format!("rules.json: has no block for {missing}"));
    }
    table.push_str("];\n");
    rates(&mut table, vendors)?;
    Ok(table)
}

/// The send rates, from the same blocks.
fn rates(table: &mut String, vendors: &[Value]) -> Result<(), String> {
    table.push_str("/// Send rates, from `rules.json`.\nstatic RATES: &[(&str, Rate)] = &[\n");
    for vendor in vendors {
        let (Some(name), Some(row)) = (text(vendor, "vendor"), vendor.get("rate")) else { continue };
        rate(table, name, row).map_err(|what| format!("rules.json, {name}: rate: {what}"))?;
    }
    table.push_str("];\n");
    Ok(())
}

fn rate(table: &mut String, name: &str, row: &Value) -> Result<(), String> {
    only(row, &["counts", "of", "per_second", "as_of", "source"])?;
    let read = dated(row)?;
    let requests = match text(row, "counts") {
        Some("requests") => true,
        Some("devices") => false,
        Some(_) | None => return Err("`counts` is requests or devices".into()),
    };
    let mut steps: Vec<(u64, u32)> = Vec::new();
    for step in row.get("per_second").and_then(Value::as_array).into_iter().flatten() {
        let [from, rate] = step.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err("a step of `per_second` is [devices, rate]".into());
        };
        let from = from.as_u64().filter(|from| steps.last().map_or(*from == 0, |before| before.0 < *from));
        let from = from.ok_or("steps of `per_second` begin with 0 devices and grow")?;
        steps.push((from, above_zero(rate, "per_second")?));
    }
    if steps.is_empty() {
        return Err("needs `per_second`, a list of steps".into());
    }
    let of = match row.get("of") {
        None if steps.len() == 1 => "Installed",
        Some(_) | None => devices(row)?,
    };
    writeln!(
        table,
        "    ({name:?}, Rate {{ requests: {requests}, of: Of::{of}, steps: &{steps:?}, {read} }}),"
    )
    .map_err(|error| error.to_string())
}

/// Which devices a limit depends on.
fn devices(of: &Value) -> Result<&'static str, String> {
    match text(of, "of") {
        Some("enabled") => Ok("Enabled"),
        Some("installed") => Ok("Installed"),
        Some(_) | None => Err("`of` is enabled or installed".into()),
    }
}

/// When and where something was read.
fn dated(of: &Value) -> Result<String, String> {
    let as_of = text(of, "as_of").filter(|date| is_date(date));
    let as_of = as_of.ok_or("needs `as_of`, a date as in 2026-11-25")?;
    let source = text(of, "source").filter(|source| source.starts_with("https://"));
    let source = source.ok_or("needs a `source` that begins with its address")?;
    Ok(format!("as_of: {as_of:?}, source: {source:?}"))
}

fn block(table: &mut String, name: &str, vendor: &Value) -> Result<(), String> {
    only(vendor, &["vendor", "as_of", "source", "rate", "classes"])?;
    let read = dated(vendor)?;
    let classes = vendor.get("classes").ok_or("needs `classes`")?;
    only(classes, &CATEGORIES).map_err(|what| format!("classes: {what}"))?;
    for category in CATEGORIES {
        let row = classes.get(category).ok_or_else(|| format!("has no row for {category}"))?;
        rule(table, name, category, row, &read).map_err(|what| format!("{category}: {what}"))?;
    }
    Ok(())
}

fn rule(table: &mut String, vendor: &str, category: &str, row: &Value, read: &str) -> Result<(), String> {
    only(row, &["class", "granted", "needs", "per_device", "per_day"])?;
    let class: &Map<String, Value> =
        row.get("class").and_then(Value::as_object).ok_or("needs `class`, an object")?;
    let class = serde_json::to_string(class).map_err(|error| error.to_string())?;
    let granted = match row.get("granted") {
        None => false,
        Some(word) => word.as_bool().ok_or("`granted` is true or false")?,
    };
    let needs = match row.get("needs") {
        None => Vec::new(),
        Some(list) => {
            let names = list.as_array().into_iter().flatten().map(Value::as_str);
            let names: Option<Vec<&str>> = names.map(|name| name.filter(|name| !name.is_empty())).collect();
            names.filter(|names| !names.is_empty()).ok_or("`needs` is a list of names")?
        }
    };
    let per_device = match row.get("per_device") {
        None => "None".to_owned(),
        Some(rule) => {
            only(rule, &["news", "other"])?;
            let number = |name: &str| above_zero(rule.get(name).unwrap_or(&Value::Null), name);
            let (news, other) = (number("news")?, number("other")?);
            format!("Some(PerDevice {{ news: {news}, other: {other} }})")
        }
    };
    let per_day = match row.get("per_day") {
        None => "None".to_owned(),
        Some(rule) => {
            only(rule, &["times", "of", "least"])?;
            let number = |name: &str| above_zero(rule.get(name).unwrap_or(&Value::Null), name);
            let of = devices(rule)?;
            let (times, least) = (number("times")?, number("least")?);
            format!("Some(PerDay {{ times: {times}, of: Of::{of}, least: {least} }})")
        }
    };
    writeln!(
        table,
        "    Rule {{ vendor: {vendor:?}, category: {category:?}, class: {class:?}, granted: {granted}, needs: &{needs:?}, {read}, per_device: {per_device}, per_day: {per_day} }},"
    )
    .map_err(|error| error.to_string())
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name)?.as_str()
}

fn above_zero(number: &Value, name: &str) -> Result<u32, String> {
    let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number > 0).ok_or_else(|| format!("`{name}` is a whole number above 0"))
}

/// Names nobody knows are typing errors.
fn only(of: &Value, names: &[&str]) -> Result<(), String> {
    let object = of.as_object().ok_or("must be an object")?;
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("no such member: {name}")),
        None => Ok(()),
    }
}

/// A day that there is, as `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let number = |range: Range<usize>| -> Option<u32> {
        text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
    };
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let dashes = [4, 7].into_iter().all(|at| text.as_bytes().get(at) == Some(&b'-'));
    text.len() == 10 && dashes && year >= 2000 && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{model::push::Category, vendor::Vendor};

    fn whole() -> Value {
        serde_json::from_str(include_str!("../rules.json")).expect("JSON")
    }

    /// What is said of the file with one thing changed in it.
    fn with(pointer: &str, value: Value) -> String {
        let mut rules = whole();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        match rules.pointer_mut(parent).expect("a place") {
            Value::Array(list) => list[name.parse::<usize>().expect("a number")] = value,
            object => object[name] = value,
        }
        table(&rules.to_string()).expect_err(pointer)
    }

    #[test]
    fn the_file_is_taken_and_the_names_are_those_of_the_code() {
        assert!(table(include_str!("../rules.json")).is_ok());
        let sorts = Vendor::ALL.into_iter().filter(|vendor| vendor.sorts()).map(Vendor::name);
        assert_eq!(sorts.collect::<Vec<_>>(), VENDORS);
        assert_eq!(Category::ALL.map(Category::name), CATEGORIES);
    }

    #[test]
    fn a_mistake_is_named_and_is_not_read_as_nothing() {
        let (xiaomi, oppo) = ("/3/classes/im", "/4/classes/follow");
        for (at, value, says) in [
            (format!("{xiaomi}/granted"), json!("yes"), "xiaomi: im: `granted`"),
            (format!("{xiaomi}/granted"), json!(1), "`granted`"),
            (format!("{xiaomi}/granted"), json!(null), "`granted`"),
            (format!("{xiaomi}/needs"), json!("channel_id"), "`needs`"),
            (format!("{xiaomi}/needs"), json!(["a", 1]), "`needs`"),
            (format!("{xiaomi}/needs"), json!([]), "`needs`"),
            (format!("{xiaomi}/need"), json!(["a"]), "no such member: need"),
            (format!("{xiaomi}/class"), json!("IM"), "`class`"),
            (format!("{oppo}/per_device"), json!(2), "must be an object"),
            (format!("{oppo}/per_device"), json!({"other": 2}), "`news`"),
            (format!("{oppo}/per_device/other"), json!(0), "`other`"),
            (format!("{oppo}/per_device/news"), json!("5"), "`news`"),
            (format!("{oppo}/per_device/games"), json!(5), "no such member: games"),
            (format!("{oppo}/per_day/times"), json!(2.5), "`times`"),
            (format!("{oppo}/per_day/of"), json!("all"), "`of`"),
            (format!("{oppo}/per_day/most"), json!(1), "no such member: most"),
            ("/3/rate/counts".into(), json!("tokens"), "xiaomi: rate: `counts`"),
            ("/3/rate/of".into(), json!(null), "`of` is"),
            ("/3/rate/burst".into(), json!(1), "no such member: burst"),
            ("/3/rate/per_second".into(), json!([]), "`per_second`"),
            ("/3/rate/per_second".into(), json!([[1, 500]]), "begin with 0"),
            ("/3/rate/per_second".into(), json!([[0, 500], [0, 900]]), "and grow"),
            ("/3/rate/per_second".into(), json!([[0, 0]]), "above 0"),
            ("/3/rate/per_second/1".into(), json!([5]), "[devices, rate]"),
            ("/3/rate/as_of".into(), json!("2026-02-30"), "`as_of`"),
            ("/0/classes/chat".into(), json!({"class": {}}), "no such member: chat"),
            ("/0/classes/im".into(), json!(null), "huawei: im: must be an object"),
            ("/0/vendor".into(), json!("huawai"), "huawai"),
            ("/0/vendor".into(), json!("fcm"), "fcm"),
            ("/0/vendor".into(), json!("oppo"), "twice"),
            ("/0/vendor".into(), json!(7), "without `vendor`"),
            ("/0/note".into(), json!("x"), "no such member: note"),
            ("/0/source".into(), json!("a friend"), "`source`"),
        ] {
            let said = with(&at, value);
            assert!(said.contains(says), "{at}: {said}");
        }
        let mut short = whole();
        short.as_array_mut().expect("a list").pop();
        assert!(table(&short.to_string()).unwrap_err().contains("no block for jpush"));
        assert!(table("{}").is_err() && table("[").is_err());
    }

    #[test]
    fn a_date_is_a_day_that_there_is() {
        for good in ["2026-11-25", "2024-02-29", "2000-12-31"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "2026-99-99",
            "2026-02-29",
            "2026-04-31",
            "2026-00-01",
            "2026-1-1",
            "2026/11/25",
            "20261125",
            "",
            "0000-01-01",
        ] {
            assert!(with("/0/as_of", json!(bad)).contains("`as_of`"), "{bad}");
        }
        assert!(with("/0/as_of", json!(20_261_125)).contains("`as_of`"));
    }
}
