"""The system views and functions by name. Each is declared with its columns; the rows come from the model."""

import re
from collections import namedtuple

from . import sqltypes

Context = namedtuple("Context", "session database arguments")
View = namedtuple("View", "name scope columns rows")  # scope: "server" or "database"

SYS = {}
MSDB = {}
_COLUMN = re.compile(r"\s*(\w+)\s+(\w+)(?:\(([^)]*)\))?\s*")
_SHORT = {"guid": "uniqueidentifier", "offset": "datetimeoffset"}


def columns_of(text):
    """[(name, Type)] of a declaration such as "name sysname, size int"."""
    result = []
    for part in re.split(r",(?![^(]*\))", text):
        name, kind, arguments = _COLUMN.fullmatch(part).groups()
        numbers = [-1 if a.strip() == "max" else int(a) for a in arguments.split(",")] if arguments else []
        result.append((name, sqltypes.declared(_SHORT.get(kind, kind), numbers)))
    return result


def view(name, columns, scope="server", where=None):
    """Decorates the function that gives the rows of a view as dicts."""
    def register(rows):
        where_ = SYS if where is None else where
        where_[name] = View(name, scope, columns_of(columns), rows)
        return rows
    return register


def find(schema, path):
    name = path[-1].casefold()
    if schema == "sys":
        return SYS.get(name)
    if len(path) > 2 and (path[-3] or "").casefold() == "msdb" and schema == "dbo":
        return MSDB.get(name)
    return None


def server_state(context, permission=None):
    """Raises unless the login may see the state of the server."""
    from .errors import Message, SqlError
    version = context.session.instance.version
    permission = permission or version.performance_permission
    if not context.session.login.has(permission):
        raise SqlError(Message(300, permission), Message(297))


def database_state(context):
    from .errors import fail
    security = context.session.instance.security
    if not security.has_in(context.session.login, context.database, "VIEW DATABASE STATE"):
        raise fail(262, "VIEW DATABASE STATE", context.database.name)


def may_see_server(context):
    login = context.session.login
    return login.has("VIEW SERVER STATE") or login.has(context.session.instance.version.performance_permission)
