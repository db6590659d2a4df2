//! Turns the contract `docs/openapi.yaml` into the JSON that the worker serves. It lies beside the wasm, in its JavaScript: the
//! wasm has a limit.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=docs/openapi.yaml");
    let yaml = fs::read_to_string("docs/openapi.yaml")?;
    let contract: serde_json::Value = serde_yaml_ng::from_str(&yaml)?;
    let json = serde_json::to_string(&contract)?;
    let out = env::var("OUT_DIR")?;
    // A JSON text is a text of JavaScript too.
    let script = format!("export const contract = () => {};", serde_json::to_string(&json)?);
    let binding = format!(
        "#[wasm_bindgen::prelude::wasm_bindgen(inline_js = r####\"{script}\"####)]\nextern \"C\" {{\n    fn contract() -> String;\n}}\n"
    );
    fs::write(Path::new(&out).join("openapi.json"), json)?;
    fs::write(Path::new(&out).join("contract.rs"), binding)?;
    Ok(())
}
