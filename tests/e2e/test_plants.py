"""What the other tests stand on: plants of different test processes never meet."""

import os
import unittest
from unittest import mock

from sql_plant import SqlPlant
from stations import Plant


class BrokenServer:
    closed = 0

    def close(self):
        BrokenServer.closed += 1
        raise BrokenPipeError("it has gone")


class Ends(unittest.TestCase):
    def test_a_server_that_cannot_be_closed_leaves_no_station_and_no_folder(self):
        plant = SqlPlant("AB", make_server=lambda _: BrokenServer())
        process = mock.Mock(**{"poll.return_value": None})
        plant[0].process = process
        with self.assertRaises(BrokenPipeError):
            plant.close()
        self.assertEqual(BrokenServer.closed, 2)
        process.kill.assert_called_once_with()
        process.wait.assert_called_once_with()
        self.assertFalse(plant.folder.exists())


class Addresses(unittest.TestCase):
    def test_plants_that_begin_their_search_at_the_same_block_differ(self):
        taken = []
        with mock.patch.object(os, "getpid", return_value=7), mock.patch.object(Plant, "_tried", 0):
            with Plant("AB") as one:
                Plant._tried = 0
                with Plant("AB") as other:
                    taken = [station.address for plant in (one, other) for station in plant]
        self.assertEqual(len(set(taken)), 4, taken)


if __name__ == "__main__":
    unittest.main()
