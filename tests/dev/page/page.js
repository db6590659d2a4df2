// The page: registers this browser, sends a push, shows what became of it. It talks to the server that it came from
// and to nobody else; the gateway's key stays there.

/** Under this name the browser keeps the id of its device. */
const KEPT = "edgepush-demo-device";
const REFRESH = 2_000;

const element = (id) => document.getElementById(id);
const say = (text) => (element("said").textContent = text);

async function ask(path, body) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, body === undefined ? {} : init);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Made at random once: ids are one space for all users of an app. */
function device() {
  const kept = localStorage.getItem(KEPT);
  if (kept !== null) return kept;
  const made = `browser-${crypto.randomUUID()}`;
  localStorage.setItem(KEPT, made);
  return made;
}

function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A subscription works with the key that it was made with: one of another key is of no use any more. */
async function subscription(manager, key) {
  const present = await manager.getSubscription();
  if (present !== null && base64url(present.options.applicationServerKey) === key) return present;
  await present?.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** At every start, as an app does it. */
async function register() {
  const { user, public_key: key } = await ask("/api/demo");
  const id = device();
  await navigator.serviceWorker.register(`/sw.js?device=${id}`);
  const { pushManager } = await navigator.serviceWorker.ready;
  const made = await subscription(pushManager, key);
  await ask("/api/device", { device: id, permission: Notification.permission, subscription: made.toJSON() });
  say(`This browser is the device ${id} of the user ${user}.`);
}

async function askForPermission() {
  say("");
  if ((await Notification.requestPermission()) === "granted") return register();
  say("The browser does not allow notifications on this page.");
  return reportDenied();
}

/** The gateway then sends nothing to this device. */
async function reportDenied() {
  if (Notification.permission !== "denied" || localStorage.getItem(KEPT) === null) return;
  await ask("/api/event", { type: "permission", device: device(), permission: "denied" });
}

async function push() {
  const { id, status } = await ask("/api/push", {});
  say(`Push ${id}: ${status}.`);
  await show();
}

async function show() {
  const { deliveries } = await ask("/api/deliveries");
  const rows = deliveries.map((delivery) => {
    const row = document.createElement("tr");
    const { at, device: name, vendor, state, reason, detail, seen } = delivery;
    for (const text of [new Date(at).toLocaleTimeString(), name, vendor, state, reason, seen]) {
      row.insertCell().textContent = text ?? "-";
    }
    row.title = detail ?? "";
    return row;
  });
  element("deliveries").replaceChildren(...rows);
}

async function refresh() {
  if (document.visibilityState === "visible") await show().catch(() => undefined);
  setTimeout(refresh, REFRESH);
}

/** A click that fails says why. */
function onClick(id, act) {
  element(id).addEventListener("click", () => act().catch((error) => say(error.message)));
}

onClick("push", push);
if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  onClick("subscribe", askForPermission);
  const known = Notification.permission === "granted" && localStorage.getItem(KEPT) !== null;
  (known ? register() : reportDenied()).catch((error) => say(error.message));
} else {
  element("subscribe").disabled = true;
  say("This browser has no Web Push on this page.");
}
void refresh();
