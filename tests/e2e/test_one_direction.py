"""One direction of a pair is dropped, rejected or refused: data still flows both ways."""

import unittest

from namespaces import Cable
from stations import Plant, files_provider, need_root, put, wait_until

VERDICTS = {"dropped": "drop", "rejected": "reject with icmp type admin-prohibited",
            "refused": "reject with tcp reset"}


class OneDirection(unittest.TestCase):
    def setUp(self):
        need_root("making network namespaces")

    def check(self, closed, how):
        """Nobody can connect to station `closed` (0 = A, 1 = B); it can connect to the other."""
        cable = Cable(self)
        with Plant("AB", addresses=cable.addresses) as plant:
            for station, name in zip(plant, cable.names):
                station.namespace = name
            plant.join_all(files_provider)
            cable.forbid(closed, VERDICTS[how])
            plant.start_all().wait_connected()
            unreached, other = plant[closed], plant[1 - closed]
            for number, (writer, reader) in enumerate(((unreached, other), (other, unreached))):
                put(writer.data / "recipes" / f"{number}.txt", b"%d" % number)
                reader.wait_file(f"recipes/{number}.txt", b"%d" % number)
            plant.wait_all_synced()
            self.assertTrue(unreached.peer(other)["found"])
            self.assertFalse(unreached.peer(other)["found_by"])
            self.assertFalse(other.peer(unreached)["found"])
            self.assertTrue(other.peer(unreached)["found_by"])
            for station, peer, missing in ((other, unreached, "found"), (unreached, other, "found-by")):
                reason = wait_until(
                    lambda: next((r for r in station.peer(peer)["reasons"] if r["check"] == missing), None),
                    f"{station.name} tells which direction is missing")
                self.assertIn("does not reach", reason["text"])
            # The cause is gone: both directions stand again, without a restart.
            cable.allow_all(closed)
            wait_until(lambda: other.peer(unreached)["found"] and unreached.peer(other)["found_by"],
                       "the missing direction is back", timeout=120)

    def test_to_a_dropped(self):
        self.check(0, "dropped")

    def test_to_b_dropped(self):
        self.check(1, "dropped")

    def test_to_a_rejected(self):
        self.check(0, "rejected")

    def test_to_b_rejected(self):
        self.check(1, "rejected")

    def test_to_a_refused(self):
        self.check(0, "refused")

    def test_to_b_refused(self):
        self.check(1, "refused")


if __name__ == "__main__":
    unittest.main()
