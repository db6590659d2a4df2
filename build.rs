//! Turns what people write into what the worker holds: the contract `docs/openapi.yaml` into the JSON that is served (it
//! lies beside the wasm, in its JavaScript: the wasm has a limit), and the vendors' classes and limits
//! `src/vendor/rules.json`, checked, into a table.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use serde_json::{Map, Value};

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let out = env::var("OUT_DIR")?;
    contract(Path::new(&out))?;
    fs::write(Path::new(&out).join("rules.rs"), rules("src/vendor/rules.json")?)?;
    Ok(())
}

fn contract(out: &Path) -> Done<()> {
    println!("cargo::rerun-if-changed=docs/openapi.yaml");
    let yaml = fs::read_to_string("docs/openapi.yaml")?;
    let contract: Value = serde_yaml_ng::from_str(&yaml)?;
    let json = serde_json::to_string(&contract)?;
    // A JSON text is a text of JavaScript too.
    let script = format!("export const contract = () => {};", serde_json::to_string(&json)?);
    let binding = format!(
        "#[wasm_bindgen::prelude::wasm_bindgen(inline_js = r####\"{script}\"####)]\nextern \"C\" {{\n    fn contract() -> String;\n}}\n"
    );
    fs::write(out.join("openapi.json"), json)?;
    fs::write(out.join("contract.rs"), binding)?;
    Ok(())
}

const CATEGORIES: [&str; 4] = ["im", "order", "follow", "marketing"];

/// The table of rules. What is wrong with the file ends the build and is named.
fn rules(path: &str) -> Done<String> {
    println!("cargo::rerun-if-changed={path}");
    let vendors: Vec<Value> = serde_json::from_str(&fs::read_to_string(path)?)?;
    let mut table = String::from("/// Classes and limits, from `rules.json`.\nstatic RULES: &[Rule] = &[\n");
    for vendor in &vendors {
        let name = text(vendor, "vendor").ok_or("rules.json: a block without `vendor`")?;
        let fault = |what: &str| format!("rules.json, {name}: {what}");
        let date = text(vendor, "as_of").unwrap_or_default();
        let digits = |range: std::ops::Range<usize>| {
            date.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()))
        };
        let dated = date.len() == 10 && digits(0..4) && digits(5..7) && digits(8..10);
        if !dated || text(vendor, "source").is_none_or(|source| !source.starts_with("https://")) {
            return Err(fault("needs `as_of` (a date) and a `source` that begins with its address").into());
        }
        only(vendor, &["vendor", "as_of", "source", "classes"]).map_err(|what| fault(&what))?;
        let classes = vendor["classes"].as_object().ok_or_else(|| fault("needs `classes`"))?;
        if let Some(other) = classes.keys().find(|name| !CATEGORIES.contains(&name.as_str())) {
            return Err(fault(&format!("no such category: {other}")).into());
        }
        for category in CATEGORIES {
            let row = classes.get(category).ok_or_else(|| fault(&format!("has no row for {category}")))?;
            let read = (date, text(vendor, "source").unwrap_or_default());
            rule(&mut table, name, category, row, read)
                .map_err(|what| fault(&format!("{category}: {what}")))?;
        }
    }
    table.push_str("];\n");
    Ok(table)
}

fn rule(
    table: &mut String,
    vendor: &str,
    category: &str,
    row: &Value,
    (as_of, source): (&str, &str),
) -> Result<(), String> {
    only(row, &["class", "granted", "needs", "per_device", "per_day"])?;
    let class: &Map<String, Value> = row["class"].as_object().ok_or("needs `class`, an object")?;
    let class = serde_json::to_string(class).map_err(|error| error.to_string())?;
    let granted = row["granted"].as_bool().unwrap_or_default();
    let needs: Vec<&str> = row["needs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let per_device = match row.get("per_device") {
        None => "None".to_owned(),
        Some(n) => {
            format!("Some({})", n.as_u64().filter(|n| *n > 0).ok_or("`per_device` is a number above 0")?)
        }
    };
    let per_day = match row.get("per_day") {
        None => "None".to_owned(),
        Some(rule) => {
            only(rule, &["times", "of", "least"])?;
            let number =
                |name: &str| rule[name].as_u64().ok_or(format!("`per_day.{name}` is a whole number"));
            let of = match rule["of"].as_str() {
                Some("enabled") => "Enabled",
                Some("installed") => "Installed",
                Some(_) | None => return Err("`per_day.of` is enabled or installed".into()),
            };
            format!(
                "Some(PerDay {{ times: {}, of: Of::{of}, least: {} }})",
                number("times")?,
                number("least")?
            )
        }
    };
    writeln!(
        table,
        "    Rule {{ vendor: {vendor:?}, category: {category:?}, class: {class:?}, granted: {granted}, needs: &{needs:?}, as_of: {as_of:?}, source: {source:?}, per_device: {per_device}, per_day: {per_day} }},"
    )
    .map_err(|error| error.to_string())
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name)?.as_str()
}

/// Names nobody knows are typing errors.
fn only(of: &Value, names: &[&str]) -> Result<(), String> {
    let object = of.as_object().ok_or("must be an object")?;
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("no such member: {name}")),
        None => Ok(()),
    }
}
