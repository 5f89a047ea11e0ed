"""Libraries in the plugin folder that are no plugins, or of another major version, are refused in words."""

import os
import pathlib
import shutil
import unittest

from stations import Plant, files_provider, put, wait_until

BAD = [pathlib.Path(path) for path in os.environ.get("STATIONSYNC_BAD_PLUGINS", "").split(":") if path]


class Refusals(unittest.TestCase):
    def test_each_bad_library_is_named_and_the_good_ones_work(self):
        with Plant("A") as plant:
            a = plant[0].init()
            folder = a.folder / "plugins"
            shutil.copytree(pathlib.Path(a.program).parent / "plugins", folder)
            without_entry, wrong_major = BAD
            shutil.copy(without_entry, folder / "stationsync-noentry.so")
            shutil.copy(wrong_major, folder / "stationsync-major.so")
            (folder / "stationsync-text.so").write_text("this is no library\n")
            a.environment["STATIONSYNC_PLUGINS"] = str(folder)
            a.configure(files_provider(a)).start()
            listed = wait_until(lambda: a.cli("plugin", "list", "--json"), "the plugins are listed")
            told = listed + a.log_text() + str(a.status()["messages"])
            self.assertIn("stationsync-noentry", told)
            self.assertIn("stsync_plugin_v1", told)
            self.assertIn("stationsync-major", told)
            self.assertRegex(told, r"stationsync-major[^\n]*2")
            self.assertIn("stationsync-text", told)
            put(a.data / "recipes" / "r.txt", b"text")
            a.wait_history("published", "recipes", "r.txt")

    def test_provider_of_an_unknown_plugin_is_a_configuration_error(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure('[providers.x]\nplugin = "filesink"\n')
            a.start()
            self.assertEqual(a.status()["engine"], "stopped")
            self.assertIn("filesync", a.status()["reason"])


if __name__ == "__main__":
    unittest.main()
