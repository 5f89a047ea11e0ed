"""SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE and statistics."""

from . import content as contents
from . import sqltypes
from .errors import fail
from .evaluate import Rowset, Scope, source
from .parse_statements import StatementReader
from .tables import Entered


class DataStatements:
    def do_query(self, statement):
        variables = [item[2] for item in statement.query.items]
        rowset = self.query(statement.query, Scope([]))
        if any(variables):
            for row in rowset.rows[-1:]:
                for name, value in zip(variables, row):
                    self.assign(name, value)
            self.session.row_count = len(rowset.rows)
            return
        self.send_rows(rowset)

    def send_rows(self, rowset):
        self.reply.rows(Rowset([(name, self._on_wire(kind)) for name, kind in rowset.columns], rowset.rows))
        self.session.row_count = len(rowset.rows)
        self.reply.done(len(rowset.rows))

    @staticmethod
    def _on_wire(kind):
        return sqltypes.binary(8) if kind.name == "timestamp" else kind

    # Changes

    def _change(self, path, permission, body, operation):
        """Runs `body(database, table)` as one atomic statement; it gives the number of rows."""
        database, table = self.query.tables.table(path, permission)
        session = self.session
        with Entered(database):
            session.begin_write(database)
            database, table = self.query.tables.table(path, permission)  # as it is now that the lock is ours
            before = list(table["rows"]), table["identity"]
            try:
                count = body(database, table)
            except Exception:
                table["rows"][:], table["identity"] = before
                session.end_write()
                raise
            database.count_update(table, count, operation)
            session.end_write()
        self.done_count(count)

    def do_insert(self, statement):
        def body(database, table):
            rows = self._new_rows(statement)
            for values in rows:
                table["rows"].append(self._row(database, table, statement.columns, values))
            self._check_key(table)
            return len(rows)
        self._change(statement.path, "INSERT", body, "LOP_INSERT_ROWS")

    def _new_rows(self, statement):
        if statement.query is not None:
            return [list(row) for row in self.query(statement.query, Scope([])).rows]
        return [[value if value.kind == "default" else self.value(value) for value in row] for row in statement.rows]

    def _row(self, database, table, names, values):
        """A whole row from the named values: defaults, identity, rowversion, conversion."""
        columns = table["columns"]
        given = self._given(table, names, values)
        row = []
        for column in columns:
            key = column["name"].casefold()
            if column["type"].name == "timestamp":
                database.content["dbts"] += 1
                value = database.content["dbts"].to_bytes(8, "big")
            elif column["identity"] and key not in given:
                start, step = column["identity"]
                table["identity"] = start if table["identity"] is None else table["identity"] + step
                value = self.session.identity = table["identity"]
            elif key in given and getattr(given[key], "kind", None) != "default":
                value = given[key]
            else:
                value = self.value(StatementReader(column["default"]).sum()) if column["default"] else None
            row.append(self._stored(table, column, value))
        return tuple(row)

    def _given(self, table, names, values):
        columns = table["columns"]
        if names is None:
            insertable = [c for c in columns if c["type"].name != "timestamp" and
                          (not c["identity"] or len(values) == len(columns))]
            names = [c["name"] for c in insertable]
        if len(names) != len(values):
            raise fail(213)
        known = {c["name"].casefold() for c in columns}
        for name in names:
            if name.casefold() not in known:
                raise fail(207, name)
        return {name.casefold(): value for name, value in zip(names, values)}

    def _stored(self, table, column, value):
        if value is None and not column["nullable"]:
            raise fail(515, column["name"], table["name"], "INSERT")
        return sqltypes.convert(value, column["type"])

    def _check_key(self, table):
        if not table["key"]:
            return
        names = [c["name"].casefold() for c in table["columns"]]
        places = [names.index(k.casefold()) for k in table["key"]]
        seen = set()
        for row in table["rows"]:
            key = tuple(sqltypes.comparable(row[p]) for p in places)
            if key in seen:
                raise fail(2627, "PK_" + table["name"], "dbo." + table["name"])
            seen.add(key)

    def _scope(self, table, row, alias=None):
        columns = [(c["name"], c["type"]) for c in table["columns"]]
        return Scope([source(alias or table["name"], columns, row)])

    def _updated(self, database, table, row, assignments, scope):
        names = [c["name"].casefold() for c in table["columns"]]
        values = list(row)
        for name, expression in assignments:
            if name.casefold() not in names:
                raise fail(207, name)
            place = names.index(name.casefold())
            values[place] = self._stored(table, table["columns"][place], self.value(expression, scope))
        for place, column in enumerate(table["columns"]):
            if column["type"].name == "timestamp":
                database.content["dbts"] += 1
                values[place] = database.content["dbts"].to_bytes(8, "big")
        return tuple(values)

    def do_update(self, statement):
        def body(database, table):
            count = 0
            for place, row in enumerate(list(table["rows"])):
                scope = self._scope(table, row)
                if self.query.evaluator.is_true(statement.where, scope):
                    table["rows"][place] = self._updated(database, table, row, statement.assignments, scope)
                    count += 1
            self._check_key(table)
            return count
        self._change(statement.path, "UPDATE", body, "LOP_MODIFY_ROW")

    def do_delete(self, statement):
        def body(_database, table):
            kept = [row for row in table["rows"]
                    if not self.query.evaluator.is_true(statement.where, self._scope(table, row))]
            count = len(table["rows"]) - len(kept)
            table["rows"][:] = kept
            return count
        self._change(statement.path, "DELETE", body, "LOP_DELETE_ROWS")

    def do_merge(self, statement):
        def body(database, table):
            _, rowset = self.query._table(statement.source, Scope([]), False)
            alias = statement.alias or table["name"]
            count, hit_rows = 0, set()
            for other in rowset.rows:
                right = source(statement.source.alias or "source", rowset.columns, other)
                hits = [place for place, row in enumerate(table["rows"]) if self.query.evaluator.is_true(
                    statement.on, Scope(self._scope(table, row, alias).sources + [right]))]
                hit_rows.update(hits)
                for place in hits if isinstance(statement.matched, list) else []:
                    row = table["rows"][place]
                    scope = Scope(self._scope(table, row, alias).sources + [right])
                    table["rows"][place] = self._updated(database, table, row, statement.matched, scope)
                    count += 1
                if not hits and statement.unmatched:
                    names, values = statement.unmatched
                    values = [v if v.kind == "default" else self.value(v, Scope([right])) for v in values]
                    table["rows"].append(self._row(database, table, names, values))
                    hit_rows.add(len(table["rows"]) - 1)
                    count += 1
            drop = (hit_rows if statement.matched == "delete" else set()) | (
                set(range(len(table["rows"]))) - hit_rows if statement.surplus else set())
            table["rows"][:] = [row for place, row in enumerate(table["rows"]) if place not in drop]
            self._check_key(table)
            return count + len(drop)
        self._change(statement.path, "UPDATE", body, "LOP_MODIFY_ROW")

    def do_truncate(self, statement):
        """No usage counter moves (deallocation of pages, not DML); that it touches modify_date is not known."""
        database, table = self.query.tables.table(statement.path, "ALTER")
        with Entered(database):
            self.session.begin_write(database)
            table["rows"][:] = []
            table["identity"] = None
            database.dirty += 1
            database.log(4, "LOP_SET_BITS")
            self.session.end_write()

    def do_identity_insert(self, statement):
        self.query.tables.table(statement.path, "ALTER")

    def do_update_statistics(self, statement):
        database, table = self.query.tables.table(statement.path, "SELECT")
        with Entered(database):
            for stat in table["stats"]:
                stat.update(updated=self.instance.local_now(), rows=len(table["rows"]), modifications=0)
            database.log(3)
            database.save()

    def do_checkpoint(self, _statement):
        database = self.session.database
        if not self.instance.security.has_in(self.session.login, database, "CHECKPOINT"):
            raise fail(262, "CHECKPOINT", database.name)
        database.checkpoint()
        database.save()

    def do_create_sequence(self, statement):
        self.define(statement.path, "SO", start=statement.start, current=None)

    def next_schema(self, content):
        return max(entry["id"] for entry in content["schemas"]) + 1

    def find_table(self, content, path):
        return contents.find_object(content, path[-2] if len(path) > 1 else "dbo", path[-1], ("U",))
