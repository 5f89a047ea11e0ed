"""kill -9 at each fault point while files are synchronized: wholly old or wholly new, then in step again."""

import sys
import unittest

from fault_walk import FileWalk
from stations import need_test_build


class KillWalk(unittest.TestCase):
    def test_every_point_of_files(self):
        need_test_build()
        walk = FileWalk()
        with walk.plant:
            print("\n" + "\n".join(walk.run(walk.scenarios())), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
