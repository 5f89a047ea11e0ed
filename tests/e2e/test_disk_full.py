"""A full disk in each place: one message, nothing lost, recovery without a restart."""

import contextlib
import os
import re
import shutil
import subprocess
import unittest

from stations import Plant, files_provider, need_root, put, wait_until

DISK_BYTES = 16 * 1024 * 1024


class SmallDisk:
    """A file system of 16 MiB, mounted at a folder that may have content already."""

    def __init__(self, test, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder.parent / (folder.name + ".before")
        shutil.copytree(folder, aside, symlinks=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no small file system can be mounted here: {done.stderr.strip()}")
        test.addCleanup(subprocess.run, ["umount", "-l", str(folder)], check=False)
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(aside)
        self.ballast = folder / "ballast.tmp"

    def fill(self, leave=0):
        """Leaves `leave` bytes free."""
        with self.ballast.open("wb", buffering=0) as file:  # a buffer would be written at the end
            chunk = os.urandom(65536)
            with contextlib.suppress(OSError):
                while True:
                    file.write(chunk)
        size = self.ballast.stat().st_size
        os.truncate(self.ballast, max(0, size - leave))

    def free(self):
        self.ballast.unlink()


def full_messages(station):
    return [m for m in station.messages() if m["severity"] != "info"
            and re.search(r"\b(full|space|room)\b", m["text"] + " " + m["remedy"])]


class DiskFull(unittest.TestCase):
    def setUp(self):
        need_root("mounting a file system of 16 MiB")

    def check_place(self, place):
        """Fills `place` (a function of a station) on B, sends a change, frees it again."""
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(lambda s: files_provider(s, extra='exclude = ["*.tmp"]'))
            source = a.data / "recipes" / "r.bin"
            first, second = os.urandom(300_000), os.urandom(300_000)
            put(source, first)
            disk = SmallDisk(self, place(b))
            # The mount ends before the plant's folder is removed.
            plant.start_all().wait_connected()
            b.wait_file("recipes/r.bin", first)
            plant.wait_all_synced()

            disk.fill()
            put(source, second)
            a.wait_history("published", "recipes", "r.bin")
            message = wait_until(lambda: full_messages(b), "B says that its disk is full")
            self.assertTrue(message[0]["remedy"], message)
            stuck = b.object("recipes", "r.bin")
            if stuck and stuck["state"] != "in_sync":
                self.assertTrue(stuck["reason"], stuck)
                self.assertNotRegex(stuck["reason"], r"\.;|/\./", "a sentence that reads as one, with the path as typed")
            # Whole and old: nothing is written half.
            self.assertEqual((b.data / "recipes" / "r.bin").read_bytes(), first)
            self.assertTrue(b.is_running())

            disk.free()
            # It is tried again after at most a minute.
            b.wait_file("recipes/r.bin", second, timeout=150)
            plant.wait_all_synced(timeout=150)
            wait_until(lambda: not full_messages(b), "the message is gone")
            self.assertEqual(source.read_bytes(), second)
            for station in plant:
                station.stop()
            subprocess.run(["umount", str(disk.folder)], check=False)

    def test_sync_directory_is_full(self):
        self.check_place(lambda s: s.root / "sync")

    def test_history_is_full(self):
        self.check_place(lambda s: s.root / "history")

    def test_target_is_full(self):
        self.check_place(lambda s: s.data / "recipes")

    def test_state_is_full(self):
        self.check_place(lambda s: s.root / "state")

    def test_publisher_keeps_working_when_its_sync_directory_is_full(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            disk = SmallDisk(self, a.root / "sync")
            plant.start_all().wait_connected()
            disk.fill()
            content = os.urandom(500_000)
            put(a.data / "recipes" / "new.bin", content)
            wait_until(lambda: full_messages(a), "A says that its disk is full")
            put(b.data / "recipes" / "other.txt", b"1")
            disk.free()
            b.wait_file("recipes/new.bin", content, timeout=150)
            a.wait_file("recipes/other.txt", b"1")
            for station in plant:
                station.stop()
            subprocess.run(["umount", str(disk.folder)], check=False)


if __name__ == "__main__":
    unittest.main()
