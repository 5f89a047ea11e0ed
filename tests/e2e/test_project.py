"""What the plant's own software decides: when the engine runs, and which version it has."""

import os
import shlex
import time
import unittest

from stations import Plant, files_provider, need_test_build, put, sqlite_provider, wait_until
from test_admission import wait_rejected


def version_file(station, line):
    path = station.data / "version.txt"
    put(path, f"Plant software\n{line}\n".encode())
    return (f"product_version_file = '{path}'\n"
            "product_version_pattern = '^Version ([0-9.]+)$'\n")


class Follow(unittest.TestCase):
    def test_engine_runs_while_the_command_succeeds(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            running = b.data / "plant-runs"
            b.configure(files_provider(b), top=f"follow = 'test -e {shlex.quote(str(running))}'\n")
            plant.start_all()
            wait_until(lambda: "ends with exit status 1" in b.status()["reason"], "B says why it does not run")
            self.assertEqual(b.status()["engine"], "stopped")
            self.assertIn("plant's project does not run", b.cli("status"))
            self.assertIn("The engine waits", b.cli("start"))
            put(running, b"")
            plant.wait_connected()
            running.unlink()
            wait_until(lambda: b.status()["engine"] == "stopped", "B has stopped with the plant's project")
            # A person's stop lasts, whatever the command says.
            b.cli("stop")
            put(running, b"")
            self.assertIn("by a person", b.status()["reason"])
            b.cli("start")
            plant.wait_connected()

    def test_command_that_hangs_or_fails_is_named(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a), top="follow = 'no-such-command-here'\n")
            a.start()
            wait_until(lambda: "no-such-command-here" in a.status()["reason"]
                       and "exit status 127" in a.status()["reason"], "A names the command")
            a.stop()
            a.configure(files_provider(a), top="follow = 'sleep 300'\n")
            a.start()
            wait_until(lambda: "'sleep 300' (follow) takes longer than 10 s" in a.status()["reason"], "A names it")
            # The next one runs by now, or soon; it holds up no end of the service and is not left behind.
            wait_until(lambda: a.runs_command("sleep", "300"), "the command runs again")
            a.stop()
            self.assertFalse(a.runs_command("sleep", "300"))
            self.assertNotIn("had not returned", a.log_text())

    def test_a_stop_by_a_person_while_the_engine_waits_ends_what_was_restored(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(lambda s: files_provider(s, settle="4s"))
            runs = b.data / "plant-runs"
            put(runs, b"")
            b.configure(files_provider(b, settle="4s"), top=f"follow = 'test -e {shlex.quote(str(runs))}'\n")
            target = b.data / "recipes" / "r.txt"
            put(a.data / "recipes" / "r.txt", b"first")
            plant.start_all().wait_connected()
            b.wait_file("recipes/r.txt", b"first")
            old = target.stat()
            put(a.data / "recipes" / "r.txt", b"second")
            b.wait_file("recipes/r.txt", b"second")
            plant.wait_all_synced()
            put(target, b"first")
            os.utime(target, ns=(old.st_mtime_ns, old.st_mtime_ns))
            wait_until(lambda: (o := b.object("recipes", "r.txt")) and o["state"] == "held", "B has seen the restore")
            runs.unlink()
            wait_until(lambda: b.status()["engine"] == "stopped", "B's engine waits for the plant's project")
            self.assertEqual(target.read_bytes(), b"first")
            b.cli("stop")
            put(target, b"edited")
            put(runs, b"")
            b.cli("start")
            a.wait_file("recipes/r.txt", b"edited")

    def test_start_tells_what_the_plants_software_says(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a), top="follow = 'sleep 1'\n")
            a.start()
            wait_until(lambda: a.status()["engine"] == "running", "A runs")
            a.cli("stop")
            self.assertIn("The engine runs.", a.cli("start"))


class ProductVersion(unittest.TestCase):
    def test_version_from_file_and_command_is_followed_while_running(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            a.configure(files_provider(a), product_version=None, top=version_file(a, "Version 7.1"))
            b.configure(files_provider(b), product_version=None,
                        top="product_version_command = 'cat " + shlex.quote(str(b.data / "v")) + "'\n")
            put(b.data / "v", b" 7.1 \n")
            plant.start_all().wait_connected()
            put(b.data / "v", b"7.2\n")
            reasons = [wait_rejected(s, o, "product-version") for s, o in ((a, b), (b, a))]
            self.assertEqual(reasons[0]["text"], reasons[1]["text"])
            self.assertEqual(reasons[0]["remedy"], reasons[1]["remedy"])
            self.assertEqual((reasons[0]["ours"], reasons[0]["theirs"]), ("7.1", "7.2"))
            version_file(a, "Version 7.2")
            plant.wait_connected()
            # In the middle of an update the last known version counts.
            (a.data / "version.txt").unlink()
            a.wait_message("The last known one counts, 7.2")
            self.assertEqual(a.peer(b)["state"], "connected")
            version_file(a, "Version 7.2")
            wait_until(lambda: not a.messages("last known one"), "the message is gone")

    def test_a_version_that_is_unknown_after_a_shutdown_is_not_taken_from_before_it(self):
        with Plant("A") as plant:
            a = plant[0].init()
            runs = a.data / "plant-runs"
            put(runs, b"")
            a.configure(files_provider(a), product_version=None,
                        top=version_file(a, "Version 1.0") + f"follow = 'test -e {shlex.quote(str(runs))}'\n")
            a.start()
            wait_until(lambda: a.status()["engine"] == "running", "A runs")
            runs.unlink()
            wait_until(lambda: a.status()["engine"] == "stopped", "A has stopped with the plant's project")
            version_file(a, "being updated")
            put(runs, b"")
            wait_until(lambda: "matches product_version_pattern" in a.status()["reason"], "A says what is missing")
            self.assertEqual(a.status()["engine"], "stopped")
            put(a.data / "version.txt", b"\xef\xbb\xbfVersion 2.0\r\nPlant software\r\n")
            wait_until(lambda: a.status()["engine"] == "running", "A runs with a file that Windows wrote")

    def test_unknown_version_keeps_the_engine_stopped_until_it_is_known(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a), product_version=None, top=version_file(a, "no number here"))
            a.start()
            wait_until(lambda: "matches product_version_pattern" in a.status()["reason"], "A says what is missing")
            self.assertEqual(a.status()["engine"], "stopped")
            version_file(a, "Version 1")
            wait_until(lambda: a.status()["engine"] == "running", "A runs")


    def test_a_clock_that_was_wrong_while_the_project_was_shut_down_makes_no_edit_old(self):
        need_test_build()
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            runs = b.data / "plant-runs"
            put(runs, b"")
            b.configure(files_provider(b), top=f"follow = 'test -e {shlex.quote(str(runs))}'\n")
            put(a.data / "recipes" / "r.txt", b"before")
            plant.start_all().wait_connected()
            b.wait_file("recipes/r.txt", b"before")
            plant.wait_all_synced()
            runs.unlink()
            wait_until(lambda: b.status()["engine"] == "stopped", "B's engine is stopped")
            b.shift_clock(-7200)
            wait_until(lambda: "set by -7" in b.log_text(), "B notices")  # 7199999 ms as well
            put(b.data / "recipes" / "r.txt", b"saved by a wrong clock")
            wrong = time.time() - 7200
            os.utime(b.data / "recipes" / "r.txt", (wrong, wrong))
            b.shift_clock(0)
            wait_until(lambda: "set by 7" in b.log_text(), "B notices again")
            put(runs, b"")
            a.wait_file("recipes/r.txt", b"saved by a wrong clock")
            b.wait_message("clock of this computer was set by 7200 s")


class Mismatch(unittest.TestCase):
    def plant(self, top):
        plant = Plant("AB")
        plant.join_all(files_provider)
        a, b = plant
        a.configure(files_provider(a), sqlite_provider(a), top=top)
        b.configure(files_provider(b), files_provider(b, name="batchdb", folder="other"), top=top)
        put(a.data / "recipes" / "r.txt", b"recipe")
        plant.start_all()
        return plant

    def test_one_mismatched_provider_rejects_the_station(self):
        with self.plant("") as plant:
            a, b = plant
            reasons = [wait_rejected(s, o, "provider:batchdb") for s, o in ((a, b), (b, a))]
            self.assertEqual(reasons[0]["text"], reasons[1]["text"])
            self.assertIsNone(b.object("recipes", "r.txt"))

    def test_one_mismatched_provider_is_skipped_when_both_say_so(self):
        with self.plant('on_provider_mismatch = "skip-provider"\n') as plant:
            a, b = plant
            plant.wait_connected()
            b.wait_file("recipes/r.txt", b"recipe")
            for station, other in ((a, b), (b, a)):
                skipped = [c for c in station.peer(other)["checks"] if c["check"] == "provider:batchdb"]
                self.assertIn("it is skipped between these two", skipped[0]["text"])
                station.wait_message("batchdb")
            b.stop()
            b.configure(files_provider(b), sqlite_provider(b), top='on_provider_mismatch = "skip-provider"\n')
            b.start()
            plant.wait_connected()
            wait_until(lambda: not any("batchdb" in m["text"] for s in plant for m in s.messages()
                                       if m["id"] == "provider-skipped"), "the message goes with its cause")

    def test_two_causes_are_told_together_and_alike_on_both_sides(self):
        need_test_build()
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            b.configure(files_provider(b), product_version="2.0")
            b.shift_clock(90)
            plant.start_all()
            for check in ("time", "product-version"):
                texts = {wait_rejected(s, o, check)["text"] for s, o in ((a, b), (b, a))}
                self.assertEqual(len(texts), 1, texts)
            for station in plant:
                text = station.wait_message("No data is exchanged")["text"]
                self.assertIn("ahead of", text)
                self.assertIn("version of the plant software", text)
            put(a.data / "recipes" / "secret.txt", b"only A")
            wait_until(lambda: a.history("recipes", "secret.txt"), "A has published secret.txt")
            b.shift_clock(0)
            wait_until(lambda: [r["check"] for r in a.peer(b)["reasons"] if r["check"] != "found-by"]
                       == ["product-version"], "only one cause is left")
            self.assertIsNone(b.object("recipes", "secret.txt"))
            b.stop()
            b.configure(files_provider(b))
            b.start()
            b.wait_file("recipes/secret.txt", b"only A")


if __name__ == "__main__":
    unittest.main()
