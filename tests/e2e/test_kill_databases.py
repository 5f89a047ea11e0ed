"""kill -9 at each fault point while databases are synchronized: wholly old or wholly new, then in step again."""

import sys
import unittest

from fault_walk import DatabaseWalk
from stations import need_test_build


class KillWalk(unittest.TestCase):
    def test_every_point_of_databases(self):
        need_test_build()
        walk = DatabaseWalk()
        with walk.plant:
            print("\n" + "\n".join(walk.run(walk.scenarios())), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
