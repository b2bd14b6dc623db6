"""What the processes cost that an engine starts for its plugins.

Nothing is put between an engine and its plugins. The system is asked, every few milliseconds, until they are gone: what
a process does after it was asked for the last time is not counted.
"""

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.002
SELDOM = 5
"""What takes the system longer to say is asked only every so many times: an engine's new children, and the memory of
those that have lived for a while."""
YOUNG = 100
"""That is, were asked for so many times. A process that is younger grows from one time to the next, and may end soon."""


@dataclass
class Cost:
    """What one command of an engine took."""

    status: int
    wall: float
    """Seconds from its start to its end."""
    engine: float
    """Seconds of processor time that the engine itself took, without its plugins."""
    plugins: list = field(default_factory=list)
    """Each of its plugin's processes."""

    @property
    def processor(self):
        """Seconds of processor time of all plugin processes together."""
        return sum(plugin.processor for plugin in self.plugins)

    @property
    def memory(self):
        """The most memory that one plugin process had resident at any time, in MB."""
        return max((plugin.memory for plugin in self.plugins), default=0) / 1e6


@dataclass
class Plugin:
    """What is known of one process."""

    processor: float = 0
    memory: int = 0
    asked: int = 0
    """How often the system was asked for it."""
    is_gone: bool = False


def run(command, **options):
    """Runs a command of an engine to its end, and says what it took."""
    began = time.monotonic()
    process = subprocess.Popen(command, **options)
    watch = Watch(process.pid)
    watch.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        watch.end()
    plugins = list(watch.plugins.values())
    # What the system says of the engine has in it the children that the engine has waited for.
    engine = used.ru_utime + used.ru_stime - sum(plugin.processor for plugin in plugins)
    return Cost(process.returncode, wall, engine, plugins)


class Watch(threading.Thread):
    """Asks the system what the children of an engine have taken so far."""

    def __init__(self, engine):
        super().__init__(daemon=True)
        self.engine = engine
        self.plugins = {}
        self.over = threading.Event()

    def run(self):
        turn = 0
        while not self.over.wait(EVERY):
            known = [pid for pid, plugin in self.plugins.items() if not plugin.is_gone]
            is_turn = turn % SELDOM == 0
            if not known or is_turn:
                known += [pid for pid in self.children() if pid not in self.plugins]
            for pid in known:
                self.ask(pid, is_turn)
            turn += 1

    def end(self):
        self.over.set()
        self.join()

    def children(self):
        """Any of an engine's threads may have started one."""
        found = []
        try:
            threads = os.listdir(f"/proc/{self.engine}/task")
        except OSError:
            return []  # It is gone.
        for thread in threads:
            try:
                found += Path(f"/proc/{self.engine}/task/{thread}/children").read_text().split()
            except OSError:
                pass  # The thread is gone.
        return [int(pid) for pid in found]

    def ask(self, pid, is_turn):
        if pid not in self.plugins:
            # Until it has become another program, a child shares the engine's memory, and its memory is the engine's.
            if same_program(pid, self.engine):
                return
            self.plugins[pid] = Plugin()
        plugin = self.plugins[pid]
        try:
            plugin.processor = max(plugin.processor, processor_time(pid))
            if is_turn or plugin.asked < YOUNG:
                plugin.memory = max(plugin.memory, memory(pid))
            plugin.asked += 1
        except (OSError, StopIteration):
            plugin.is_gone = True


def same_program(one, other):
    try:
        return os.readlink(f"/proc/{one}/exe") == os.readlink(f"/proc/{other}/exe")
    except OSError:
        return True


def processor_time(pid):
    """Seconds of processor time of a process with all its threads, those that have ended too.

    Linux has a clock of this kind for every process, whose number is made of the process's. It counts nanoseconds,
    where /proc/PID/stat counts hundredths of a second, and /proc/PID/schedstat one thread only.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid):
    """The most that a process has had resident so far, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
