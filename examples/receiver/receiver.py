#!/usr/bin/env python3
"""A receiver of HeyGen's webhooks, in Python's standard library alone.

    HEYGEN_WEBHOOK_SECRET=whsec_… receiver.py [--port 8000]

Believes a delivery only if its signature is the HMAC-SHA256 of the raw body under the endpoint's secret and it
is not older than five minutes; takes each event once, however often it is sent. Prints one line of JSON for
each delivery. HeyGen calls https URLs only, so something that speaks TLS stands in front of it.
"""

import argparse
import collections
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_BODY = 1 << 20
LONGEST_DELAY = 5 * 60  # seconds: what is older may be a replay
REMEMBERED = 10_000  # event ids kept, to know a repeated delivery


def main():
    arguments = argparse.ArgumentParser(description="Receives and verifies HeyGen's webhooks.")
    arguments.add_argument("--port", type=int, default=8000, help="on 127.0.0.1; 0 takes any free one")
    port = arguments.parse_args().port
    secret = os.environ.get("HEYGEN_WEBHOOK_SECRET")
    if not secret:
        sys.exit("receiver: set HEYGEN_WEBHOOK_SECRET to the endpoint's secret")

    server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    server.secret = secret
    server.seen = collections.OrderedDict()
    say(listening=f"http://127.0.0.1:{server.server_port}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds for whatever is read next

    def do_OPTIONS(self):
        """HeyGen asks this before it registers a URL, and gives it a second."""
        self.answer(204)

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True  # what follows is an unread body, not a request
            return self.refuse(413, "no length, or too long")
        body = self.rfile.read(int(length))
        if not signed(self.server.secret, body, self.headers.get("Heygen-Signature", "")):
            return self.refuse(401, "wrong signature")
        if not fresh(self.headers.get("Heygen-Timestamp", "")):
            return self.refuse(401, "too old, or from the future")
        event_id = self.headers.get("Heygen-Event-Id", "")
        repeated = event_id in self.server.seen
        if not repeated:
            self.server.seen[event_id] = None
            if len(self.server.seen) > REMEMBERED:
                self.server.seen.popitem(last=False)
        # Answer first and work later: HeyGen waits ten seconds, then sends it again.
        self.answer(204)
        event = json.loads(body)
        say(accepted=event_id, repeated=repeated, event_type=event["event_type"], event_data=event["event_data"])

    def refuse(self, status, reason):
        self.answer(status)
        say(refused=self.headers.get("Heygen-Event-Id"), reason=reason)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """One line of JSON for each delivery is enough."""


def signed(secret, body, signature):
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode())


def fresh(timestamp):
    return timestamp.isdigit() and abs(time.time() - int(timestamp)) <= LONGEST_DELAY


def say(**what):
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
