"""Two network namespaces joined by a cable, with packet rules in each. Needs root."""

import os
import subprocess
import unittest


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


class Cable:
    """Namespaces `names[0]`, `names[1]` with addresses 10.99.0.1 and 10.99.0.2."""

    addresses = ("10.99.0.1", "10.99.0.2")
    _made = 0

    def __init__(self, test):
        Cable._made += 1
        tag = f"{os.getpid()}-{Cable._made}"
        self.names = (f"stsync-{tag}-a", f"stsync-{tag}-b")
        ends = (f"sa{tag}"[:15], f"sb{tag}"[:15])
        try:
            for name in self.names:
                run("ip", "netns", "add", name)
                test.addCleanup(subprocess.run, ["ip", "netns", "del", name], check=False, capture_output=True)
            run("ip", "link", "add", ends[0], "netns", self.names[0], "type", "veth",
                "peer", "name", ends[1], "netns", self.names[1])
            for name, end, address in zip(self.names, ends, self.addresses):
                run("ip", "-n", name, "link", "set", "lo", "up")
                run("ip", "-n", name, "link", "set", end, "up")
                run("ip", "-n", name, "address", "add", address + "/24", "dev", end)
                run("ip", "netns", "exec", name, "nft", "add table ip stsync; add chain ip stsync input "
                    "{ type filter hook input priority 0; }")
        except (RuntimeError, FileNotFoundError) as error:
            raise unittest.SkipTest(f"no network namespaces here: {error}") from error

    def forbid(self, side, verdict):
        """New connections to port 8883 of `side` (0 or 1) get the nft `verdict`, e.g. "drop"."""
        run("ip", "netns", "exec", self.names[side], "nft",
            f"add rule ip stsync input tcp dport 8883 tcp flags & (syn|ack) == syn {verdict}")

    def allow_all(self, side):
        run("ip", "netns", "exec", self.names[side], "nft", "flush chain ip stsync input")
