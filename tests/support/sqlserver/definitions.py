"""CREATE, ALTER and DROP of what is inside a database."""

from . import content as contents
from .errors import fail
from .tables import Entered


class DefinitionStatements:
    def _defining(self, path, permission="ALTER"):
        database = self.query.tables.database_of(path)
        security = self.instance.security
        if not (security.has_in(self.session.login, database, permission) or
                security.has_in(self.session.login, database, "CREATE TABLE")):
            raise fail(262, "CREATE TABLE", database.name)
        return database

    def _write(self, database, body):
        """One change of the system tables, as a transaction of its own or as part of the one that is open."""
        with Entered(database):
            self.session.begin_write(database)
            try:
                result = body(database.content)
            except Exception:
                self.session.end_write()
                raise
            database.dirty += 1
            database.log(6, "LOP_INSERT_ROWS")
            self.session.end_write()
        return result

    def define(self, path, kind, replace=False, **fields):
        database = self._defining(path)
        name, schema_name = path[-1], path[-2] if len(path) > 1 and path[-2] else "dbo"

        def body(content):
            schema = contents.schema_named(content, schema_name)
            if schema is None:
                raise fail(2760, text=f'The specified schema name "{schema_name}" either does not exist or you do not '
                                      "have permission to use it.")
            existing = contents.find_object(content, schema_name, name)
            if existing and not (replace and existing["type"] == kind):
                raise fail(2714, name)
            if existing:
                existing.update(fields, modify=self.instance.local_now())
                return existing
            return contents.new_object(content, schema["id"], name, kind, self.instance.local_now(), **fields)
        return self._write(database, body)

    def do_create_table(self, statement):
        columns = []
        for column in statement.columns:
            in_key = column.name.casefold() in [k.casefold() for k in statement.key]
            columns.append({"name": column.name, "type": column.type, "nullable": column.nullable and not in_key,
                            "default": column.default, "identity": column.identity})
        name = statement.path[-1]
        index = {"id": 1 if statement.key else 0, "name": "PK_" + name if statement.key else None,
                 "unique": bool(statement.key)}
        stats = [{"id": 1, "name": index["name"], "updated": None, "rows": 0,
                  "modifications": 0}] if statement.key else []
        self.define(statement.path, "U", columns=columns, rows=[], key=statement.key, identity=None, indexes=[index],
                    stats=stats, memory_optimized=statement.memory_optimized)

    def do_alter_table(self, statement):
        database, table = self.query.tables.table(statement.path, "ALTER")

        def body(content):
            entry = next(o for o in content["objects"] if o["id"] == table["id"])
            names = [c["name"].casefold() for c in entry["columns"]]
            if statement.add:
                column = statement.add
                entry["columns"].append({"name": column.name, "type": column.type, "nullable": column.nullable,
                                         "default": column.default, "identity": column.identity})
                value = self.value(_expression(column.default)) if column.default and not column.nullable else None
                entry["rows"][:] = [row + (value,) for row in entry["rows"]]
            else:
                place = names.index(statement.drop.casefold()) if statement.drop.casefold() in names else None
                if place is None:
                    raise fail(4924, text=f"ALTER TABLE DROP COLUMN failed because column '{statement.drop}' does not "
                                          f"exist in table '{entry['name']}'.")
                del entry["columns"][place]
                entry["rows"][:] = [row[:place] + row[place + 1:] for row in entry["rows"]]
            entry["modify"] = self.instance.local_now()
        self._write(database, body)

    def do_create_module(self, statement):
        kind = {"procedure": "P", "view": "V", "function": "FN", "trigger": "TR"}[statement.type]
        self.define(statement.path, kind, statement.replace, definition=statement.definition)

    def do_create_schema(self, statement):
        database = self._defining([statement.name])

        def body(content):
            if contents.schema_named(content, statement.name):
                raise fail(2714, statement.name)
            content["schemas"].append({"id": self.next_schema(content), "name": statement.name, "owner": 1})
        self._write(database, body)

    def do_create_type(self, statement):
        database = self._defining(statement.path)
        self._write(database, lambda content: content["types"].append(
            {"name": statement.path[-1], "schema": 1, "type": statement.type, "nullable": statement.nullable}))

    def do_create_index(self, statement):
        database, table = self.query.tables.table(statement.path, "ALTER")

        def body(content):
            entry = next(o for o in content["objects"] if o["id"] == table["id"])
            number = max(2, max(i["id"] for i in entry["indexes"]) + 1)
            entry["indexes"].append({"id": number, "name": statement.name, "unique": statement.unique})
            entry["stats"].append({"id": number, "name": statement.name, "updated": self.instance.local_now(),
                                   "rows": len(entry["rows"]), "modifications": 0})
            entry["modify"] = self.instance.local_now()
        self._write(database, body)

    def do_drop_index(self, statement):
        database, table = self.query.tables.table(statement.path, "ALTER")

        def body(content):
            entry = next(o for o in content["objects"] if o["id"] == table["id"])
            name = statement.name.casefold()
            entry["indexes"] = [i for i in entry["indexes"] if (i["name"] or "").casefold() != name]
            entry["stats"] = [s for s in entry["stats"] if (s["name"] or "").casefold() != name]
            entry["modify"] = self.instance.local_now()
        self._write(database, body)

    def do_alter_index(self, statement):
        """A rebuild moves the log and modify_date; on 2012 and 2014 it also resets the usage counters."""
        database, table = self.query.tables.table(statement.path, "ALTER")

        def body(content):
            entry = next(o for o in content["objects"] if o["id"] == table["id"])
            if statement.action == "rebuild":
                entry["modify"] = self.instance.local_now()
                for stat in entry["stats"]:
                    stat.update(updated=self.instance.local_now(), rows=len(entry["rows"]), modifications=0)
                if self.instance.version.numbers < (13,):
                    for key in [key for key in database.usage if key[0] == entry["id"]]:
                        del database.usage[key]
        self._write(database, body)

    def do_drop_object(self, statement):
        kinds = {"table": ("U",), "procedure": ("P",), "view": ("V",), "function": ("FN",), "trigger": ("TR",),
                 "sequence": ("SO",)}.get(statement.type, ())
        database = self._defining(statement.path)
        schema = statement.path[-2] if len(statement.path) > 1 else "dbo"

        def body(content):
            entry = contents.find_object(content, schema, statement.path[-1], kinds)
            if entry is None:
                if statement.lenient:
                    return
                raise fail(3701, "drop", statement.type, statement.path[-1])
            content["objects"].remove(entry)
            for key in [key for key in database.usage if key[0] == entry["id"]]:
                del database.usage[key]
        self._write(database, body)


def _expression(text):
    from .parse_statements import StatementReader
    return StatementReader(text).sum()
