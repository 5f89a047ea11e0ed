"""The batch database of the demonstration: SQLite files, or databases of SQL Server."""

import pathlib
import sqlite3
import tempfile

import demo_plant
from sql_plant import SqlPlant
from sql_servers import SECRET, RealServer, StandInServer, quoted, text
from sqlserver.odbc import OdbcError
from stations import Failure, Plant, sqlite_provider, sqlserver_provider, wait_until

SQL_DATABASE = "zz_stationsync_test_batch"
SQL_SCHEMA = ("units (id int PRIMARY KEY, code nvarchar(10) NOT NULL, name nvarchar(50) NOT NULL)",
              "materials (id int PRIMARY KEY, number nvarchar(20) NOT NULL, name nvarchar(50) NOT NULL, "
              "density_kg_per_l float, stock_kg float NOT NULL)",
              "recipes (id int PRIMARY KEY, name nvarchar(50) NOT NULL, version int NOT NULL, "
              "batch_size_hl float NOT NULL, approved_by nvarchar(50))",
              "phases (id int PRIMARY KEY, recipe_id int NOT NULL, position int NOT NULL, "
              "name nvarchar(50) NOT NULL, unit_id int NOT NULL)",
              "parameters (phase_id int PRIMARY KEY, name nvarchar(50) NOT NULL, value float NOT NULL, "
              "unit nvarchar(10) NOT NULL, low float, high float)",
              "ingredients (id int PRIMARY KEY, recipe_id int NOT NULL, material_id int NOT NULL, "
              "amount_kg float NOT NULL)")
ROWS_AT_ONCE = 200


class SqliteProgram:
    """A program of a station that keeps its connection to the batch database open."""

    def __init__(self, station):
        self.station = station
        self.connection = sqlite3.connect(station.data / "db" / "batch.db", timeout=10, isolation_level=None)

    def rows(self):
        tables = [name for (name,) in self.connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
        return {table: sorted(map(repr, self.connection.execute(f'SELECT * FROM "{table}"'))) for table in tables}

    def setpoint(self, recipe, version, phase):
        return self.connection.execute(
            "SELECT value FROM parameters JOIN phases ON phases.id = phase_id JOIN recipes ON recipes.id = recipe_id"
            " WHERE recipes.name = ? AND version = ? AND phases.name = ?", (recipe, version, phase)).fetchone()[0]

    def change_setpoint(self, recipe, version, phase, value):
        self.connection.execute(
            "UPDATE parameters SET value = ? WHERE phase_id = (SELECT phases.id FROM phases JOIN recipes"
            " ON recipes.id = recipe_id WHERE recipes.name = ? AND version = ? AND phases.name = ?)",
            (value, recipe, version, phase))


class SqliteBatch:
    kind = "a batch database"
    change_title = "changes a setpoint; it and the programs of the others keep their connections open"
    compared = "all rows of all tables, through the connections that were open before"

    def plant(self, names, folder, addresses):
        return Plant(names, folder=folder, addresses=addresses)

    def set_up(self, plant):
        demo_plant.make_database(plant[0].data / "db" / "batch.db")

    def provider(self, station):
        return sqlite_provider(station, settle="1s", scan="5s")

    def give_passwords(self, plant):
        pass

    def program(self, station):
        return SqliteProgram(station)

    def before_change(self):
        pass

    def tell_change(self, tell, changed_on):
        pass

    def try_it(self, root):
        return f'sqlite3 {root}/B/data/db/batch.db "UPDATE materials SET stock_kg = 1 WHERE id = 1"'


class SqlProgram:
    """A program of a station that asks its SQL Server, again where a replaced database has cut it off."""

    def __init__(self, station, server):
        self.station = station
        self.server = server

    def rows(self):
        try:
            with self.server.connect() as connection:
                return {table: sorted(map(repr, connection.rows(f"SELECT * FROM {SQL_DATABASE}.dbo.{table}")))
                        for table in (line.split()[0] for line in SQL_SCHEMA)}
        except OdbcError:
            return {}  # is not there yet, or is just being replaced

    def _phase(self, connection, recipe, version, phase):
        recipe_id = connection.value(f"SELECT id FROM {SQL_DATABASE}.dbo.recipes WHERE name = {text(recipe)}"
                                     f" AND version = {version}")
        return connection.value(f"SELECT id FROM {SQL_DATABASE}.dbo.phases WHERE recipe_id = {recipe_id}"
                                f" AND name = {text(phase)}")

    def setpoint(self, recipe, version, phase):
        """None while the database is just being replaced."""
        try:
            with self.server.connect() as connection:
                phase_id = self._phase(connection, recipe, version, phase)
                return float(connection.value(f"SELECT value FROM {SQL_DATABASE}.dbo.parameters"
                                              f" WHERE phase_id = {phase_id}"))
        except OdbcError:
            return None

    def change_setpoint(self, recipe, version, phase, value):
        with self.server.connect() as connection:
            phase_id = self._phase(connection, recipe, version, phase)
            connection.run(f"UPDATE {SQL_DATABASE}.dbo.parameters SET value = {value} WHERE phase_id = {phase_id}")


class SqlServerBatch:
    """A server per station: those that `connection_strings` name, else a stand-in for each."""

    kind = "a batch database in SQL Server"
    change_title = "changes a setpoint in its SQL Server; the others get it by backup, transfer, restore and swap"
    compared = "all rows of all tables, asked of each server"

    def __init__(self, connection_strings=()):
        self.connection_strings = list(connection_strings)
        self.servers = {}
        self.backups_before, self.restores_before = {}, {}

    def plant(self, names, folder, addresses):
        waiting = iter(self.connection_strings)
        plant = SqlPlant(names, folder=folder, addresses=addresses, make_server=lambda of_station: (
            RealServer(next(waiting)) if self.connection_strings else StandInServer(of_station)))
        self.servers = dict(zip(plant, plant.servers))
        return plant

    def set_up(self, plant):
        for server in plant.servers:
            if server.state(SQL_DATABASE):
                server.run(f"DROP DATABASE {SQL_DATABASE}")
        server = plant.servers[0]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "batch.db"
            demo_plant.make_database(path)
            source = sqlite3.connect(path)
            with server.connect() as connection:
                connection.run(f"CREATE DATABASE {quoted(SQL_DATABASE)}")
                connection.run(f"ALTER DATABASE {quoted(SQL_DATABASE)} SET AUTO_CLOSE OFF")
                for line in SQL_SCHEMA:
                    connection.run(f"CREATE TABLE {SQL_DATABASE}.dbo.{line}")
                    self._copy(source, connection, line.split()[0])
            source.close()

    def _copy(self, source, connection, table):
        rows = source.execute(f"SELECT * FROM {table}").fetchall()
        if table == "ingredients":  # its key has two columns in SQLite
            rows = [(number, *row) for number, row in enumerate(rows, 1)]
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            values = ", ".join("(" + ", ".join(map(self._literal, row)) + ")"
                               for row in rows[begin:begin + ROWS_AT_ONCE])
            connection.run(f"INSERT INTO {SQL_DATABASE}.dbo.{table} VALUES {values}")

    @staticmethod
    def _literal(value):
        return "NULL" if value is None else text(value) if isinstance(value, str) else str(value)

    def provider(self, station):
        return sqlserver_provider(self.servers[station], databases=[f"batch={SQL_DATABASE}"], settle="1s", scan="5s")

    def give_passwords(self, plant):
        for station, server in self.servers.items():
            if server.password:
                station.cli("secret", "set", SECRET, given=server.password)

    def program(self, station):
        return SqlProgram(station, self.servers[station])

    def before_change(self):
        """Only what the servers note after this tells of the change."""
        self.backups_before = self._newest("backup_set_id", "backupset")
        self.restores_before = self._newest("restore_history_id", "restorehistory")

    def _newest(self, number, table):
        return {server: int(server.value(f"SELECT MAX({number}) FROM msdb.dbo.{table}") or 0)
                for server in self.servers.values()}

    def tell_change(self, tell, changed_on):
        """What the servers themselves have noted: who has backed up, who has restored, and how."""
        server = self.servers[changed_on]
        backed_up = server.rows("SELECT backup_size, is_copy_only, has_backup_checksums FROM msdb.dbo.backupset WHERE "
                                f"backup_set_id > {self.backups_before[server]} AND "
                                f"database_name = {text(SQL_DATABASE)} ORDER BY backup_set_id DESC")
        if not backed_up:
            raise Failure(f"the server of {changed_on.name} has backed up nothing")
        size, is_copy_only, has_checksums = backed_up[0]
        if (int(is_copy_only), int(has_checksums)) != (1, 1):
            raise Failure(f"the backup on {changed_on.name} is not copy-only, or has no checksums: {backed_up[0]}")
        tell(f"       {changed_on.name}: backed up {float(size) / 1e6:.1f} MB, copy-only, with checksum")
        for station, server in self.servers.items():
            if station is changed_on:
                continue
            restored = [(date, name) for date, name in server.rows(
                "SELECT restore_date, destination_database_name FROM msdb.dbo.restorehistory WHERE "
                f"restore_history_id > {self.restores_before[server]} ORDER BY restore_history_id DESC")
                if name.startswith("~syncin_") or name == SQL_DATABASE]
            if not restored:
                raise Failure(f"the server of {station.name} has restored nothing")
            date, name = restored[0]
            if name == SQL_DATABASE:
                tell(f"       {station.name}: restored over the live database at {date[:19]} of its server")
                continue
            left = {name for name in server.databases() if name.startswith("~sync")}
            wait_until(lambda: not {n for n in server.databases() if n.startswith("~sync")},
                       f"{station.name} has dropped the replaced database; left: {left}")
            tell(f"       {station.name}: restored beside the live database at {date[:19]} of its server, "
                 "swapped in by name, the replaced one dropped")

    def try_it(self, root):
        if self.connection_strings:
            return f"change a row of {SQL_DATABASE} on either server"
        port = self.servers[next(s for s in self.servers if s.name == "B")].tool.port
        return (f"tsql -H 127.0.0.1 -p {port} -U sa -P secret        (then: UPDATE {SQL_DATABASE}.dbo.materials "
                "SET stock_kg = 1 WHERE id = 1, and go)")
