"""verify.py SIGNATURE TIMESTAMP < BODY, with the secrets in HEYGEN_WEBHOOK_SECRET"""

import hashlib
import hmac
import os
import sys
import time


def verified(secrets, body, signature, timestamp):
    """Whether one of the secrets signed these bytes, and HeyGen sent them within the last five minutes."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        return False
    given = signature.lower().encode()
    signatures = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    matches = [hmac.compare_digest(expected, given) for expected in signatures]
    return any(matches) and abs(time.time() - int(timestamp)) <= 300


if __name__ == "__main__":
    secrets = os.environ["HEYGEN_WEBHOOK_SECRET"].split()
    if not verified(secrets, sys.stdin.buffer.read(), sys.argv[1], sys.argv[2]):
        sys.exit("refused")
    print("verified")
