"""Held providers and apply_when: what comes is fetched and waits, all stations tell why, and it is brought in after."""

import json
import time
import unittest
from datetime import datetime

from stations import ApiError, Plant, files_provider, need_test_build, put, sqlite_provider, wait_until


def packages(station, content, provider="recipes"):
    """The package files of `content` in the sync directory."""
    folder = station.root / "sync"
    return [file for file in folder.glob(f"**/{provider}/**/*")
            if file.is_file() and file.suffix not in (".part", ".rev") and file.read_bytes() == content]


class Hold(unittest.TestCase):
    def in_step(self):
        """A plant in step with r.txt."""
        plant = self.enterContext(Plant("AB"))
        plant.join_all(files_provider)
        put(plant[0].data / "recipes" / "r.txt", b"first")
        plant.start_all().wait_connected()
        for station in plant:
            station.wait_file("recipes/r.txt", b"first")
        plant.wait_all_synced()
        return plant

    def wait_waiting(self, station, reason):
        def waits():
            found = station.object("recipes", "r.txt")
            return found if found and found["state"] == "waiting" and reason in found["reason"] else None
        return wait_until(waits, f"{station.name}: r.txt waits ({reason})")

    def wait_told(self, station, at, reason):
        """`station` tells that r.txt waits at station `at`, and why: object, provider, explain, status."""
        def told():
            waits = station.object("recipes", "r.txt")["waits_on"]
            return [w for w in waits if w["station"] == at.name and reason in w["text"]]
        found = wait_until(told, f"{station.name} tells that {at.name} waits ({reason})")[0]
        self.assertEqual(found["here"], station is at)
        of_provider = [w["station"] for w in station.provider("recipes")["waits_on"]]
        self.assertEqual(of_provider, [at.name])
        one_line = " ".join(station.cli("explain", "recipes/r.txt").split())
        self.assertIn("waiting", one_line)
        self.assertIn(reason, one_line)  # below the table, whose column may be cut
        self.assertIn(reason, " ".join(station.cli("status").split()))
        return found

    def test_a_held_provider_fetches_and_waits_until_it_is_released(self):
        plant = self.in_step()
        a, b = plant
        self.assertIn("release", b.cli("hold", "recipes"))
        self.assertEqual(b.provider("recipes")["state"], "held")
        b.cli("wait", "recipes", "--timeout", "60")  # nothing waits: it is in step
        put(a.data / "recipes" / "r.txt", b"second state")
        waiting = self.wait_waiting(b, "held on purpose")
        self.assertIn("stationsync release recipes", waiting["reason"])
        self.assertIn("held on purpose", b.command("wait", "recipes", "--timeout", "0").stderr)
        self.assertEqual(len(packages(b, b"second state")), 1, "fetched and verified")
        for station in plant:
            self.wait_told(station, b, "held on purpose")
        told = b.wait_message("is held on this station")
        self.assertIn("stationsync release recipes", told["remedy"])
        # What is changed there goes on to the others.
        put(b.data / "recipes" / "of-b.txt", b"made on B")
        a.wait_file("recipes/of-b.txt", b"made on B")
        # It lasts over a restart, and after a kill, too.
        for end in (b.stop, b.kill):
            end()
            b.start().wait_connected(a)
            self.wait_waiting(b, "held on purpose")
            self.wait_told(a, b, "held on purpose")
        self.assertEqual((b.data / "recipes" / "r.txt").read_bytes(), b"first")
        self.assertEqual(len(packages(b, b"second state")), 1)
        b.cli("release", "recipes")
        b.wait_file("recipes/r.txt", b"second state")
        plant.wait_all_synced()
        wait_until(lambda: a.object("recipes", "r.txt")["waits_on"] == [], "A knows that nothing waits")
        self.assertTrue(b.messages("is released by a person"))
        self.assertFalse(b.messages("is held on this station"))
        self.assertIn("is not held", b.cli("release", "recipes"))

    def test_a_hold_for_some_time_ends_by_itself_and_blocks_nothing_else(self):
        plant = self.enterContext(Plant("AB"))
        plant.join_all(files_provider, lambda s: files_provider(s, name="reports", folder="reports"))
        put(plant[0].data / "recipes" / "r.txt", b"first")
        plant.start_all().wait_connected()
        a, b = plant
        b.wait_file("recipes/r.txt", b"first")
        self.assertIn("until", b.cli("hold", "recipes", "--for", "10m"))
        put(a.data / "recipes" / "r.txt", b"second state")
        put(a.data / "reports" / "t.txt", b"a report")
        b.wait_file("reports/t.txt", b"a report")
        waiting = self.wait_waiting(b, "held on purpose until")
        self.assertTrue(waiting["waits_on"][0]["until"])
        # However long that took: the order for a shorter time is the one that counts.
        begin = time.monotonic()
        b.cli("hold", "recipes", "--for", "3s")
        b.wait_file("recipes/r.txt", b"second state")
        self.assertGreaterEqual(time.monotonic() - begin, 2.9)
        self.assertTrue(b.messages("its time was over"))
        plant.wait_all_synced()

    def test_a_hold_that_ends_while_the_service_is_off_is_over_at_the_start(self):
        plant = self.in_step()
        a, b = plant
        b.cli("hold", "recipes", "--for", "3s")
        over = time.monotonic() + 3
        b.stop()
        put(a.data / "recipes" / "r.txt", b"second state")
        wait_until(lambda: time.monotonic() > over, "the time is over")
        b.start()
        b.wait_file("recipes/r.txt", b"second state")
        plant.wait_all_synced()
        self.assertTrue(b.messages("its time was over"))
        self.assertFalse(b.messages("is held on this station"))

    def test_a_command_decides_and_its_first_line_is_the_reason_everywhere(self):
        plant = self.enterContext(Plant("ABC"))
        plant.join_all(files_provider)
        a, b, c = plant
        gate = b.folder / "gate.txt"
        gate.write_text("batch 4711 is running\nmore\n", encoding="utf-8")
        asked = b.folder / "asked.txt"
        command = f"echo . >> {asked}; head -n 2 {gate}; test ! -s {gate}"
        b.configure(files_provider(b, extra=f"apply_when = {json.dumps(command)}"))
        put(a.data / "recipes" / "r.txt", b"first")
        plant.start_all().wait_connected()
        c.wait_file("recipes/r.txt", b"first")
        self.wait_waiting(b, "batch 4711 is running")
        self.assertEqual(b.provider("recipes")["state"], "waiting")
        for station in plant:
            self.wait_told(station, b, "batch 4711 is running")
        self.assertNotIn("more", b.object("recipes", "r.txt")["reason"])
        self.assertEqual(len(packages(b, b"first")), 1)
        gate.write_text("", encoding="utf-8")
        b.wait_file("recipes/r.txt", b"first", timeout=120)
        plant.wait_all_synced()
        wait_until(lambda: a.object("recipes", "r.txt")["waits_on"] == [], "A knows that nothing waits")
        # Not in a loop: 5 s and more between two questions, and none while nothing waits.
        questions = len(asked.read_text().splitlines())
        self.assertLess(questions, 20)
        put(c.data / "recipes" / "other.txt", b"other")
        b.wait_file("recipes/other.txt", b"other")
        plant.wait_all_synced()
        self.assertLessEqual(len(asked.read_text().splitlines()), questions + 2)

    def test_a_command_that_fails_without_a_word_is_named(self):
        plant = self.enterContext(Plant("AB"))
        plant.join_all(files_provider)
        a, b = plant
        b.configure(files_provider(b, extra='apply_when = "exit 3"'))
        put(a.data / "recipes" / "r.txt", b"first")
        plant.start_all().wait_connected()
        self.wait_waiting(b, "exit status 3")
        self.wait_told(a, b, "exit status 3")
        # However long the command is, the others hear of it and stay linked.
        b.configure(files_provider(b, extra=f"apply_when = {json.dumps('exit 4 #' + 3000 * 'x')}"))
        b.cli("restart")
        plant.wait_connected()
        self.wait_told(a, b, "exit status 4")
        self.assertNotIn("has more than", a.log_text() + b.log_text())
        # Taken out of the project file, nothing waits any more.
        b.configure(files_provider(b))
        b.cli("restart")
        b.wait_file("recipes/r.txt", b"first")

    def test_a_command_that_hangs_holds_up_no_end_and_is_not_left_behind(self):
        plant = self.enterContext(Plant("AB"))
        plant.join_all(files_provider)
        a, b = plant
        b.configure(files_provider(b, extra='apply_when = "sleep 299"'))
        put(a.data / "recipes" / "r.txt", b"first")
        plant.start_all().wait_connected()
        wait_until(lambda: b.runs_command("sleep", "299"), "the command is asked")
        b.configure(files_provider(b))  # of another setting nobody waits for its answer
        b.cli("restart")
        b.wait_file("recipes/r.txt", b"first")
        self.assertFalse(b.runs_command("sleep", "299"))
        b.configure(files_provider(b, extra='apply_when = "sleep 299"'))
        b.cli("restart")
        put(a.data / "recipes" / "r.txt", b"second")
        wait_until(lambda: b.runs_command("sleep", "299"), "the command is asked again")
        b.stop()
        self.assertFalse(b.runs_command("sleep", "299"))
        self.assertNotIn("had not returned", b.log_text())

    def test_the_clock_of_the_computer_changes_no_length_of_a_hold(self):
        need_test_build()
        plant = self.in_step()
        a, b = plant
        b.cli("hold", "recipes", "--for", "30m")
        put(a.data / "recipes" / "r.txt", b"second state")
        begin = self.wait_waiting(b, "held on purpose until")["waits_on"][0]["until"]

        def moved():
            until = b.object("recipes", "r.txt")["waits_on"][0]["until"]
            return (datetime.fromisoformat(until) - datetime.fromisoformat(begin)).total_seconds()

        def wait_moved(seconds):
            # By what the service has noticed, a few milliseconds more or less.
            self.wait_waiting(b, "held on purpose until")
            self.assertAlmostEqual(moved(), seconds, delta=2)

        for seconds, told in ((7200, "set by 7200 s"), (0, "set by -7200 s")):
            b.shift_clock(seconds)
            b.wait_message(told)
            wait_moved(seconds)
        # While the engine is stopped, and counted once, whatever becomes of the next starts.
        b.cli("stop")
        b.shift_clock(-7200)
        wait_until(lambda: "the engine counts it when it starts" in b.log_text(), "B notices")
        for _ in range(2):
            b.cli("start")
            wait_moved(-7200)
            b.cli("stop")
        b.stop()
        b.start()
        wait_moved(-7200)
        self.assertEqual((b.data / "recipes" / "r.txt").read_bytes(), b"first")
        b.cli("release", "recipes")
        b.wait_file("recipes/r.txt", b"second state")

    def test_nobody_is_reminded_of_a_held_provider_that_is_off(self):
        plant = self.in_step()
        b = plant[1]
        b.cli("hold", "recipes")
        b.wait_message("is held on this station")
        b.cli("project", "disable", "recipes")
        wait_until(lambda: not b.messages("is held on this station"), "the message is gone")
        b.cli("project", "enable", "recipes")
        b.wait_message("is held on this station")
        wait_until(lambda: b.provider("recipes")["state"] == "held", "it is held as before")
        b.stop()
        b.configure(files_provider(b, name="others", folder="others"))
        b.start()
        self.assertFalse(b.messages("is held on this station"))
        b.stop()
        b.configure(files_provider(b))
        b.start()
        b.wait_message("is held on this station")

    def test_a_window_of_local_time_is_kept(self):
        # In these zones it is noon and midnight of one moment; the window is the night.
        hour = time.gmtime().tm_hour
        east = (24 - hour) % 24  # so many hours east of Greenwich it is the first hour of a day
        for offset, may in ((east, True), ((east + 12) % 24, False)):
            with self.subTest(may=may):
                plant = self.enterContext(Plant("AB"))
                plant.join_all(files_provider)
                a, b = plant
                b.configure(files_provider(b, extra='apply_when = "23:00-02:00"'))
                b.environment["TZ"] = f"LOC-{offset}"
                put(a.data / "recipes" / "r.txt", b"first")
                plant.start_all().wait_connected()
                if may:
                    b.wait_file("recipes/r.txt", b"first")
                    plant.wait_all_synced()
                else:
                    self.wait_waiting(b, "the window is 23:00-02:00 (local time there); it opens next 23:00")
                    self.wait_told(a, b, "23:00-02:00")
                    self.assertFalse((b.data / "recipes" / "r.txt").exists())

    def test_databases_are_held_alike(self):
        import sqlite3
        plant = self.enterContext(Plant("AB"))
        plant.join_all(sqlite_provider)
        a, b = plant

        def write(value):
            with sqlite3.connect(a.data / "db" / "batch.db") as database:
                database.execute("CREATE TABLE IF NOT EXISTS t(v)")
                database.execute("INSERT INTO t VALUES (?)", (value,))
            database.close()

        def values():
            database = sqlite3.connect(b.data / "db" / "batch.db")
            try:
                return [row[0] for row in database.execute("SELECT v FROM t ORDER BY v")]
            except sqlite3.Error:
                return []
            finally:
                database.close()

        write(1)
        plant.start_all().wait_connected()
        wait_until(lambda: values() == [1], "B has the database")
        plant.wait_all_synced()
        b.act("hold", provider="batchdb")
        for value in (2, 3):
            published = a.provider("batchdb")["published"]
            write(value)
            wait_until(lambda: a.provider("batchdb")["published"] > published, "A has sealed it")
        wait_until(lambda: (o := b.object("batchdb", "batch.db")) and o["state"] == "waiting" and
                   "held on purpose" in o["reason"], "it waits on B")
        self.assertEqual(values(), [1])
        b.act("release", provider="batchdb")
        wait_until(lambda: values() == [1, 2, 3], "B has the last state")
        plant.wait_all_synced()

    def test_wrong_orders_and_settings_are_refused_with_what_is_right(self):
        plant = self.in_step()
        b = plant[1]
        with self.assertRaises(ApiError) as caught:
            b.act("hold", provider="recipies")
        self.assertIn("recipes", caught.exception.text + caught.exception.remedy)
        with self.assertRaises(ApiError) as caught:
            b.act("hold", **{"provider": "recipes", "for": "2 hours"})
        self.assertIn("2h", caught.exception.remedy)
        self.assertEqual(b.command("hold", "recipes", "--for", "soon").returncode, 2)
        self.assertEqual(b.provider("recipes")["state"], "ok")
        b.configure(files_provider(b, extra='apply_when = "22:00-25:00"'))
        refused = b.command("restart")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("22:00-05:00", refused.stderr + refused.stdout)
        b.configure(files_provider(b, extra='apply_when = "22.00-05.00"'))
        self.assertIn("apply_when", b.command("restart").stderr)


if __name__ == "__main__":
    unittest.main()
