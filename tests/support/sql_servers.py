"""SQL Server for the stations of a test: a stand-in for each, or real ones."""

import json
import os
import re
import unittest

from sqlserver.client import DRIVER, StandIn
from sqlserver.odbc import Connection, OdbcError

SECRET = "SQLSERVER"


def need_driver():
    if not os.path.exists(DRIVER):
        raise unittest.SkipTest("FreeTDS's ODBC driver (package tdsodbc) is not installed")


def quoted(name):
    return "[" + name.replace("]", "]]") + "]"


def text(value):
    return "N'" + value.replace("'", "''") + "'"


class SqlServer:
    """What tests do with a server as another client of it. `connection_string` is for that client, `lines` are
    those of a provider section, `password` goes into the secret that they name."""

    connection_string = ""
    lines = ()
    password = ""

    def connect(self):
        return Connection(self.connection_string)

    def run(self, *statements):
        """Each statement in a batch of its own, on a connection that is gone afterwards."""
        with self.connect() as connection:
            return [connection.run(statement) for statement in statements]

    def rows(self, statement):
        with self.connect() as connection:
            return connection.rows(statement)

    def value(self, statement):
        return self.rows(statement)[0][0]

    def databases(self):
        return {name for (name,) in self.rows("SELECT name FROM sys.databases WHERE database_id > 4")}

    def state(self, database):
        """For example "ONLINE MULTI_USER"; None when there is no such database."""
        found = self.rows("SELECT state_desc, user_access_desc FROM sys.databases WHERE name = " + text(database))
        return " ".join(found[0]) if found else None

    def make_database(self, name, rows=(("cake", 3), ("bread", 5))):
        """A database with a table of recipes: id, name, amount."""
        table = quoted(name) + ".dbo.recipe"
        self.run("CREATE DATABASE " + quoted(name) + self._files_of(name), f"ALTER DATABASE {quoted(name)} SET AUTO_CLOSE OFF",
                 f"CREATE TABLE {table} (id int PRIMARY KEY, name nvarchar(50), amount int)",
                 *(f"INSERT INTO {table} VALUES ({number}, {text(recipe)}, {amount})"
                   for number, (recipe, amount) in enumerate(rows, 1)))

    def _files_of(self, name):
        """SQL Server makes the logical name of the log from that of the database: the latter may have 123
        characters, and one with 128 needs its files named."""
        if len(name.encode("utf-16-le")) // 2 <= 123:
            return ""
        folder = self.value("SELECT CONVERT(nvarchar(300), SERVERPROPERTY('InstanceDefaultDataPath'))")
        short = quoted(name[:100])
        return (f" ON PRIMARY (NAME = {short}, FILENAME = {text(folder + name[:100] + '.mdf')}) LOG ON "
                f"(NAME = {quoted(name[:100] + '_log')}, FILENAME = {text(folder + name[:100] + '.ldf')})")

    def insert(self, database, number, recipe, amount):
        self.run(f"INSERT INTO {quoted(database)}.dbo.recipe VALUES ({number}, {text(recipe)}, {amount})")

    def recipes(self, database):
        """id -> (name, amount); None while the database is not there or just being replaced."""
        try:
            if self.state(database) != "ONLINE MULTI_USER":
                return None
            return {int(number): (recipe, int(amount)) for number, recipe, amount in
                    self.rows(f"SELECT id, name, amount FROM {quoted(database)}.dbo.recipe")}
        except OdbcError:
            return None


class StandInServer(SqlServer):
    """The program of tests/support/sqlserver; `tool` gives its control channel."""

    def __init__(self, directory, **options):
        self.tool = StandIn(directory, **options)
        self.password = self.tool.password
        self.connection_string = self.tool.connection_string()
        self.lines = login_lines(self, "sa")

    def story(self):
        """What helps to understand a failure: sessions, and the last statements."""
        yield from map(str, self.tool.sessions())
        for entry in self.tool.journal()[-20:]:
            yield f"{entry['program']}: {entry['text']:.200}"

    def close(self):
        self.tool.kill()


def login_lines(server, user):
    """How a provider reaches a stand-in."""
    return ['server = "127.0.0.1"', f"port = {server.tool.port}", f'user = "{user}"', 'encrypt = "no"',
            f"driver = {json.dumps(DRIVER)}"]


class RealServer(SqlServer):
    """An instance that a connection string names. The password goes where the provider wants it."""

    _password = re.compile(r"(?:^|;)\s*(?:PWD|Password)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)", re.IGNORECASE)

    def __init__(self, connection_string):
        self.connection_string = connection_string
        found = self._password.search(connection_string)
        if found:
            value = found.group(1)
            self.password = value[1:-1].replace("}}", "}") if value.startswith("{") else value
        self.lines = ["connection = " + json.dumps(self._password.sub("", connection_string).strip(";"),
                                                   ensure_ascii=False)]

    def story(self):
        return ()

    def close(self):
        """Nothing was started."""
