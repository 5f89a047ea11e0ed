"""The stand-in as a process of a test, and its control channel."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

from waiting import PATIENCE_S

DRIVER = "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so"


class StandIn:
    """Starts the program. Options are those of `python3 -m sqlserver`, e.g. version="2022", edition="standard"."""

    def __init__(self, directory, **options):
        self.directory = pathlib.Path(directory)
        self.options = options
        self.password = options.get("password", "secret")
        self.port = options.get("port", 0)
        self._process = None
        self._control = None
        self._stream = None
        self.launch()

    def launch(self):
        """Starts the process; after `end` or `kill` again on the same port, with the databases as they were."""
        arguments = [f"--{key}={value}" for key, value in dict(self.options, port=self.port).items()]
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "sqlserver", str(self.directory),
             f"--with-parent={os.getpid()}", *arguments],
            stdout=subprocess.PIPE, text=True,
            cwd=pathlib.Path(__file__).parent.parent)
        try:
            words = self._process.stdout.readline().split()
            if len(words) != 4 or words[0] != "listening":
                raise AssertionError(f"the SQL Server stand-in does not start: {words}")
            self.port = int(words[1])
            self._control = socket.create_connection(("127.0.0.1", int(words[3])))
            self._stream = self._control.makefile("rw", encoding="utf-8")
        except BaseException:
            self.kill()
            raise

    def end(self, checks=True):
        """SIGTERM; the exit code of the process. What `check` would find is lost with it, so it is looked at before."""
        try:
            if checks:
                self.check()
        finally:
            code = self._end_by(self._process.terminate)
        return code

    def kill(self):
        self._end_by(self._process.kill)

    def _end_by(self, order):
        try:
            self._close_control()
        finally:
            order()
            try:
                code = self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise
            finally:
                self._process.stdout.close()
        return code

    def _close_control(self):
        for channel in (self._stream, self._control):
            if channel is not None:
                with contextlib.suppress(OSError):  # what could not be written to a process that is gone
                    channel.close()
        self._stream = self._control = None

    def connection_string(self, user="sa", password=None, database="master", program="test", more=""):
        return (f"Driver={DRIVER};Server=127.0.0.1;Port={self.port};UID={user};PWD={password or self.password};"
                f"Database={database};APP={program};TDS_Version=7.4;ClientCharset=UTF-8;Encryption=off;{more}")

    def tell(self, request, /, **fields):
        self._stream.write(json.dumps({"do": request, **fields}) + "\n")
        self._stream.flush()
        answer = json.loads(self._stream.readline())
        if "error" in answer:
            raise AssertionError(f"the stand-in answers '{answer['error']}' to {request}")
        return answer["ok"]

    def __getattr__(self, action):
        """Every request of control.py is a method: stand_in.clock(offset_s=3600)."""
        if action.startswith("_"):
            raise AttributeError(action)
        return lambda **fields: self.tell(action, **fields)

    def check(self, program=None):
        """Fails when there was a sin against the protocol or a statement that the stand-in does not know."""
        problems = self.tell("problems", program=program)
        if problems["sins"] or problems["unknown"]:
            raise AssertionError(f"sins: {problems['sins']}\nunknown: {problems['unknown']}")

    def hold(self, match, stage="data", percent=0, **more):
        """The next statement that matches hangs there until `release`."""
        return self.tell("fault", match=match, stage=stage, percent=percent, action="hang", **more)

    def wait_held(self, identifier, timeout=PATIENCE_S):
        deadline = time.monotonic() + timeout
        while not self.tell("fault_state", id=identifier)["held"]:
            if time.monotonic() > deadline:
                raise AssertionError("no statement came to the held place")
            time.sleep(0.01)

    def release(self, identifier):
        self.tell("release", id=identifier)
