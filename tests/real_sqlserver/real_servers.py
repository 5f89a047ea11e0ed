"""Real instances of SQL Server for the tests of this folder, by the environment; or stand-ins in their place.

    STATIONSYNC_TEST_MSSQL            connection string of an instance; "stand-in": one is started
    STATIONSYNC_TEST_MSSQL_B          of a second one; without it both stations use the first
    STATIONSYNC_TEST_MSSQL_DIR        a folder as the servers name it, where they may write and read
    STATIONSYNC_TEST_MSSQL_DIR_LOCAL  the same folder as these tests see it; default: the same name
    STATIONSYNC_TEST_MSSQL_LONG       "1": also what takes more than a minute or 10 GB

Nothing but databases named zz_stationsync_test_* and the login of that name is touched.
"""

import contextlib
import os
import pathlib
import re
import tempfile
import unittest

from providers import sqlserver_provider
from sql_plant import SqlPlant
from sql_servers import RealServer, StandInServer, need_driver, quoted, text
from sqlserver.odbc import Connection
from waiting import wait_until

PREFIX = "zz_stationsync_test_"
VARIABLE = "STATIONSYNC_TEST_MSSQL"
LOGIN = PREFIX + "login"
# Statements that name a database, or enter one.
_NAMED = re.compile(r"\b(?:CREATE|ALTER|DROP|BACKUP|RESTORE)\s+DATABASE\s+(?:IF\s+EXISTS\s+)?(\[(?:[^\]]|\]\])*\]|\w+)|"
                    r"\bUSE\s+(\[(?:[^\]]|\]\])*\]|\w+)", re.IGNORECASE)
_WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE(?!\s+STATISTICS)|DELETE\s+FROM|MERGE|TRUNCATE\s+TABLE|UPDATE\s+STATISTICS|"
                     r"(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX\s+\w+\s+ON))\s+(\[(?:[^\]]|\]\])*\]|\w+)", re.IGNORECASE)


def setting(name=""):
    return os.environ.get(VARIABLE + name, "")


def owned(name):
    """The name of a database of these tests, or an error: no test gets at another one."""
    if not name.startswith(PREFIX):
        raise AssertionError(f"the database {name} is none of these tests: they use {PREFIX}* only")
    return name


def without_quotes(name):
    return name[1:-1].replace("]]", "]") if name.startswith("[") else name


def check_statement(statement):
    """Fails for a statement that would touch a database that is none of ours; master may be entered."""
    for pattern in (_NAMED, _WRITES):
        for groups in pattern.findall(statement):
            for name in [groups] if isinstance(groups, str) else groups:
                if name and without_quotes(name).lower() != "master":
                    owned(without_quotes(name))


class GuardedConnection(Connection):
    def all(self, text, *parameters):
        check_statement(text)
        return super().all(text, *parameters)


class Guarded:
    """A server whose statements are checked before they are sent."""

    def connect(self):
        return GuardedConnection(self.connection_string)

    def databases(self):
        return {name for name in super().databases() if name.startswith((PREFIX, "~sync"))}

    def drop_all(self):
        for name in sorted(self.databases()):
            if name.startswith(PREFIX):
                with contextlib.suppress(Exception):
                    self.run(f"ALTER DATABASE {quoted(name)} SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
                self.run(f"DROP DATABASE {quoted(name)}")

    def check(self):
        """A stand-in knows more: whether all statements were in order."""


class GuardedReal(Guarded, RealServer):
    def __init__(self, connection_string):
        super().__init__(connection_string)
        local = setting("_DIR_LOCAL") or setting("_DIR")
        if local:
            self.lines.append(f"backup_folder = '{local}'")
        if setting("_DIR"):
            self.lines.append(f"backup_folder_on_server = '{setting('_DIR')}'")


class GuardedStandIn(Guarded, StandInServer):
    def check(self):
        self.tool.check()


def need_server():
    if not setting():
        raise unittest.SkipTest(f"{VARIABLE} names no SQL Server: nothing of this was checked against a real one")
    if setting() == "stand-in":
        need_driver()


def need_real(why):
    need_server()
    if setting() == "stand-in":
        raise unittest.SkipTest(f"{why}: only a real server can tell")


def need_long(why):
    need_real(why)
    if setting("_LONG") != "1":
        raise unittest.SkipTest(f"{why}: only with {VARIABLE}_LONG=1")


class RealCase(unittest.TestCase):
    """A server or two; what was made there is gone afterwards."""

    def setUp(self):
        need_server()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def server(self, second=False):
        """Empty of what such tests have made; its owner closes it."""
        if setting() == "stand-in":
            server = GuardedStandIn(self.folder / ("server B" if second else "server A"), version="2022",
                                    edition="standard")
        else:
            server = GuardedReal(setting("_B") if second and setting("_B") else setting())
        server.drop_all()
        return server

    def path(self, name):
        """(as the server names it, as we see it) of a file in the common folder."""
        on_server = setting("_DIR") or str(self.folder)
        local = pathlib.Path(setting("_DIR_LOCAL") or on_server)
        self.addCleanup(lambda: (local / name).unlink(missing_ok=True))
        separator = "\\" if "\\" in on_server else "/"
        return on_server.rstrip("/\\") + separator + name, local / name


class PairCase(RealCase):
    """Stations A and B with a database each, zz_stationsync_test_a and zz_stationsync_test_b: one server may do."""

    NAMES = (PREFIX + "a", PREFIX + "b")
    FIRST = {1: ("cake", 3), 2: ("bread", 5)}

    def pair(self, settle="2s", **provider):
        """In step; self.a, self.b are the stations, self.on_a, self.on_b their servers."""
        servers = iter([self.server(), self.server(second=True)])
        plant = self.enterContext(SqlPlant("AB", make_server=lambda _: next(servers)))
        self.addCleanup(self.clear, plant)
        self.plant = plant
        (self.a, self.b), (self.on_a, self.on_b) = plant.stations, plant.servers
        self.on_a.make_database(self.NAMES[0])
        names = {server: name for server, name in zip(plant.servers, self.NAMES)}
        plant.join_all(lambda station: sqlserver_provider(
            plant.server_of(station), databases=["plant=" + names[plant.server_of(station)]], settle=settle,
            **provider))
        for station in plant:
            plant.give_password(station)
        plant.start_all().wait_connected()
        self.wait_rows(self.FIRST)
        plant.wait_all_synced()
        return plant

    def clear(self, plant):
        for station in plant:
            if station.is_running():
                station.kill()  # else it would bring back what is dropped now
        for server in plant.servers:
            server.check()
            server.drop_all()

    def wait_rows(self, rows):
        for server, name in zip(self.plant.servers, self.NAMES):
            wait_until(lambda: server.recipes(name) == rows, f"{name} has {rows}", every=0.2)

    def published(self):
        return [station.provider("batchdb")["published"] for station in self.plant]

    def expect_published_after(self, *statements, database=0):
        """Each statement on A makes exactly one new state, which arrives on B."""
        for statement in statements:
            before = self.published()[0]
            (self.on_a, self.on_b)[database].run(statement)
            wait_until(lambda: self.published()[0] == before + 1, f"A has found: {statement}")
            self.plant.wait_all_synced()
        return self


__all__ = ["LOGIN", "PREFIX", "PairCase", "RealCase", "check_statement", "need_long", "need_real", "need_server", "owned",
           "quoted", "setting", "text", "wait_until"]
