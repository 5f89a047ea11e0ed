"""The registry of fault points names exactly those of the sources."""

import unittest

from fault_walk import points_in_sources, registry


class Registry(unittest.TestCase):
    def test_registry_and_sources_agree(self):
        self.assertEqual(set(registry()), points_in_sources())
        self.assertLessEqual(set(registry().values()), {"files", "databases", "both"})


if __name__ == "__main__":
    unittest.main()
