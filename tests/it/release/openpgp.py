"""What the tests use in the place of GnuPG, with a key that is thrown away: GnuPG is not on every machine.

    openpgp.py generate FOLDER      makes a key: FOLDER/secret.asc, FOLDER/public.asc and FOLDER/fingerprint
    openpgp.py gpg FOLDER ARGUMENT… signs with that key, as gpg does with the arguments that scripts/sums gives it
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / ".tools/openpgp/lib"))

import pysequoia  # noqa: E402, found only now


def generate(folder):
    # The kind of key that registries take, though they are longer.
    key = pysequoia.Tsk.generate("Release <release@example.com>", cipher_suite=pysequoia.CipherSuite.RSA3k)
    public = key.extract_certificate()
    (folder / "secret.asc").write_text(str(key))
    (folder / "public.asc").write_text(str(public))
    (folder / "fingerprint").write_text(public.fingerprint)


def gpg(folder, arguments):
    fingerprint = (folder / "fingerprint").read_text()
    flag, user, name, output, signature, sign, file = arguments
    if (flag, user, output, sign) != ("--no-armor", "--local-user", "--output", "--detach-sign"):
        sys.exit(f"gpg: other arguments than a detached, binary signature takes: {arguments}")
    if name.lower() != fingerprint.lower():
        sys.exit(f"gpg: no secret key {name}")
    key = pysequoia.Tsk.from_file(str(folder / "secret.asc"))
    content = Path(file).read_bytes()
    made = pysequoia.sign(key.signer(), content, mode=pysequoia.SignatureMode.DETACHED, armor=False)
    Path(signature).write_bytes(made)


if __name__ == "__main__":
    if sys.argv[1] == "generate":
        generate(Path(sys.argv[2]))
    else:
        gpg(Path(sys.argv[2]), sys.argv[3:])
