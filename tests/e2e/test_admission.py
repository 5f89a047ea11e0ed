"""Who may exchange data: key, project, time, product version. Whoever is rejected joins once mended."""

import os
import shutil
import time
import unittest

from stations import Plant, files_provider, need_test_build, put, wait_until


def rejected(station, other, check):
    """The reason of `check` in station's list of stations; None while it is not rejected for that."""
    peer = station.peer(other)
    if not peer or peer["state"] != "rejected":
        return None
    return next((r for r in peer["reasons"] if r["check"] == check), None)


def wait_rejected(station, other, check):
    return wait_until(lambda: rejected(station, other, check), f"{station.name} rejects {other.name} for {check}")


class Admission(unittest.TestCase):
    def plant_of_two(self, **options):
        plant = Plant("AB")
        plant.join_all(files_provider, **options)
        return plant

    def expect_no_data(self, plant):
        """A file of A is sealed there and does not reach B."""
        a, b = plant
        put(a.data / "recipes" / "secret.txt", b"only A")
        wait_until(lambda: a.history("recipes", "secret.txt"), "A has published secret.txt")
        self.assertFalse((b.data / "recipes" / "secret.txt").exists())
        self.assertIsNone(b.object("recipes", "secret.txt"))

    def expect_data(self, plant):
        plant.wait_connected()
        plant[1].wait_file("recipes/secret.txt", b"only A")

    def test_clock_61_seconds_off_is_rejected_and_joins_once_right(self):
        need_test_build()
        with self.plant_of_two() as plant:
            a, b = plant
            b.shift_clock(61)
            plant.start_all()
            for station, other in ((a, b), (b, a)):
                reason = wait_rejected(station, other, "time")
                self.assertTrue(reason["text"] and reason["ours"] and reason["theirs"] and reason["limit"], reason)
            self.assertAlmostEqual(abs(a.peer(b)["time_difference_ms"]), 61_000, delta=2_000)
            self.expect_no_data(plant)
            b.shift_clock(0)
            self.expect_data(plant)
            self.assertIn("B", a.log_text())

    def test_clock_58_seconds_off_is_accepted(self):
        need_test_build()
        with self.plant_of_two() as plant:
            plant[1].shift_clock(-58)
            plant.start_all().wait_connected()

    def test_a_clock_that_drifts_past_the_limit_and_back_is_no_step(self):
        need_test_build()
        with self.plant_of_two() as plant:
            a, b = plant
            b.shift_clock(58)
            plant.start_all().wait_connected()

            def drift(*offsets_s, state):
                """Each time by less than what counts as a step, and on only when that was measured."""
                for offset in offsets_s:
                    b.shift_clock(offset)
                    wait_until(lambda ms=offset * 1000: abs((a.peer(b)["time_difference_ms"] or 0) - ms) < 300,
                               f"A sees B {offset} s ahead")
                wait_until(lambda: all(s.peer(o)["state"] == state for s, o in ((a, b), (b, a))), f"both {state}")
            drift(59.5, 61, state="rejected")
            texts = {wait_rejected(s, o, "time")["text"] for s, o in ((a, b), (b, a))}
            self.assertEqual(len(texts), 1, texts)
            self.expect_no_data(plant)
            drift(59.5, 58, 56.5, state="rejected")
            drift(55, 53.5, state="connected")
            self.expect_data(plant)
            for station in plant:
                self.assertFalse(station.messages("clock of this computer was set"))

    def test_clock_that_steps_while_connected_is_noticed(self):
        need_test_build()
        with self.plant_of_two() as plant:
            a, b = plant
            plant.start_all().wait_connected()
            b.shift_clock(90)
            wait_rejected(a, b, "time")
            told = b.wait_message("clock of this computer was set by 90 s")
            self.assertEqual((told["id"], told["values"]), ("clock-step", {"step": "90 s"}))
            b.shift_clock(0)
            plant.wait_connected()
            # What has happened is told for a while, also after a restart of the service.
            b.stop()
            b.start()
            self.assertEqual(b.wait_message("clock of this computer was set")["id"], "clock-step")
            b.cli("stop")
            self.assertEqual(b.messages("clock of this computer was set")[0]["id"], "clock-step")
            self.assertIn("The engine is stopped", b.cli("stations"))
            kinds = {kind["id"]: kind for kind in b.get("message-kinds")}
            self.assertEqual(kinds["clock-step"]["life"], "event")

    def test_other_project_name_with_the_same_key(self):
        with Plant("AB") as plant:
            a, b = plant
            a.init()
            b.init(project="Other")
            shutil.copy2(a.root / "state" / "Plant" / "key", b.root / "state" / "Other" / "key")
            a.configure(files_provider(a))
            b.configure(files_provider(b), project="Other")
            plant.start_all()
            reasons = [wait_rejected(s, o, "project") for s, o in ((a, b), (b, a))]
            self.assertEqual(reasons[0]["text"], reasons[1]["text"])
            for name in ("Plant", "Other"):
                self.assertIn(name, str(reasons[0]))
            self.expect_no_data(plant)

    def test_other_key_gets_no_further_than_the_handshake(self):
        with Plant("AB") as plant:
            a, b = plant
            for station in plant:
                station.init().configure(files_provider(station))
            plant.start_all()
            for station, other in ((a, b), (b, a)):
                entry = wait_until(
                    lambda: next((s for s in station.station_list() if s["state"] == "rejected"
                                  and any("does not hold the key" in r["text"] for r in s["reasons"])), None),
                    f"{station.name} says that {other.name} does not hold the key")
                self.assertTrue(any(other.address in address for address in entry["addresses"]), entry)
            self.expect_no_data(plant)

    def test_product_version_differs(self):
        with self.plant_of_two() as plant:
            a, b = plant
            b.configure(files_provider(b), product_version="2.0")
            plant.start_all()
            for station, other in ((a, b), (b, a)):
                reason = wait_rejected(station, other, "product-version")
                self.assertEqual({reason["ours"], reason["theirs"]}, {"1.0", "2.0"})
            self.expect_no_data(plant)
            b.stop()
            b.configure(files_provider(b), product_version="1.0")
            b.start()
            self.expect_data(plant)

    def test_another_version_of_the_protocol_is_rejected_and_joins_once_updated(self):
        need_test_build()
        with self.plant_of_two() as plant:
            a, b = plant
            a.start()
            b.start({"STATIONSYNC_TEST_PROTOCOL": "2.3"})
            reasons = [wait_rejected(station, other, "protocol") for station, other in ((a, b), (b, a))]
            self.assertEqual([(r["ours"], r["theirs"]) for r in reasons], [("1", "2"), ("2", "1")])
            self.assertIn("update the older station", reasons[0]["text"])
            self.assertEqual(reasons[0]["text"], reasons[1]["text"])
            self.assertEqual(a.peer(b)["protocol"], "2.3")
            self.expect_no_data(plant)
            b.stop()
            b.start()
            self.expect_data(plant)

    def test_the_limit_holds_for_each_pair_and_a_station_between_relays(self):
        need_test_build()
        with Plant("ABC") as plant:
            a, b, c = plant
            plant.join_all(files_provider)
            b.shift_clock(40)
            c.shift_clock(80)
            plant.start_all()
            b.wait_connected(a, c)
            for station, other in ((a, c), (c, a)):
                reason = wait_rejected(station, other, "time")
                self.assertIn("ahead of", reason["text"])
            put(a.data / "recipes" / "of-a.txt", b"made on A")
            c.wait_file("recipes/of-a.txt", b"made on A")
            # Eighty seconds ahead of A, forty of B: each judges the stamp by its own clock.
            put(c.data / "recipes" / "of-c.txt", b"made on C")
            for station in (b, a):
                station.wait_file("recipes/of-c.txt", b"made on C", timeout=180)
            plant.wait_all_synced()
            self.assertEqual(a.peer(c)["state"], "rejected")
            self.assertIn("DIFFERS", a.cli("stations", "--checks"))
            c.shift_clock(40)
            plant.wait_connected()

    def test_time_zones_and_daylight_saving_change_nothing(self):
        need_test_build()
        zones = {"A": "Europe/Berlin", "B": "America/New_York", "C": "Australia/Lord_Howe"}
        # The ends of the pair of changes of Berlin: 2027-03-28 and 2027-10-31, 01:00 UTC.
        for begin in (1_806_195_600, 1_824_944_400):
            with Plant("ABC") as plant, self.subTest(change=begin):
                plant.join_all(files_provider)
                offset = begin - 12 - time.time()
                for station in plant:
                    station.shift_clock(offset)
                    station.start(environment={"TZ": zones[station.name]})
                a, b, c = plant
                put(a.data / "recipes" / "r.txt", b"before the change")
                for station in plant:
                    station.wait_file("recipes/r.txt", b"before the change")
                plant.wait_all_synced()
                published = [s.provider("recipes")["published"] for s in plant]
                wait_until(lambda offset=offset, begin=begin: time.time() + offset > begin + 3,
                           "the hour of the change is over")
                plant.wait_connected()
                put(b.data / "recipes" / "other.txt", b"after the change")
                for station in plant:
                    station.wait_file("recipes/other.txt", b"after the change")
                plant.wait_all_synced()
                self.assertEqual([s.provider("recipes")["published"] for s in plant],
                                 [published[0], published[1] + 1, published[2]])
                for station in plant:
                    self.assertFalse(station.messages("clock"), station.status())

    def step_and_edit(self, plant, step_s):
        """B's clock steps, B edits meanwhile, A later; then the clock is right again."""
        a, b = plant
        put(a.data / "recipes" / "r.txt", b"before")
        plant.start_all().wait_connected()
        b.wait_file("recipes/r.txt", b"before")
        plant.wait_all_synced()
        published = b.provider("recipes")["published"]
        b.shift_clock(step_s)
        b.wait_message(f"clock of this computer was set by {step_s} s")
        wait_rejected(a, b, "time")
        self.assertEqual(b.provider("recipes")["published"], published, "a step is no change")
        # The file's own time is of the wrong clock as well, as that of a program would be.
        put(b.data / "recipes" / "r.txt", b"made by the wrong clock")
        wrong = time.time() + step_s
        os.utime(b.data / "recipes" / "r.txt", (wrong, wrong))
        wait_until(lambda: b.provider("recipes")["published"] == published + 1, "B has published it")
        put(a.data / "recipes" / "r.txt", b"made later at the right time")
        wait_until(lambda: a.provider("recipes")["published"] == 2, "A has published its edit")
        b.shift_clock(0)
        plant.wait_connected()
        for station in plant:
            station.wait_file("recipes/r.txt", b"made later at the right time")
        plant.wait_all_synced()

    def test_a_change_made_while_the_clock_was_two_hours_ahead_does_not_win_later(self):
        need_test_build()
        with self.plant_of_two() as plant:
            self.step_and_edit(plant, 7200)
            lost = plant[1].wait_history("clock_wrong", "recipes", "r.txt")[-1]
            self.assertTrue(lost["kept"], lost)

    def test_a_change_made_while_the_clock_was_two_hours_behind_loses_to_a_later_one(self):
        need_test_build()
        with self.plant_of_two() as plant:
            self.step_and_edit(plant, -7200)
            lost = plant[1].wait_history("conflict_lost", "recipes", "r.txt")[-1]
            self.assertTrue(lost["kept"], lost)


if __name__ == "__main__":
    unittest.main()
