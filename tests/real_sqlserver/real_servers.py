"""Real instances of SQL Server for the tests of this folder, by the environment; or stand-ins in their place.

    STATIONSYNC_TEST_MSSQL            connection string of an instance; "stand-in": one is started
    STATIONSYNC_TEST_MSSQL_B          of a second one; without it both stations use the first
    STATIONSYNC_TEST_MSSQL_DIR        a folder as the servers name it, where they may write and read
    STATIONSYNC_TEST_MSSQL_DIR_LOCAL  the same folder as these tests see it; default: the same name
    STATIONSYNC_TEST_MSSQL_LONG       "1": also what takes more than a minute or 10 GB

Nothing but databases named zz_stationsync_test_*, what a station made while it replaced one of them, and the login of
that name is touched.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import tempfile
import unittest

from providers import sqlserver_provider
from sql_plant import SqlPlant
from sql_servers import RealServer, StandInServer, need_driver, quoted, text
from sqlserver.odbc import Connection, OdbcError
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


def is_work_of(name, databases):
    """Whether a station made the database `name` while it replaced one of `databases` (plugins/sqlserver/README.md):
    the last part of such a name says which one, that before it is the station's."""
    made = re.fullmatch("~sync(?:in|old)_[0-9a-f]{8}_([0-9a-f]{16})", name)
    digests = {hashlib.sha256(_lowered(owned(database)).encode()).hexdigest()[:16] for database in databases}
    return bool(made) and made.group(1) in digests


def _lowered(name):
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in name)


def with_login(connection_string, user, password):
    """The connection string for another SQL login; None where it names none, as with Windows authentication."""
    parts = re.findall(r"\s*([^=;]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)", connection_string)
    keys = {key.lower() for key, _ in parts}
    if not (keys & {"uid", "user"} and keys & {"pwd", "password"}):
        return None
    given = {"uid": user, "user": user, "pwd": password, "password": password}
    braced = {key: "{" + value.replace("}", "}}") + "}" for key, value in given.items()}
    return ";".join(f"{key}={braced.get(key.lower(), value)}" for key, value in parts) + ";"


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

    def drop_work(self, names):
        """What killed stations have left of replacing these databases: no other station knows it by its name."""
        for name in sorted(self.databases()):
            if is_work_of(name, names):
                wait_until(lambda: self._has_dropped(name), f"{name} is dropped")

    def _has_dropped(self, name):
        """Not while the server undoes what the killed one had begun. Files of an offline one would stay."""
        try:
            with Connection(self.connection_string) as connection:
                for setting_of_it in ("ONLINE", "SINGLE_USER WITH ROLLBACK IMMEDIATE"):
                    with contextlib.suppress(OdbcError):
                        connection.run(f"ALTER DATABASE {quoted(name)} SET {setting_of_it}")
                connection.run(f"DROP DATABASE {quoted(name)}")
        except OdbcError:
            pass
        return name not in self.databases()

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
            server.drop_work(self.NAMES)
            server.drop_all()

    def wait_rows(self, rows):
        for server, name in zip(self.plant.servers, self.NAMES):
            wait_until(lambda: server.recipes(name) == rows, f"{name} has {rows}", every=0.2)

    def published(self):
        return [station.provider("batchdb")["published"] for station in self.plant]

    def expect_published_after(self, *statements):
        """Each statement on A makes a new state, which arrives on B."""
        for statement in statements:
            before = self.published()[0]
            self.on_a.run(statement)
            wait_until(lambda: self.published()[0] > before, f"A has found: {statement}")
            self.plant.wait_all_synced()
        return self

    def expect_one_state_each(self, *statements):
        """Also none that comes late: a change of B is applied on A only after A has looked at its own once more."""
        before = self.published()
        self.expect_published_after(*statements)
        self.on_b.run(f"CREATE TABLE {quoted(self.NAMES[1])}.dbo.made_on_b (id int)")
        table = f"OBJECT_ID({text(quoted(self.NAMES[0]) + '.dbo.made_on_b')})"
        wait_until(lambda: self.on_a.recipes(self.NAMES[0]) is not None and self.on_a.value(f"SELECT {table}"),
                   "A has the table made on B", every=0.2)
        self.plant.wait_all_synced()
        self.assertEqual(self.published(), [before[0] + len(statements), before[1] + 1])


__all__ = ["LOGIN", "PREFIX", "PairCase", "RealCase", "check_statement", "is_work_of", "need_long", "need_real",
           "need_server", "owned", "quoted", "setting", "text", "wait_until", "with_login"]
