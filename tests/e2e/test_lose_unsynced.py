"""The power-cut shim itself: what was fsynced stays, what was not is lost."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import lose_unsynced

SHIM = os.environ.get("STATIONSYNC_LOSE_UNSYNCED", "")

# Runs in a process of its own below the shim, and is killed at its end. ROOT is its first argument.
PRELUDE = """
import os, signal, sys
root = sys.argv[1]
def write(name, data, sync=True, flags=os.O_CREAT | os.O_WRONLY):
    descriptor = os.open(os.path.join(root, name), flags, 0o600)
    os.write(descriptor, data)
    if sync: os.fsync(descriptor)
    os.close(descriptor)
def sync_folder(name=''):
    descriptor = os.open(os.path.join(root, name), os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
def path(name): return os.path.join(root, name)
"""


class LoseUnsynced(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name) / "root"
        self.side = pathlib.Path(self.folder.name) / "side"
        self.root.mkdir()
        self.side.mkdir()

    def run_and_cut(self, program):
        script = PRELUDE + program + "\nos.kill(os.getpid(), signal.SIGKILL)\n"
        environment = dict(os.environ, LD_PRELOAD=SHIM, LOSE_UNSYNCED_ROOT=str(self.root),
                           LOSE_UNSYNCED_SIDE=str(self.side))
        done = subprocess.run([sys.executable, "-c", script, str(self.root)], env=environment, check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, -9, done.stderr)
        self.lost = lose_unsynced.PowerCut(self.side, self.root).lose()

    def content(self):
        return {str(p.relative_to(self.root)): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}

    def test_synced_file_with_synced_name_stays(self):
        self.run_and_cut("write('a', b'text'); sync_folder()")
        self.assertEqual(self.content(), {"a": b"text"})
        self.assertEqual(self.lost, [])

    def test_new_name_is_lost_without_sync_of_its_folder(self):
        self.run_and_cut("write('a', b'text')")
        self.assertEqual(self.content(), {})

    def test_content_is_lost_without_sync_of_the_file(self):
        (self.root / "a").write_bytes(b"old content")
        self.run_and_cut("write('a', b'NEW', sync=False)")
        self.assertEqual(self.content(), {"a": b"old content"})

    def test_content_after_the_last_sync_is_lost(self):
        self.run_and_cut("write('a', b'one'); sync_folder(); write('a', b'two and more', sync=False)")
        self.assertEqual(self.content(), {"a": b"one"})

    def test_truncation_is_undone(self):
        (self.root / "a").write_bytes(b"x" * 200_000)
        self.run_and_cut("os.truncate(path('a'), 5); write('a', b'', False, os.O_TRUNC | os.O_WRONLY)")
        self.assertEqual(self.content(), {"a": b"x" * 200_000})

    def test_replacement_by_rename_is_lost_without_sync_of_the_folder(self):
        (self.root / "a").write_bytes(b"old")
        self.run_and_cut("write('b', b'new'); os.rename(path('b'), path('a'))")
        self.assertEqual(self.content(), {"a": b"old"})

    def test_replacement_by_rename_stays_with_sync_of_the_folder(self):
        (self.root / "a").write_bytes(b"old")
        self.run_and_cut("write('b', b'new'); os.rename(path('b'), path('a')); sync_folder()")
        self.assertEqual(self.content(), {"a": b"new"})

    def test_rename_of_unsynced_content_leaves_an_empty_file(self):
        # The classic: the name is durable, the bytes are not.
        (self.root / "a").write_bytes(b"old")
        self.run_and_cut("write('b', b'new', sync=False); os.rename(path('b'), path('a')); sync_folder()")
        self.assertEqual(self.content(), {"a": b""})

    def test_removal_is_undone(self):
        (self.root / "a").write_bytes(b"old")
        self.run_and_cut("os.unlink(path('a'))")
        self.assertEqual(self.content(), {"a": b"old"})

    def test_new_folder_with_its_files_is_lost(self):
        self.run_and_cut("os.mkdir(path('d')); write('d/a', b'text')")
        self.assertEqual(list(self.root.iterdir()), [])

    def test_locks_of_the_process_survive_its_writes(self):
        # Closing any descriptor of a file drops all locks of the process on it: SQLite would be without its own.
        (self.root / "a").write_bytes(b"old content")
        verdict = pathlib.Path(self.folder.name) / "verdict"
        self.run_and_cut(f"""
import fcntl
descriptor = os.open(path('a'), os.O_RDWR)
fcntl.lockf(descriptor, fcntl.LOCK_EX)
os.pwrite(descriptor, b'new', 0)
os.ftruncate(descriptor, 5)
if os.fork() == 0:
    other = os.open(path('a'), os.O_RDWR)
    try:
        fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        text = b'lost'
    except OSError:
        text = b'held'
    write({str(verdict)!r}, text)
    os._exit(0)
os.wait()
""")
        self.assertEqual(verdict.read_bytes(), b"held")
        self.assertEqual(self.content(), {"a": b"old content"})

    def test_what_lies_elsewhere_is_left_alone(self):
        other = pathlib.Path(self.folder.name) / "other"
        self.run_and_cut(f"write({str(other)!r}, b'text', sync=False)")
        self.assertEqual(other.read_bytes(), b"text")


if __name__ == "__main__":
    unittest.main()
