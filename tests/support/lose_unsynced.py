"""Undoes, after a kill, what lose_unsynced.c saw written but not fsynced. See there for the rules.

    lose_unsynced.py SIDE ROOT      as a program: prints what was lost, one line each
"""

import contextlib
import os
import pathlib
import shutil
import sys


class Record:
    def __init__(self, op, a, b, c, first, second):
        self.op, self.a, self.b, self.c = op, a, b, c
        self.first, self.second = first, second


def read_records(log):
    """All whole records; the kill may have cut the last one, whose operation then never began."""
    data = log.read_bytes() if log.exists() else b""
    records, position = [], 0
    while position < len(data):
        line_end = data.find(b"\n", position)
        if line_end < 0:
            break
        op, a, b, c, first_bytes, second_bytes = data[position:line_end].split(b" ")
        first_at = line_end + 1
        second_at = first_at + int(first_bytes)
        end = second_at + int(second_bytes)
        if end >= len(data):
            break
        records.append(Record(op.decode(), int(a), int(b), int(c), data[first_at:second_at], data[second_at:end]))
        position = end + 1
    return records


class PowerCut:
    def __init__(self, side, root):
        self.side = pathlib.Path(side)
        self.root = os.fsencode(root)
        self.records = read_records(self.side / "log")
        self.lost = []
        self.files_synced, self.folders_synced, self.all_synced = {}, {}, -1
        for index, record in enumerate(self.records):
            if record.op == "S":
                self.files_synced[record.a] = index
            elif record.op == "F":
                self.folders_synced[record.first] = index
            elif record.op == "A":
                self.all_synced = index

    def lose(self):
        """Returns what was lost, as text; afterwards the side folder is empty."""
        for index in range(len(self.records) - 1, -1, -1):
            self._undo_name(index, self.records[index])
        self._undo_content()
        shutil.rmtree(self.side)
        self.side.mkdir()
        return self.lost

    def _is_durable(self, index, path):
        return index < max(self.all_synced, self.folders_synced.get(os.path.dirname(path), -1))

    def _tell(self, what, path):
        self.lost.append(f"{what} {os.fsdecode(path)}")

    def _undo_name(self, index, record):
        if record.op == "C" and not self._is_durable(index, record.first):
            self._undo_create(record.first)
        elif record.op == "R" and not self._is_durable(index, record.second):
            self._undo_rename(record)
        elif record.op == "U" and not self._is_durable(index, record.first):
            saved = self._saved(record.a)
            if saved.exists() and not os.path.lexists(record.first):
                with contextlib.suppress(FileNotFoundError):  # its folder went, too
                    os.rename(saved, record.first)
                    self._tell("removal of", record.first)
        elif record.op == "D" and not self._is_durable(index, record.first):
            os.makedirs(record.first, exist_ok=True)
            self._tell("removal of folder", record.first)

    def _saved(self, number):
        return self.side / f"saved.{number}"

    def _undo_create(self, path):
        if not os.path.lexists(path):
            return
        if os.path.isdir(path) and not os.path.islink(path):
            # A folder with durable names in it: no file system forgets those.
            with contextlib.suppress(OSError):
                os.rmdir(path)
                self._tell("new folder", path)
            return
        os.unlink(path)
        self._tell("new name", path)

    def _undo_rename(self, record):
        try:
            if os.lstat(record.second).st_ino != record.b:
                return  # the kill came before the rename
        except FileNotFoundError:
            return
        saved = self._saved(record.a)
        if saved.exists() and os.lstat(saved).st_ino == record.b:
            return  # onto itself
        os.rename(record.second, record.first)
        if record.a and saved.exists():
            os.rename(saved, record.second)
        self._tell("rename to", record.second)

    def _undo_content(self):
        names = {}
        for folder, _, files in os.walk(self.root):
            for name in files:
                path = os.path.join(folder, name)
                names.setdefault(os.lstat(path).st_ino, path)
        for index in range(len(self.records) - 1, -1, -1):
            record = self.records[index]
            if record.op != "W" or record.a not in names:
                continue
            if index < max(self.all_synced, self.files_synced.get(record.a, -1)):
                continue
            path = names[record.a]
            mode = os.stat(path).st_mode
            os.chmod(path, 0o600)
            with open(path, "r+b") as file:
                file.seek(record.b)
                file.write(record.first)
                file.truncate(record.c)
            os.chmod(path, mode)
            self._tell("content of", path)


def main():
    for line in PowerCut(sys.argv[1], sys.argv[2]).lose():
        print(line)


if __name__ == "__main__":
    main()
