//! The contract (`docs/openapi.yaml`) and the README say what the code does: every route, field, limit, code, state,
//! reason, scope and setting. Whoever adds one and does not document it fails here.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use std::{collections::BTreeSet, fs, path::Path};

use edgepush::{
    OPENAPI_JSON,
    config::{Config, Raw},
    crypto::seal::Sealed,
    line::{
        authenticate,
        funnel::{self, By, Query},
        health,
        parse::{self, route::TABLE},
        plan::{Decided, Decision, Plan},
        quota::Account,
        reply,
        simulate::{self, Tally},
    },
    model::{
        app::{App, Credential, KeyRecord, Scope},
        delivery::{Delivery, Reason, Recipient, Seen, State, Step},
        device::{Address, Device},
        ids::{AppId, DeviceId, ID_MAX_BYTES, PushId, UserId},
        kind::ACTIVITY_MAX,
        page::{Head, Page, Part, Source},
        policy::{Limit, Policy},
        preferences::TAGS_MAX,
        problem::{Code, Problem},
        push::{Category, OnUnknown},
        secret::Secret,
        time::Millis,
    },
    vendor::{Facts, Vendor},
    wire::{
        self,
        ledger::Known,
        user::{Advice, Advise, Dead, Erased, Person},
    },
};
use serde_json::{Map, Value, json};

type Set = BTreeSet<String>;

fn contract() -> Value {
    serde_json::from_str(OPENAPI_JSON).unwrap()
}

fn readme() -> String {
    fs::read_to_string("README.md").unwrap()
}

fn set<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Set {
    items.into_iter().map(Into::into).collect()
}

fn object<'a>(value: &'a Value, what: &str) -> &'a Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{what} is not an object"))
}

fn texts(value: &Value) -> Set {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What a `$ref` leads to, or the value itself.
fn resolve<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(path) => {
            let target = contract.pointer(path.strip_prefix('#').unwrap());
            target.unwrap_or_else(|| panic!("{path} leads nowhere"))
        }
        None => value,
    }
}

fn schema<'a>(contract: &'a Value, name: &str) -> &'a Value {
    let found = &contract["components"]["schemas"][name];
    assert!(found.is_object(), "no schema {name}");
    found
}

/// The names of a schema's fields.
fn fields(contract: &Value, name: &str) -> Set {
    let schema = schema(contract, name);
    assert_eq!(schema["additionalProperties"], json!(false), "{name} lets unknown fields pass");
    set(object(&schema["properties"], name).keys().cloned())
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

/// Method, path template, operation.
fn operations(contract: &Value) -> Vec<(String, String, &Value)> {
    let mut all = Vec::new();
    for (path, item) in object(&contract["paths"], "paths") {
        for (method, operation) in object(item, path) {
            if METHODS.contains(&method.as_str()) {
                all.push((method.to_uppercase(), path.clone(), operation));
            }
        }
    }
    all
}

/// Status and response of an operation.
fn responses<'a>(contract: &'a Value, operation: &'a Value) -> Vec<(u16, &'a Value)> {
    let all = object(&operation["responses"], "responses");
    all.iter().map(|(status, response)| (status.parse().unwrap(), resolve(contract, response))).collect()
}

#[test]
fn every_route_is_in_the_contract_and_no_other() {
    let contract = contract();
    let described = set(operations(&contract).iter().map(|(method, path, _)| format!("{method} {path}")));
    assert_eq!(set(TABLE.map(|(method, path, _)| format!("{method} {path}"))), described);
}

#[test]
fn every_name_in_a_path_is_described() {
    let contract = contract();
    for (path, item) in object(&contract["paths"], "paths") {
        let parameters = item.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let described = set(parameters.iter().map(|parameter| {
            let parameter = resolve(&contract, parameter);
            assert_eq!(parameter["in"], "path");
            parameter["name"].as_str().unwrap().to_owned()
        }));
        let holes = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(set(holes), described, "{path}");
    }
}

#[test]
fn every_code_and_status_is_in_the_contract_and_no_other() {
    let contract = contract();
    let problem = schema(&contract, "Problem");
    assert_eq!(
        set(Code::ALL.iter().map(|code| code.as_str())),
        texts(&problem["properties"]["code"]["enum"])
    );
    let statuses = |all: Vec<u64>| all.into_iter().collect::<BTreeSet<_>>();
    let described = problem["properties"]["status"]["enum"].as_array().unwrap();
    assert_eq!(
        statuses(Code::ALL.iter().map(|code| code.status().into()).collect()),
        statuses(described.iter().map(|status| status.as_u64().unwrap()).collect())
    );
    for code in Code::ALL {
        let row = format!("| `{}` | {} | ", code.as_str(), code.status());
        assert!(problem["description"].as_str().unwrap().contains(&row), "no row {row}in the schema Problem");
    }
}

#[test]
fn every_word_of_a_closed_list_is_in_the_contract_and_no_other() {
    let contract = contract();
    for (name, words) in [
        ("State", set(State::ALL.map(State::name))),
        ("Reason", set(Reason::ALL.map(Reason::name))),
        ("Scope", set(Scope::ALL.map(Scope::name))),
        ("Category", set(Category::ALL.map(Category::name))),
        ("Vendor", set(Vendor::ALL.map(Vendor::name))),
    ] {
        let schema = schema(&contract, name);
        assert_eq!(texts(&schema["enum"]), words, "{name}");
        for word in words.iter().filter(|_| name != "Vendor" && name != "Scope") {
            let row = format!("| `{word}` | ");
            assert!(
                schema["description"].as_str().unwrap().contains(&row),
                "no row {row}in the schema {name}"
            );
        }
    }
    let scopes = contract["components"]["securitySchemes"]["appKey"]["description"].as_str().unwrap();
    for scope in Scope::ALL {
        assert!(
            scopes.contains(&format!("| `{}` | ", scope.name())),
            "the scope {} is not described",
            scope.name()
        );
    }
}

/// The row of a category names its defaults.
#[test]
fn the_defaults_of_a_category_are_those_of_the_code() {
    let contract = contract();
    let table = schema(&contract, "Category")["description"].as_str().unwrap();
    for category in Category::ALL {
        let text =
            format!(r#"{{"to":{{"users":["u"]}},"data":{{"a":"b"}},"category":"{}"}}"#, category.name());
        let message = parse::push::push(text.as_bytes()).unwrap().message;
        let row =
            table.lines().find(|line| line.starts_with(&format!("| `{}` | ", category.name()))).unwrap();
        let word = |name: &str| format!("`{name}`");
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(cells[3].starts_with(&format!("{} (", message.ttl)), "{row}");
        assert_eq!(cells[4], word(message.guard.name()), "{row}");
        assert_eq!(
            cells[5],
            word(serde_json::to_value(message.on_unknown).unwrap().as_str().unwrap()),
            "{row}"
        );
        assert_eq!(cells[6], word(serde_json::to_value(message.online).unwrap().as_str().unwrap()), "{row}");
    }
    assert_eq!(schema(&contract, "Category")["default"], Category::default().name());
}

/// An error is a problem document whose status is that of its code; its examples are what the code would write.
#[test]
fn every_error_is_a_problem_document() {
    let contract = contract();
    let mut answered = Set::new();
    let mut check = |status: u16, response: &Value, what: &str| {
        let content = object(&response["content"], what);
        assert_eq!(set(content.keys().cloned()), set(["application/problem+json"]), "{what}");
        let media = &content["application/problem+json"];
        let narrowed = &media["schema"]["allOf"];
        assert_eq!(narrowed[0]["$ref"], "#/components/schemas/Problem", "{what}");
        assert_eq!(narrowed[1]["properties"]["status"]["const"], json!(status), "{what}");
        let codes = texts(&narrowed[1]["properties"]["code"]["enum"]);
        for code in &codes {
            let code = Code::ALL.iter().find(|known| known.as_str() == code).expect("a code that exists");
            assert_eq!(code.status(), status, "{what}: {}", code.as_str());
        }
        for (name, example) in object(&media["examples"], what) {
            let example = &example["value"];
            let code = Code::ALL.iter().find(|code| example["code"] == code.as_str()).unwrap();
            assert!(codes.contains(code.as_str()), "{what}: {name}");
            let pointer = example.get("pointer").and_then(Value::as_str).map(str::to_owned);
            let problem = Problem {
                code: *code,
                detail: example["detail"].as_str().unwrap().into(),
                pointer,
                push: None,
            };
            assert_eq!(serde_json::from_str::<Value>(&problem.json()).unwrap(), *example, "{what}: {name}");
        }
        answered.extend(codes);
    };
    for (method, path, operation) in operations(&contract) {
        for (status, response) in responses(&contract, operation) {
            let what = format!("{method} {path} {status}");
            if status < 400 {
                let kinds =
                    response.get("content").map(|content| set(object(content, &what).keys().cloned()));
                // An import's answer begins before its cost is known: its last line has it.
                let streamed = path == "/v1/users:import";
                let kind = match status {
                    204 => set::<&str>([]),
                    _ if streamed => set(["application/x-ndjson"]),
                    _ => set(["application/json"]),
                };
                assert_eq!(kinds.unwrap_or_default(), kind, "{what}");
                assert_eq!(response["headers"].get("Edgepush-Cost").is_some(), !streamed, "{what}");
            } else if path != "/healthz" {
                check(status, response, &what);
            }
        }
    }
    // What no operation answers, because no operation is found.
    for (name, status) in [("NotFound", 404), ("MethodNotAllowed", 405)] {
        check(status, &contract["components"]["responses"][name], name);
    }
    assert_eq!(
        answered,
        set(Code::ALL.iter().map(|code| code.as_str())),
        "each code is the answer of something"
    );
}

/// What follows from the form of an operation.
#[test]
fn every_operation_has_the_statuses_that_its_form_brings() {
    let contract = contract();
    for (method, path, operation) in operations(&contract) {
        let what = format!("{method} {path}");
        let statuses: BTreeSet<u16> =
            responses(&contract, operation).iter().map(|(status, _)| *status).collect();
        let keys =
            operation["security"].as_array().unwrap_or_else(|| panic!("{what} does not say who may call it"));
        let app_key = keys.iter().find_map(|key| key.get("appKey"));
        for scope in app_key.into_iter().flat_map(texts) {
            assert!(Scope::ALL.iter().any(|known| known.name() == scope), "{what}: no scope {scope}");
        }
        let has_body = operation.get("requestBody").is_some();
        let has_limit = has_body && operation["requestBody"]["content"].get("application/json").is_some();
        // Vendors bring no key: the path is their proof.
        let storage = !keys.is_empty() || path.ends_with("{secret}");
        for (status, expected) in [
            (401, storage),
            (403, app_key.is_some()),
            (413, has_limit),
            (500, true),
            (503, storage),
            (405, false),
        ] {
            assert_eq!(statuses.contains(&status), expected, "{what}: {status}");
        }
        let holes = path.contains('{');
        let has_query = operation.get("parameters").is_some();
        assert_eq!(statuses.contains(&400), holes || has_body || has_query, "{what}: 400");
        assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{what}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(contract: &Value, value: &Value) {
        resolve(contract, value);
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(contract, item)),
            Value::Object(map) => map.values().for_each(|item| walk(contract, item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let contract = contract();
    walk(&contract, &contract);
}

#[test]
fn every_limit_is_that_of_the_code() {
    let contract = contract();
    let number = |name: &str, pointer: &str| {
        let found = schema(&contract, name).pointer(pointer).and_then(Value::as_u64);
        found.unwrap_or_else(|| panic!("no number at {name}{pointer}"))
    };
    let devices = parse::targets::DEVICES_MAX as u64;
    let targets = parse::targets::TARGETS_MAX as u64;
    for (name, pointer, limit) in [
        ("Targets", "/properties/users/maxItems", targets),
        ("Targets", "/properties/devices/maxItems", targets),
        ("Targets", "/properties/tokens/maxItems", targets),
        ("PushResult", "/properties/deliveries/maxItems", devices),
        ("Push", "/properties/ttl/maximum", parse::push::TTL_MAX),
        ("User", "/properties/devices/maxItems", wire::user::DEVICES_MAX as u64),
        ("App", "/properties/keys/maxItems", wire::app::KEYS_MAX as u64),
        ("Events", "/properties/events/maxItems", parse::event::EVENTS_MAX as u64),
        ("Tags", "/maxItems", TAGS_MAX as u64),
        ("FunnelGroup", "/properties/stages/minItems", funnel::STAGES.len() as u64),
        ("FunnelGroup", "/properties/stages/maxItems", funnel::STAGES.len() as u64),
        ("ActivityName", "/maxLength", ACTIVITY_MAX as u64),
        ("Activity", "/properties/attributes_type/maxLength", ACTIVITY_MAX as u64),
        ("UserId", "/maxLength", ID_MAX_BYTES as u64),
        ("DeviceId", "/maxLength", ID_MAX_BYTES as u64),
    ] {
        assert_eq!(number(name, pointer), limit, "{name}{pointer}");
    }
    for (path, method, bytes) in [
        ("/v1/push", "post", parse::push::BODY_MAX),
        ("/v1/push:explain", "post", parse::push::BODY_MAX),
        ("/v1/quota:simulate", "post", parse::push::BODY_MAX),
        ("/v1/users/{user}/devices/{device}", "put", parse::device::BODY_MAX),
        ("/v1/users/{user}", "patch", parse::wish::BODY_MAX),
        ("/v1/users:import", "post", parse::import::LINE_MAX),
        ("/v1/events", "post", parse::event::BODY_MAX),
        ("/v1/apps/{app}", "put", parse::app::BODY_MAX),
        ("/v1/apps/{app}/keys", "post", parse::app::BODY_MAX),
    ] {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let said = contract["paths"][path][method]["requestBody"]["description"].as_str().unwrap();
        assert!(digits(said).ends_with(&bytes.to_string()), "{path}: {said} is not {bytes}");
    }
}

/// The names that a parser lists when it meets one that it does not know.
fn known<T>(refused: Result<T, Problem>, at: &str) -> Set {
    let Err(problem) = refused else { panic!("{at} took a field that nobody knows") };
    assert_eq!(
        (problem.code, problem.pointer.as_deref()),
        (Code::UnknownField, Some(format!("{at}/zzz").as_str()))
    );
    let (_, names) = problem.detail.split_once("known here: ").unwrap();
    names.split(", ").map(str::to_owned).collect()
}

/// Every field that a parser knows is described, and no other. Those whose every value is refused in this version are
/// named in the schema's own words.
#[test]
fn every_field_of_a_request_is_in_the_contract_and_no_other() {
    let contract = contract();
    let push = |body: &str| parse::push::push(body.as_bytes());
    let sent = r#""to":{"users":["u"]}"#;
    let device = |body: &str| parse::device::registration(body.as_bytes());
    let app = |body: &str| parse::app::app(body.as_bytes());
    let hex = "00".repeat(32);
    let key = include_str!("fixtures/rfc6979-p256.TEST.pem");
    let apns = json!({"team_id": "TEAM123456", "key_id": "KEY1234567", "private_key": key, "zzz": 1});
    let apns = json!({"credentials": {"apns": apns}});
    let vapid = json!({"subject": "mailto:push@example.com", "private_key": key, "zzz": 1});
    let vapid = json!({"credentials": {"webpush": vapid}});
    let keys = r#""keys":{"p256dh":"","auth":""}"#;
    let subscription = format!(r#"{{"endpoint":"https://web.push.apple.com/x",{keys},"zzz":1}}"#);
    let browser = format!(r#"{{"platform":"web","vendor":"webpush","token":{subscription}}}"#);
    for (name, known, later) in [
        ("Push", known(push(&format!(r#"{{{sent},"data":{{"a":"b"}},"zzz":1}}"#)), ""), None::<&str>),
        (
            "Simulation",
            known(parse::simulation::simulation(format!(r#"{{{sent},"zzz":1}}"#).as_bytes()), ""),
            None,
        ),
        ("Targets", known(push(r#"{"to":{"users":["u"],"zzz":1}}"#), "/to"), None),
        (
            "ApnsAddress",
            known(
                push(&format!(r#"{{"to":{{"tokens":[{{"vendor":"apns","token":"{hex}","zzz":1}}]}}}}"#)),
                "/to/tokens/0",
            ),
            None,
        ),
        (
            "Notification",
            known(push(&format!(r#"{{{sent},"notification":{{"zzz":1}}}}"#)), "/notification"),
            None,
        ),
        (
            "Activity",
            known(
                push(&format!(
                    r#"{{{sent},"type":"live_activity","activity":{{"event":"end","id":"a","state":{{}},"zzz":1}}}}"#
                )),
                "/activity",
            ),
            None,
        ),
        ("Options", known(push(&format!(r#"{{{sent},"options":{{"zzz":1}}}}"#)), "/options"), None),
        (
            "ApnsRegistration",
            known(device(&format!(r#"{{"platform":"ios","vendor":"apns","token":"{hex}","zzz":1}}"#)), ""),
            None,
        ),
        ("Subscription", known(device(&browser), "/token"), None),
        ("AppChange", known(app(r#"{"zzz":1}"#), ""), None),
        ("ApnsCredential", known(app(&apns.to_string()), "/credentials/apns"), None),
        ("WebpushCredential", known(app(&vapid.to_string()), "/credentials/webpush"), None),
        ("Policy", known(app(r#"{"policy":{"zzz":1}}"#), "/policy"), None),
        ("Limits", known(app(r#"{"policy":{"quota":{"fcm":{"zzz":1}}}}"#), "/policy/quota/fcm"), None),
        (
            "Limit",
            known(
                app(r#"{"policy":{"quota":{"fcm":{"im":{"per_day":1,"zzz":1}}}}}"#),
                "/policy/quota/fcm/im",
            ),
            None,
        ),
        (
            "Cap",
            known(app(r#"{"policy":{"caps":{"im":[{"most":1,"in":60,"zzz":1}]}}}"#), "/policy/caps/im/0"),
            None,
        ),
        (
            "Govern",
            known(
                app(
                    r#"{"policy":{"govern":[{"category":"im","click_rate_under":1,"of":"app","sends":1,"zzz":1}]}}"#,
                ),
                "/policy/govern/0",
            ),
            None,
        ),
        ("Wish", known(parse::wish::wish(br#"{"zzz":1}"#), ""), None),
        (
            "QuietHours",
            known(
                parse::wish::wish(br#"{"quiet_hours":{"from":"22:00","to":"07:00","zzz":1}}"#),
                "/quiet_hours",
            ),
            None,
        ),
        ("OptOut", known(parse::wish::wish(br#"{"opt_out":{"zzz":1}}"#), "/opt_out"), None),
        (
            "AdviceRule",
            known(app(r#"{"policy":{"advice":{"every_days":1,"missed_min":1,"zzz":1}}}"#), "/policy/advice"),
            None,
        ),
        (
            "PermissionEvent",
            known(
                parse::event::events(
                    br#"{"events":[{"type":"permission","device":"d","permission":"denied","zzz":1}]}"#,
                ),
                "/events/0",
            ),
            None,
        ),
        (
            "MessageEvent",
            known(
                parse::event::events(
                    br#"{"events":[{"type":"shown","id":"01ARYZ6S410000000000000000.0","zzz":1}]}"#,
                ),
                "/events/0",
            ),
            None,
        ),
        ("NewKey", known(parse::app::key(br#"{"scopes":["push"],"zzz":1}"#), ""), None),
    ] {
        let mut described = fields(&contract, name);
        if let Some(later) = later {
            let words = schema(&contract, name)["description"].as_str().unwrap();
            assert!(
                words.contains(&format!("`{later}` belongs to the contract and is not in this version")),
                "{name}"
            );
            described.insert(later.into());
        }
        assert_eq!(described, known, "{name}");
    }
    let vendors = set(Vendor::ALL.map(Vendor::name));
    assert_eq!(known(app(r#"{"credentials":{"zzz":1}}"#), "/credentials"), vendors);
    assert_eq!(
        set(object(&schema(&contract, "AppChange")["properties"]["credentials"]["properties"], "")
            .keys()
            .cloned()),
        vendors
    );
    for name in ["quota", "per_second"] {
        let asked = app(&format!(r#"{{"policy":{{"{name}":{{"zzz":1}}}}}}"#));
        assert_eq!(known(asked, &format!("/policy/{name}")), vendors);
        let described = &schema(&contract, "Policy")["properties"][name]["properties"];
        assert_eq!(set(object(described, "").keys().cloned()), vendors);
    }
    let pair = &schema(&contract, "Targets")["properties"]["devices"]["items"]["properties"];
    let known = known(push(r#"{"to":{"devices":[{"user":"u","device":"d","zzz":1}]}}"#), "/to/devices/0");
    assert_eq!(set(object(pair, "").keys().cloned()), known);
}

/// A service account has members that nobody here needs: those that must be there are described.
#[test]
fn every_member_of_a_service_account_that_must_be_there_is_in_the_contract_and_no_other() {
    let contract = contract();
    let key = include_str!("fixtures/rfc7515-a2.TEST.pem");
    let account = json!({
        "type": "service_account", "project_id": "parcels", "client_email": "push@parcels.iam.gserviceaccount.com",
        "private_key_id": "abc", "private_key": key, "token_uri": "https://oauth2.googleapis.com/token", "zzz": 1,
    });
    let parse = |account: &Value| {
        parse::app::app(json!({"credentials": {"fcm": account}}).to_string().as_bytes()).map(drop)
    };
    assert_eq!(parse(&account), Ok(()));
    let needed = object(&account, "account").keys().filter(|name| {
        let mut without = account.clone();
        without.as_object_mut().unwrap().remove(*name);
        parse(&without).is_err_and(|problem| problem.code == Code::MissingField)
    });
    assert_eq!(texts(&schema(&contract, "ServiceAccount")["required"]), set(needed.cloned()));
}

/// The examples of requests are requests.
#[test]
fn every_example_of_a_request_is_taken() {
    let contract = contract();
    let mut taken = 0;
    for (method, path, operation) in operations(&contract) {
        let Some(body) = operation.get("requestBody") else { continue };
        if body["content"].get("application/json").is_none() {
            continue;
        }
        for (name, example) in object(&body["content"]["application/json"]["examples"], &path) {
            let bytes = serde_json::to_vec(&example["value"]).unwrap();
            let result = match (method.as_str(), path.as_str()) {
                ("POST", "/v1/dead-letters:redrive") => parse::app::redrive(&bytes).map(drop),
                ("POST", "/v1/push" | "/v1/push:explain") => parse::push::push(&bytes).map(drop),
                ("POST", "/v1/quota:simulate") => parse::simulation::simulation(&bytes).map(drop),
                ("PUT", "/v1/users/{user}/devices/{device}") => parse::device::registration(&bytes).map(drop),
                ("PATCH", "/v1/users/{user}") => parse::wish::wish(&bytes).map(drop),
                ("POST", "/v1/events") => parse::event::events(&bytes).map(drop),
                ("POST", "/v1/receipts/{app}/{vendor}/{secret}") => {
                    let read = Vendor::Huawei.spec().receipts.as_ref().unwrap().read;
                    assert!(read(std::str::from_utf8(&bytes).unwrap()).is_some_and(|all| !all.is_empty()));
                    Ok(())
                }
                ("PUT", "/v1/apps/{app}") => parse::app::app(&bytes).map(drop),
                ("POST", "/v1/apps/{app}/keys") => parse::app::key(&bytes).map(drop),
                _ => panic!("no parser for {method} {path}"),
            };
            assert_eq!(result, Ok(()), "{method} {path}, example {name}");
            taken += 1;
        }
    }
    assert!(taken > 0);
}

fn keys(text: &str) -> Set {
    set(object(&serde_json::from_str(text).unwrap(), text).keys().cloned())
}

/// Answers with everything in them that can be have the fields that the contract names.
#[test]
fn every_field_of_an_answer_is_in_the_contract_and_no_other() {
    let contract = contract();
    let address = json!(["apns", "00", "sandbox", "com.example"]);
    let registration = json!(["ios", address, "granted", "1", "de", "UTC", "live_activity", "order-4711"]);
    let device: Device =
        serde_json::from_value(json!(["d", registration, {"ours": [1, 1]}, 0, "client", 0, 0, 1, 0, null]))
            .unwrap();
    let user = UserId::parse("u").unwrap();
    assert_eq!(keys(&reply::device(&device)), fields(&contract, "Device"));
    let preferences = serde_json::from_value(json!({
        "locale": "de", "time_zone": "UTC", "opt_out": ["im"], "tags": ["a"],
        "quiet_hours": {"from": "22:00", "to": "07:00", "categories": ["im"]},
    }))
    .unwrap();
    let dead = vec![Dead { device: DeviceId::parse("d").unwrap(), vendor: Vendor::Fcm, at: Millis(0) }];
    let shown = reply::user(&user, &Person { devices: vec![device], preferences, dead });
    assert_eq!(keys(&shown), fields(&contract, "User"));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    for (part, name) in [
        ("/preferences", "Preferences"),
        ("/preferences/quiet_hours", "QuietHours"),
        ("/devices/0", "Device"),
        ("/dead/0", "DeadDevice"),
    ] {
        assert_eq!(keys(&shown.pointer(part).unwrap().to_string()), fields(&contract, name), "{name}");
    }
    let mut erased: Value = serde_json::from_str(&reply::erased(&user, &Erased::default())).unwrap();
    erased["pushes"] = json!(1);
    assert_eq!(keys(&erased.to_string()), fields(&contract, "Erased"));
    let advice = Advice {
        advise: Advise::Wait,
        reason: "words".into(),
        missed: Default::default(),
        again_at: Some(Millis(0)),
    };
    assert_eq!(keys(&reply::advice(&advice)), fields(&contract, "Advice"));
    let health = health::health(&Policy::default(), &[Default::default()], Millis(0));
    assert_eq!(keys(&health), fields(&contract, "Health"));
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!(keys(&health["total"].to_string()), fields(&contract, "DeviceStates"));

    let (app, push) = (AppId::parse("shop").unwrap(), PushId::new(Millis(0), [0; 10]));
    let (key, id) = authenticate::new_key(&app, [7; 40]);
    let record = KeyRecord {
        id,
        sha256: "00".into(),
        scopes: vec![Scope::Push],
        name: Some("n".into()),
        created_at: Millis(0),
    };
    assert_eq!(keys(&reply::new_key(&record, &key)), fields(&contract, "MadeKey"));
    let sealed = Sealed { key_id: "00".into(), nonce: "secret".into(), text: "secret".into() };
    let facts = |facts: Value| serde_json::from_value::<Facts>(facts).unwrap();
    let credential = |facts| Credential { sealed: sealed.clone(), revision: 1, facts };
    let apns = facts(
        json!({"apns": {"team_id": "TEAM123456", "key_id": "KEY1234567", "topic": "com.example", "environment": "sandbox"}}),
    );
    let fcm = facts(
        json!({"fcm": {"project_id": "parcels", "client_email": "push@parcels.iam.gserviceaccount.com"}}),
    );
    let vapid = facts(json!({"webpush": {"subject": "mailto:push@example.com", "public_key": "B"}}));
    let app = App {
        id: app,
        generation: 1,
        revision: 1,
        credentials: [
            (Vendor::Apns, credential(apns)),
            (Vendor::Fcm, credential(fcm)),
            (Vendor::Webpush, credential(vapid)),
        ]
        .into(),
        policy: Policy::default(),
        keys: vec![record],
        user_token_keys: Vec::new(),
        created_at: Millis(0),
        updated_at: Millis(0),
    };
    let raw = Raw {
        admin_key: Secret::new("0123456789abcdef"),
        seal_key: Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ..Raw::default()
    };
    let shown = reply::app(&app, &Config::parse(&raw).unwrap());
    assert!(!shown.contains("secret") && !shown.contains("sha256"), "{shown}");
    assert_eq!(keys(&shown), fields(&contract, "App"));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    for (part, name) in [
        ("/credentials/apns", "ApnsFacts"),
        ("/credentials/fcm", "FcmFacts"),
        ("/credentials/webpush", "WebpushFacts"),
        ("/keys/0", "Key"),
    ] {
        assert_eq!(keys(&shown.pointer(part).unwrap().to_string()), fields(&contract, name), "{name}");
    }

    let delivery = |recipient| Delivery {
        reason: Some(Reason::RateLimited),
        vendor_id: Some("id".into()),
        detail: Some("words".into()),
        shortened: true,
        downgraded: true,
        until: Some(Millis(0)),
        seen: Some((Seen::Received, Millis(0))),
        trace: vec![Step {
            at: Millis(0),
            state: State::Sending,
            reason: Some(Reason::NoAnswer),
            detail: Some("x".into()),
        }],
        ..Delivery::sending(recipient, Vendor::Apns, None, true, Millis(0))
    };
    let user = Recipient::Device(UserId::parse("u").unwrap(), DeviceId::parse("d").unwrap());
    let page = Page {
        push: push.clone(),
        part: Part::Whole,
        category: Category::Im,
        campaign: Some("c".into()),
        due: Millis(0),
        expires: Millis(0),
        on_unknown: OnUnknown::Keep,
        body: None,
        took: 0,
        deliveries: vec![delivery(user), delivery(Recipient::Token(0))],
    };
    assert_eq!(keys(&reply::push(&page)), fields(&contract, "PushResult"));
    let known =
        Known { head: None, counts: vec![], waiting: 0, pages: vec![page], next: Some("x".repeat(40)) };
    let shown = reply::known(&known, Millis(0));
    assert_eq!(keys(&shown), fields(&contract, "PushKnown"));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let deliveries =
        shown["deliveries"].as_array().unwrap().iter().flat_map(|delivery| keys(&delivery.to_string()));
    assert_eq!(set(deliveries), fields(&contract, "Delivery"));
    let step = shown.pointer("/deliveries/0/trace/0").unwrap().to_string();
    assert_eq!(keys(&step), fields(&contract, "Step"));
    let head = Head {
        push: push.clone(),
        category: Category::Im,
        campaign: None,
        due: Millis(1),
        expires: Millis(2),
        body: None,
        source: Source::Inline,
        targets: 7,
        dropped: None,
    };
    assert_eq!(keys(&reply::queued(&head, Millis(0))), fields(&contract, "PushQueued"));

    let counted = funnel::funnel(Query { from: 0, to: 1, by: By::All }, &[]);
    let shown = serde_json::to_value(&counted).unwrap();
    assert_eq!(keys(&shown.to_string()), fields(&contract, "Funnel"));
    assert_eq!(keys(&shown["total"].to_string()), fields(&contract, "FunnelGroup"));
    assert_eq!(keys(&shown["total"]["stages"][0].to_string()), fields(&contract, "FunnelStage"));

    let body = br#"{"to":{"audience":"spring"}}"#;
    let message = parse::simulation::simulation(body).unwrap().message;
    let address = Address { vendor: Vendor::Fcm, token: Secret::new("t"), environment: None, topic: None };
    let sent = Decided { recipient: Recipient::Token(0), platform: None, decision: Decision::Send(address) };
    let mut tally = Tally::of(2_000, 1_000);
    let plan = Plan { decisions: vec![sent], drafts: Default::default() };
    tally.add(1_000, &Default::default(), &plan);
    let (levels, resets_at) = (vec![], Millis(0));
    let account = Account { vendor: Vendor::Fcm, levels, resets_at, devices: Default::default(), open: None };
    let mut limited = app;
    let none = [(Category::Marketing, Limit { per_day: 0 })].into();
    limited.policy.quota.insert(Vendor::Fcm, none);
    let shown = simulate::simulate(&limited, &message, &tally, &[account], &[], Millis(0));
    assert_eq!(keys(&shown), fields(&contract, "Simulated"));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(keys(&shown["accounts"]["fcm"].to_string()), fields(&contract, "SimulatedAccount"));

    let problem = Problem { push: Some(push), ..Problem::at(Code::Internal, "/x", "words") }.json();
    assert_eq!(keys(&problem), fields(&contract, "Problem"));
}

/// A row of a table of the README begins with these words, each in backticks.
fn assert_row(readme: &str, begin: &str) {
    assert!(
        readme.lines().any(|line| line.starts_with(begin)),
        "the README has no row that begins with {begin}"
    );
}

#[test]
fn the_readme_lists_every_route_code_state_reason_scope_and_category() {
    let readme = readme();
    for (method, path, _) in TABLE {
        assert_row(&readme, &format!("| `{method} {path}` |"));
    }
    for code in Code::ALL {
        assert_row(&readme, &format!("| `{}` | {} |", code.as_str(), code.status()));
    }
    let states = State::ALL.map(State::name);
    let reasons = Reason::ALL.map(Reason::name);
    let scopes = Scope::ALL.map(Scope::name);
    let categories = Category::ALL.map(Category::name);
    for word in states.iter().chain(&reasons).chain(&scopes).chain(&categories) {
        assert_row(&readme, &format!("| `{word}` |"));
    }
}

/// Names of settings in a source text: what stands between `begin` and `end`, where it looks like one.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).filter_map(move |rest| rest.split(end).next()).filter(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

#[test]
fn the_readme_lists_every_setting_and_secret() {
    let readme = readme();
    // What the worker reads, and what wrangler.toml sets.
    let glue = fs::read_to_string("src/edge/glue.js").unwrap();
    let read = glue.split("export function settings").nth(1).unwrap().split("\n}").next().unwrap();
    let read = set(between(read, "\"", "\""));
    assert!(read.len() >= 8, "{read:?}");
    let wrangler = fs::read_to_string("wrangler.toml").unwrap();
    let vars = wrangler.split("[vars]").nth(1).unwrap().split("\n[").next().unwrap().lines();
    let vars = set(vars
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once('=')?.0.trim())));
    assert!(vars.is_subset(&read), "a variable that nobody reads: {vars:?}");
    for name in &read {
        assert_row(&readme, &format!("| `{name}` |"));
    }
    for binding in between(&wrangler, "binding = \"", "\"").chain(between(&wrangler, "\nname = \"", "\"")) {
        assert!(readme.contains(&format!("`{binding}`")), "the README does not name the binding {binding}");
    }
    // What the local tools read. `SCHEMATHESIS` is handed from one of them to the other; the rest is not theirs.
    let mut local = Set::new();
    for folder in ["tests/dev", "tests/tools", "tests/bench", "tests/worker", "tests/chaos"] {
        let Ok(files) = fs::read_dir(Path::new(folder)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "ts") {
                let text = fs::read_to_string(&path).unwrap();
                local.extend(set(between(&text, "env[\"", "\"]").chain(between(&text, "number(\"", "\""))));
            }
        }
    }
    assert!(local.contains("EDGEPUSH_PORT"), "{local:?}");
    for name in local.difference(&set(["SCHEMATHESIS", "NO_COLOR", "CI", "HOME", "PATH"])) {
        assert_row(&readme, &format!("| `{name}` |"));
    }
}

/// Secrets never show in what the parsers hand out for logs.
#[test]
fn a_made_key_does_not_show_in_debug_output() {
    let (key, _) = authenticate::new_key(&AppId::parse("shop").unwrap(), [7; 40]);
    assert_eq!(format!("{key:?}"), format!("{:?}", Secret::new("x")));
}
