"""What the other tests stand on: plants of different test processes never meet."""

import os
import unittest
from unittest import mock

from stations import Plant


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
