"""Tests wait for observable state, never for time."""

import http.client
import os
import time
import unittest

IS_RELEASE = os.environ.get("STATIONSYNC_RELEASE") == "1"
# A sanitizer build on two shared cores is slow; no test judges by time below this.
PATIENCE_S = float(os.environ.get("STATIONSYNC_PATIENCE", "60"))


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


def need_root(what):
    if os.geteuid() != 0:
        raise unittest.SkipTest(f"{what} needs root; not checked here")


def need_test_build():
    if IS_RELEASE:
        raise unittest.SkipTest("needs the fault points and the test clock of the dev build")
