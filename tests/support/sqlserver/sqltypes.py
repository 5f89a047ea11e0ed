"""Types of SQL Server values, their Python counterparts and conversions between them.

bit bool, integers int, decimal Decimal, float float, text str, binary bytes, uniqueidentifier UUID,
datetime/datetime2/date naive datetime, datetimeoffset aware datetime; NULL is None.
"""

import datetime
import uuid
from collections import namedtuple
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from .errors import Message, Unknown, fail

# size: characters or bytes, -1 for (max); precision and scale of decimals, scale of times
Type = namedtuple("Type", "name size precision scale", defaults=(0, 0, 0))

INT = Type("int")
BIGINT = Type("bigint")
SMALLINT = Type("smallint")
TINYINT = Type("tinyint")
BIT = Type("bit")
FLOAT = Type("float")
REAL = Type("real")
DATETIME = Type("datetime")
DATETIME2 = Type("datetime2", 0, 0, 7)
DATETIMEOFFSET = Type("datetimeoffset", 0, 0, 7)
GUID = Type("uniqueidentifier")
SYSNAME = Type("nvarchar", 128)
LSN = Type("numeric", 0, 25, 0)
NUMERIC20 = Type("numeric", 0, 20, 0)


def text(size):
    return Type("nvarchar", size)


def char(size):
    return Type("char", size)


def binary(size):
    return Type("varbinary", size)


INTEGERS = {"tinyint": (0, 255), "smallint": (-2**15, 2**15 - 1), "int": (-2**31, 2**31 - 1),
            "bigint": (-2**63, 2**63 - 1)}
TEXTS = {"nvarchar", "varchar", "nchar", "char", "sysname", "ntext", "text", "xml"}
BINARIES = {"varbinary", "binary", "timestamp", "rowversion", "image"}
TIMES = {"datetime", "smalldatetime", "datetime2", "date", "datetimeoffset"}
DECIMALS = {"decimal", "numeric", "money", "smallmoney"}
KNOWN = set(INTEGERS) | TEXTS | BINARIES | TIMES | DECIMALS | {"bit", "float", "real", "uniqueidentifier",
                                                               "sql_variant"}
# sys.types.system_type_id
SYSTEM_IDS = {"image": 34, "text": 35, "uniqueidentifier": 36, "date": 40, "time": 41, "datetime2": 42,
              "datetimeoffset": 43, "tinyint": 48, "smallint": 52, "int": 56, "smalldatetime": 58, "real": 59,
              "money": 60, "datetime": 61, "float": 62, "sql_variant": 98, "ntext": 99, "bit": 104, "decimal": 106,
              "numeric": 108, "smallmoney": 122, "bigint": 127, "varbinary": 165, "varchar": 167, "binary": 173,
              "char": 175, "timestamp": 189, "rowversion": 189, "nvarchar": 231, "sysname": 231, "nchar": 239,
              "xml": 241}
EPOCH = datetime.datetime(1900, 1, 1)


def declared(name, arguments):
    """The type that a declaration such as nvarchar(40) or decimal(10, 2) names."""
    name = name.lower()
    if name not in KNOWN:
        raise Unknown(Message(50000, text=f"Type {name} is not known."))
    if name == "sysname":
        return SYSNAME
    if name in ("rowversion", "timestamp"):
        return Type("timestamp", 8)
    if name in TEXTS | BINARIES:
        if name in ("ntext", "text", "image", "xml"):
            return Type("varbinary" if name == "image" else "nvarchar" if name in ("ntext", "xml") else "varchar", -1)
        return Type(name, arguments[0] if arguments else 1)
    if name in ("money", "smallmoney"):
        return Type("decimal", 0, 19, 4)
    if name in DECIMALS:
        return Type(name, 0, arguments[0] if arguments else 18, arguments[1] if len(arguments) > 1 else 0)
    if name in ("datetime2", "datetimeoffset"):
        return Type(name, 0, 0, arguments[0] if arguments else 7)
    return Type(name)


def of_value(value):
    """The type of a computed value whose expression does not tell."""
    if value is None:
        return INT
    if isinstance(value, bool):
        return BIT
    if isinstance(value, int):
        return INT if -2**31 <= value < 2**31 else BIGINT if -2**63 <= value < 2**63 else Type("numeric", 0, 38, 0)
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return Type("numeric", 0, 38, max(0, -exponent))
    if isinstance(value, float):
        return FLOAT
    if isinstance(value, bytes):
        return binary(-1 if len(value) > 8000 else max(1, len(value)))
    if isinstance(value, uuid.UUID):
        return GUID
    if isinstance(value, datetime.datetime):
        return DATETIMEOFFSET if value.tzinfo else DATETIME
    units = len(value.encode("utf-16-le")) // 2
    return text(-1 if units > 4000 else max(1, units))


def to_datetime_ticks(value):
    """`datetime` has a resolution of 1/300 s."""
    whole = value.replace(microsecond=0)
    ticks = round(value.microsecond * 300 / 1_000_000)
    return whole + datetime.timedelta(microseconds=round(ticks * 1_000_000 / 300))


def _to_text(value, style):
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, bytes):
        if style in (1, 2):
            return ("0x" if style == 1 else "") + value.hex().upper()
        return value.decode("utf-16-le", "replace")
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        if style in (126, 127):
            return value.isoformat(timespec="milliseconds")
        if style in (120, 121, 20, 21):
            return value.isoformat(" ", timespec="milliseconds" if style in (121, 21) else "seconds")
        if style == 112:
            return value.strftime("%Y%m%d")
        if value.tzinfo:
            return value.isoformat(" ", timespec="microseconds")
        return value.strftime("%b %d %Y %I:%M%p")
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value) if isinstance(value, float) else str(value)


def _to_time(value, to):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = EPOCH + datetime.timedelta(days=value)
    if isinstance(value, bytes):
        value = EPOCH + datetime.timedelta(days=int.from_bytes(value[:4], "big"),
                                           seconds=int.from_bytes(value[4:8], "big") / 300)
    if isinstance(value, str):
        stripped = value.strip()
        try:
            value = datetime.datetime.fromisoformat(stripped)
        except ValueError:
            raise fail(245, "nvarchar", value, to.name) from None
    if to.name == "datetimeoffset":
        return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    value = value.replace(tzinfo=None)
    if to.name == "datetime":
        return to_datetime_ticks(value)
    if to.name == "smalldatetime":
        return (value + datetime.timedelta(seconds=30)).replace(second=0, microsecond=0)
    return value.replace(hour=0, minute=0, second=0, microsecond=0) if to.name == "date" else value


def _to_binary(value, to):
    if isinstance(value, bytes):
        raw = value
    elif isinstance(value, str):
        raw = value.encode("utf-16-le")
    elif isinstance(value, uuid.UUID):
        raw = value.bytes_le
    elif isinstance(value, datetime.datetime):
        ticks = value.replace(tzinfo=None) - EPOCH
        raw = ticks.days.to_bytes(4, "big", signed=True) + \
            round((ticks.seconds + ticks.microseconds / 1e6) * 300).to_bytes(4, "big")
    else:
        width = 1 if isinstance(value, bool) else 4 if -2**31 <= int(value) < 2**31 else 8
        raw = int(value).to_bytes(width, "big", signed=int(value) < 0)
        if to.size > width and to.name in ("binary", "timestamp"):
            return raw.rjust(to.size, b"\0")
        return raw[-to.size:] if to.size > 0 else raw
    if to.size > 0:
        raw = raw[:to.size]
    return raw.ljust(to.size, b"\0") if to.name in ("binary", "timestamp") and to.size > 0 else raw


def _to_number(value, to):
    if isinstance(value, bytes):
        value = int.from_bytes(value, "big")
    if isinstance(value, (uuid.UUID, datetime.datetime)):
        raise fail(8114, of_value(value).name, to.name)
    if isinstance(value, str):
        try:
            value = Decimal(value.strip() or "0")
        except InvalidOperation:
            raise fail(245, "nvarchar", value, to.name) from None
    if to.name in ("float", "real"):
        return float(value)
    if to.name in DECIMALS:
        with localcontext() as context:
            context.prec = 60
            result = Decimal(value).quantize(Decimal(1).scaleb(-to.scale), rounding=ROUND_HALF_UP)
        if abs(result) >= Decimal(10) ** (to.precision - to.scale):
            raise fail(8114, of_value(value).name, to.name)
        return result
    if to.name == "bit":
        return value != 0
    result = int(value)
    low, high = INTEGERS[to.name]
    if not low <= result <= high:
        raise fail(8115, text=f"Arithmetic overflow error converting expression to data type {to.name}.")
    return result


def convert(value, to, style=0):
    """CONVERT(to, value, style)."""
    if value is None or to.name == "sql_variant":
        return value
    if to.name in TEXTS:
        result = _to_text(value, style)
        if to.size > 0:
            units = result.encode("utf-16-le", "surrogatepass")
            if len(units) > 2 * to.size:
                result = units[:2 * to.size].decode("utf-16-le", "surrogatepass")
            if to.name in ("char", "nchar"):
                result = result.ljust(to.size)
        return result
    if to.name in TIMES:
        return _to_time(value, to)
    if to.name in BINARIES:
        return _to_binary(value, to)
    if to.name == "uniqueidentifier":
        if isinstance(value, uuid.UUID):
            return value
        if isinstance(value, bytes):
            return uuid.UUID(bytes_le=value[:16].ljust(16, b"\0"))
        try:
            return uuid.UUID(value.strip().strip("{}"))
        except (ValueError, AttributeError):
            raise fail(8169, text="Conversion failed when converting from a character string to "
                                  "uniqueidentifier.") from None
    if to.name == "bit" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return _to_number(value, to)


def comparable(value):
    """What stands for a value in comparisons: the default collation ignores case and trailing blanks."""
    if isinstance(value, str):
        return value.rstrip(" ").casefold()
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, bool):
        return int(value)
    return value


def unify(left, right):
    """Both values of a comparison in one type: numbers win over text, as data type precedence has it."""
    if isinstance(left, str) == isinstance(right, str):
        if isinstance(left, datetime.datetime) and isinstance(right, datetime.datetime) and \
                bool(left.tzinfo) != bool(right.tzinfo):
            return [x if x.tzinfo else x.replace(tzinfo=datetime.timezone.utc) for x in (left, right)]
        if isinstance(left, (bytes, datetime.datetime, uuid.UUID)) and type(left) is not type(right):
            return left, convert(right, of_value(left))
        if isinstance(right, (bytes, datetime.datetime, uuid.UUID)) and type(left) is not type(right):
            return convert(left, of_value(right)), right
        return comparable(left), comparable(right)
    if isinstance(left, str):
        other, result = unify(right, left)
        return result, other
    if isinstance(left, bytes):
        return left, right.encode("utf-16-le")
    target = Type("numeric", 0, 38, 10) if isinstance(left, (int, Decimal)) and not isinstance(left, bool) \
        else of_value(left)
    return comparable(left), comparable(convert(right, target))
