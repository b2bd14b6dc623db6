#!/usr/bin/env python3
"""A receiver of HeyGen's webhooks, in Python's standard library alone.

    HEYGEN_WEBHOOK_SECRET=whsec_… receiver.py [--port 8000] [--secrets FILE] [--allow-unsigned-callbacks]

Believes a delivery only if its signature is the HMAC-SHA256 of the raw body under one of the secrets and it is not
older than five minutes, takes each event once, however often it is sent, and prints one line of JSON for each delivery.
HeyGen calls https URLs only, so something that speaks TLS stands in front of it. README.md beside it has the rules.
"""

import argparse
import collections
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LONGEST_BODY = 1 << 20
LONGEST_DELAY = 5 * 60  # seconds: what is older may be a replay
REMEMBERED = 10_000  # deliveries kept, to know a repeated one


def main():
    arguments = argparse.ArgumentParser(description="Receives and verifies HeyGen's webhooks.")
    arguments.add_argument("--port", type=int, default=8000, help="on 127.0.0.1; 0 takes any free one")
    arguments.add_argument("--secrets", type=Path, metavar="FILE",
                           help="the secrets, one a line, read for every delivery; in place of HEYGEN_WEBHOOK_SECRET")
    arguments.add_argument("--allow-unsigned-callbacks", action="store_true",
                           help="take deliveries without a signature, if they have a callback_id")
    options = arguments.parse_args()
    # More than one secret, with white space between them, is for the time in which one replaces another.
    from_environment = os.environ.get("HEYGEN_WEBHOOK_SECRET", "").split()
    if not options.secrets and not from_environment:
        sys.exit("receiver: set HEYGEN_WEBHOOK_SECRET to the endpoint's secret, or name a file with --secrets")

    server = Server(("127.0.0.1", options.port), Receiver)
    server.secrets = (lambda: secrets_in(options.secrets)) if options.secrets else (lambda: from_environment)
    server.allow_unsigned_callbacks = options.allow_unsigned_callbacks
    # Nobody knows who sent what is not signed: it must not make a signed delivery look like a repeated one.
    server.signed, server.unsigned = Memory(), Memory()
    say(listening=f"http://127.0.0.1:{server.server_port}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # events come in bursts


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds for whatever is read next

    def do_OPTIONS(self):
        """HeyGen asks this before it registers a URL, and gives it a second."""
        self.answer(204)

    def do_POST(self):
        try:
            event = self.verified()
        except Refused as refused:
            self.answer(refused.status)
            return say(refused=self.headers.get("Heygen-Event-Id"), reason=refused.reason)
        # Answer first and work later: HeyGen waits ten seconds, then sends it again.
        self.answer(204)
        say(**event)

    def verified(self):
        """What is printed of a delivery that may be believed."""
        body = self.body()
        secret, secrets = self.secret(body)
        timestamp = self.headers.get("Heygen-Timestamp")
        if (secret or timestamp is not None) and not fresh(timestamp or ""):
            raise Refused(401, "too old, or from the future")
        event_type, event_data = event_in(body)
        callback_id = event_data.get("callback_id")
        if not secret and not (isinstance(callback_id, str) and callback_id):
            raise Refused(401, "no signature, and no callback_id")

        event_id = self.headers.get("Heygen-Event-Id")
        memory = self.server.signed if secret else self.server.unsigned
        repeated = memory.has_come_before(event_id, [event_type, event_data], secret, secrets)
        event = {"accepted": event_id, "repeated": repeated, "signed": bool(secret)}
        if callback_id is not None:
            event["callback_id"] = callback_id
        return {**event, "event_type": event_type, "event_data": event_data}

    def body(self):
        """The raw bytes, which the signature is made of: parsed and written again, they would be others."""
        length = self.headers.get("Content-Length", "")
        if not is_number(length):
            self.close_connection = True  # what follows is an unread body, not a request
            raise Refused(411, "no length")
        if int(length) > LONGEST_BODY:
            self.close_connection = True
            raise Refused(413, "too long")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Refused(400, "cut short")
        return body

    def secret(self, body):
        """The secret that signed the body, and all that could have; None for a callback that need not be signed."""
        signature = self.headers.get("Heygen-Signature")
        if signature is None:
            if not self.server.allow_unsigned_callbacks:
                raise Refused(401, "no signature")
            return None, [None]
        secrets = self.server.secrets()
        if not secrets:
            # Not the sender's fault: HeyGen sends again what was not answered with success.
            raise Refused(503, "no secret to verify with yet")
        # All of them are compared, so that the time it takes tells nothing about which one it was.
        signing = [secret for secret in secrets if signed(secret, body, signature)]
        if not signing:
            raise Refused(401, "wrong signature")
        return signing[0], secrets

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """One line of JSON for each delivery is enough."""


class Memory:
    """Which deliveries have come before. It is gone when the program ends: a real receiver keeps it in its database."""

    def __init__(self):
        self.lock = threading.Lock()
        self.deliveries = collections.OrderedDict()  # what each endpoint has brought, by its secret and the event's id
        self.taken = collections.OrderedDict()  # the ids of the events that were taken
        self.times = collections.OrderedDict()  # how often each endpoint has brought this content

    def has_come_before(self, event_id, event, secret, secrets):
        """Whether it has. Of a delivery without an id nobody can tell, so none is dropped.

        While one endpoint replaces another, both bring every event, and HeyGen does not document that the two
        deliveries have one id. So the same content from an endpoint with another secret is the same event, as often
        as that one has brought it. What is dropped for that reason leaves its id free: if it was an event of its own
        after all, because this endpoint had failed to bring the one before, the other endpoint brings it too.
        """
        if not event_id:
            return False
        with self.lock:
            if not is_new(self.deliveries, digest([secret, event_id])):
                return True
            times = remembered(self.times, digest(event), collections.Counter())
            taken = max(times[each] for each in secrets)
            times[secret] += 1
            return times[secret] <= taken or not is_new(self.taken, digest(event_id))


class Refused(Exception):
    """A delivery that is not taken, with the status that says so and the reason for whoever runs this."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status
        self.reason = reason


def secrets_in(file):
    """One a line. There may be none yet: HeyGen calls the receiver before it tells the endpoint's secret."""
    try:
        return file.read_text().split()
    except OSError:
        return []


def signed(secret, body, signature):
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode())


def fresh(timestamp):
    return is_number(timestamp) and abs(time.time() - int(timestamp)) <= LONGEST_DELAY


def is_number(text):
    return text.isascii() and text.isdigit() and len(text) <= 15


def event_in(body):
    try:
        event = json.loads(body)
        event_type, event_data = event["event_type"], event["event_data"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Refused(400, "no event") from None
    if not isinstance(event_type, str) or not isinstance(event_data, dict):
        raise Refused(400, "no event")
    return event_type, event_data


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()


def remembered(memory, key, value):
    """What is there under the key, which is this value if it is new. The oldest is forgotten for it."""
    value = memory.setdefault(key, value)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
    return value


def is_new(memory, key):
    """Whether the key was not there. Now it is."""
    new = key not in memory
    remembered(memory, key, None)
    return new


def say(**what):
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
