"""Builds what is measured, and what it is measured with."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Programs:
    """Where each program is. All are built as the provider is released."""

    provider: Path
    """The provider itself, as `scripts/build` makes it."""
    empty: Path
    """A program that does nothing."""
    do_nothing: Path
    """A provider of our own rooms whose resource answers at once."""
    count: Path
    """Makes calls within one thread, to count what they cost."""
    host: Path
    """Starts a provider as an engine does, and takes the time."""
    fake_heygen: Path
    """The fake of HeyGen's API."""
    others: dict = field(default_factory=dict)
    """Binaries of other providers, by the name that the table gives them."""
    other_resources: dict = field(default_factory=dict)
    """Files with a resource of them, by the same name."""

    @classmethod
    def build(cls, others, other_resources):
        build = ROOT / "scripts/build"
        provider = Path(said(build).strip())
        setting = json.loads(said(build, "setting"))
        environment = {**os.environ, "CARGO_ENCODED_RUSTFLAGS": setting["rustflags"]}
        target = ["--target", setting["target"]]
        command = ["cargo", "build", "--locked", "--release", *target, "--package", "benches", "--bins"]
        subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=True)
        folder = provider.parent
        return cls(
            provider=provider,
            empty=folder / "empty",
            do_nothing=folder / "do-nothing",
            count=folder / "count",
            host=folder / "host",
            fake_heygen=folder / "fake-heygen",
            others={name: Path(binary).absolute() for name, binary in others.items()},
            other_resources={name: Path(file) for name, file in other_resources.items()},
        )


def said(*command, environment=None):
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
