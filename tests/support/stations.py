"""Real stations for end-to-end tests: processes of the built program, each under its own --root.

The one door to what tests need of it. Python 3.11, standard library only.

The environment names what to test:
    STATIONSYNC_BIN      the program; its plugins lie in plugins/ beside it
    STATIONSYNC_RELEASE  "1" for a build without fault points and test clock
"""

from plants import Plant
from providers import files_provider, put, sqlite_provider, sqlserver_provider
from station import PROGRAM, PROJECT, Station
from station_api import EventStream
from waiting import IS_RELEASE, PATIENCE_S, ApiError, Failure, need_root, need_test_build, wait_until

__all__ = ["ApiError", "EventStream", "Failure", "IS_RELEASE", "PATIENCE_S", "PROGRAM", "PROJECT", "Plant", "Station",
           "files_provider", "need_root", "need_test_build", "put", "sqlite_provider",
           "sqlserver_provider", "wait_until"]
