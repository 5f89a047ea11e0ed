"""Real stations for end-to-end tests: processes of the built program, each under its own --root.

Tests wait for observable state (wait_until), never for time. Python 3.11, standard library only.

The environment names what to test:
    STATIONSYNC_BIN      the program; its plugins lie in plugins/ beside it
    STATIONSYNC_RELEASE  "1" for a build without fault points and test clock
"""

import contextlib
import errno
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

PROGRAM = os.environ.get("STATIONSYNC_BIN", "")
IS_RELEASE = os.environ.get("STATIONSYNC_RELEASE") == "1"
# A sanitizer build on two shared cores is slow; no test judges by time below this.
PATIENCE_S = float(os.environ.get("STATIONSYNC_PATIENCE", "60"))
PROJECT = "Plant"
# Of loopback addresses that tests take for their stations, and the UDP port that marks one as taken.
BLOCKS = 240 * 250
CLAIM_PORT = 8883


class Failure(AssertionError):
    """A condition did not come true; the text names it and the last state seen."""


def wait_until(condition, what, timeout=None, every=0.05):
    """Returns the first true value of condition(); raises Failure after `timeout` seconds.

    An exception in `condition` counts as false (a service that is just starting) and is shown at the end.
    """
    deadline = time.monotonic() + (timeout or PATIENCE_S)
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, LookupError, ValueError, http.client.HTTPException, ApiError) as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            raise Failure(f"not within {timeout or PATIENCE_S:.0f} s: {what}; last seen: {last!r}")
        time.sleep(every)


class ApiError(Exception):
    """The service answered with an error."""

    def __init__(self, status, body):
        error = body.get("error", {}) if isinstance(body, dict) else {}
        self.status = status
        self.code = error.get("code", "")
        self.text = error.get("text", "")
        self.remedy = error.get("remedy", "")
        super().__init__(f"{status} {self.code}: {self.text} {self.remedy}")


class Station:
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

    # The local API --------------------------------------------------------------------------------

    def _connection(self, timeout):
        place = json.loads((self.root / "state" / "api" / "api.json").read_text())
        if self.namespace:
            return NamespaceConnection(self.namespace, place["address"], place["port"], timeout)
        return http.client.HTTPConnection(place["address"], place["port"], timeout=timeout)

    def _token(self, kind):
        return (self.root / "state" / "api" / f"{kind}.token").read_text().strip()

    def get(self, view, **parameters):
        target = "/v1/" + view
        if parameters:
            target += "?" + urllib.parse.urlencode(parameters)
        return self._exchange("GET", target, "view", None)

    def act(self, action, **arguments):
        return self._exchange("POST", "/v1/actions/" + action, "act", arguments)

    def _exchange(self, method, target, token, body):
        connection = self._connection(timeout=60)
        try:
            headers = {"Authorization": "Bearer " + self._token(token)}
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, target, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            content = json.loads(answer.read() or b"null")
            if answer.status != 200:
                raise ApiError(answer.status, content)
            return content
        finally:
            connection.close()

    def status(self):
        return self.get("status")

    def provider(self, name):
        return next(p for p in self.status()["providers"] if p["name"] == name)

    def messages(self, text=""):
        return [m for m in self.status()["messages"] if text in m["text"] + " " + m.get("remedy", "")]

    def station_list(self):
        return self.get("stations")

    def peer(self, other):
        """What this station says about another one (a Station or a name); None when unknown."""
        name = other if isinstance(other, str) else other.name
        return next((s for s in self.station_list() if s.get("name") == name), None)

    def objects(self, provider=None):
        return self.get("objects", **({"provider": provider} if provider else {}))

    def object(self, provider, key):
        return next((o for o in self.objects(provider) if o["key"] == key), None)

    def history(self, provider=None, key=None):
        parameters = {k: v for k, v in (("provider", provider), ("key", key)) if v}
        return self.get("history", **parameters)

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


class NamespaceConnection(http.client.HTTPConnection):
    """Connects from inside a network namespace: setns in a thread of its own, which keeps the rest out."""

    def __init__(self, namespace, host, port, timeout):
        super().__init__(host, port, timeout=timeout)
        self._namespace = namespace

    def connect(self):
        failure = []

        def enter_and_connect():
            try:
                import ctypes
                with open(f"/run/netns/{self._namespace}") as handle:
                    if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                http.client.HTTPConnection.connect(self)
            except OSError as error:
                failure.append(error)

        thread = threading.Thread(target=enter_and_connect)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]


class EventStream:
    """Reads GET /v1/events of a station in the background."""

    def __init__(self, station, view="events"):
        self.events = []
        self._connection = station._connection(timeout=None)
        self._connection.request("GET", "/v1/" + view,
                                 headers={"Authorization": "Bearer " + station._token("view")})
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise ApiError(self._answer.status, {})
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        kind, data = "", ""
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException, AttributeError):
            for raw in self._answer:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    self.events.append((kind, json.loads(data)))
                    kind, data = "", ""

    def wait(self, kind, test=lambda event: True, timeout=None):
        return wait_until(lambda: [e for k, e in self.events if k == kind and test(e)],
                          f"event '{kind}'", timeout)[0]

    def close(self):
        self._connection.close()


def files_provider(station, name="recipes", folder="recipes", settle="200ms", scan="2s", extra=""):
    """A section of a project file for plugin filesync; makes the folder."""
    root = station.data / folder
    root.mkdir(parents=True, exist_ok=True)
    return (f'[providers.{name}]\nplugin = "filesync"\nsettle = "{settle}"\nscan_interval = "{scan}"\n'
            f'root = {json.dumps(str(root))}\n{extra}\n')


def sqlite_provider(station, name="batchdb", files=("batch.db",), settle="200ms", scan="2s", extra=""):
    """A section of a project file for plugin sqlite; the databases lie in the folder `db`."""
    folder = station.data / "db"
    folder.mkdir(parents=True, exist_ok=True)
    paths = json.dumps([str(folder / file) for file in files])
    return (f'[providers.{name}]\nplugin = "sqlite"\nsettle = "{settle}"\nscan_interval = "{scan}"\n'
            f'files = {paths}\n{extra}\n')


def put(path, content):
    """Writes a file of a station's data at once: half of it, seen on a slow machine, would be a state of its own."""
    aside = next(folder for folder in path.parents if folder.name == "data").parent / "being-written"
    aside.write_bytes(content)
    os.replace(aside, path)


class Plant:
    """Stations of one test, in a temporary folder and a block of loopback addresses of their own.

    Use it in a `with` statement: at the end all processes are gone, after a failure their state is told.
    """

    def __init__(self, names="AB", folder=None, program=None, addresses=None):
        if not (program or PROGRAM):
            raise RuntimeError("STATIONSYNC_BIN names no program; run these tests through ctest or tools/test")
        self.program = program or PROGRAM
        self._own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="stationsync-test-"))
        self.stations = []
        self._claim = None
        for name, address in zip(names, addresses or self._own_addresses(len(names))):
            self.stations.append(Station(self, name, address))

    _tried = 0

    def _own_addresses(self, count):
        # 127.X.Y.n. Tests run beside each other, so a block is claimed by a socket bound to its last address;
        # the process id alone only makes a first try that is likely to be free.
        for _ in range(BLOCKS):
            number = (os.getpid() * 7 + Plant._tried) % BLOCKS
            Plant._tried += 1
            prefix = f"127.{10 + number // 250}.{1 + number % 250}"
            claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                claim.bind((prefix + ".254", CLAIM_PORT))
            except OSError as error:
                claim.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._claim = claim
            return [f"{prefix}.{n + 1}" for n in range(count)]
        raise RuntimeError("all blocks of loopback addresses are taken by other tests")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, unittest.SkipTest):
            self.tell()
        self.close()

    def __iter__(self):
        return iter(self.stations)

    def __getitem__(self, index):
        return self.stations[index]

    def tell(self, out=sys.stderr):
        """Prints what helps to understand a failure."""
        for station in self.stations:
            print(f"=== {station.name} ({station.address}) "
                  f"{'runs' if station.is_running() else 'does not run'}", file=out)
            with contextlib.suppress(Exception):
                print("stations:", json.dumps(station.station_list()), file=out)
                status = station.status()
                print("status:", json.dumps({k: status[k] for k in ("engine", "reason", "messages",
                                                                    "providers")}), file=out)
                print("not in step:", json.dumps(
                    [o for o in station.objects() if o["state"] != "in_sync"][:10]), file=out)
            print(station.output_tail(60), file=out)

    def close(self):
        for station in self.stations:
            if station.is_running():
                station.process.kill()
        for station in self.stations:
            if station.process is not None:
                station.process.wait()
        if self._claim:
            self._claim.close()
        if self._own_folder and os.environ.get("STATIONSYNC_KEEP") != "1":
            shutil.rmtree(self.folder, ignore_errors=True)

    def join_all(self, *make_providers, product_version="1.0"):
        """The first station inits, the others join; each provider is made by function(station)."""
        first = self.stations[0].init()
        code = first.invite()
        for station in self.stations[1:]:
            station.join(code)
        for station in self.stations:
            station.configure(*(make(station) for make in make_providers), product_version=product_version)
        return self

    def start_all(self):
        for station in self.stations:
            station.start(wait=False)
        for station in self.stations:
            station.wait_running()
        return self

    def wait_connected(self):
        for station in self.stations:
            station.wait_connected(*(other for other in self.stations if other is not station))
        return self

    def wait_all_synced(self, timeout=None):
        for station in self.stations:
            station.wait_all_synced(timeout)
        return self

    def wait_equal_digests(self, provider, timeout=None):
        """Green must mean proven equal: the digest over all objects agrees."""
        def equal():
            digests = {s.provider(provider)["digest"] for s in self.stations}
            return len(digests) == 1 and digests != {""}
        wait_until(equal, f"all stations have the same digest of {provider}", timeout)
        return self


def need_root(what):
    if os.geteuid() != 0:
        raise unittest.SkipTest(f"{what} needs root; not checked here")


def need_test_build():
    if IS_RELEASE:
        raise unittest.SkipTest("needs the fault points and the test clock of the dev build")
