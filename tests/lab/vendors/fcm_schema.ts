// The request of FCM's messages:send as Google publishes it: googleapis/google-api-go-client fcm/v1/fcm-api.json and
// firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.

import { message, oneOfEnum } from "./proto_json.ts";

const FCM = "google.firebase.fcm.v1.";

const color = message("google.type.Color", { red: "float", green: "float", blue: "float", alpha: "float" });

const androidNotification = message(`${FCM}AndroidNotification`, {
  title: "string",
  body: "string",
  icon: "string",
  color: "string",
  sound: "string",
  tag: "string",
  click_action: "string",
  body_loc_key: "string",
  body_loc_args: { list: "string" },
  title_loc_key: "string",
  title_loc_args: { list: "string" },
  channel_id: "string",
  ticker: "string",
  sticky: "bool",
  event_time: "timestamp",
  local_only: "bool",
  notification_priority: oneOfEnum(
    `${FCM}AndroidNotification.NotificationPriority`,
    "PRIORITY_UNSPECIFIED",
    "PRIORITY_MIN",
    "PRIORITY_LOW",
    "PRIORITY_DEFAULT",
    "PRIORITY_HIGH",
    "PRIORITY_MAX",
  ),
  default_sound: "bool",
  default_vibrate_timings: "bool",
  default_light_settings: "bool",
  vibrate_timings: { list: "duration" },
  visibility: oneOfEnum(`${FCM}AndroidNotification.Visibility`, "VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
  notification_count: "int32",
  light_settings: message(`${FCM}LightSettings`, {
    color,
    light_on_duration: "duration",
    light_off_duration: "duration",
  }),
  image: "string",
  proxy: oneOfEnum(`${FCM}AndroidNotification.Proxy`, "PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
});

const android = message(`${FCM}AndroidConfig`, {
  collapse_key: "string",
  priority: oneOfEnum(`${FCM}AndroidMessagePriority`, "NORMAL", "HIGH"),
  ttl: "duration",
  restricted_package_name: "string",
  data: "string_map",
  notification: androidNotification,
  fcm_options: message(`${FCM}AndroidFcmOptions`, { analytics_label: "string" }),
  direct_boot_ok: "bool",
  bandwidth_constrained_ok: "bool",
  restricted_satellite_ok: "bool",
});

const apns = message(`${FCM}ApnsConfig`, {
  headers: "string_map",
  payload: "struct",
  fcm_options: message(`${FCM}ApnsFcmOptions`, { analytics_label: "string", image: "string" }),
  live_activity_token: "string",
});

const webpush = message(`${FCM}WebpushConfig`, {
  headers: "string_map",
  data: "string_map",
  notification: "struct",
  fcm_options: message(`${FCM}WebpushFcmOptions`, { link: "string", analytics_label: "string" }),
});

export const sendRequest = message(`${FCM}SendMessageRequest`, {
  validate_only: "bool",
  message: message(`${FCM}Message`, {
    name: "string",
    token: "string",
    topic: "string",
    condition: "string",
    fid: "string",
    data: "string_map",
    notification: message(`${FCM}Notification`, { title: "string", body: "string", image: "string" }),
    android,
    apns,
    webpush,
    fcm_options: message(`${FCM}FcmOptions`, { analytics_label: "string" }),
  }),
});
