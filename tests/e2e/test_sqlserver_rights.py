"""SQL Server databases that are not brought in at once: other builds where exact_build is set, and apply_when."""

import json
import unittest

from sql_plant import SqlPlant
from sql_servers import need_driver
from stations import sqlserver_provider, wait_until
from test_admission import wait_rejected

FIRST = {1: ("cake", 3), 2: ("bread", 5)}


def setUpModule():
    need_driver()


class SqlCase(unittest.TestCase):
    def plant(self, names="AB", **more):
        plant = self.enterContext(SqlPlant(names, **more))
        self.addCleanup(lambda: [server.tool.check() for server in plant.servers])
        return plant


class Builds(SqlCase):
    def test_another_build_is_refused_where_exact_build_is_wanted(self):
        plant = self.plant(options={"A": {"build": "15.0.4100.1"}, "B": {"build": "15.0.4200.1"}})
        plant.servers[0].make_database("plant")
        plant.join_all_sql(extra="exact_build = true").start_all()
        for station, other in zip(plant, reversed(plant.stations)):
            text = wait_rejected(station, other, "provider:batchdb")["text"]
            for build in ("15.0.4100.1", "15.0.4200.1"):
                self.assertIn(build, text)
        self.assertEqual(plant.servers[1].databases(), set())
        for station in plant:
            station.configure(sqlserver_provider(plant.server_of(station)))
            station.cli("restart")
        plant.wait_rows("plant", FIRST, timeout=120)


class ApplyWhen(SqlCase):
    def test_a_database_waits_until_the_command_says_yes(self):
        plant = self.plant()
        a, b = plant
        gate = b.folder / "gate.txt"
        gate.write_text("batch 4711 is running\n", encoding="utf-8")
        plant.servers[0].make_database("plant")
        plant.join_all_sql()
        command = f"cat {gate}; test ! -s {gate}"
        b.configure(sqlserver_provider(plant.server_of(b), extra=f"apply_when = {json.dumps(command)}"))
        plant.start_all().wait_connected()
        wait_until(lambda: (o := a.object("batchdb", "plant")) and
                   any("batch 4711" in w["text"] for w in o["waits_on"]), "A tells that B waits, and why")
        self.assertEqual(plant.servers[1].databases(), set())
        gate.write_text("", encoding="utf-8")
        plant.wait_rows("plant", FIRST, timeout=120)
        plant.wait_all_synced()


if __name__ == "__main__":
    unittest.main()
