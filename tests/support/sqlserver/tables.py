"""Finds what a name in FROM stands for: a table of a database, or a system view."""

from . import content as contents
from . import views
from .errors import Message, Unknown, fail
from .evaluate import Rowset


class Tables:
    def __init__(self, session, query):
        self.session = session
        self.instance = session.instance
        self.query = query

    def database_of(self, path):
        """The database that the first of three parts names, or the current one; entered for this statement."""
        name = path[-3] if len(path) > 2 and path[-3] else None
        if name is None:
            return self.session.database
        database = self.instance.find(name)
        if database is not self.session.database:
            self.instance.faults.before_entering(database)
            database.check_access(self.session)
        return database

    def read(self, path, arguments, dry):
        if len(path) > 3:
            raise Unknown(Message(208, ".".join(p or "" for p in path)))
        schema = (path[-2] or "dbo").casefold() if len(path) > 1 else "dbo"
        view = views.find(schema, path)
        if view is not None:
            return self._read_view(view, path, arguments, dry)
        if schema in ("sys", "information_schema") or arguments is not None or path[0].startswith("#"):
            raise Unknown(Message(208, ".".join(p or "" for p in path)))
        database = self.database_of(path)
        table = contents.find_object(database.content, path[-2] if len(path) > 1 else "dbo", path[-1], ("U",))
        if table is None:
            raise fail(208, ".".join(p or "" for p in path))
        self._check(database, table, "SELECT")
        columns = [(column["name"], column["type"]) for column in table["columns"]]
        if dry:
            return Rowset(columns, [])
        with Entered(database):
            database.count_scan(table)
            rows = self._visible(database, table)
        return Rowset(columns, rows)

    def _visible(self, database, table):
        """Others see the committed rows while a transaction is open."""
        if database.committed is not None and database.writer is not self.session:
            return next((o["rows"] for o in database.committed["objects"] if o["id"] == table["id"]), [])
        return table["rows"]

    def _read_view(self, view, path, arguments, dry):
        features = [view.name] + ([f"{path[-1].lower()}"] if view.name != path[-1].lower() else [])
        if not all(self.instance.version.has(feature) for feature in features):
            self.instance.absent.append({"program": self.session.program, "text": ".".join(p or "" for p in path)})
            raise fail(208, ".".join(p or "" for p in path))
        database = self.session.database
        if view.scope == "database":
            database = self.database_of(path)
        columns = [(name, kind) for name, kind in view.columns if self.instance.version.has(f"{view.name}.{name}")]
        if dry:
            return Rowset(columns, [])
        rows = view.rows(views.Context(self.session, database, arguments or []))
        result = []
        for row in rows:
            result.append(tuple(row.get(name) for name, _ in columns))
        database.close_when_unused()
        return Rowset(columns, result)

    def _check(self, database, table, permission):
        if not self.instance.security.has_in(self.session.login, database, permission, table["id"]):
            schema = next(s["name"] for s in database.content["schemas"] if s["id"] == table["schema"])
            raise fail(229, permission, table["name"], database.name, schema)

    def table(self, path, permission):
        """(database, table) for a statement that changes rows."""
        if len(path) == 1 or (path[-2] or "").casefold() != "sys":
            database = self.database_of(path)
            table = contents.find_object(database.content, path[-2] if len(path) > 1 else "dbo", path[-1], ("U",))
            if table is not None:
                self._check(database, table, permission)
                return database, table
        raise fail(208, ".".join(p or "" for p in path))

    def next_value(self, path):
        database = self.database_of(path)
        sequence = contents.find_object(database.content, path[-2] if len(path) > 1 else "dbo", path[-1], ("SO",))
        if sequence is None:
            raise fail(208, ".".join(p or "" for p in path))
        database.open()
        sequence["current"] = sequence["start"] if sequence["current"] is None else sequence["current"] + 1
        database.log(1)
        database.save()
        return sequence["current"]


class Entered:
    """A statement uses a database that may be closed (AUTO_CLOSE): it opens for it and closes after it."""

    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.database.open()
        return self.database

    def __exit__(self, *_error):
        self.database.close_when_unused()
