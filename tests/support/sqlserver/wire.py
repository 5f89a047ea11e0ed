"""Bytes of TDS 7.4 (MS-TDS): packets, tokens and the types of values on the wire."""

import datetime
import struct
import uuid
from decimal import Decimal

from .sqltypes import BINARIES, DATETIME, DECIMALS, EPOCH, TEXTS, Type

BATCH, RPC, RESPONSE, ATTENTION, BULK, MANAGER, LOGIN7, PRELOGIN = 1, 3, 4, 6, 7, 14, 16, 18
TDS5_LOGIN = 2
END_OF_MESSAGE = 0x01
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF
MORE, ERROR, COUNT, ATTENTION_ACK = 0x01, 0x02, 0x10, 0x20
COLLATION = bytes([0x09, 0x04, 0xD0, 0x00, 0x34])
DAY_ONE = datetime.datetime(1, 1, 1)


class Closed(Exception):
    """The other side has gone."""


def receive(sock, count):
    parts = b""
    while len(parts) < count:
        try:
            piece = sock.recv(count - len(parts))
        except OSError as error:
            raise Closed() from error
        if not piece:
            raise Closed()
        parts += piece
    return parts


def send(sock, raw):
    """An error of the socket is no error of a file: only the former is the other side's."""
    try:
        sock.sendall(raw)
    except OSError as error:
        raise Closed() from error


def read_message(sock):
    """(packet type, body, status bits of the last packet)"""
    body = b""
    while True:
        kind, status, length = struct.unpack(">BBH", receive(sock, 8)[:4])
        if length < 8:
            raise Closed()
        body += receive(sock, length - 8)
        if status & END_OF_MESSAGE or kind == ATTENTION:
            return kind, body, status


def packets(body, size, number=1, last=True):
    """Cuts a response into packets; without `last` the remainder that fills no packet is given back."""
    result = b""
    room = size - 8
    while len(body) > room:
        result += struct.pack(">BBHHBB", RESPONSE, 0, size, 0, number % 256, 0) + body[:room]
        body = body[room:]
        number += 1
    if last or body:
        status = END_OF_MESSAGE if last else 0
        result += struct.pack(">BBHHBB", RESPONSE, status, len(body) + 8, 0, number % 256, 0) + body
        number += 1
    return result, number


# Strings: their lengths count UTF-16 units, not characters.

def utf16(text):
    return text.encode("utf-16-le", "surrogatepass")


def b_varchar(text):
    raw = utf16(text)[:510]
    return bytes([len(raw) // 2]) + raw


def us_varchar(text):
    raw = utf16(text)
    return struct.pack("<H", len(raw) // 2) + raw


# Tokens

def message_token(message, server, line=1, procedure=""):
    is_error = message.severity > 10
    body = struct.pack("<iBB", message.number, message.state, message.severity) + us_varchar(message.text) + \
        b_varchar(server) + b_varchar(procedure) + struct.pack("<I", line)
    return bytes([0xAA if is_error else 0xAB]) + struct.pack("<H", len(body)) + body


def done_token(kind, status, count=0):
    return struct.pack("<BHHQ", kind, status, 0xC1 if status & COUNT else 0, count)


def environment_token(kind, new, old):
    """New and old value are text, or bytes for collations and transaction descriptors."""
    def value(item):
        return bytes([len(item)]) + item if isinstance(item, bytes) else b_varchar(item)
    body = bytes([kind]) + value(new) + value(old)
    return b"\xE3" + struct.pack("<H", len(body)) + body


def login_ack(version):
    name = "Microsoft SQL Server"
    major, minor, build = (list(version) + [0, 0, 0])[:3]
    body = b"\x01" + struct.pack(">I", 0x74000004) + b_varchar(name) + struct.pack(">BBH", major, minor, build)
    return b"\xAD" + struct.pack("<H", len(body)) + body


# Types

def _scale_bytes(scale):
    return 3 if scale <= 2 else 4 if scale <= 4 else 5


def type_info(kind):
    name = kind.name
    fixed = {"tinyint": (0x26, 1), "smallint": (0x26, 2), "int": (0x26, 4), "bigint": (0x26, 8), "bit": (0x68, 1),
             "float": (0x6D, 8), "real": (0x6D, 4), "datetime": (0x6F, 8), "smalldatetime": (0x6F, 4),
             "uniqueidentifier": (0x24, 16)}
    if name in fixed:
        return bytes(fixed[name])
    if name in ("varchar", "char", "text"):
        return bytes([0xA7 if name == "varchar" else 0xAF]) + \
            struct.pack("<H", 0xFFFF if kind.size < 0 else kind.size) + COLLATION
    if name == "sql_variant":
        return b"\x62" + struct.pack("<I", 8009)
    if name in TEXTS:
        size = -1 if kind.size < 0 or kind.size > 4000 else kind.size
        token = 0xEF if name == "nchar" else 0xE7
        return bytes([token]) + struct.pack("<H", 0xFFFF if size < 0 else 2 * size) + COLLATION
    if name in BINARIES:
        token = 0xA5 if name == "varbinary" else 0xAD
        return bytes([token]) + struct.pack("<H", 0xFFFF if kind.size < 0 else kind.size)
    if name in DECIMALS:
        return bytes([0x6C,
                      17 if kind.precision > 28 else 13 if kind.precision > 19 else 9 if kind.precision > 9 else 5,
                      kind.precision, kind.scale])
    if name == "date":
        return b"\x28"
    return bytes([0x2B if name == "datetimeoffset" else 0x2A, kind.scale])


def column_metadata(columns):
    result = b"\x81" + struct.pack("<H", len(columns))
    for name, kind in columns:
        result += struct.pack("<IH", 0, 0x0009) + type_info(kind) + b_varchar(name)
    return result


def row_token(columns, row):
    return b"\xD1" + b"".join(encode(kind, value) for (_, kind), value in zip(columns, row))


def _long(raw):
    """Partially length-prefixed: total length, chunks, end."""
    chunks = b"".join(struct.pack("<I", len(raw[at:at + 8000])) + raw[at:at + 8000] for at in range(0, len(raw), 8000))
    return struct.pack("<Q", len(raw)) + chunks + struct.pack("<I", 0)


def _time_part(value, scale):
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    ticks = (seconds * 10**7 + value.microsecond * 10) // 10**(7 - scale)
    return ticks.to_bytes(_scale_bytes(scale), "little")


def _encode_time(kind, value):
    if kind.name == "datetime":
        ticks = round((value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) * 300)
        return struct.pack("<BiI", 8, (value.replace(hour=0, minute=0, second=0, microsecond=0) - EPOCH).days, ticks)
    if kind.name == "smalldatetime":
        return struct.pack("<BHH", 4, (value - EPOCH).days, value.hour * 60 + value.minute)
    offset = b""
    if kind.name == "datetimeoffset":
        offset = struct.pack("<h", int(value.utcoffset().total_seconds() // 60))
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)  # UTC on the wire
    raw = (value - DAY_ONE).days.to_bytes(3, "little")
    if kind.name != "date":
        raw = _time_part(value, kind.scale) + raw
    return bytes([len(raw + offset)]) + raw + offset


def _encode_variant(value):
    """sql_variant: length, base type, its properties, the value."""
    if value is None:
        return struct.pack("<I", 0)
    if isinstance(value, bool):
        raw = b"\x32\0" + bytes([value])
    elif isinstance(value, int):
        raw = b"\x38\0" + struct.pack("<i", value) if -2**31 <= value < 2**31 else b"\x7F\0" + struct.pack("<q", value)
    elif isinstance(value, datetime.datetime):
        raw = b"\x3D\0" + _encode_time(DATETIME, value)[1:]
    elif isinstance(value, (float, Decimal)):
        raw = b"\x3E\0" + struct.pack("<d", value)
    elif isinstance(value, bytes):
        raw = b"\xA5\x02" + struct.pack("<H", 8000) + value
    else:
        raw = b"\xE7\x07" + COLLATION + struct.pack("<H", 8000) + utf16(str(value))
    return struct.pack("<I", len(raw)) + raw


def encode(kind, value):
    name = kind.name
    if name == "sql_variant":
        return _encode_variant(value)
    if name in TEXTS or name in BINARIES:
        is_long = kind.size < 0 or (name.startswith("n") and kind.size > 4000)
        if value is None:
            return b"\xFF" * 8 if is_long else b"\xFF\xFF"
        if isinstance(value, bytes):
            raw = value
        elif name in ("varchar", "char", "text"):
            raw = str(value).encode("cp1252", "replace")
        else:
            raw = utf16(str(value))
        if is_long:
            return _long(raw)
        limit = kind.size * (2 if name in ("nvarchar", "nchar", "sysname") else 1)
        if name == "char":
            raw = raw.ljust(kind.size)
        return struct.pack("<H", len(raw[:limit])) + raw[:limit]
    if value is None:
        return b"\0"
    if name in ("tinyint", "smallint", "int", "bigint"):
        size = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8}[name]
        return bytes([size]) + int(value).to_bytes(size, "little", signed=name != "tinyint")
    if name == "bit":
        return bytes([1, 1 if value else 0])
    if name in ("float", "real"):
        return struct.pack("<Bd", 8, float(value)) if name == "float" else struct.pack("<Bf", 4, float(value))
    if name == "uniqueidentifier":
        return b"\x10" + value.bytes_le
    if name in DECIMALS:
        size = 17 if kind.precision > 28 else 13 if kind.precision > 19 else 9 if kind.precision > 9 else 5
        number = int(Decimal(value).scaleb(kind.scale).to_integral_value())
        return bytes([size, 0 if number < 0 else 1]) + abs(number).to_bytes(size - 1, "little")
    return _encode_time(kind, value)


class Parameters:
    """Reads the values of a remote procedure call."""

    def __init__(self, body, at):
        self.body = body
        self.at = at

    def take(self, form):
        values = struct.unpack_from("<" + form, self.body, self.at)
        self.at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def raw(self, count):
        self.at += count
        return self.body[self.at - count:self.at]

    def text(self):
        return self.raw(2 * self.take("B")).decode("utf-16-le", "surrogatepass")

    def parameter(self):
        """(name, is output, Type, value)"""
        name = self.text()
        status = self.take("B")
        kind, value = self._typed()
        return name, bool(status & 1), kind, value

    def _typed(self):
        token = self.take("B")
        if token in (0x26, 0x68, 0x6D, 0x6F, 0x24):
            self.take("B")
            return self._short(token, self.raw(self.take("B")))
        if token in (0x6A, 0x6C):
            _, precision, scale = self.take("BBB")
            raw = self.raw(self.take("B"))
            kind = Type("numeric", 0, precision, scale)
            if not raw:
                return kind, None
            number = int.from_bytes(raw[1:], "little") * (1 if raw[0] else -1)
            return kind, Decimal(number).scaleb(-scale)
        if token in (0x28, 0x2A, 0x2B):
            scale = 0 if token == 0x28 else self.take("B")
            return self._time(token, scale, self.raw(self.take("B")))
        if token in (0xE7, 0xEF, 0xA7, 0xAF, 0xA5, 0xAD):
            return self._variable(token)
        if token in (0x63, 0x23, 0x22):  # ntext, text, image
            self.take("I")
            if token != 0x22:
                self.raw(5)
            size = self.take("i")
            raw = None if size < 0 else self.raw(size)
            coding = {0x63: "utf-16-le", 0x23: "cp1252"}.get(token)
            kind = Type("nvarchar" if coding else "varbinary", -1)
            return kind, raw.decode(coding) if coding and raw is not None else raw
        if token in (0x38, 0x30, 0x34, 0x7F, 0x32, 0x3E):
            form, name = {0x38: ("i", "int"), 0x30: ("B", "tinyint"), 0x34: ("h", "smallint"), 0x7F: ("q", "bigint"),
                          0x32: ("B", "bit"), 0x3E: ("d", "float")}[token]
            return Type(name), self.take(form)
        raise Closed()

    def _short(self, token, raw):
        if token == 0x26:
            kind = Type({1: "tinyint", 2: "smallint", 8: "bigint"}.get(len(raw), "int"))
            return kind, int.from_bytes(raw, "little", signed=len(raw) > 1) if raw else None
        if token == 0x68:
            return Type("bit"), bool(raw[0]) if raw else None
        if token == 0x6D:
            return Type("float"), struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0] if raw else None
        if token == 0x24:
            return Type("uniqueidentifier"), uuid.UUID(bytes_le=raw) if raw else None
        if not raw:
            return Type("datetime"), None
        if len(raw) == 4:
            days, minutes = struct.unpack("<HH", raw)
            return Type("smalldatetime"), EPOCH + datetime.timedelta(days=days, minutes=minutes)
        days, ticks = struct.unpack("<iI", raw)
        return Type("datetime"), EPOCH + datetime.timedelta(days=days, microseconds=round(ticks * 1e6 / 300))

    def _time(self, token, scale, raw):
        kind = Type({0x28: "date", 0x2A: "datetime2", 0x2B: "datetimeoffset"}[token], 0, 0, scale)
        if not raw:
            return kind, None
        size = 0 if token == 0x28 else _scale_bytes(scale)
        ticks = int.from_bytes(raw[:size], "little") * 10**(7 - scale)
        value = DAY_ONE + datetime.timedelta(days=int.from_bytes(raw[size:size + 3], "little"),
                                             microseconds=ticks // 10)
        if token == 0x2B:
            offset = datetime.timezone(datetime.timedelta(minutes=struct.unpack("<h", raw[size + 3:])[0]))
            value = value.replace(tzinfo=datetime.timezone.utc).astimezone(offset)
        return kind, value

    def _variable(self, token):
        size = self.take("H")
        is_binary = token in (0xA5, 0xAD)
        if not is_binary:
            self.raw(5)
        if size == 0xFFFF:
            raw = self._chunks()
        else:
            length = self.take("H")
            raw = None if length == 0xFFFF else self.raw(length)
        if is_binary:
            return Type("varbinary", -1 if size == 0xFFFF else size), raw
        wide = token in (0xE7, 0xEF)
        kind = Type("nvarchar" if wide else "varchar", -1 if size == 0xFFFF else size // 2 if wide else size)
        return kind, None if raw is None else raw.decode("utf-16-le" if wide else "cp1252", "surrogatepass" if wide
                                                         else "replace")

    def _chunks(self):
        total = self.take("Q")
        if total == 0xFFFFFFFFFFFFFFFF:
            return None
        result = b""
        while size := self.take("I"):
            result += self.raw(size)
        return result
