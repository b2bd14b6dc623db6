"""The fake of HeyGen's API, as the benches start it."""

import http.client
import json
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

API_KEY = "bench-key"

LIKELY_CLOSED = 5
"""After so many seconds without a call, the fake may have closed the connection."""

OF_THE_AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
OF_THE_SERVER = (
    "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
    "authorityKeyIdentifier=keyid\n"
)


class Certificate:
    """A server's certificate, made in this folder with an authority of its own."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.make("authority", OF_THE_AUTHORITY, "-signkey", "authority.key")
        self.make("server", OF_THE_SERVER, "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial")
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        self.authority = folder / "authority.pem"
        # Beside all that the machine trusts, since the provider has to read as much of real users.
        self.trusted = folder / "trusted.pem"
        machines = ssl.get_default_verify_paths().cafile
        others = Path(machines).read_text() if machines else ""
        self.trusted.write_text(others + self.authority.read_text())

    def make(self, name, extensions, *signed_by):
        (self.folder / f"{name}.ext").write_text(extensions)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
        self.openssl("req", "-new", *key, "-subj", f"/CN={name}", "-out", f"{name}.csr")
        files = ("-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        self.openssl("x509", "-req", *files, "-days", "2", *signed_by)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, stderr=subprocess.DEVNULL)


class Fake:
    """A fake in a process of its own, for as long as this is entered. With a certificate it is called over https."""

    def __init__(self, program, certificate=None):
        self.certificate = certificate
        command = [program, "--api-key", API_KEY, "--seed", "1"]
        if certificate:
            command += ["--tls-certificate", certificate.certificate, "--tls-key", certificate.key]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()
        self.last_used = time.monotonic()
        host = urlsplit(self.url).netloc
        if certificate:
            trust = ssl.create_default_context(cafile=certificate.authority)
            self.connection = http.client.HTTPSConnection(host, timeout=60, context=trust)
        else:
            self.connection = http.client.HTTPConnection(host, timeout=60)

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
        trust = {"SSL_CERT_FILE": str(self.certificate.trusted)} if self.certificate else {}
        return {"HEYGEN_API_BASE": self.url, "HEYGEN_API_KEY": API_KEY, **trust}

    def call(self, method, path, body=None):
        """Does something behind the provider's back, and says what the fake answered."""
        body = None if body is None else json.dumps(body).encode()
        if time.monotonic() - self.last_used > LIKELY_CLOSED:
            self.connection.close()  # The next one is made when it is needed.
        self.connection.request(method, f"/_control/{path}", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        self.last_used = time.monotonic()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text) if text else None

    def requests(self):
        """Of the API, by the name of the call, since the log was cleared."""
        return [request["route"] for request in self.call("GET", "requests")]

    def forget_requests(self):
        self.call("DELETE", "requests")
