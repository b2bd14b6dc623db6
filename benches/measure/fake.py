"""The fake of HeyGen's API, as the benches start it."""

import http.client
import json
import subprocess
from urllib.parse import urlsplit

API_KEY = "bench-key"


class Fake:
    """A fake in a process of its own, for as long as this is entered."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--api-key", API_KEY, "--seed", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    @property
    def environment(self):
        """By which the provider finds it."""
        return {"HEYGEN_API_BASE": self.url, "HEYGEN_API_KEY": API_KEY}

    def call(self, method, path, body=None):
        """Does something behind the provider's back, and says what the fake answered."""
        body = None if body is None else json.dumps(body).encode()
        try:
            answer, text = self.exchange(method, path, body)
        except http.client.RemoteDisconnected:
            # It closes connections that were idle for long. The next one is made when it is needed.
            answer, text = self.exchange(method, path, body)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text) if text else None

    def exchange(self, method, path, body):
        self.connection.request(method, f"/_control/{path}", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def requests(self):
        """Of the API, by the name of the call, since the log was cleared."""
        return [request["route"] for request in self.call("GET", "requests")]

    def forget_requests(self):
        self.call("DELETE", "requests")
