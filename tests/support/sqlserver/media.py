"""Backup files: a header, the content of the database and checksums over both.

    "TAPE" | version u16 | header length u32 | header CRC32 u32 | header JSON, padded to 4 KiB
    pages of the content, 8 KiB each with a CRC32 of the rest at their end
    "SSET" | SHA-256 of everything before
"""

import hashlib
import os
import struct
import zlib

from . import content as contents
from .errors import Message, SqlError, fail

MAGIC = b"TAPE"
HEADER = 4096
PAGE = 8192
END_MARK = b"SSET"
END_OF_FILE = "38(Reached the end of the file.)"
NO_SPACE = "112(There is not enough space on the disk.)"


def _pages(raw):
    room = PAGE - 4
    for at in range(0, len(raw), room):
        piece = raw[at:at + room].ljust(room, b"\0")
        yield piece + struct.pack("<I", zlib.crc32(piece))


class Writer:
    """Writes page by page, so that a fault can strike in between; a partial file stays behind."""

    def __init__(self, instance, path, header, content):
        self.instance = instance
        self.path = path
        self.content = contents.to_text(content).encode("utf-8", "surrogatepass")
        header["content_length"] = len(self.content)
        raw = contents.to_text(header).encode("utf-8", "surrogatepass")
        length = -(-(len(raw) + 14) // HEADER) * HEADER
        self.head = (MAGIC + struct.pack("<HII", 1, len(raw), zlib.crc32(raw)) + raw).ljust(length, b"\0")
        self.pages = list(_pages(self.content))
        self.size = len(self.head) + PAGE * len(self.pages) + len(END_MARK) + 32

    def open(self):
        denied = self.instance.folder_error(self.path, True)
        if denied:
            raise fail(3201, self.path, denied)
        try:
            self.file = open(self.path, "wb")
        except OSError as error:
            raise fail(3201, self.path, f"{error.errno}({error.strerror})") from None
        self.digest = hashlib.sha256()
        self._write(self.head)

    def _write(self, raw):
        free = self.instance.free_bytes(self.path)
        if free < len(raw):
            self.close()
            raise fail(3202, self.path, NO_SPACE)
        self.digest.update(raw)
        try:
            self.file.write(raw)
        except OSError as error:
            self.close()
            raise fail(3202, self.path, NO_SPACE if error.errno == 28 else f"{error.errno}({error.strerror})") from None
        self.instance.take_space(self.path, len(raw))

    def write_pages(self, first, last):
        for page in self.pages[first:last]:
            self._write(page)

    def finish(self):
        self._write(END_MARK)
        self.file.write(self.digest.digest())
        self.file.flush()
        os.fsync(self.file.fileno())
        self.close()

    def close(self):
        self.file.close()


class Reader:
    def __init__(self, instance, path):
        denied = instance.folder_error(path, False)
        if denied:
            raise fail(3201, path, denied)
        self.path = path
        try:
            with open(path, "rb") as file:
                self.raw = file.read()
        except OSError as error:
            raise fail(3201, path, f"{error.errno}({error.strerror})") from None
        raw = self.raw
        if len(raw) < 14 or raw[:4] != MAGIC:
            raise fail(3241, path)
        _, length, checksum = struct.unpack_from("<HII", raw, 4)
        text = raw[14:14 + length]
        if len(text) < length:
            raise SqlError(Message(3203, path, END_OF_FILE))
        if zlib.crc32(text) != checksum:
            raise fail(3242, path)
        self.header = contents.from_text(text.decode("utf-8", "surrogatepass"))
        self.start = -(-(length + 14) // HEADER) * HEADER
        self.page_count = -(-self.header["content_length"] // (PAGE - 4))

    def check_pages(self, first, last, verify=True):
        """Raises for the first page that is missing or damaged."""
        for number in range(first, last):
            page = self.raw[self.start + PAGE * number:self.start + PAGE * (number + 1)]
            if len(page) < PAGE:
                raise fail(3203, self.path, END_OF_FILE)
            if verify and zlib.crc32(page[:-4]) != struct.unpack("<I", page[-4:])[0]:
                raise fail(3183, f"1:{number}", self.header["database_name"])

    def check_end(self, verify=True):
        end = self.start + PAGE * self.page_count
        if len(self.raw) < end + len(END_MARK) + 32:
            raise fail(3203, self.path, END_OF_FILE)
        digest = hashlib.sha256(self.raw[:end + len(END_MARK)]).digest()
        if verify and (self.raw[end:end + 4] != END_MARK or self.raw[end + 4:end + 36] != digest):
            raise fail(3189)

    def content(self):
        pages = (self.raw[self.start + PAGE * n:self.start + PAGE * (n + 1) - 4] for n in range(self.page_count))
        text = b"".join(pages)[:self.header["content_length"]].decode("utf-8", "surrogatepass")
        try:
            return contents.restored(contents.from_text(text))
        except (ValueError, KeyError, TypeError):
            raise fail(3189) from None
