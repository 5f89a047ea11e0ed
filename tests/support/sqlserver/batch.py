"""Runs the statements of a batch and sends their results and messages."""

import datetime
import traceback

from . import sqltypes
from .data import DataStatements
from .database_statements import DatabaseStatements
from .backup import BackupStatements
from .restore import RestoreStatements
from .definitions import DefinitionStatements
from .errors import ENDS_BATCH, Interrupted, Message, SqlError, Unknown, fail
from .evaluate import Scope
from .parse_statements import StatementReader
from .procedures import ProcedureStatements
from .query import Query
from .security_statements import SecurityStatements
from .session import Request

COMMANDS = {"backup": "BACKUP DATABASE", "restore": "RESTORE DATABASE", "restore_headeronly": "RESTORE HEADERONLY",
            "restore_filelistonly": "RESTORE FILELIST", "restore_labelonly": "RESTORE LABELONLY",
            "restore_verifyonly": "RESTORE VERIFYONLY", "query": "SELECT", "set_database": "ALTER DATABASE",
            "rename_database": "ALTER DATABASE", "drop_database": "DROP DATABASE", "kill": "KILL QUERY/CONNECTION"}
FLOW = ("block", "if", "while", "try")


class EndOfBatch(Exception):
    """RETURN, or an error that ends the batch."""


class Batch(DataStatements, DefinitionStatements, DatabaseStatements, SecurityStatements, BackupStatements,
            RestoreStatements, ProcedureStatements):
    def __init__(self, session, reply):
        self.session = session
        self.instance = session.instance
        self.reply = reply
        self.query = Query(session)
        self.text = ""

    def parameters(self, definitions, values):
        """{name: (type, value)} of a statement with parameters."""
        reader = StatementReader(definitions)
        result = {}
        while reader.token.kind == "var":
            name = reader.take().value.lower()
            result[name] = (reader.type(), None)
            reader.word("output", "out")
            reader.op(",")
        names = list(result)
        for position, (name, _, kind, value) in enumerate(values):
            name = name.lower() or (names[position] if position < len(names) else "")
            declared = result.get(name, (kind, None))[0]
            result[name] = (declared, value)
        return result

    def run(self, text, variables=None):
        session = self.session
        session.last_request = self.instance.local_now()
        session.variables = dict(variables or {})
        session.batches += 1
        self.text = text
        self._run_text(text)

    def _run_text(self, text):
        """Parses all, then runs one after the other."""
        try:
            try:
                statements = StatementReader(text).batch()
            except SqlError as error:
                self._begin(text)
                self._send_error(error, text)
                return
            self.run_all(statements)
        except EndOfBatch:
            pass
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            # Something that the stand-in gets wrong is never a result: the test has to fail.
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._send_error(Unknown(Message(50000, f"the stand-in fails: {type(error).__name__}: {error} at "
                                                    f"{where.filename}:{where.lineno}")), text)
        finally:
            self.session.request = None

    def run_all(self, statements):
        for statement in statements:
            self.one(statement)

    def _begin(self, text):
        session = self.session
        session.statements += 1
        self.instance.journal.append({"spid": session.id, "program": session.program, "text": text,
                                      "batch": session.batches,
                                      "database": session.database.name if session.database else None})

    def one(self, statement):
        if statement.kind in FLOW:
            getattr(self, "do_" + statement.kind)(statement)
            return
        session = self.session
        self._begin(statement.text)
        session.request = Request(COMMANDS.get(statement.kind, statement.kind.split("_")[0].upper()), statement.text,
                                  session.database, self.instance.local_now())
        try:
            session.check()
            self.fault("start", statement)
            self._execute(statement)
            self.fault("end", statement)
            session.last_error = 0
        except SqlError as error:
            if session.caught is not None and not isinstance(error, Unknown):
                raise
            self._send_error(error, statement.text)
        except Interrupted:
            session.row_count = 0
            raise
        finally:
            session.request = None

    def fault(self, stage, statement, percent=0, database=None):
        self.instance.faults.at(self.session, statement.text, stage, percent, database)

    def _execute(self, statement):
        method = getattr(self, "do_" + statement.kind, None)
        if method is None:
            raise Unknown(Message(102, statement.kind))
        method(statement)

    def _send_error(self, error, text):
        if isinstance(error, Unknown):
            self.instance.unknown.append({"program": self.session.program, "text": text, "why": str(error)})
        session = self.session
        session.last_error = error.messages[-1].number
        for message in error.messages:
            self.reply.message(message)
        self.reply.done(error=True)
        if any(message.number in ENDS_BATCH for message in error.messages) or \
                session.options["xact_abort"] == "on":
            if error.number == 1205 or session.options["xact_abort"] == "on":
                session.rollback()
            raise EndOfBatch()

    def value(self, node, scope=None):
        return self.query.evaluator.value(node, scope or Scope([]))

    def info(self, number, *args, **more):
        self.reply.message(Message(number, *args, **more))

    def done_count(self, count):
        """The end of a statement that touched rows."""
        self.session.row_count = count
        if self.session.options["nocount"] == "off":
            self.reply.done(count)

    # Flow of control

    def do_block(self, statement):
        self.run_all(statement.body)

    def do_if(self, statement):
        if self._condition(statement):
            self.one(statement.then)
        elif statement.otherwise is not None:
            self.one(statement.otherwise)

    def do_while(self, statement):
        while self._condition(statement):
            self.session.check()
            self.one(statement.body)

    def _condition(self, statement):
        try:
            return self.value(statement.condition) is True
        except SqlError as error:
            self._send_error(error, statement.text)
            return False

    def do_try(self, statement):
        session = self.session
        before, session.caught = session.caught, []
        try:
            self.run_all(statement.body)
        except SqlError as error:
            session.caught = before
            session.error = error
            self.run_all(statement.handler)
        finally:
            session.caught = before

    def do_return(self, _statement):
        raise EndOfBatch()

    def do_declare(self, statement):
        for name, kind, value in statement.variables:
            self.session.variables[name] = (kind, None if value is None else sqltypes.convert(self.value(value), kind))

    def do_set_variable(self, statement):
        self.assign(statement.name, self.value(statement.value))

    def assign(self, name, value):
        if name not in self.session.variables:
            raise fail(137, name)
        kind = self.session.variables[name][0]
        self.session.variables[name] = (kind, sqltypes.convert(value, kind))

    def do_set_option(self, statement):
        for name in statement.names:
            self.session.options[name] = statement.value
            if name == "language":
                self.reply.environment(2, statement.value, "us_english")
                self.info(5703, statement.value)

    def do_print(self, statement):
        text = self.value(statement.value)
        self.info(0, text=" " if text is None else str(text))

    def do_raiserror(self, statement):
        values = [self.value(value) for value in statement.values]
        text = values[0] if isinstance(values[0], str) else f"Error {values[0]}."
        for value in values[3:]:
            for place in ("%s", "%d", "%i"):
                text = text.replace(place, str(value), 1)
        number = values[0] if isinstance(values[0], int) else 50000
        message = Message(number, severity=values[1], text=text, state=values[2])
        if message.severity > 10:
            raise SqlError(message)
        self.reply.message(message)

    def do_throw(self, statement):
        if not statement.values:
            raise self.session.error
        number, text, state = [self.value(value) for value in statement.values]
        raise SqlError(Message(number, severity=16, text=text, state=state))

    def do_waitfor(self, statement):
        hours, minutes, seconds = (float(part) for part in self.value(statement.value).split(":"))
        self.session.request.wait_type = "WAITFOR"
        self.instance.wait(self.session, lambda: False,
                           datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds())

    # Session

    def do_use(self, statement):
        before = self.session.database.name
        name = self.session.use(statement.database).name
        self.reply.environment(1, name, before)
        self.info(5701, name)

    def do_begin_transaction(self, _statement):
        self.session.begin()

    def do_commit(self, _statement):
        self.session.commit()

    def do_rollback(self, _statement):
        if not self.session.transactions:
            raise fail(3903)
        self.session.rollback()
