//! Turns the contract `docs/openapi.yaml` into the JSON that the worker serves.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=docs/openapi.yaml");
    let yaml = fs::read_to_string("docs/openapi.yaml")?;
    let contract: serde_json::Value = serde_yaml_ng::from_str(&yaml)?;
    let out = Path::new(&env::var("OUT_DIR")?).join("openapi.json");
    fs::write(out, serde_json::to_string(&contract)?)?;
    Ok(())
}
