// The platform's own PS256, for comparison: reads a private key and signs so many times as the address says.
// POST /<keys read>/<signatures>, with the key's PKCS #8 as the body.

const PS256 = { name: "RSA-PSS", hash: "SHA-256" };

export default {
  async fetch(request) {
    const [, keys, signatures] = new URL(request.url).pathname.split("/").map(Number);
    const pkcs8 = await request.arrayBuffer();
    const text = new TextEncoder().encode("header.claims");
    let key;
    for (let n = 0; n < keys; n++) key = await crypto.subtle.importKey("pkcs8", pkcs8, PS256, false, ["sign"]);
    let bytes = 0;
    for (let n = 0; n < signatures; n++) bytes = (await crypto.subtle.sign({ ...PS256, saltLength: 32 }, key, text)).byteLength;
    return new Response(String(bytes));
  },
};
