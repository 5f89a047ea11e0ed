"""Stations that have a SQL Server each."""

import contextlib
import sys

from plants import Plant
from providers import sqlserver_provider
from sql_servers import SECRET, StandInServer
from waiting import Failure, wait_until


class SqlPlant(Plant):
    """A plant with a server per station, by default a stand-in of its own: `servers` in the order of `stations`.

    `make_server(folder)` makes another one; `options` has options of the stand-ins by name of the station.
    """

    def __init__(self, names="AB", make_server=None, options=None, **more):
        super().__init__(names, **more)
        self.servers = []
        try:
            for station in self.stations:
                folder = station.folder / "server"
                self.servers.append(make_server(folder) if make_server else
                                    StandInServer(folder, **(options or {}).get(station.name, {})))
        except BaseException:
            self.close()
            raise

    def close(self):
        """Stations are sessions of their own: they end whatever becomes of the servers."""
        with contextlib.ExitStack() as closing:
            closing.callback(super().close)
            for server in self.servers:
                closing.callback(server.close)

    def tell(self, out=sys.stderr):
        super().tell(out)
        for station, server in zip(self.stations, self.servers):
            print(f"=== server of {station.name}", file=out)
            with contextlib.suppress(Exception):
                for line in server.story():
                    print(line, file=out)

    def server_of(self, station):
        return self.servers[self.stations.index(station)]

    def join_all_sql(self, **provider):
        """Joins all stations with one provider, batchdb; the arguments are those of sqlserver_provider."""
        self.join_all(lambda station: sqlserver_provider(self.server_of(station), **provider))
        for station in self.stations:
            self.give_password(station)
        return self

    def give_password(self, station):
        password = self.server_of(station).password
        if password:
            station.cli("secret", "set", SECRET, given=password)

    def in_step(self, database="plant", rows=(("cake", 3), ("bread", 5)), **provider):
        """The first station has `database`, all are started, and all have it in step."""
        self.servers[0].make_database(database, rows)
        self.join_all_sql(databases=[database], **provider)
        self.start_all().wait_connected()
        self.wait_rows(database, self.servers[0].recipes(database))
        return self.wait_all_synced()

    def wait_rows(self, database, rows, timeout=None):
        """All servers have these rows; after a failure the state of the stations is told."""
        for station, server in zip(self.stations, self.servers):
            try:
                wait_until(lambda: server.recipes(database) == rows,
                           f"the server of {station.name} has in {database}: {rows!r:.200}", timeout, every=0.2)
            except Failure:
                self.tell()
                raise
