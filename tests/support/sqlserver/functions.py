"""Built-in functions and global variables."""

import datetime
import hashlib
import uuid
import zlib

from . import content as contents
from . import sqltypes
from .errors import Message, Unknown
from .properties import database_property, server_property
from .security import SERVER_ROLES

NAME, INT, MAX = sqltypes.SYSNAME, sqltypes.INT, sqltypes.text(-1)
# name: (least arguments, most, type of the result or None when it is that of the first argument, function)
FUNCTIONS = {}
# These see their arguments unevaluated, by number
LAZY = {}


def function(name, least, most, kind):
    def register(body):
        FUNCTIONS[name] = (least, most, kind, body)
        return body
    return register


def call(session, name, argument, count):
    if name in LAZY:
        return LAZY[name](argument, count)
    if name not in FUNCTIONS:
        raise Unknown(Message(195, name))
    least, most, _kind, body = FUNCTIONS[name]
    if not least <= count <= most:
        raise Unknown(Message(174, severity=15, text=f"The {name} function requires {least} argument(s)."))
    return body(session, *[argument(n) for n in range(count)])


def result_type(name, arguments):
    if name in LAZY:
        kinds = [argument() for argument in arguments[1 if name == "iif" else 0:]]
        return next((kind for kind in kinds if kind is not None), None)
    if name not in FUNCTIONS:
        raise Unknown(Message(195, name))
    kind = FUNCTIONS[name][2]
    return kind if kind is not None or not arguments else arguments[0]()


def _first_known(argument, count):
    for number in range(count):
        value = argument(number)
        if value is not None:
            return value
    return None


def _nullif(argument, _count):
    left, right = argument(0), argument(1)
    if left is None or right is None:
        return left
    a, b = sqltypes.unify(left, right)
    return None if a == b else left


LAZY.update(isnull=_first_known, coalesce=_first_known, nullif=_nullif,
            iif=lambda argument, _count: argument(1) if argument(0) is True else argument(2))


# Global variables

def global_value(session, name):
    instance = session.instance
    values = {"@@spid": lambda: session.id, "@@version": instance.version.text, "@@servername": instance.server_name,
              "@@servicename": lambda: instance.name, "@@trancount": lambda: session.transactions,
              "@@rowcount": lambda: session.row_count, "@@error": lambda: session.last_error,
              "@@language": lambda: session.options["language"],
              "@@lock_timeout": lambda: int(session.options["lock_timeout"]),
              "@@dbts": lambda: session.database.content["dbts"].to_bytes(8, "big"),
              "@@identity": lambda: session.identity, "@@procid": lambda: 0, "@@max_connections": lambda: 32767,
              "@@microsoftversion": lambda: (instance.version.numbers[0] << 24) + instance.version.numbers[2],
              "@@options": lambda: 5496}
    if name not in values:
        raise Unknown(Message(137, name))
    return values[name]()


def global_type(name):
    return {"@@version": sqltypes.text(300), "@@servername": NAME, "@@servicename": NAME, "@@language": NAME,
            "@@spid": sqltypes.SMALLINT, "@@dbts": sqltypes.binary(8), "@@identity": sqltypes.Type("numeric", 0, 38, 0)
            }.get(name, INT)


# Properties and permissions

@function("serverproperty", 1, 1, sqltypes.Type("sql_variant"))
def _serverproperty(session, name):
    return server_property(session.instance, name)


@function("databasepropertyex", 2, 2, sqltypes.Type("sql_variant"))
def _databasepropertyex(session, name, key):
    return database_property(session, name, key)


@function("db_id", 0, 1, sqltypes.SMALLINT)
def _db_id(session, *name):
    database = session.instance.databases.get(str(name[0]).casefold()) if name else session.database
    return database.id if database else None


@function("db_name", 0, 1, NAME)
def _db_name(session, *identifier):
    if not identifier:
        return session.database.name
    database = session.instance.by_id(int(identifier[0])) if identifier[0] is not None else None
    return database.name if database else None


@function("suser_sname", 0, 1, NAME)
def _suser_sname(session, *sid):
    if not sid:
        return session.login.name
    login = session.instance.security.by_sid(sid[0])
    return login.name if login else None


@function("suser_sid", 0, 1, sqltypes.binary(85))
def _suser_sid(session, *name):
    login = session.instance.security.find(name[0]) if name else session.login
    return login.sid if login else None


for _name in ("suser_name", "original_login", "system_user"):
    function(_name, 0, 0, NAME)(lambda session: session.login.name)


def _user_name(session, *identifier):
    if identifier:
        found = next((p for p in session.database.content["principals"] if p["id"] == identifier[0]), None)
    else:
        found = session.instance.security.user_of(session.login, session.database)
    return found["name"] if found else None


for _name in ("user_name", "current_user", "session_user", "user"):
    function(_name, 0, 1, NAME)(_user_name)


@function("is_srvrolemember", 1, 2, INT)
def _is_srvrolemember(session, role, *login):
    account = session.instance.security.find(login[0]) if login else session.login
    if role.lower() == "public":
        return 1
    if role.lower() not in SERVER_ROLES or account is None:
        return None
    return int(role.lower() in account.roles or account.is_sysadmin)


def _role_member(session, role, *_user):
    security = session.instance.security
    principal = security.user_of(session.login, session.database)
    if role.lower() not in {p["name"].lower() for p in session.database.content["principals"] if p["type"] == "R"}:
        return None
    return int(principal["id"] == 1 or role.lower() == "public" or
               role in security.roles_of(principal, session.database.content))


function("is_member", 1, 1, INT)(_role_member)
function("is_rolemember", 1, 2, INT)(_role_member)


@function("has_perms_by_name", 3, 5, INT)
def _has_perms_by_name(session, securable, kind, permission, *_more):
    security = session.instance.security
    if kind is None:
        if securable is not None:
            return None
        if not session.instance.version.has(permission.upper()):
            return None
        return int(session.login.has(permission.upper()))
    if kind.upper() == "DATABASE":
        name = _parsename(securable) if securable is not None else session.database.name
        database = session.instance.databases.get(name.casefold())
        if database is None or database.content is None:
            return None
        permission = permission.upper()
        if permission == "ANY":
            return int(security.may_enter(session.login, database))
        if permission == "CONNECT":
            return int(security.may_enter(session.login, database))
        if permission == "CREATE DATABASE":
            return int(session.login.has(permission))
        return int(security.has_in(session.login, database, permission))
    if kind.upper() == "LOGIN":
        login = security.find(_parsename(securable))
        return None if login is None else int(permission.upper() == "IMPERSONATE" and
                                              session.login.may_impersonate(login))
    if kind.upper() == "OBJECT":
        parts = [_parsename(part) for part in securable.split(".")]
        database = session.instance.databases.get(parts[-3].casefold()) if len(parts) > 2 else session.database
        if database is None:
            return None
        if database.name == "msdb" and not contents.find_object(database.content, parts[-2], parts[-1]):
            return int(security.has_in(session.login, database, permission.upper()))
        entry = contents.find_object(database.content, parts[-2] if len(parts) > 1 else "dbo", parts[-1])
        return None if entry is None else int(security.has_in(session.login, database, permission.upper(), entry["id"]))
    raise Unknown(Message(50000, text=f"HAS_PERMS_BY_NAME for {kind} is not known."))


def _parsename(text):
    return text[1:-1].replace("]]", "]") if text.startswith("[") and text.endswith("]") else text


@function("has_dbaccess", 1, 1, INT)
def _has_dbaccess(session, name):
    database = session.instance.databases.get(name.casefold())
    if database is None:
        return None
    return int(database.state == "ONLINE" and session.instance.security.may_enter(session.login, database))


@function("object_id", 1, 2, INT)
def _object_id(session, name, kind=None):
    reader_parts, part, quoted = [], "", False
    for char in name:
        if char == "." and not quoted:
            reader_parts.append(part)
            part = ""
        else:
            quoted = {"[": True, "]": False}.get(char, quoted)
            part += char
    parts = [_parsename(p) for p in reader_parts + [part]]
    database = session.instance.databases.get(parts[-3].casefold()) if len(parts) > 2 else session.database
    if database is None or database.content is None:
        return None
    entry = contents.find_object(database.content, (parts[-2] if len(parts) > 1 else "") or "dbo", parts[-1],
                                 (kind.strip().upper(),) if kind else None)
    return entry["id"] if entry else None


@function("object_name", 1, 2, NAME)
def _object_name(session, identifier, *database):
    where = session.instance.by_id(database[0]) if database else session.database
    return next((o["name"] for o in where.content["objects"] if o["id"] == identifier), None) if where else None


@function("schema_name", 0, 1, NAME)
def _schema_name(session, *identifier):
    number = identifier[0] if identifier else 1
    return next((s["name"] for s in session.database.content["schemas"] if s["id"] == number), None)


@function("scope_identity", 0, 0, sqltypes.Type("numeric", 0, 38, 0))
def _scope_identity(session):
    return session.identity


function("app_name", 0, 0, NAME)(lambda session: session.program)
function("host_name", 0, 0, NAME)(lambda session: session.host)
function("xact_state", 0, 0, INT)(lambda session: int(session.transactions > 0))
function("error_number", 0, 0, INT)(lambda session: session.error.messages[0].number)
function("error_message", 0, 0, MAX)(lambda session: session.error.messages[0].text)
function("error_severity", 0, 0, INT)(lambda session: session.error.messages[0].severity)
function("cursor_status", 2, 2, INT)(lambda session, *_: -3)

# Time

function("getdate", 0, 0, sqltypes.DATETIME)(lambda session: session.instance.local_now())
function("current_timestamp", 0, 0, sqltypes.DATETIME)(lambda session: session.instance.local_now())
function("getutcdate", 0, 0, sqltypes.DATETIME)(
    lambda session: sqltypes.to_datetime_ticks(session.instance.now()))
function("sysdatetime", 0, 0, sqltypes.DATETIME2)(
    lambda session: session.instance.now_with_offset().replace(tzinfo=None))
function("sysutcdatetime", 0, 0, sqltypes.DATETIME2)(lambda session: session.instance.now())
function("sysdatetimeoffset", 0, 0, sqltypes.DATETIMEOFFSET)(lambda session: session.instance.now_with_offset())

_SECONDS = {"day": 86400, "dd": 86400, "d": 86400, "hour": 3600, "hh": 3600, "minute": 60, "mi": 60, "n": 60,
            "second": 1,
            "ss": 1, "s": 1, "millisecond": 0.001, "ms": 0.001, "microsecond": 0.000001, "mcs": 0.000001,
            "week": 604800, "wk": 604800}


def _datediff(_session, part, first, second):
    if first is None or second is None:
        return None
    first, second = (sqltypes.convert(v, sqltypes.DATETIMEOFFSET if getattr(v, "tzinfo", None) else sqltypes.DATETIME2)
                     for v in (first, second))
    if part in ("year", "yy", "yyyy"):
        return second.year - first.year
    if part in ("month", "mm", "m"):
        return 12 * (second.year - first.year) + second.month - first.month
    zone = datetime.timezone.utc if first.tzinfo else None
    unit = _SECONDS[part]
    microseconds = [(v - datetime.datetime(1900, 1, 1, tzinfo=zone)) // datetime.timedelta(microseconds=1)
                    for v in (first, second)]
    step = round(unit * 1_000_000)
    return microseconds[1] // step - microseconds[0] // step


function("datediff", 3, 3, INT)(_datediff)
function("datediff_big", 3, 3, sqltypes.BIGINT)(_datediff)


@function("dateadd", 3, 3, sqltypes.DATETIME2)
def _dateadd(_session, part, number, value):
    if value is None or number is None:
        return None
    if isinstance(value, str):
        value = sqltypes.convert(value, sqltypes.DATETIME)
    return value + datetime.timedelta(seconds=_SECONDS[part] * number)


@function("switchoffset", 2, 2, sqltypes.DATETIMEOFFSET)
def _switchoffset(_session, value, offset):
    if isinstance(offset, str):
        sign = -1 if offset.startswith("-") else 1
        hours, minutes = offset.lstrip("+-").split(":")
        offset = sign * (60 * int(hours) + int(minutes))
    return None if value is None else value.astimezone(datetime.timezone(datetime.timedelta(minutes=offset)))


@function("todatetimeoffset", 2, 2, sqltypes.DATETIMEOFFSET)
def _todatetimeoffset(_session, value, minutes):
    return None if value is None else value.replace(tzinfo=datetime.timezone(datetime.timedelta(minutes=minutes)))


@function("datepart", 2, 2, INT)
def _datepart(_session, part, value):
    names = {"year": "year", "yy": "year", "month": "month", "mm": "month", "day": "day", "dd": "day", "hour": "hour",
             "hh": "hour", "minute": "minute", "mi": "minute", "second": "second", "ss": "second"}
    if part in ("tz", "tzoffset"):
        return int(value.utcoffset().total_seconds() // 60)
    return getattr(value, names[part])


# Text and bytes

def _strict(body):
    """NULL in, NULL out."""
    return lambda session, *values: None if None in values else body(*values)


def _units(text):
    return text.encode("utf-16-le", "surrogatepass")


def _substring(text, start, length):
    raw = text if isinstance(text, bytes) else _units(text)
    width = 1 if isinstance(text, bytes) else 2
    begin, end = max(0, start - 1), max(0, start - 1 + length)
    piece = raw[width * begin:width * end]
    return piece if isinstance(text, bytes) else piece.decode("utf-16-le", "surrogatepass")


def _left(text, count):
    return _substring(str(text), 1, count)


def _checksum(*values):
    result = 0
    for value in values:
        raw = repr(sqltypes.comparable(value)).encode("utf-8", "surrogatepass")
        result = ((result << 4) | (result >> 28)) & 0xFFFFFFFF ^ zlib.crc32(raw)
    return result - (1 << 32) if result >= 1 << 31 else result


for _name, _least, _kind, _body in (
        ("len", 1, INT, lambda text: len(_units(str(text).rstrip(" "))) // 2),
        ("datalength", 1, INT, lambda v: len(v) if isinstance(v, bytes) else len(_units(str(v)))),
        ("upper", 1, None, lambda text: text.upper()), ("lower", 1, None, lambda text: text.lower()),
        ("ltrim", 1, None, lambda text: text.lstrip(" ")), ("rtrim", 1, None, lambda text: text.rstrip(" ")),
        ("substring", 3, None, _substring), ("left", 2, None, _left),
        ("right", 2, None, lambda text, n: _units(text)[-2 * n:].decode("utf-16-le", "surrogatepass") if n else ""),
        ("replace", 3, MAX, lambda text, old, new: text.replace(old, new)),
        ("charindex", 2, INT, lambda piece, text: text.casefold().find(piece.casefold()) + 1),
        ("replicate", 2, MAX, lambda text, count: text * count), ("char", 1, sqltypes.text(1), chr),
        ("nchar", 1, sqltypes.text(2), chr), ("unicode", 1, INT, lambda text: ord(text[0])),
        ("reverse", 1, None, lambda text: text[::-1]), ("abs", 1, None, abs), ("floor", 1, None, lambda v: v // 1),
        ("space", 1, MAX, lambda count: " " * count),
        ("hashbytes", 2, sqltypes.binary(64),
         lambda kind, v: hashlib.new(kind.upper().replace("_", "").replace("SHA2", "SHA").lower(),
                                     v if isinstance(v, bytes) else _units(v)).digest())):
    function(_name, _least, _least, _kind)(_strict(_body))


@function("quotename", 1, 2, sqltypes.text(258))
def _quotename(_session, text, quote="["):
    if text is None or len(_units(text)) > 256:
        return None
    closing = {"[": "]", "]": "]"}.get(quote, quote)
    return ("[" if closing == "]" else quote) + text.replace(closing, closing * 2) + closing


function("checksum", 1, 99, INT)(lambda session, *values: _checksum(*values))
function("binary_checksum", 1, 99, INT)(lambda session, *values: _checksum(*values))
function("concat", 2, 99, MAX)(lambda session, *values: "".join("" if v is None else sqltypes.convert(v, MAX)
                                                               for v in values))
function("newid", 0, 0, sqltypes.GUID)(lambda session: uuid.uuid4())
function("rand", 0, 1, sqltypes.FLOAT)(lambda session, *_seed: uuid.uuid4().int % 10**9 / 10**9)