"""stationsync-relay as a process: a line between two stations that a test can spoil (tests/support/relay)."""

import pathlib
import subprocess

from stations import PROGRAM, Failure


class Relay:
    """Listens on `address` ("host:port", port 0 takes any free one) and passes on to `target`."""

    def __init__(self, test, address, target):
        self._process = subprocess.Popen(
            [str(pathlib.Path(PROGRAM).with_name("stationsync-relay")), address, target],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.close)
        first = self._process.stdout.readline().split()
        if len(first) != 2 or first[0] != "listening":
            raise Failure(f"the relay from {address} to {target} does not start: {first}")
        self.address = first[1]

    def tell(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise Failure(f"the relay answers '{answer}' to '{line}'")
        return answer

    def carried(self):
        """Bytes handed on so far, both ways."""
        _, there, back = (int(number) for number in self.tell("stats").split())
        return there + back

    def reset(self):
        """Standing connections are reset, new ones refused."""
        self.tell("refuse")
        self.tell("cut")

    def fall_silent(self):
        """Nothing goes through any more; both ends have to find out by themselves."""
        self.tell("swallow")

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
