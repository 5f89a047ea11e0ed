"""One station: a process of the built program with files of its own."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from station_api import StationApi
from waiting import PATIENCE_S, Failure, wait_until

PROGRAM = os.environ.get("STATIONSYNC_BIN", "")
PROJECT = "Plant"


class Station(StationApi):
    """One station of a Plant. `root` is its --root, `data` holds what it synchronizes."""

    def __init__(self, plant, name, address, namespace=None):
        self.plant = plant
        self.name = name
        self.address = address
        self.namespace = namespace
        self.folder = plant.folder / name
        self.root = self.folder / "root"
        self.data = self.folder / "data"
        self.output = self.folder / "output.txt"
        self.clock_file = self.folder / "clock_offset_us"
        self.process = None
        self.runs = 0
        self.program = plant.program
        self.environment = {}
        self.data.mkdir(parents=True)

    # Commands -------------------------------------------------------------------------------------

    def _in_namespace(self):
        return ["ip", "netns", "exec", self.namespace] if self.namespace else []

    def _environment(self, extra=None):
        environment = dict(os.environ)
        environment["STATIONSYNC_TEST_CLOCK"] = str(self.clock_file)
        environment.update(self.environment)
        environment.update(extra or {})
        return environment

    def command(self, *arguments, given=None, timeout=120):
        """Runs one command line; returns the finished process with text output."""
        return subprocess.run(
            [*self._in_namespace(), self.program, "--root", str(self.root), *arguments],
            input=given, stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True, text=True, timeout=timeout, env=self._environment(), check=False)

    def cli(self, *arguments, given=None, timeout=120):
        """The same, which must succeed; returns its standard output."""
        done = self.command(*arguments, given=given, timeout=timeout)
        if done.returncode != 0:
            raise Failure(f"{self.name}: stationsync {' '.join(arguments)} ended with "
                          f"{done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def cli_json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json"))

    # Setting up -----------------------------------------------------------------------------------

    def init(self, project=PROJECT):
        self.cli("init", "--project", project, "--station", self.name, "--listen", self.address)
        return self

    def invite(self):
        return self.command("invite").stdout

    def join(self, code):
        self.cli("join", "-", "--station", self.name, "--listen", self.address, given=code)
        return self

    def project_file(self, project=PROJECT):
        return self.root / "projects" / f"{project}.toml"

    def configure(self, *providers, product_version="1.0", dial=None, project=PROJECT, top=""):
        """Writes the project file: provider sections as text (see files_provider, sqlite_provider).

        `dial`: "host:port" of the stations to look for; default all others of the plant. `top`: further
        lines at the head of the file; with product_version None they may name its source.
        """
        if dial is None:
            dial = [f"{other.address}:8883" for other in self.plant.stations if other is not self]
        text = "" if product_version is None else f'product_version = "{product_version}"\n'
        text += top + "\n" + "\n".join(providers)
        text += f'\n[discovery.stations]\nplugin = "discovery-static"\nstations = {json.dumps(dial)}\n'
        self.project_file(project).write_text(text, encoding="utf-8")
        return self

    def station_setting(self, section, line):
        """Adds `line` to a section of station.toml."""
        path = self.root / "station.toml"
        text = path.read_text(encoding="utf-8")
        position = text.index("\n", text.index(f"[{section}]")) + 1
        path.write_text(text[:position] + line + "\n" + text[position:], encoding="utf-8")

    # The process ----------------------------------------------------------------------------------

    def start(self, environment=None, prefix=(), wait=True):
        assert self.process is None or self.process.poll() is not None, "runs already"
        self.runs += 1
        # Without this file of an earlier, killed process the wait below would end too early.
        with contextlib.suppress(FileNotFoundError):
            (self.root / "state" / "api" / "api.json").unlink()
        with self.output.open("ab") as output:
            output.write(f"--- start {self.runs} of {self.name}\n".encode())
            output.flush()
            self.process = subprocess.Popen(
                [*self._in_namespace(), *prefix, self.program, "--root", str(self.root), "run"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=self._environment(environment), start_new_session=True)
        if wait:
            self.wait_running()
        return self

    def wait_running(self):
        def answers():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with {self.process.returncode} while starting:\n"
                              f"{self.output_tail()}")
            return self.status()
        wait_until(answers, f"{self.name} answers")
        return self

    def pid(self):
        """The service itself, also below `ip netns exec` or faketime (both replace themselves)."""
        return self.process.pid

    def stop(self, timeout=PATIENCE_S):
        """SIGTERM; must end with exit code 0. Returns the seconds that it took."""
        begin = time.monotonic()
        self.process.terminate()
        code = self.process.wait(timeout)
        if code != 0:
            raise Failure(f"{self.name} ended with {code} after SIGTERM:\n{self.output_tail()}")
        return time.monotonic() - begin

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def wait_killed(self, timeout=None):
        """Waits until the process has killed itself at a fault point."""
        wait_until(lambda: self.process.poll() is not None, f"{self.name} dies", timeout)
        if self.process.returncode not in (-signal.SIGKILL, 137):
            raise Failure(f"{self.name} ended with {self.process.returncode}, not by a fault point:\n"
                          f"{self.output_tail()}")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def output_tail(self, lines=40):
        if not self.output.exists():
            return "(no output)"
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:])

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise LookupError("VmRSS")

    def peak_resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise LookupError("VmHWM")

    def shift_clock(self, seconds):
        """Moves the station's wall clock (test builds read the offset on every use)."""
        new = self.clock_file.with_suffix(".new")
        new.write_text(str(int(seconds * 1_000_000)))
        new.replace(self.clock_file)

    def runs_command(self, *arguments):
        """Whether a command that this station has started runs: its environment names the station's files."""
        mark = str(self.clock_file).encode()
        wanted = b"".join(argument.encode() + b"\0" for argument in arguments)
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cmdline").read_bytes() == wanted and mark in (process / "environ").read_bytes():
                    return True
        return False

    def log_text(self):
        folder = self.root / "log"
        return "".join(f.read_text(errors="replace") for f in sorted(folder.glob("*.log")))

    # Waiting --------------------------------------------------------------------------------------

    def wait_connected(self, *others, timeout=None):
        for other in others:
            wait_until(lambda other=other: (self.peer(other) or {}).get("state") == "connected",
                       f"{self.name} is connected with {other.name}", timeout)
        return self

    def wait_synced(self, provider, key, timeout=None):
        def synced():
            found = self.object(provider, key)
            return found if found and found["state"] == "in_sync" else None
        return wait_until(synced, f"{self.name}: {provider}/{key} is in step", timeout)

    def wait_all_synced(self, timeout=None):
        def synced():
            status = self.status()
            providers = [p for p in status["providers"] if p["state"] != "disabled"]
            return status["engine"] == "running" and providers and all(
                p["state"] == "ok" and p["unsynced"] == 0 for p in providers)
        wait_until(synced, f"{self.name} is in step", timeout)
        return self

    def wait_file(self, relative, content, timeout=None):
        path = self.data / relative
        def arrived():
            return path.stat().st_size == len(content) and path.read_bytes() == content
        wait_until(arrived, f"{self.name}: {relative} has the expected {len(content)} bytes", timeout)
        return path

    def wait_message(self, text, timeout=None):
        return wait_until(lambda: self.messages(text), f"{self.name} says '{text}'", timeout)[0]

    def wait_history(self, what, provider=None, key=None, timeout=None):
        return wait_until(
            lambda: [h for h in self.history(provider, key) if h["what"] == what],
            f"{self.name}: history has '{what}' of {provider}/{key}", timeout)
