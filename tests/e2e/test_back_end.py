"""Versions of back ends: who fits whom is the plugin's word, for a station and for every single revision."""

import unittest

from stations import Plant, files_provider, put, wait_until
from test_admission import wait_rejected
from test_hung_plugin import Puppet, with_puppets


class BackEnd(unittest.TestCase):
    def plant(self, names):
        """Stations with a puppet each, none started."""
        plant = self.enterContext(Plant(names))
        plant.join_all(files_provider)
        puppets = []
        for station in plant:
            with_puppets(station)
            puppets.append(Puppet(station))
            station.configure(puppets[-1].section(), files_provider(station))
        return plant, puppets

    def test_another_version_is_rejected_alike_on_both_sides_until_it_is_the_same(self):
        plant, puppets = self.plant("AB")
        a, b = plant
        put(puppets[1].file("version"), b"2")
        put(a.data / "recipes" / "r.txt", b"recipe")
        plant.start_all()
        reasons = [wait_rejected(s, o, "provider:puppet") for s, o in ((a, b), (b, a))]
        self.assertEqual(reasons[0]["text"], reasons[1]["text"])
        self.assertIn("puppet", reasons[0]["text"])
        self.assertEqual([(r["ours"], r["theirs"]) for r in reasons],
                         [(reasons[0]["ours"], reasons[0]["theirs"]), (reasons[0]["theirs"], reasons[0]["ours"])])
        wait_until(lambda: a.history("recipes", "r.txt"), "A has published r.txt")
        self.assertIsNone(b.object("recipes", "r.txt"), "nothing flows")
        put(puppets[1].file("version"), b"1")
        plant.wait_connected()
        b.wait_file("recipes/r.txt", b"recipe")

    def test_a_revision_is_held_where_the_plugin_refuses_the_version_it_was_exported_with(self):
        plant, puppets = self.plant("ABC")
        a, b, c = plant
        for puppet, (version, accepts) in zip(puppets, ((b"1", b"1 2"), (b"2", b"1 2 3"), (b"3", b"2 3"))):
            put(puppet.file("version"), version)
            put(puppet.file("accepts"), accepts)
        plant.start_all()
        b.wait_connected(a, c)
        wait_rejected(c, a, "provider:puppet")
        put(puppets[0].file("live"), b"made with version 1")
        wait_until(lambda: puppets[1].file("live").exists(), "B has it")
        put(a.data / "recipes" / "r.txt", b"recipe")
        c.wait_file("recipes/r.txt", b"recipe")  # what is not of that back end is relayed
        held = wait_until(lambda: (o := c.object("puppet", "live")) and o["state"] == "held" and o, "C holds it")
        self.assertIn("version 3 takes no data of version 1", held["reason"])
        self.assertFalse(puppets[2].file("live").exists())
        self.assertIn("version 3 takes no data of version 1", c.cli("explain", "puppet/live"))
        # A change made with a version that C takes replaces it everywhere.
        put(puppets[1].file("live"), b"made with version 2")
        for puppet in puppets:
            wait_until(lambda file=puppet.file("live"): file.exists() and
                       file.read_bytes() == b"made with version 2", "all have it")


if __name__ == "__main__":
    unittest.main()
