// The page's service worker: shows what the gateway sends, and says what became of it. Its address names the device.

const device = new URL(self.location.href).searchParams.get("device") ?? undefined;

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(event)));
self.addEventListener("notificationclick", (event) => event.waitUntil(open(event.notification)));

/** What came; nothing where it is not the gateway's JSON. */
function read(event) {
  try {
    const message = event.data?.json();
    if (typeof message === "object" && message !== null) return message;
  } catch {
    // Not JSON.
  }
  return {};
}

/** A declarative message that the browser has read by itself is a Notification: its members cannot be spread. */
function declared({ notification, appBadge }) {
  if (!notification) return {};
  const { title, body, image, icon, tag, silent, data, navigate } = notification;
  const given = Object.entries({ title, body, image, icon, tag, silent, data, navigate }).filter(([, value]) => value);
  return { notification: Object.fromEntries(given), app_badge: appBadge ?? undefined };
}

async function show(event) {
  const message = { ...declared(event), ...read(event) };
  const { title, navigate, ...options } = message.notification ?? {};
  const data = { ...message.data, ...options.data };
  if (message.app_badge !== undefined) await self.navigator.setAppBadge?.(message.app_badge).catch(() => undefined);
  if (message.notification) {
    const shown = navigate === undefined ? data : { ...data, navigate };
    await self.registration.showNotification(title ?? "edgepush", { ...options, data: shown });
    return report("shown", data.ep_id);
  }
  // Browsers want something to be shown for every push, and some take the permission away else.
  const body = "A message that shows no text has arrived.";
  await self.registration.showNotification("edgepush", { body, tag: "no-text", silent: true, data });
  return report("received", data.ep_id);
}

/** `waitUntil` holds the worker until the page is open and the click is told. */
function open(notification) {
  notification.close();
  const { navigate, ep_link, ep_id } = notification.data ?? {};
  const link = notification.navigate || navigate || ep_link || "/";
  return Promise.allSettled([self.clients.openWindow(link), report("clicked", ep_id)]);
}

/** To the page's server, which passes it on to the gateway. A failure is nobody's: `make dev` may have ended. */
async function report(type, id) {
  if (id === undefined) return;
  const headers = { "content-type": "application/json" };
  await fetch("/api/event", { method: "POST", headers, body: JSON.stringify({ type, id, device }) }).catch(() => undefined);
}
