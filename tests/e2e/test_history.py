"""What is kept of replaced states survives the loss of other things."""

import shutil
import unittest

from stations import ApiError, Plant, files_provider, put, wait_until


class History(unittest.TestCase):
    def changed_twice(self):
        plant = Plant("AB")
        plant.join_all(files_provider)
        a, b = plant
        put(a.data / "recipes" / "r.txt", b"one")
        plant.start_all().wait_connected()
        for content in (b"two, longer", b"three, longer still"):
            b.wait_file("recipes/r.txt", (a.data / "recipes" / "r.txt").read_bytes())
            plant.wait_all_synced()
            put(a.data / "recipes" / "r.txt", content)
        b.wait_file("recipes/r.txt", b"three, longer still")
        plant.wait_all_synced()
        return plant

    def test_a_history_directory_that_is_away_is_noticed_and_found_again(self):
        with self.changed_twice() as plant:
            a, b = plant
            version = [entry for entry in a.history("recipes", "r.txt")
                       if entry["what"] == "superseded"][-1]["version"]
            away = a.root / "away"
            for station, target in ((a, away), (b, b.root / "away")):
                station.stop()
                shutil.move(station.root / "history", target)
                station.start()
            plant.wait_connected()
            # Nobody keeps it: refused with the cause, and nothing is made of it.
            wait_until(lambda: not self.shown_as_kept(a, version), "A notices that it is gone")
            wait_until(lambda: not self.shown_as_kept(b, version), "B notices that it is gone")
            with self.assertRaises(ApiError) as refused:
                a.act("restore", provider="recipes", key="r.txt", version=version)
            self.assertIn(version, str(refused.exception))
            plant.wait_all_synced()
            # What is replaced meanwhile is kept.
            put(a.data / "recipes" / "r.txt", b"four")
            b.wait_file("recipes/r.txt", b"four")
            plant.wait_all_synced()
            self.assertTrue((a.root / "history").is_dir())
            # The disk is there again.
            a.stop()
            shutil.copytree(away, a.root / "history", dirs_exist_ok=True)
            a.start()
            wait_until(lambda: self.shown_as_kept(a, version), "A finds it again")
            a.act("restore", provider="recipes", key="r.txt", version=version)
            for station in plant:
                station.wait_file("recipes/r.txt", b"one")

    def shown_as_kept(self, station, version):
        entries = [entry for entry in station.history("recipes", "r.txt")
                   if entry["version"] == version]
        return bool(entries) and entries[0]["kept"]

    def test_history_is_found_again_when_only_keys_and_configuration_were_saved(self):
        # docs/engineer.md names what to back up: neither the state database nor its marks.
        with self.changed_twice() as plant:
            a, b = plant
            a.stop()
            state = a.root / "state" / "Plant"
            for file in state.iterdir():
                if file.name != "key":
                    shutil.rmtree(file) if file.is_dir() else file.unlink()
            a.start()
            plant.wait_connected()
            # The marker in the folder is of an instance that is gone.
            wait_until(lambda: a.provider("recipes")["state"] == "fault", "A asks about its folder")
            a.cli("provider", "accept-root", "recipes")
            plant.wait_all_synced()
            found = a.wait_history("found", "recipes", "r.txt")
            self.assertTrue(all(entry["kept"] for entry in found), found)
            version = found[-1]["version"]
            wait_until(lambda: a.status()["providers"][0]["state"] == "ok", "A has joined again")
            a.act("restore", provider="recipes", key="r.txt", version=version)
            plant.wait_all_synced()
            contents = {(station.data / "recipes" / "r.txt").read_bytes() for station in plant}
            self.assertEqual(len(contents), 1)
            self.assertIn(contents.pop(), (b"one", b"two, longer"))


if __name__ == "__main__":
    unittest.main()
