"""SQL Server databases in step: real processes, a server per station, through unixODBC and FreeTDS."""

import json
import unittest

from sql_plant import SqlPlant
from sql_servers import login_lines, need_driver, quoted, text
from stations import sqlserver_provider, wait_until
from test_admission import wait_rejected

CAKE, BREAD = ("cake", 3), ("bread", 5)
FIRST = {1: CAKE, 2: BREAD}


def setUpModule():
    need_driver()


class SqlCase(unittest.TestCase):
    def plant(self, names="AB", **more):
        plant = self.enterContext(SqlPlant(names, **more))
        self.addCleanup(self.check_servers, plant)
        return plant

    def check_servers(self, plant):
        """No statement that the stand-in does not know, none freed before its end, autocommit on throughout."""
        for server in plant.servers:
            server.tool.check()

    def published(self, plant):
        return [station.provider("batchdb")["published"] for station in plant]

    def expect_one_database(self, plant, name="plant"):
        """Nothing of the replacing is left: no database besides, nothing held."""
        for station, server in zip(plant, plant.servers):
            wait_until(lambda: server.databases() == {name}, f"the server of {station.name} has {name} only")
            self.assertEqual(server.state(name), "ONLINE MULTI_USER")


class Travel(SqlCase):
    def test_an_insert_of_another_client_is_on_all_stations_and_echoes_from_none(self):
        plant = self.plant("ABC").in_step()
        self.assertEqual(self.published(plant), [1, 0, 0])
        server_a, _, server_c = plant.servers
        server_a.insert("plant", 3, "Žluťoučký koláč", 7)
        rows = FIRST | {3: ("Žluťoučký koláč", 7)}
        plant.wait_rows("plant", rows)
        plant.wait_all_synced().wait_equal_digests("batchdb")
        # A later change from elsewhere shows that the scans have passed over what was restored.
        server_c.insert("plant", 4, "pie", 1)
        plant.wait_rows("plant", rows | {4: ("pie", 1)})
        plant.wait_all_synced().wait_equal_digests("batchdb")
        self.assertEqual(self.published(plant), [2, 0, 1])
        self.expect_one_database(plant)


class Versions(SqlCase):
    def test_stations_with_other_versions_reject_each_other_and_restore_nothing(self):
        plant = self.plant("AB", options={"A": {"version": "2019"}, "B": {"version": "2022"}})
        plant.servers[0].make_database("plant")
        plant.join_all_sql().start_all()
        reasons = [wait_rejected(s, o, "provider:batchdb") for s, o in zip(plant, reversed(plant.stations))]
        self.assertEqual(reasons[0]["text"], reasons[1]["text"])
        for version in ("2019", "2022"):
            self.assertIn(version, reasons[0]["text"])
        wait_until(lambda: self.published(plant) == [1, 0], "A has backed its database up")
        self.assertEqual(plant.servers[1].databases(), set())
        self.assertFalse([entry for entry in plant.servers[1].tool.journal() if "RESTORE DATABASE" in entry["text"]])
        # In step as soon as the same version is installed there.
        tool = plant.servers[1].tool
        tool.end()
        tool.options["version"] = "2019"
        tool.directory = tool.directory.with_name("same version")
        tool.launch()
        plant.wait_rows("plant", FIRST, timeout=120)


class Hold(SqlCase):
    def test_a_held_database_is_fetched_verified_and_restored_on_release(self):
        plant = self.plant("AB").in_step()
        a, b = plant
        b.cli("hold", "batchdb")
        mark = plant.servers[1].tool.journal_length()  # the first state was verified and restored, too
        plant.servers[0].insert("plant", 3, "pie", 1)

        def since_held(begin):
            return [e for e in plant.servers[1].tool.journal(since=mark) if e["text"].startswith(begin)]

        def waits_on_b(station):
            found = station.object("batchdb", "plant")["waits_on"]
            return [w for w in found if w["station"] == "B" and "held on purpose" in w["text"]]

        for station in plant:
            wait_until(lambda: waits_on_b(station), f"{station.name} tells that B waits, and why")
        self.assertTrue(since_held("RESTORE VERIFYONLY"), "the package has been verified by the server of B")
        self.assertEqual(since_held("RESTORE DATABASE"), [])
        self.assertEqual(plant.servers[1].recipes("plant"), FIRST)
        b.cli("release", "batchdb")
        plant.wait_rows("plant", FIRST | {3: ("pie", 1)})
        plant.wait_all_synced()
        wait_until(lambda: not a.object("batchdb", "plant")["waits_on"], "A knows that nothing waits")


class Rules(SqlCase):
    def test_a_dropped_database_comes_back_with_a_message(self):
        plant = self.plant("AB").in_step(settle="4s")
        plant.servers[1].run("DROP DATABASE plant")
        told = wait_until(lambda: (o := plant[1].object("batchdb", "plant")) and o["state"] == "held" and o,
                          "B tells that the database is gone")
        self.assertIn("deleted here; it comes back in", told["reason"])
        plant.wait_rows("plant", FIRST)
        plant.wait_all_synced()
        self.assertEqual(plant.servers[0].recipes("plant"), FIRST)
        self.assertEqual(self.published(plant), [1, 0])

    def test_a_foreign_restore_is_put_back_and_publish_makes_it_win(self):
        plant = self.plant("AB").in_step(settle="3s")
        a, b = plant
        backup = b.folder / "of last year.bak"
        restore = ("ALTER DATABASE plant SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
                   f"RESTORE DATABASE plant FROM DISK = {text(str(backup))} WITH REPLACE",
                   "ALTER DATABASE plant SET MULTI_USER")
        plant.servers[1].run(f"BACKUP DATABASE plant TO DISK = {text(str(backup))} WITH COPY_ONLY, FORMAT")
        plant.servers[0].insert("plant", 3, "pie", 1)
        newest = FIRST | {3: ("pie", 1)}
        plant.wait_rows("plant", newest)
        plant.wait_all_synced()
        published = self.published(plant)
        plant.servers[1].run(*restore)
        b.wait_history("put_back", "batchdb", "plant")
        plant.wait_rows("plant", newest)
        plant.wait_all_synced()
        self.assertEqual(self.published(plant), published)
        # Now on purpose; while the provider is held, nothing is put back before the order to publish is there.
        b.cli("hold", "batchdb")
        plant.servers[1].run(*restore)
        wait_until(lambda: b.object("batchdb", "plant")["state"] in ("held", "waiting"), "B has seen the restored one")
        b.cli("publish", "batchdb/plant")
        wait_until(lambda: self.published(plant) == [published[0], published[1] + 1], "B has sealed it")
        b.cli("release", "batchdb")
        plant.wait_rows("plant", FIRST)
        plant.wait_all_synced()


class Names(SqlCase):
    def test_odd_names_travel_there_and_back(self):
        names = ["a]b", "x'y", "Žluť😀", "n" * 128, "a; DROP DATABASE [a]]b];--"]
        plant = self.plant("AB")
        for name in names:
            plant.servers[0].make_database(name)
        plant.join_all_sql(databases=names).start_all().wait_connected()
        for name in names:
            plant.wait_rows(name, FIRST)
        plant.wait_all_synced()
        for number, name in enumerate(names):
            plant.servers[1].insert(name, 3, name[:50], number)
        for number, name in enumerate(names):
            plant.wait_rows(name, FIRST | {3: (name[:50], number)})
        plant.wait_all_synced().wait_equal_digests("batchdb")
        for server in plant.servers:
            wait_until(lambda: server.databases() == set(names), "these databases and no other")

    def test_hostile_text_in_the_header_of_a_backup_does_nothing(self):
        hostile = "x'; DROP DATABASE [victim]; --"
        plant = self.plant("AB", options={"A": {"machine": hostile, "name": "]];DROP DATABASE victim;--"}})
        server_a, server_b = plant.servers
        files = server_a.tool.directory / "hostile"
        files.mkdir()
        server_a.run(f"CREATE DATABASE plant ON PRIMARY (NAME = {quoted(hostile)}, FILENAME = "
                     f"{text(str(files / hostile) + '.mdf')}) LOG ON (NAME = {quoted(hostile + ' log')}, "
                     f"FILENAME = {text(str(files / '].ldf'))})")
        server_a.run("ALTER DATABASE plant SET AUTO_CLOSE OFF", "CREATE TABLE plant.dbo.recipe "
                     "(id int PRIMARY KEY, name nvarchar(50), amount int)",
                     f"INSERT INTO plant.dbo.recipe VALUES (1, {text(hostile)}, 1)")
        for server in plant.servers:
            server.make_database("victim")
        plant.join_all_sql().start_all().wait_connected()
        plant.wait_rows("plant", {1: (hostile, 1)})
        plant.wait_all_synced()
        server_b.insert("plant", 2, hostile, 2)
        plant.wait_rows("plant", {1: (hostile, 1), 2: (hostile, 2)})
        for server in plant.servers:
            self.assertEqual(server.recipes("victim"), FIRST)


class ServerAway(SqlCase):
    def test_a_server_that_is_down_at_the_start_is_waited_for(self):
        plant = self.plant("AB")
        plant.servers[0].make_database("plant")
        plant.join_all_sql()
        plant.servers[1].tool.end()
        plant.start_all().wait_connected()
        down = wait_until(lambda: (p := plant[1].provider("batchdb")) and p["state"] in ("suspended", "fault") and p,
                          "B tells that its server is down")
        self.assertIn("The SQL Server of the configuration does not answer.", down["reason"])
        self.assertEqual(plant[0].peer(plant[1])["state"], "connected")
        plant.servers[1].tool.launch()
        plant.wait_rows("plant", FIRST, timeout=120)
        plant.wait_all_synced(timeout=120)

    def test_a_server_that_restarts_goes_on_and_makes_no_change(self):
        plant = self.plant("AB").in_step()

        def summed():
            """The rows have been summed up since the restore; before that an uncertain change would be sent."""
            texts = [entry["text"] for entry in plant.servers[1].tool.journal()]
            restored = max(n for n, line in enumerate(texts) if line.startswith("RESTORE DATABASE"))
            return any("BINARY_CHECKSUM" in line for line in texts[restored:])

        wait_until(summed, "B knows the content of its database")
        plant.servers[1].tool.end()
        plant.servers[0].insert("plant", 3, "pie", 1)
        wait_until(lambda: self.published(plant) == [2, 0], "A has sealed the change")
        plant.servers[1].tool.launch()
        plant.wait_rows("plant", FIRST | {3: ("pie", 1)}, timeout=120)
        plant.wait_all_synced(timeout=120)
        self.assertEqual(self.published(plant), [2, 0])


class Killed(SqlCase):
    """kill -9 while a statement of an apply runs; started again, the database is whole and in step."""

    def check_killed_at(self, match, stage="start", **provider):
        plant = self.plant("AB").in_step(**provider)
        a, b = plant
        server = plant.servers[1]
        held = server.tool.hold(match, stage)
        plant.servers[0].insert("plant", 3, "pie", 1)
        server.tool.wait_held(held)
        b.kill()
        server.tool.allow_attentions(count=99)
        server.tool.release(held)
        b.start().wait_connected(a)
        plant.wait_rows("plant", FIRST | {3: ("pie", 1)})
        plant.wait_all_synced()
        self.expect_one_database(plant)
        self.assertEqual(self.published(plant), [2, 0])
        self.assertEqual(list((b.root / "sync").rglob("*.part")), [])
        self.assertEqual(list(b.folder.rglob("*-safety-*")), [])

    def test_in_the_middle_of_the_restore(self):
        self.check_killed_at("^RESTORE DATABASE", "data")

    def test_between_the_two_renames(self):
        self.check_killed_at("MODIFY NAME = .plant.", "start")

    def test_in_the_middle_of_a_restore_in_place(self):
        self.check_killed_at("^RESTORE DATABASE .plant.", "data", extra='restore = "in-place"')


class Doctor(SqlCase):
    def test_the_missing_right_is_named_with_the_statement_that_grants_it(self):
        plant = self.plant("A")
        a, server = plant[0], plant.servers[0]
        server.make_database("plant")
        server.run("CREATE LOGIN line4 WITH PASSWORD = N'secret'")
        server.lines = login_lines(server, "line4")
        a.init()
        a.configure(sqlserver_provider(server))
        plant.give_password(a)

        def findings():
            found = json.loads(a.command("doctor", "--json").stdout)["findings"]
            return [f for f in found if "sqlserver." in f["id"] and f["severity"] == "problem"]

        lacking = findings()
        self.assertTrue(lacking)
        told = " ".join(f["remedy"] for f in lacking)
        self.assertIn("ALTER SERVER ROLE [dbcreator] ADD MEMBER [line4];", told)
        self.assertIn("GRANT VIEW SERVER STATE TO [line4];", told)
        self.assertIn("ALTER SERVER ROLE [sysadmin] ADD MEMBER [line4];", told)
        server.run("ALTER SERVER ROLE [sysadmin] ADD MEMBER [line4]")
        self.assertEqual(findings(), [])


if __name__ == "__main__":
    unittest.main()
