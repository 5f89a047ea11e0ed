"""A session of the instance: who is connected, to which database, and what is running."""

import datetime

from .content import copy_of
from .errors import Interrupted, SessionEnded, fail


class Request:
    """A statement that runs, as sys.dm_exec_requests shows it."""

    def __init__(self, command, text, database, started):
        self.command = command
        self.text = text
        self.database = database
        self.started = started
        self.percent = 0.0
        self.status = "running"
        self.wait_type = None


class Session:
    is_ghost = False

    def __init__(self, instance, connection, login, program, host):
        self.instance = instance
        self.connection = connection
        self.login = login
        self.logins_before = []  # EXECUTE AS, until REVERT
        self.program = program
        self.host = host
        self.id = instance.new_session_id()
        self.database = None
        self.variables = {}
        self.options = {"nocount": "off", "implicit_transactions": "off", "xact_abort": "off",
                        "language": "us_english", "lock_timeout": "-1", "isolation": "read committed"}
        self.transactions = 0  # @@TRANCOUNT
        self.by_manager = False  # the transaction was begun by a transaction manager request
        self.transaction_begun = None
        self.snapshots = {}  # database: content at the begin of the transaction
        self.row_count = 0
        self.last_error = 0
        self.caught = None
        self.identity = None
        self.request = None
        self.connected = instance.local_now()
        self.last_request = self.connected
        self.attention = False
        self.ended = None  # why the session has to end
        self.statements = 0
        self.batches = 0  # messages with statements that came from the client

    def register(self):
        self.instance.sessions[self.id] = self

    def check(self):
        """Raises when the running statement has to stop."""
        if self.ended:
            raise SessionEnded(self.ended)
        if self.attention:
            raise Interrupted()

    def end(self, reason):
        """From any thread that holds the lock: killed, dropped, stopped."""
        if not self.ended:
            self.ended = reason
        self.instance.changed.notify_all()
        if self.connection:
            self.connection.wake()

    def use(self, name):
        """Changes the current database; raises why that is not possible."""
        database = self.instance.find(name)
        if database is self.database:
            return database
        self.instance.faults.before_entering(database)
        database.check_access(self)
        old = self.database
        self.database = database
        database.enter(self)
        if old:
            old.leave(self)
        self.instance.changed.notify_all()
        return database

    def leave(self):
        """The session is over: open work is undone and its database left."""
        self.rollback()
        if self.database:
            self.database.leave(self)
            self.database = None
        self.instance.sessions.pop(self.id, None)
        self.instance.changed.notify_all()

    def lock_timeout(self):
        milliseconds = int(self.options["lock_timeout"])
        return None if milliseconds < 0 else milliseconds / 1000

    # Transactions

    def begin(self, by_manager=False):
        self.transactions += 1
        if self.transactions == 1:
            self.transaction_begun = self.instance.local_now()
            self.by_manager = by_manager

    def begin_write(self, database):
        """Takes the database for writing; other writers wait as for a lock."""
        if database.options["is_read_only"] or database.source_id is not None:
            raise fail(3906, database.name)
        if not self.instance.wait(self, lambda: database.writer in (None, self), self.lock_timeout()):
            raise fail(1222)
        if database.state != "ONLINE":
            database.check_state()
        if self.options["implicit_transactions"] == "on" and not self.transactions:
            self.begin()
        if database.writer is None:
            database.writer = self
            database.write_begun = self.instance.local_now()
            database.committed = copy_of(database.content)
            self.snapshots[database] = database.committed

    def end_write(self):
        """After a statement: outside a transaction that is the commit."""
        if not self.transactions:
            self._finish()

    def commit(self):
        if not self.transactions:
            raise fail(3902)
        self.transactions -= 1
        if not self.transactions:
            self._finish()

    def _finish(self):
        for database in self.snapshots:
            database.committed, database.writer, database.write_begun = None, None, None
            database.save()
        self.snapshots = {}
        self.transaction_begun = None
        self.instance.changed.notify_all()

    def rollback(self):
        """Undoes the transaction; its log records stay, and the log grows by the undoing ones."""
        self.transactions = 0
        self.transaction_begun = None
        for database, content in self.snapshots.items():
            lsn, dbts, number = (database.content[key] for key in ("lsn", "dbts", "next_object"))
            database.content = content
            content["lsn"], content["dbts"], content["next_object"] = lsn, dbts, number
            database.committed, database.writer, database.write_begun = None, None, None
            database.log(2, "LOP_ABORT_XACT")
            database.save()
        self.snapshots = {}
        self.instance.changed.notify_all()

    def elapsed(self):
        return (self.instance.local_now() - self.request.started) if self.request else datetime.timedelta()
