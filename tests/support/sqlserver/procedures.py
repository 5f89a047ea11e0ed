"""EXECUTE: the system procedures that are known, and dynamic SQL."""

from . import sqltypes
from .errors import Message, SqlError, Unknown, fail
from .evaluate import Rowset, Scope
from .parse_statements import StatementReader
from .views import columns_of
from .views_server import file_facts


class ProcedureStatements:
    def unknown_statement(self, text):
        return Unknown(Message(2812, text))

    def run_procedure(self, name, arguments):
        """A procedure called by RPC with its name."""
        self._begin("EXEC " + name)
        try:
            self._procedure(name.split(".")[-1].lower(), arguments)
        except SqlError as error:
            from .batch import EndOfBatch
            try:
                self._send_error(error, "EXEC " + name)
            except EndOfBatch:
                pass

    def do_execute(self, statement):
        arguments = [(name, self._argument_value(value), output and value) for name, value, output
                     in statement.arguments]
        if len(statement.path) == 3 and statement.path[0].casefold() != self.session.database.name.casefold():
            self._within(statement.path[0], statement.path[-1].lower(), arguments)
        else:
            self._procedure(statement.path[-1].lower(), arguments)

    def _within(self, database, name, arguments):
        """A system procedure called with the name of a database runs in its context."""
        session, before = self.session, self.session.database
        session.use(database)
        try:
            self._procedure(name, arguments)
        finally:
            if before.name.casefold() in self.instance.databases:
                session.use(before.name)

    def _argument_value(self, value):
        return self.value(value, Scope([]))

    def _procedure(self, name, arguments):
        method = getattr(self, "_proc_" + name, None)
        if method is None:
            raise self.unknown_statement(name)
        method(arguments)

    def do_execute_text(self, statement):
        self._inner(self.value(statement.value), {})

    def _inner(self, text, variables):
        """Dynamic SQL has variables of its own; a changed database context ends with it."""
        session = self.session
        outer, database = session.variables, session.database
        session.variables = variables
        try:
            for statement in StatementReader(text).batch():
                self.one(statement)
            return session.variables
        finally:
            session.variables = outer
            if session.database is not database and database.name.casefold() in self.instance.databases:
                session.use(database.name)

    def _proc_sp_executesql(self, arguments):
        values = [(name or "", False, sqltypes.of_value(value), value) for name, value, _ in arguments[2:]]
        definitions = arguments[1][1] if len(arguments) > 1 else ""
        inner = self._inner(arguments[0][1], self.parameters(definitions, values))
        names = list(inner)
        for position, (name, _, output) in enumerate(arguments[2:]):
            if output is not False and output is not None:
                self.assign(output.name, inner[name or names[position]][1])

    def _proc_xp_fileexist(self, arguments):
        facts = file_facts(self.instance, arguments[0][1])
        values = tuple(facts.values())
        if not self.session.login.is_sysadmin:
            values = (0, 0, 0)  # what a login without sysadmin gets is not certain: 0 stands for "unknown"
        output = arguments[1][2] if len(arguments) > 1 else None
        if output:
            self.assign(output.name, values[0])
            return
        columns = [(name, sqltypes.INT) for name in
                   ("File Exists", "File is a Directory", "Parent Directory Exists")]
        self.send_rows(Rowset(columns, [values]))

    def _proc_xp_instance_regread(self, arguments):
        name = str(arguments[2][1])
        values = {"backupdirectory": self.instance.backup_folder, "defaultdata": self.instance.data,
                  "defaultlog": self.instance.data}
        value = values.get(name.lower())
        output = arguments[3][2] if len(arguments) > 3 else None
        if output:
            self.assign(output.name, value)
        elif value is not None:
            self.send_rows(Rowset(columns_of("Value nvarchar(260), Data nvarchar(260)"), [(name, value)]))

    def _proc_xp_create_subdir(self, arguments):
        import os
        os.makedirs(arguments[0][1], exist_ok=True)

    def _proc_sp_configure(self, arguments):
        if not self.session.login.has("ALTER SETTINGS") and len(arguments) > 1:
            raise fail(15247)
        name = str(arguments[0][1])
        known = next((key for key in self.instance.configuration if key.startswith(name)), None)
        if known is None:
            raise fail(15123,
                       text=f"The configuration option '{name}' does not exist, or it may be an advanced option.")
        if len(arguments) > 1:
            self.instance.configuration[known] = int(arguments[1][1])
            self.instance.save()

    def _member(self, arguments, add):
        from .parse_base import node
        self.do_role_member(node("role_member", server=False, role=arguments[0][1], member=arguments[1][1], add=add))

    def _proc_sp_addrolemember(self, arguments):
        self._member(arguments, True)

    def _proc_sp_droprolemember(self, arguments):
        self._member(arguments, False)

    def _proc_sp_addsrvrolemember(self, arguments):
        from .parse_base import node
        self.do_role_member(node("role_member", server=True, role=arguments[1][1], member=arguments[0][1], add=True))
