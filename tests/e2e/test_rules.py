"""The rules of what wins, seen from outside: files, history, messages."""

import os
import time
import unittest

from stations import ApiError, Plant, files_provider, put, sqlite_provider, wait_until

DAY_S = 86_400


def old(path, days):
    """Sets the modification time `days` back, as a restore tool or a copy that keeps times does."""
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))


class Winning(unittest.TestCase):
    def two_in_step(self, content=b"first", make=files_provider, **options):
        plant = Plant("AB", **options)
        plant.join_all(make)
        put(plant[0].data / "recipes" / "r.txt", content)
        plant.start_all().wait_connected()
        plant[1].wait_file("recipes/r.txt", content)
        plant.wait_all_synced()
        return plant

    def change(self, station, content):
        put(station.data / "recipes" / "r.txt", content)
        for other in station.plant:
            other.wait_file("recipes/r.txt", content)
        station.plant.wait_all_synced()

    def test_later_of_two_concurrent_edits_wins_and_the_loser_is_kept(self):
        with self.two_in_step() as plant:
            a, b = plant
            b.cli("stop")
            put(a.data / "recipes" / "r.txt", b"earlier edit")
            wait_until(lambda: a.provider("recipes")["published"] == 2, "A has sealed its edit")
            put(b.data / "recipes" / "r.txt", b"later edit")
            b.cli("start")
            for station in plant:
                station.wait_file("recipes/r.txt", b"later edit")
            lost = a.wait_history("conflict_lost", "recipes", "r.txt")[-1]
            self.assertTrue(lost["kept"], lost)
            for station in plant:
                shown = wait_until(lambda: station.object("recipes", "r.txt")["conflict"],
                                   f"{station.name} shows the conflict")
                self.assertEqual(shown["with"], "A")
                self.assertIn("A", shown["loser_kept_on"])
            # A later change that has seen both ends it.
            self.change(a, b"seen both")
            for station in plant:
                wait_until(lambda: station.object("recipes", "r.txt")["conflict"] is None,
                           f"{station.name} shows no conflict any more")

    def test_restore_brings_a_former_state_back_everywhere(self):
        with self.two_in_step(b"one") as plant:
            a, b = plant
            self.change(a, b"two, longer")
            kept = wait_until(lambda: [h for h in b.history("recipes", "r.txt") if h["kept"] and h["size"] == 3],
                              "B keeps the first state")[-1]
            b.cli("restore", "recipes/r.txt", "--version", str(kept["version"]))
            for station in plant:
                station.wait_file("recipes/r.txt", b"one")
            plant.wait_all_synced()
            self.assertEqual(b.command("restore", "recipes/r.txt", "--version", "no-such").returncode, 1)

    def test_restored_old_file_is_put_back_unless_published(self):
        with self.two_in_step(b"backup of last year") as plant:
            a, b = plant
            self.change(a, b"today's recipe")
            path = b.data / "recipes" / "r.txt"
            put(path, b"backup of last year")
            old(path, days=300)
            entry = b.wait_history("put_back", "recipes", "r.txt")[-1]
            b.wait_file("recipes/r.txt", b"today's recipe")
            plant.wait_all_synced()
            self.assertEqual((a.data / "recipes" / "r.txt").read_bytes(), b"today's recipe")
            # Now on purpose: the state that was put back is brought back by its version.
            b.cli("restore", "recipes/r.txt", "--version", str(entry["version"]))
            for station in plant:
                station.wait_file("recipes/r.txt", b"backup of last year")
            plant.wait_all_synced()

    def test_publish_makes_a_restored_old_file_win(self):
        def slow(station):
            return files_provider(station, settle="3s")

        with self.two_in_step(b"backup of last year", make=slow) as plant:
            a, b = plant
            self.change(a, b"today's recipe")
            path = b.data / "recipes" / "r.txt"
            put(path, b"backup of last year")
            old(path, days=300)
            held = wait_until(lambda: (o := b.object("recipes", "r.txt")) and o["state"] == "held" and o,
                              "B holds the restored file back")
            self.assertTrue(held["reason"])
            self.assertTrue(b.wait_message("publish"))
            b.cli("publish", "recipes/r.txt")
            for station in plant:
                station.wait_file("recipes/r.txt", b"backup of last year")
            plant.wait_all_synced()

    def edit_on_top_of_a_restored_file(self, system_state):
        """B ends while it holds a restored file back; returns the plant with an edit made meanwhile."""
        plant = self.two_in_step(b"backup of last year", make=lambda s: files_provider(s, settle="6s"))
        self.addCleanup(plant.close)
        a, b = plant
        self.change(a, b"today's recipe")
        b.stop()
        systemctl = b.root / "bin" / "systemctl"
        systemctl.parent.mkdir()
        systemctl.write_text(f"#!/bin/sh\necho {system_state}\n", encoding="utf-8")
        systemctl.chmod(0o755)
        b.start(environment={"PATH": f"{systemctl.parent}:{os.environ['PATH']}"}).wait_connected(a)
        plant.wait_all_synced()
        path = b.data / "recipes" / "r.txt"
        put(path, b"backup of last year")
        old(path, days=300)
        wait_until(lambda: b.object("recipes", "r.txt")["state"] == "held", "B holds the restored file back")
        b.stop()
        put(path, b"edit on top of it")
        b.start()
        return plant

    def test_a_restored_file_stays_restored_over_a_reboot(self):
        plant = self.edit_on_top_of_a_restored_file("stopping")
        plant[1].wait_history("put_back", "recipes", "r.txt")
        plant[1].wait_file("recipes/r.txt", b"today's recipe")
        self.assertEqual((plant[0].data / "recipes" / "r.txt").read_bytes(), b"today's recipe")

    def test_an_edit_made_while_a_person_had_stopped_the_service_counts(self):
        plant = self.edit_on_top_of_a_restored_file("running")
        for station in plant:
            station.wait_file("recipes/r.txt", b"edit on top of it")

    def test_publish_while_the_service_is_off_is_done_at_its_start(self):
        with self.two_in_step(b"backup of last year") as plant:
            a, b = plant
            self.change(a, b"today's recipe")
            b.stop()
            path = b.data / "recipes" / "r.txt"
            put(path, b"backup of last year")
            old(path, days=300)
            b.cli("publish", "recipes/r.txt")
            b.start()
            for station in plant:
                station.wait_file("recipes/r.txt", b"backup of last year")

    def test_newcomer_with_newer_files_does_not_win(self):
        with Plant("ABC") as plant:
            a, b, n = plant
            plant.join_all(files_provider)
            names = ["r.txt", "s.txt", "t.txt"]
            for name in names:
                put(a.data / "recipes" / name, b"of the plant")
                old(a.data / "recipes" / name, days=1)
            a.start(), b.start()
            a.wait_connected(b)
            for name in names:
                b.wait_file("recipes/" + name, b"of the plant")
                put(n.data / "recipes" / name, b"of the newcomer, newer")
            n.start()
            for name in names:
                n.wait_file("recipes/" + name, b"of the plant")
                kept = n.wait_history("newcomer_replaced", "recipes", name)[-1]
                self.assertTrue(kept["kept"], kept)
            plant.wait_all_synced()
            self.assertEqual(n.log_text().count("This station has joined: data"), 1, "one message for all of them")
            self.assertEqual((a.data / "recipes" / "r.txt").read_bytes(), b"of the plant")

    def test_lost_state_database_makes_a_newcomer_and_loses_nothing(self):
        with self.two_in_step(b"of the plant") as plant:
            a, b = plant
            b.stop()
            state = b.root / "state" / "Plant"
            for file in state.glob("*.db*"):
                file.unlink()
            put(b.data / "recipes" / "r.txt", b"changed while the state was lost")
            b.start()
            b.wait_file("recipes/r.txt", b"of the plant")
            plant.wait_all_synced()
            self.assertTrue([h for h in b.history("recipes", "r.txt")
                             if h["kept"] and h["what"] == "newcomer_replaced"])

    def test_undoing_by_hand_is_an_ordinary_change(self):
        with self.two_in_step(b"one") as plant:
            self.change(plant[0], b"two")
            self.change(plant[1], b"one")


class Absence(unittest.TestCase):
    def in_step(self):
        plant = Plant("AB")
        plant.join_all(files_provider)
        put(plant[0].data / "recipes" / "r.txt", b"text")
        plant.start_all().wait_connected()
        plant[1].wait_file("recipes/r.txt", b"text")
        plant.wait_all_synced()
        return plant

    def test_deleted_file_comes_back(self):
        with self.in_step() as plant:
            for station in plant:
                (station.data / "recipes" / "r.txt").unlink()
                station.wait_file("recipes/r.txt", b"text")
            plant.wait_all_synced()

    def test_deleted_file_comes_back_on_a_station_alone(self):
        with self.in_step() as plant:
            a, b = plant
            b.stop()
            (a.data / "recipes" / "r.txt").unlink()
            a.wait_file("recipes/r.txt", b"text")

    def test_folder_without_its_marker_is_a_fault_and_nothing_is_touched(self):
        with self.in_step() as plant:
            a, b = plant
            folder = b.data / "recipes"
            aside = b.data / "unmounted"
            folder.rename(aside)
            folder.mkdir()
            fault = wait_until(lambda: (p := b.provider("recipes")) and p["state"] == "fault" and p,
                               "B's provider is in fault")
            self.assertIn("recipes", fault["reason"])
            put(a.data / "recipes" / "other.txt", b"meanwhile")
            wait_until(lambda: b.object("recipes", "other.txt"), "B has heard of other.txt")
            self.assertEqual(list(folder.iterdir()), [], "something was written into an empty mount point")
            self.assertTrue((a.data / "recipes" / "r.txt").exists())
            # The disk is back: everything goes on by itself.
            folder.rmdir()
            aside.rename(folder)
            b.wait_file("recipes/other.txt", b"meanwhile")
            plant.wait_all_synced()

    def test_accept_root_takes_a_replaced_folder_as_a_newcomer(self):
        with self.in_step() as plant:
            a, b = plant
            folder = b.data / "recipes"
            folder.rename(b.data / "lost disk")
            folder.mkdir()
            wait_until(lambda: b.provider("recipes")["state"] == "fault", "B's provider is in fault")
            b.cli("provider", "accept-root", "recipes")
            b.wait_file("recipes/r.txt", b"text")
            plant.wait_all_synced()


class Names(unittest.TestCase):
    def test_case_twins_are_refused_with_a_message_and_stop_nothing_else(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            plant.start_all().wait_connected()
            put(a.data / "recipes" / "Malt.txt", b"1")
            b.wait_file("recipes/Malt.txt", b"1")
            put(a.data / "recipes" / "malt.txt", b"2")
            a.wait_message("malt.txt")
            put(a.data / "recipes" / "other.txt", b"3")
            b.wait_file("recipes/other.txt", b"3")
            self.assertEqual(sorted(p.name for p in (b.data / "recipes").glob("*alt.txt")), ["Malt.txt"])
            (a.data / "recipes" / "malt.txt").rename(a.data / "recipes" / "malt 2.txt")
            b.wait_file("recipes/malt 2.txt", b"2")
            wait_until(lambda: not a.messages("malt.txt"), "the message goes with its cause")

    def test_symbolic_links_are_left_out_and_folders_never_replaced(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            put(a.data / "recipes" / "r.txt", b"text")
            (a.data / "recipes" / "link.txt").symlink_to("/etc/passwd")
            plant.start_all().wait_connected()
            path = b.wait_file("recipes/r.txt", b"text")
            path.unlink()
            path.mkdir()
            put(path / "inside.txt", b"kept")
            put(a.data / "recipes" / "r.txt", b"changed")
            failing = wait_until(lambda: (o := b.object("recipes", "r.txt")) and o["state"] not in
                                 ("in_sync", "settling", "fetching") and o, "B tells that r.txt cannot be written")
            self.assertTrue(failing["reason"])
            self.assertEqual((a.data / "recipes" / "r.txt").read_bytes(), b"changed")
            self.assertEqual((path / "inside.txt").read_bytes(), b"kept")
            self.assertFalse((b.data / "recipes" / "link.txt").exists())

    def test_read_only_file_is_replaced_and_modification_time_is_kept(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            plant.start_all().wait_connected()
            source = a.data / "recipes" / "r.txt"
            put(source, b"one")
            os.utime(source, ns=(1_600_000_000_123_456_700, 1_600_000_000_123_456_700))
            target = b.wait_file("recipes/r.txt", b"one")
            self.assertEqual(target.stat().st_mtime_ns, 1_600_000_000_123_456_700)
            target.chmod(0o444)
            plant.wait_all_synced()
            put(source, b"two")
            b.wait_file("recipes/r.txt", b"two")
            self.assertEqual(target.stat().st_mode & 0o777, 0o444)

    def test_file_that_is_being_written_travels_only_when_it_is_whole(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(lambda s: files_provider(s, settle="1s"))
            plant.start_all().wait_connected()
            seen = set()
            target = b.data / "recipes" / "slow.txt"
            with (a.data / "recipes" / "slow.txt").open("wb") as file:
                for part in range(20):
                    file.write(b"%04d" % part)
                    file.flush()
                    # Pace of a slow writer: this is the stimulus, not a wait for a result.
                    time.sleep(0.1)
                    if target.exists():
                        seen.add(target.stat().st_size)
            b.wait_file("recipes/slow.txt", b"".join(b"%04d" % part for part in range(20)))
            self.assertLessEqual(seen, {80})


class TwoProviders(unittest.TestCase):
    def test_a_failing_provider_does_not_stop_the_other(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider, sqlite_provider)
            plant.start_all().wait_connected()
            put(a.data / "db" / "batch.db", b"this is no database")
            put(a.data / "recipes" / "r.txt", b"text")
            b.wait_file("recipes/r.txt", b"text")
            wait_until(lambda: a.messages("batch.db") or (a.object("batchdb", "batch.db") or {}).get("reason")
                       or a.provider("batchdb")["reason"], "A tells that batch.db is no database")

    def test_disabled_provider_exchanges_nothing_until_enabled(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider, lambda s: files_provider(s, "templates", "templates"))
            plant.start_all().wait_connected().wait_all_synced()
            b.cli("project", "disable", "templates")
            wait_until(lambda: b.provider("templates")["state"] == "disabled", "templates is disabled on B")
            put(a.data / "templates" / "t.txt", b"template")
            put(a.data / "recipes" / "r.txt", b"recipe")
            b.wait_file("recipes/r.txt", b"recipe")
            self.assertEqual(b.peer(a)["state"], "connected")
            self.assertFalse((b.data / "templates" / "t.txt").exists())
            b.cli("project", "enable", "templates")
            b.wait_file("templates/t.txt", b"template")
            with self.assertRaises(ApiError):
                b.act("no-such-action")


if __name__ == "__main__":
    unittest.main()
