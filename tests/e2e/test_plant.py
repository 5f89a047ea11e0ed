"""A plant is set up, a file travels, and the command line tells about it."""

import json
import subprocess
import unittest

from stations import EventStream, Plant, files_provider, put, wait_until


class PlantOfThree(unittest.TestCase):
    def test_file_travels_to_all_and_everything_is_told(self):
        with Plant("ABC") as plant:
            a, b, c = plant
            plant.join_all(files_provider)
            (a.data / "recipes" / "Pilsner").mkdir()
            put(a.data / "recipes" / "Pilsner" / "Größe 1.xml", b"<recipe/>")
            put(a.data / "recipes" / "empty.txt", b"")
            plant.start_all().wait_connected()
            for station in (b, c):
                station.wait_file("recipes/Pilsner/Größe 1.xml", b"<recipe/>")
                station.wait_file("recipes/empty.txt", b"")
            plant.wait_all_synced().wait_equal_digests("recipes")

            # Back from one that joined, and on to the third.
            events = EventStream(c)
            self.addCleanup(events.close)
            put(b.data / "recipes" / "new.txt", b"made on B")
            for station in (a, c):
                station.wait_file("recipes/new.txt", b"made on B")
            plant.wait_all_synced()
            events.wait("object", lambda event: event.get("key") == "new.txt")

            self.check_listings(a, b, c)
            self.check_commands(a, b)

    def check_listings(self, a, b, c):
        peer = wait_until(lambda: (p := a.peer(b)) and p["found"] and p["found_by"] and p, "both links stand")
        self.assertEqual(peer["project"], "Plant")
        self.assertLess(abs(peer["time_difference_ms"]), 1000)
        self.assertEqual({s["name"] for s in a.cli_json("stations")}, {"B", "C"})

        found = wait_until(lambda: (o := a.object("recipes", "new.txt")) and len(o["present_on"]) == 3 and o,
                           "A knows that all three hold new.txt")
        self.assertEqual(found["state"], "in_sync")
        self.assertEqual(found["size"], 9)
        self.assertIsNone(found["conflict"])

        status = a.cli_json("status")
        self.assertEqual(status["project"], "Plant")
        self.assertEqual(status["station"]["name"], "A")
        self.assertEqual(status["engine"], "running")
        recipes = next(p for p in status["providers"] if p["name"] == "recipes")
        self.assertEqual((recipes["state"], recipes["objects"], recipes["unsynced"]), ("ok", 3, 0))
        # One announcement per change, and no echo of what was applied.
        self.assertEqual([h["what"] for h in a.history("recipes", "new.txt")], ["applied"])
        self.assertEqual([h["what"] for h in b.history("recipes", "new.txt")], ["published"])
        self.assertEqual([h["what"] for h in c.history("recipes", "new.txt")], ["applied"])

    def check_commands(self, a, b):
        self.assertEqual(a.command("wait", "--timeout", "30").returncode, 0)
        self.assertEqual(a.command("wait", "recipes/new.txt", "--timeout", "30").returncode, 0)
        nothing = a.command("wait", "recipes/unknown.txt", "--timeout", "0")
        self.assertEqual(nothing.returncode, 1)
        self.assertIn("not known", nothing.stderr)
        self.assertEqual(a.command("verify").returncode, 0)
        self.assertIn("new.txt", a.cli("explain", "recipes/new.txt"))
        for command in ("status", "stations", "objects", "history", "plugin list"):
            for line in a.cli(*command.split()).splitlines():
                self.assertLessEqual(len(line), 80, f"{command}: {line}")
        self.assertEqual(a.command("objekts").returncode, 2)
        self.assertEqual(a.command("explain", "recipes").returncode, 2)
        self.assertRegex(a.cli("--version"), r"\d+\.\d+")
        self.check_followed_log(a, b)

    def check_followed_log(self, a, b):
        """`log -f` shows an entry that is written after it was begun."""
        follower = subprocess.Popen([a.program, "--root", str(a.root), "log", "-f", "--json"],
                                    stdout=subprocess.PIPE, text=True, env=a._environment())
        try:
            first = json.loads(follower.stdout.readline())
            self.assertIn("text", first)
            put(b.data / "recipes" / "followed.txt", b"1")
            a.wait_file("recipes/followed.txt", b"1")
            for line in follower.stdout:
                if "followed.txt" in line:
                    break
            else:
                self.fail("the log ended before it told about followed.txt")
        finally:
            follower.kill()
            follower.communicate()


class SettingUp(unittest.TestCase):
    def test_joined_station_waits_until_the_plant_answers(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            put(b.data / "recipes" / "own.txt", b"of the newcomer")
            b.start()
            wait_until(lambda: b.provider("recipes")["state"] == "newcomer", "B is a newcomer")
            self.assertEqual(b.command("publish", "recipes/own.txt").returncode, 1)
            a.start()
            plant.wait_connected()
            # A new object of a newcomer is taken; it only never replaces anything.
            a.wait_file("recipes/own.txt", b"of the newcomer")
            plant.wait_all_synced()

    def test_known_project_wrong_code_and_bad_names_are_refused(self):
        with Plant("AB") as plant:
            a, b = plant
            a.init()
            again = a.command("init", "--project", "Plant")
            self.assertEqual(again.returncode, 1)
            self.assertIn("known here already", again.stderr)
            code = a.invite()
            damaged = code[:-3] + ("AAA" if code[-3:] != "AAA" else "BBB")
            wrong = b.command("join", "-", "--station", "B", "--listen", b.address, given=damaged)
            self.assertEqual(wrong.returncode, 1)
            self.assertFalse((b.root / "station.toml").exists())
            for name in ("a/b", "CON", " x", "x.", "y" * 49):
                bad = b.command("init", "--project", name, "--station", "B")
                self.assertEqual(bad.returncode, 2, name)
            done = b.command("join", code, "--station", "B", "--listen", b.address)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("aiting for the first exchange", done.stdout)

    def test_errors_of_configuration_name_file_line_and_remedy(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a, extra='setle = "5s"'))
            # The service stays, so that the console can tell; the engine says why it does not run.
            a.start()
            status = a.status()
            self.assertEqual(status["engine"], "stopped")
            self.assertRegex(status["reason"], r"Plant\.toml:\d+")
            self.assertIn("setle", status["reason"])
            a.configure(files_provider(a))
            a.cli("start")
            a.wait_all_synced()


if __name__ == "__main__":
    unittest.main()
