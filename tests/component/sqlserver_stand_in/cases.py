"""What all tests of the stand-in share."""

import os
import pathlib
import tempfile
import threading
import unittest

from sqlserver.client import DRIVER, StandIn
from sqlserver.odbc import Connection, OdbcError


@unittest.skipUnless(os.path.exists(DRIVER), "FreeTDS's ODBC driver (package tdsodbc) is not installed")
class Case(unittest.TestCase):
    options = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = self.start(**self.options)

    def start(self, name="server", **options):
        server = StandIn(self.folder / name, **options)
        self.addCleanup(lambda: server._process.poll() is None and server.end(checks=False))
        return server

    def connect(self, server=None, **more):
        connection = Connection((server or self.server).connection_string(**more))
        self.addCleanup(connection.close)
        return connection

    def plant(self, connection, name="plant", rows=3):
        """A database with a table of recipes."""
        connection.run(f"CREATE DATABASE [{name}]")
        connection.run(f"ALTER DATABASE [{name}] SET AUTO_CLOSE OFF")
        connection.run(f"CREATE TABLE [{name}].dbo.recipe(id int IDENTITY PRIMARY KEY, name nvarchar(50) NOT NULL)")
        for number in range(rows):
            connection.run(f"INSERT INTO [{name}].dbo.recipe(name) VALUES (N'r{number}')")

    def backup(self, connection, name="plant", more="COPY_ONLY, FORMAT, INIT, CHECKSUM, STATS = 5"):
        path = self.folder / f"{len(list(self.folder.glob('*.bak')))}.bak"
        connection.run(f"BACKUP DATABASE [{name}] TO DISK = N'{path}' WITH {more}")
        return path

    def beside(self, connection, work):
        """Runs work in a thread; gives a function that waits for its end and returns or raises what it did."""
        result = []

        def run():
            try:
                result.append((True, work()))
            except (OdbcError, AssertionError) as error:
                result.append((False, error))
        thread = threading.Thread(target=run)
        thread.start()
        del connection

        def wait():
            thread.join(30)
            self.assertFalse(thread.is_alive())
            good, value = result[0]
            if not good:
                raise value
            return value
        return wait
