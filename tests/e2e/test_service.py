"""The service itself: ends in time, one per root, engine and project commands, keys, identities."""

import os
import shutil
import signal
import socket
import sqlite3
import time
import unittest

from stations import Plant, files_provider, put, sqlite_provider, wait_until


class Lifetime(unittest.TestCase):
    def test_second_process_on_the_same_root_is_refused(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            second = a.command("run", timeout=60)
            self.assertEqual(second.returncode, 1)
            self.assertIn(str(a.pid()), second.stderr)
            self.assertIn("Stop that process first", second.stderr)
            self.assertTrue(a.status())

    def test_sigterm_in_the_middle_of_an_apply_ends_within_10_seconds(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(sqlite_provider)
            database = sqlite3.connect(a.data / "db" / "batch.db", isolation_level=None)
            self.addCleanup(database.close)
            database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value)")
            database.execute("INSERT INTO t VALUES (1, 'one')")
            plant.start_all().wait_connected()
            b.wait_synced("batchdb", "batch.db")
            # A program on B that does not let go makes the apply last as long as it likes.
            reader = sqlite3.connect(b.data / "db" / "batch.db", isolation_level=None)
            self.addCleanup(reader.close)
            reader.execute("BEGIN IMMEDIATE")
            database.execute("UPDATE t SET value = 'two'")
            wait_until(lambda: b.object("batchdb", "batch.db")["state"] in ("applying", "failed"),
                       "B is applying", every=0.01)
            self.assertLess(b.stop(), 10)
            reader.execute("ROLLBACK")
            self.assertEqual(reader.execute("SELECT value FROM t").fetchone()[0], "one")
            b.start()
            wait_until(lambda: reader.execute("SELECT value FROM t").fetchone()[0] == "two", "B has caught up")

    def test_engine_stops_starts_and_restarts_while_the_service_stays(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            plant.start_all().wait_connected()
            b.cli("stop")
            self.assertEqual(b.status()["engine"], "stopped")
            put(a.data / "recipes" / "r.txt", b"text")
            a.wait_history("published", "recipes", "r.txt")
            self.assertFalse((b.data / "recipes" / "r.txt").exists())
            b.cli("start")
            b.wait_file("recipes/r.txt", b"text")
            b.cli("restart")
            b.wait_connected(a)
            plant.wait_all_synced()

    def test_interrupt_from_the_keyboard_ends_it_cleanly(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.process.send_signal(signal.SIGINT)
            self.assertEqual(a.process.wait(20), 0)
            self.assertEqual(a.command("status").returncode, 1)


class Projects(unittest.TestCase):
    def test_project_is_deactivated_and_activated(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            plant.start_all().wait_connected()
            b.cli("project", "deactivate")
            put(a.data / "recipes" / "r.txt", b"text")
            a.wait_history("published", "recipes", "r.txt")
            wait_until(lambda: (a.peer(b) or {}).get("state") != "connected", "B has left")
            self.assertFalse((b.data / "recipes" / "r.txt").exists())
            b.cli("project", "activate")
            b.wait_file("recipes/r.txt", b"text")

    def test_second_project_is_added_and_used(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.cli("init", "--project", "Second")
            self.assertEqual({p["name"] for p in a.cli_json("project", "list")}, {"Plant", "Second"})
            a.cli("project", "use", "Second")
            wait_until(lambda: a.status()["project"] == "Second", "A works for the second project")

    def test_secrets_are_listed_by_name_and_never_shown(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.cli("secret", "set", "DB", given="S3cret-Value-4711")
            self.assertIn("DB", a.cli("secret", "list"))
            shown = a.cli("secret", "list", "--json") + str(a.status()) + a.log_text() + a.output.read_text()
            self.assertNotIn("S3cret-Value-4711", shown)
            a.cli("secret", "remove", "DB")
            self.assertNotIn("DB", a.cli("secret", "list"))


class Membership(unittest.TestCase):
    def in_step(self, names):
        plant = Plant(names)
        plant.join_all(files_provider)
        plant.start_all().wait_connected().wait_all_synced()
        return plant

    def test_blocked_station_gets_nothing_until_unblocked(self):
        with self.in_step("ABC") as plant:
            a, b, c = plant
            a.cli("block", c.status()["station"]["id"])
            for station in (a, b):
                wait_until(lambda: station.peer(c)["state"] == "rejected", f"{station.name} has C blocked")
            put(a.data / "recipes" / "r.txt", b"text")
            b.wait_file("recipes/r.txt", b"text")
            self.assertFalse((c.data / "recipes" / "r.txt").exists())
            b.cli("unblock", c.status()["station"]["id"])
            c.wait_file("recipes/r.txt", b"text")

    def test_rotated_key_reaches_all_and_the_old_one_is_retired(self):
        with self.in_step("AB") as plant:
            a, b = plant
            before = a.cli_json("key", "list")
            a.cli("key", "rotate")
            wait_until(lambda: b.cli_json("key", "list") == a.cli_json("key", "list") != before,
                       "B has the new key", every=0.3)
            for station in plant:
                station.cli("key", "retire")
            for station in plant:
                station.stop()
            plant.start_all().wait_connected()
            put(a.data / "recipes" / "r.txt", b"text")
            b.wait_file("recipes/r.txt", b"text")

    def test_key_that_cannot_be_stored_is_stored_later(self):
        with self.in_step("AB") as plant:
            a, b = plant
            key = b.root / "state" / "Plant" / "key"
            before = key.read_bytes()
            key.unlink()
            key.mkdir()
            (key / "in the way").touch()
            a.cli("key", "rotate")
            b.wait_message("cannot be stored")
            self.assertEqual(b.cli_json("key", "list"), a.cli_json("key", "list"))
            b.cli("restart") # what only memory has survives at least this
            b.wait_message("cannot be stored")
            self.assertEqual(b.cli_json("key", "list"), a.cli_json("key", "list"))
            shutil.rmtree(key)
            wait_until(lambda: not b.messages("cannot be stored"), "B has stored the key")
            self.assertNotEqual(key.read_bytes(), before)

    def test_renamed_station_is_seen_by_its_new_name(self):
        with self.in_step("AB") as plant:
            a, b = plant
            b.cli("station", "rename", "Line 2")
            wait_until(lambda: a.peer("Line 2"), "A knows B as Line 2")

    def test_cloned_disk_is_refused_while_both_are_there(self):
        with self.in_step("ABC") as plant:
            a, b, c = plant
            c.stop()
            identity = c.root / "state" / "identity.key"
            shutil.copy2(b.root / "state" / "identity.key", identity)
            c.start()
            wait_until(lambda: any("clone" in r["check"] for s in a.station_list() for r in s["reasons"]),
                       "A tells that one identity runs twice")
            c.stop()
            c.cli("station", "new-identity")
            c.start()
            # By id: the identity that C gave up for the copied one is known as C, too.
            ids = {station.status()["station"]["id"] for station in plant}
            self.assertEqual(len(ids), 3)
            for station in plant:
                others = ids - {station.status()["station"]["id"]}
                wait_until(lambda station=station, others=others: others <= {
                    s["id"] for s in station.station_list() if s["state"] == "connected"},
                    f"{station.name} is connected with the others")
            known = next(s for s in a.station_list() if s["id"] == b.status()["station"]["id"])
            self.assertEqual((known["name"], known["addresses"]), ("B", [f"{b.address}:8883"]))


class SyncDirectory(unittest.TestCase):
    def test_interrupted_fetches_stay_as_long_as_the_limits_allow(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a))
            a.station_setting("sync", 'size_max = "1kB"')
            folder = a.root / "sync" / "Plant" / "recipes" / "x~0123456789abcdef"
            days_ago = {"young.db.part": 0, "beyond-size.db.part": 1, "beyond-age.db.part": 31}
            folder.mkdir(parents=True)
            for name, days in days_ago.items():
                (folder / name).write_bytes(b"x" * 600)
                (folder / name.replace(".db.", ".db.have.")).write_bytes(b"its journal")
                os.utime(folder / name, (time.time() - days * 86400,) * 2)
            a.start()
            wait_until(lambda: not (folder / "beyond-size.db.part").exists()
                       and not (folder / "beyond-age.db.part").exists(), "what exceeds a limit is gone")
            wait_until(lambda: sorted(p.name for p in folder.iterdir()) == ["young.db.have.part", "young.db.part"],
                       "their journals go with them, what may go on stays")


class Changes(unittest.TestCase):
    def test_port_that_becomes_free_is_used_and_its_message_goes(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a))
            with socket.create_server((a.address, 8883)):
                a.start()
                a.wait_message("Cannot listen on")
            wait_until(lambda: not a.messages("Cannot listen on"), "A listens")
            socket.create_connection((a.address, 8883)).close()

    def test_discovery_that_is_taken_out_of_the_settings_dials_nobody_any_more(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a), dial=["127.0.0.1:9"])
            a.start()
            wait_until(lambda: [s for s in a.station_list() if "127.0.0.1:9" in s["addresses"]], "A dials")
            text = a.project_file().read_text(encoding="utf-8")
            a.project_file().write_text(text[:text.index("[discovery.stations]")], encoding="utf-8")
            a.cli("project", "enable", "recipes")
            wait_until(lambda: not a.station_list(), "A dials nobody")


class Slowness(unittest.TestCase):
    def test_a_station_that_stands_still_does_not_stop_the_rest(self):
        with Plant("ABC") as plant:
            a, b, c = plant
            plant.join_all(files_provider)
            plant.start_all().wait_connected()
            c.process.send_signal(signal.SIGSTOP)
            try:
                for number in range(20):
                    put(a.data / "recipes" / f"{number}.txt", b"%d" % number)
                for number in range(20):
                    b.wait_file(f"recipes/{number}.txt", b"%d" % number)
            finally:
                c.process.send_signal(signal.SIGCONT)
            for number in range(20):
                c.wait_file(f"recipes/{number}.txt", b"%d" % number)


if __name__ == "__main__":
    unittest.main()
