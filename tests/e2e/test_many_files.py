"""20,000 files in 200 folders with names in Unicode arrive, and nothing moves when they are touched."""

import os
import sys
import time
import unittest

from stations import IS_RELEASE, Plant, files_provider, put, wait_until

FOLDERS = 200
FILES = 100 if IS_RELEASE else 10  # per folder; the sanitizer build takes a tenth


class ManyFiles(unittest.TestCase):
    def test_all_arrive_with_their_bytes_and_times(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(lambda s: files_provider(s, scan="5m"))
            root = a.data / "recipes"
            for folder in range(FOLDERS):
                path = root / f"Anlage {folder:03} Gärung"
                path.mkdir()
                for number in range(FILES):
                    content = b"" if number == 0 else b"%d/%d\n" % (folder, number) * (number % 50)
                    put(path / f"Rezept {number:03} ßüö 配方.xml", content)
            begin = time.monotonic()
            plant.start_all().wait_connected()
            # B is in step with what it has heard of all the time: first everything must be there.
            wait_until(lambda: sum(1 for _ in (b.data / "recipes").rglob("*.xml")) == FOLDERS * FILES,
                       "all files are on B", 900)
            b.wait_all_synced(timeout=900)
            a.wait_all_synced(timeout=900)
            figures = {s.name: s.peak_resident_bytes() // 1024 ** 2 for s in plant}
            print(f"\n{FOLDERS * FILES} files: {time.monotonic() - begin:.1f} s from the start of both stations until "
                  f"they are in step; peak memory in MiB: {figures}", file=sys.stderr)
            self.assertEqual(b.provider("recipes")["objects"], FOLDERS * FILES)
            for source in root.rglob("*.xml"):
                target = b.data / "recipes" / source.relative_to(root)
                self.assertEqual(target.read_bytes(), source.read_bytes(), target)
                self.assertEqual(target.stat().st_mtime_ns // 100, source.stat().st_mtime_ns // 100, target)
            plant.wait_equal_digests("recipes")

            published = a.provider("recipes")["published"]
            for source in root.rglob("*.xml"):
                os.utime(source)
            put(root / "last.txt", b"after the touch")
            b.wait_file("recipes/last.txt", b"after the touch", timeout=300)
            a.wait_all_synced(timeout=300)
            self.assertEqual(a.provider("recipes")["published"], published + 1)


if __name__ == "__main__":
    unittest.main()
