//! Turns what people write into what the worker holds: the contract `docs/openapi.yaml` into the JSON that is served (it
//! lies beside the wasm, in its JavaScript: the wasm has a limit), and the vendors' classes and limits
//! `src/vendor/rules.json`, checked, into a table.

use std::{env, error::Error, fs, path::Path};

use serde_json::Value;

#[path = "src/vendor/rules/write.rs"]
mod write;

const RULES: &str = "src/vendor/rules.json";

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let out = env::var("OUT_DIR")?;
    contract(Path::new(&out))?;
    println!("cargo::rerun-if-changed={RULES}");
    println!("cargo::rerun-if-changed=src/vendor/rules/write.rs");
    fs::write(Path::new(&out).join("rules.rs"), write::table(&fs::read_to_string(RULES)?)?)?;
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
