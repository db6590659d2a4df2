// What the lab uses of http_ece, which brings no types.

declare module "http_ece" {
  import type { ECDH } from "node:crypto";

  interface Params {
    version: "aes128gcm";
    /** The receiver's key pair, or the sender's when encrypting. */
    privateKey: ECDH;
    authSecret: string;
    /** The receiver's public key, base64url: encrypting only. */
    dh?: string;
  }

  const ece: {
    decrypt(body: Buffer, params: Params): Buffer;
    encrypt(plain: Buffer, params: Params): Buffer;
  };
  export default ece;
}
