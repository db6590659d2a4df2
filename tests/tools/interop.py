"""Reads the Web Push bodies of tests/fixtures/webpush.json with the library http_ece, as a browser would. Started by interop.sh."""

import base64
import json
import pathlib
import sys
from importlib.metadata import version

import http_ece
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


fixture = json.loads((ROOT / "tests/fixtures/webpush.json").read_text())
private_key = ec.derive_private_key(int.from_bytes(bytes_of(fixture["private_key"]), "big"), ec.SECP256R1())
auth = bytes_of(fixture["auth"])


def decrypt(body: bytes) -> bytes:
    return http_ece.decrypt(body, private_key=private_key, auth_secret=auth, version="aes128gcm")


print(f"Python {sys.version.split()[0]}, http_ece {version('http_ece')}, cryptography {version('cryptography')}")
wrong = 0
for vector in fixture["vectors"]:
    length, body = vector["length"], bytes_of(vector["body"])
    plain = bytes(n % 251 for n in range(length))
    read = decrypt(body) == plain
    # A body with one bit turned must not be read: the check above could fail.
    turned = bytearray(body)
    turned[-1] ^= 1
    try:
        decrypt(bytes(turned))
        refused = False
    except (InvalidTag, http_ece.ECEException):
        refused = True
    wrong += not (read and refused)
    print(f"  {length:4} bytes in a body of {len(body):4}: {'read' if read else 'NOT READ'}; with a bit turned {'refused' if refused else 'NOT REFUSED'}")
if len(fixture["vectors"]) != 3 or wrong:
    sys.exit("Web Push bodies are not what http_ece reads")
