"""Plan and apply of many endpoints by a real engine, beside providers that ask nobody."""

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import local_provider

from .engine import Engine
from .fake import Certificate, Fake
from .figures import Figure, Target, median

RUNS_OF_SCHEMA = 5
RUNS_OF_PLAN = {100: 5, 1_000: 5, 3_000: 1, 10_000: 1}
"""How often a plan of so many is made. At 10,000 Terraform itself takes more than a minute, whatever the provider."""

HELD = (1_000, 10_000)
"""The plans that are held to a target."""

PER_PAGE = 100

CREATED, LATENCY = 1_000, 50
"""So many endpoints are created, and HeyGen takes so many milliseconds for each."""
RUNS_OF_APPLY = {10: 1, 50: 2}
"""How often, by how many at once."""

WALL_TARGET, PROCESSOR_TARGET = 1.05, 1.2
"""How much more than the provider that does nothing ours may take."""
MEMORY_TARGETS = {1_000: 9, 10_000: 16}
SCHEMA_MEMORY_TARGET = 6

MARK = "00000"
"""What an instance in state has where its number belongs. Configurations write it with `format("%05d", count.index)`."""

# About 60 bytes, and two events.
URL = 'https://hooks.example.com/workspaces/${format("%05d", count.index)}/heygen-deliveries'
EVENTS = ["avatar_video.success", "avatar_video.fail"]
ENDPOINT = f"""\
  count  = var.n
  url    = "{URL}"
  events = {json.dumps(EVENTS)}
"""

OURS, FLOOR, BUILT_IN = "heygen", "do-nothing", "terraform_data"


def wall(n):
    return f"plan of {n:,}: wall"


def processor(n):
    return f"plan of {n:,}: CPU of the plugin"


def engine_processor(n):
    return f"plan of {n:,}: CPU of the engine"


def processor_for_each(n):
    return f"plan of {n:,}: CPU of the plugin for each endpoint"


def memory(n):
    return f"plan of {n:,}: memory of the plugin at most"


def list_calls(n):
    return f"plan of {n:,}: list calls"


@dataclass
class Contestant:
    """What is planned and applied: a configuration of `var.n` resources, and the provider that they are of."""

    name: str
    """What the table calls it."""
    resource: str
    """The resource, as HCL."""
    address: str = None
    """The provider's; none where the provider is part of the engine."""
    binary: Path = None
    environment: dict = field(default_factory=dict)
    template: dict = None
    """The state that an apply of one resource has left."""

    @property
    def configuration(self):
        head = ""
        if self.address:
            local_name = self.address.rsplit("/", 1)[-1]
            head = f"terraform {{\n  required_providers {{\n    {local_name} = {{ source = \"{self.address}\" }}\n  }}\n}}\n"
        return f'{head}\nvariable "n" {{\n  type = number\n}}\n\n{self.resource}'

    def instance(self, text, number):
        """The resource of this number in state, made of the text of the first one."""
        return text.replace(MARK, f"{number:05}")

    def state(self, n):
        """As an apply of so many leaves it, which would take many times as long as a plan does."""
        state = json.loads(json.dumps(self.template))
        (resource,) = state["resources"]
        (first,) = resource["instances"]
        text = json.dumps(first)
        made = (json.loads(self.instance(text, number)) for number in range(n))
        resource["instances"] = [{**instance, "index_key": number} for number, instance in enumerate(made)]
        return state


@dataclass
class OfHeyGen(Contestant):
    """Ours. HeyGen has to have the same endpoints as state."""

    endpoints: list = field(default_factory=list)

    def take_first(self, fake):
        self.endpoints = fake.call("GET", "endpoints")

    def seed(self, fake, n):
        """Has HeyGen have so many."""
        for number in range(len(self.endpoints), n):
            url = URL.replace('${format("%05d", count.index)}', f"{number:05}")
            made = {"url": url, "events": EVENTS, "created_at": self.created_at}
            self.endpoints.append(fake.call("POST", "endpoints", made))

    @property
    def created_at(self):
        return self.template["resources"][0]["instances"][0]["attributes"]["created_at"]

    def instance(self, text, number):
        first, this = self.endpoints[0], self.endpoints[number]
        for what in ("endpoint_id", "secret"):
            text = text.replace(first[what], this[what])
        return super().instance(text, number)


def contestants(programs):
    ours = OfHeyGen(
        OURS,
        f'resource "heygen_webhook_endpoint" "many" {{\n{ENDPOINT}}}\n',
        local_provider.source(),
        programs.provider,
    )
    floor = Contestant(
        FLOOR,
        f'resource "nothing_endpoint" "many" {{\n{ENDPOINT}}}\n',
        "example.com/bench/nothing",
        programs.do_nothing,
    )
    built_in = Contestant(
        BUILT_IN,
        'resource "terraform_data" "many" {\n'
        f'  count = var.n\n  input = {{\n    url    = "{URL}"\n    events = {json.dumps(EVENTS)}\n  }}\n}}\n',
    )
    others = [
        Contestant(name, programs.other_resources[name].read_text(), f"example.com/bench/{name}", binary)
        for name, binary in programs.others.items()
        if name in programs.other_resources
    ]
    return [ours, floor, built_in, *others]


def measure(programs, figures):
    """Appends the figures of this part to `figures`."""
    if sys.platform != "linux":
        told("terraform is left out: what plugins take is known on Linux only")
        return
    all_of_them = contestants(programs)
    ours, floor, *_ = all_of_them
    with tempfile.TemporaryDirectory(prefix="heygen-bench-") as scratch:
        engine = Engine(Path(scratch), {it.address: it.binary for it in all_of_them if it.address})
        workspaces = {it.name: engine.workspace(it.name, it.configuration) for it in all_of_them}
        certificate = Certificate(Path(scratch) / "certificate")
        with Fake(programs.fake_heygen, certificate) as fake:
            ours.environment = fake.environment
            after_schema(workspaces, all_of_them, figures)
            plans(workspaces, all_of_them, fake, figures)
        applies(workspaces, ours, floor, lambda: Fake(programs.fake_heygen, certificate), figures)


def after_schema(workspaces, all_of_them, figures):
    """The memory of a process that was asked for its schema, and nothing else."""
    costs = {it.name: [] for it in all_of_them if it.address}
    for _ in range(RUNS_OF_SCHEMA):
        for it in all_of_them:
            if it.address:
                cost = workspaces[it.name].run("providers", "schema", "-json", environment=it.environment)
                costs[it.name].append(cost)
    most = medians(costs, lambda cost: cost.memory)
    met = most[OURS] < SCHEMA_MEMORY_TARGET
    target = Target(f"under {SCHEMA_MEMORY_TARGET} MB", met)
    figures.append(figure("schema: memory of the plugin at most", "MB", most, target, RUNS_OF_SCHEMA))


def plans(workspaces, all_of_them, fake, figures):
    ours = all_of_them[0]
    for it in all_of_them:
        workspace = workspaces[it.name]
        workspace.run("apply", "-auto-approve", environment=it.environment, n=1)
        it.template = workspace.state()
    ours.take_first(fake)

    per_endpoint = {}
    for n, runs in RUNS_OF_PLAN.items():
        ours.seed(fake, n)
        for it in all_of_them:
            workspaces[it.name].write_state(it.state(n))
        costs = {it.name: [] for it in all_of_them}
        lists = set()
        for run in range(runs):
            for it in in_turn(all_of_them, run):
                fake.forget_requests()
                # Any other status but 0 would say that there is something to do.
                cost = workspaces[it.name].run("plan", "-detailed-exitcode", environment=it.environment, n=n)
                costs[it.name].append(cost)
                told(f"plan of {n:,}: {it.name} {cost.wall:.2f} s, its plugin {cost.processor * 1e3:.0f} ms")
                if it is ours:
                    requests = fake.requests()
                    lists.add(len(requests))
                    if set(requests) != {"list"}:
                        sys.exit(f"A plan has made other calls than lists: {sorted(set(requests))}")
        figures += figures_of_plan(n, runs, costs, max(lists))
        per_endpoint[n] = medians(costs, lambda cost: cost.processor * 1e6 / n)

    few, many = HELD
    target = Target(f"no more than for each of {few:,}", per_endpoint[many][OURS] <= per_endpoint[few][OURS])
    figures.append(figure(processor_for_each(few), "µs", per_endpoint[few]))
    figures.append(figure(processor_for_each(many), "µs", per_endpoint[many], target))


def in_turn(all_of_them, run):
    """One after the other, so that what else the machine does strikes all alike; and another one first in each run,
    because the first finds the machine as the last one of the run before has left it."""
    first = run % len(all_of_them)
    return all_of_them[first:] + all_of_them[:first]


def figures_of_plan(n, runs, costs, lists):
    with_plugin = {name: some for name, some in costs.items() if some[0].plugins}
    walls = medians(costs, lambda cost: cost.wall)
    processors = medians(with_plugin, lambda cost: cost.processor * 1e3)
    memories = medians(with_plugin, lambda cost: cost.memory)
    pages = -(-n // PER_PAGE)
    yield figure(wall(n), "s", walls, n in HELD and at_most(walls, WALL_TARGET), runs)
    yield figure(processor(n), "ms", processors, n in HELD and at_most(processors, PROCESSOR_TARGET), runs)
    yield figure(engine_processor(n), "s", medians(costs, lambda cost: cost.engine), runs=runs)
    limit = MEMORY_TARGETS.get(n)
    target = limit and Target(f"under {limit} MB", memories[OURS] < limit)
    yield figure(memory(n), "MB", memories, target, runs)
    yield figure(list_calls(n), "", {OURS: lists}, Target(f"at most {pages}", lists <= pages), runs)


def applies(workspaces, ours, floor, new_fake, figures):
    """Creations, each of which waits for HeyGen as long as the other provider's waits for nothing."""
    for parallelism, runs in RUNS_OF_APPLY.items():
        costs = {ours.name: [], floor.name: []}
        for run in range(runs):
            for it in in_turn([ours, floor], run):
                workspaces[it.name].without_state()
                if it is ours:
                    with new_fake() as fake:
                        fake.call("PATCH", "behaviour", {"latency_ms": LATENCY})
                        cost = apply(workspaces[it.name], fake.environment, parallelism)
                        requests = fake.requests()
                    if requests != ["create"] * CREATED:
                        sys.exit(f"An apply has made {len(requests)} calls, of {sorted(set(requests))}")
                else:
                    cost = apply(workspaces[it.name], {"NOTHING_WAIT_MS": str(LATENCY)}, parallelism)
                costs[it.name].append(cost)
                told(f"apply at {parallelism}: {it.name} {cost.wall:.2f} s")
        what = f"apply of {CREATED:,}, {parallelism} at once, {LATENCY} ms each"
        walls = medians(costs, lambda cost: cost.wall)
        processors = medians(costs, lambda cost: cost.processor * 1e3)
        figures.append(figure(f"{what}: wall", "s", walls, at_most(walls, WALL_TARGET), runs))
        figures.append(figure(f"{what}: CPU of the plugin", "ms", processors, runs=runs))


def apply(workspace, environment, parallelism):
    arguments = ("-auto-approve", f"-parallelism={parallelism}")
    return workspace.run("apply", *arguments, environment=environment, n=CREATED)


def figure(what, unit, values, target=None, runs=1):
    beside = {name: value for name, value in values.items() if name != OURS}
    return Figure(what, unit, values[OURS], beside, target or None, runs)


def at_most(values, times):
    return Target(f"at most {times} × {FLOOR}", values[OURS] <= times * values[FLOOR])


def medians(costs, of):
    return {name: median([of(cost) for cost in some]) for name, some in costs.items()}


def told(words):
    """This takes minutes: whoever waits sees how far it is."""
    print(f"bench: {words}", file=sys.stderr, flush=True)
