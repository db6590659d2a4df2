// A vendor that costs next to nothing, in a process of its own: answers as APNs, FCM and Google's token endpoint answer
// a good request, at once, and checks nothing. Whether our requests are good is the lab's business, in the worker tests
// and in the cost table; here it is only about the CPU of who sends them.
//
//   node tests/bench/mock.ts        prints `mock ready: <port>`; ends with its standard input

import { createServer, type Socket } from "node:net";
import { Messages } from "./http1.ts";

const PATH = /^\S+ (\/[^/ ]+)(\S*) /;
/** The last request to each host, for who wants to send the same. */
const last: Record<string, { path: string; head: string; body: string }> = {};

function answer(status: string, headers: string, body = ""): string {
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const JSON_TYPE = "content-type: application/json; charset=UTF-8\r\n";
const APNS_ID = "8e1b4a52-6c1d-4f0e-9a57-3f2d6b7c8d90";
// The vendors' answers do not differ from push to push in anything that costs: one text serves all.
const APNS = answer("200 OK", `apns-id: ${APNS_ID}\r\n`);
const FCM = answer("200 OK", JSON_TYPE, '{\n  "name": "projects/bench/messages/0:1764042000000000%0123456789abcdef"\n}\n');
const TOKEN = answer(
  "200 OK",
  JSON_TYPE,
  JSON.stringify({ access_token: `ya29.c.${"b".repeat(200)}`, expires_in: 3599, token_type: "Bearer" }),
);
const UNKNOWN = answer("404 Not Found", "", "no such vendor");

function reply(head: string, body: string): string {
  const [, host = "", path = ""] = PATH.exec(head) ?? [];
  if (host === "/_last") return answer("200 OK", JSON_TYPE, JSON.stringify(last));
  last[host.slice(1)] = { path, head, body };
  if (host.endsWith(".push.apple.com")) return APNS;
  if (host === "/fcm.googleapis.com") return FCM;
  return host === "/oauth2.googleapis.com" ? TOKEN : UNKNOWN;
}

const server = createServer((socket: Socket) => {
  const messages = new Messages();
  socket.setNoDelay(true);
  // A runtime that is ended drops its connections; nobody is left to tell.
  socket.on("error", () => {});
  socket.on("data", (chunk) => messages.feed(chunk, (head, body) => socket.write(reply(head, body), "latin1")));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.stdout.write(`mock ready: ${address.port}\n`);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
