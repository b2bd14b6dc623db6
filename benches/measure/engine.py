"""An engine (Terraform or OpenTofu) that runs what the benches measure."""

import json
import shutil
import subprocess
import sys

import local_provider

from . import process


class Engine:
    """An engine that knows these providers and no others: binaries, by the address of each."""

    def __init__(self, scratch, providers):
        found = shutil.which("terraform") or shutil.which("tofu")
        if not found:
            sys.exit("There is no terraform and no tofu on PATH to measure with.")
        self.program = found
        self.scratch = scratch
        self.environment = {**local_provider.engine_environment(scratch, providers), "TF_CLI_ARGS": "-no-color"}

    def workspace(self, name, configuration):
        """A folder of that name with that configuration, which is initialised."""
        folder = self.scratch / name
        folder.mkdir()
        (folder / "main.tf").write_text(configuration)
        workspace = Workspace(self, folder)
        workspace.run("init")
        return workspace


class Workspace:
    """A folder with a configuration, and a state."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = folder

    def run(self, *arguments, environment=None, **variables):
        """Runs a command, which has to succeed, and says what it took."""
        log = self.folder / "output.txt"
        inputs = {f"TF_VAR_{name}": str(value) for name, value in variables.items()}
        with log.open("w") as output:
            cost = process.run(
                [self.engine.program, *arguments],
                cwd=self.folder,
                env={**self.engine.environment, **(environment or {}), **inputs},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if cost.status != 0:
            said = log.read_text()[-4000:]
            sys.exit(f"{' '.join(arguments)} in {self.folder.name} ended with {cost.status}:\n{said}")
        return cost

    def state(self):
        return json.loads(self.state_file.read_text())

    def write_state(self, state):
        self.state_file.write_text(json.dumps(state))

    def without_state(self):
        for file in self.folder.glob("terraform.tfstate*"):
            file.unlink()

    @property
    def state_file(self):
        return self.folder / "terraform.tfstate"
