#!/usr/bin/env python3
"""What scripts have to know of the provider, and how they have an engine run the one that was built here.

    scripts/local_provider.py source        prints the provider's source address
    scripts/local_provider.py version       prints its version
"""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "terraform-provider-heygen"


def source():
    """The address by which configurations name the provider. It stands in one file."""
    example = ROOT / "examples/provider/provider.tf"
    found = re.findall(r'^ *source *= *"([^"]+)"$', example.read_text(), re.MULTILINE)
    if len(found) != 1:
        sys.exit(f"{example} does not name one source address")
    return found[0]


def version():
    """The one in Cargo.toml. The provider need not be the only package of its workspace, nor the first."""
    (provider,) = (it for it in packages() if it["name"] == NAME)
    return provider["version"]


def packages():
    """What Cargo says of each package of the workspace."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--no-deps"]
    metadata = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(metadata.stdout)["packages"]


def platform_name():
    """The machine as Terraform names it."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def engine_environment(scratch, providers):
    """The environment of an engine that knows these providers alone, binaries by address, and asks no network for one.

    `scratch` is an empty folder that lives as long as the engine is used.
    """
    home, mirror, settings = scratch / "home", scratch / "mirror", scratch / "terraform.rc"
    home.mkdir()
    built = version()
    for address, binary in providers.items():
        package = mirror / address / built / platform_name()
        package.mkdir(parents=True)
        (package / f"terraform-provider-{address.rsplit('/')[-1]}_v{built}").symlink_to(binary)
    settings.write_text(
        "provider_installation {\n  filesystem_mirror {\n    path = %s\n  }\n}\n" % json.dumps(str(mirror))
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["source"]:
        print(source())
    elif sys.argv[1:] == ["version"]:
        print(version())
    else:
        sys.exit(__doc__)
