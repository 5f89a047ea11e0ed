"""Faults on demand strike where they are asked to, and leave the state that they should."""

import unittest

from cases import Case
from sqlserver.odbc import OdbcError


class Faults(Case):
    def setUp(self):
        super().setUp()
        self.connection = self.connect(program="worker")
        self.plant(self.connection)
        self.path = self.backup(self.connection)
        self.restore = f"RESTORE DATABASE plant FROM DISK = N'{self.path}' WITH REPLACE"

    def state(self):
        return self.server.database(name="plant")["state"]

    def test_error_at_a_stage(self):
        for stage, state in (("open", "ONLINE"), ("header", "ONLINE"), ("plan", "ONLINE"), ("data", "RESTORING")):
            self.server.fault(match="^RESTORE DATABASE", stage=stage, action="error", errors=[3203])
            self.assertEqual(self.connection.fails(self.restore), 3203)
            self.assertEqual(self.state(), state)
        self.server.fault(match="^RESTORE DATABASE", stage="recovery", action="error", errors=[3414], leaves="SUSPECT")
        with self.assertRaises(OdbcError):
            self.connection.run(self.restore)
        self.assertEqual(self.state(), "SUSPECT")
        self.connection.run(self.restore)
        self.assertEqual(self.state(), "ONLINE")

    def test_connection_drops_in_the_middle_of_restore(self):
        self.server.fault(match="^RESTORE DATABASE", stage="data", percent=50, action="drop")
        with self.assertRaises(OdbcError):
            self.connection.run(self.restore)
        self.assertEqual(self.state(), "RESTORING")
        self.connect().run(self.restore)
        self.assertEqual(self.state(), "ONLINE")

    def test_cancel_in_the_middle_of_restore(self):
        self.server.allow_attentions(count=1)
        rule = self.server.hold("^RESTORE DATABASE", percent=30)
        statement = self.connection.statement()
        wait = self.beside(self.connection, lambda: statement.results(statement.start(self.restore)))
        self.server.wait_held(rule)
        statement.cancel()
        wait()
        statement.free()
        self.assertEqual(self.state(), "RESTORING")
        self.server.check()

    def test_restart_in_the_middle_of_restore(self):
        rule = self.server.hold("^RESTORE DATABASE", percent=30)
        wait = self.beside(self.connection, lambda: self.connection.run(self.restore))
        self.server.wait_held(rule)
        self.server.restart()
        with self.assertRaises(OdbcError):
            wait()
        self.assertEqual(self.state(), "RESTORING")

    def test_progress_is_seen_from_another_session(self):
        monitor = self.connect(program="monitor")
        spid = self.connection.value("SELECT @@SPID")
        rule = self.server.hold("^BACKUP", percent=40)
        wait = self.beside(self.connection, lambda: self.backup(self.connection))
        self.server.wait_held(rule)
        self.assertEqual(monitor.rows("SELECT command, percent_complete FROM sys.dm_exec_requests "
                                      f"WHERE session_id = {spid}"), [("BACKUP DATABASE", "40")])
        self.assertEqual(monitor.fails(f"BACKUP DATABASE plant TO DISK = N'{self.folder}/y.bak' WITH FORMAT"), 3023)
        monitor.run("INSERT INTO plant.dbo.recipe(name) VALUES (N'during')")
        self.server.release(rule)
        wait()

    def test_killed_session(self):
        monitor = self.connect(program="monitor")
        spid = self.connection.value("SELECT @@SPID")
        rule = self.server.hold("^BACKUP", percent=40)
        wait = self.beside(self.connection, lambda: self.backup(self.connection))
        self.server.wait_held(rule)
        monitor.run(f"KILL {spid}")
        with self.assertRaises(OdbcError):
            wait()
        self.assertEqual(monitor.value(f"SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE session_id = {spid}"), "0")

    def test_error_at_the_third_statement(self):
        self.server.fault(match="", program="worker", skip=2, action="error", errors=[1222])
        self.connection.run("SELECT 1")
        self.connection.run("SELECT 2")
        self.assertEqual(self.connection.fails("SELECT 3"), 1222)
        self.connection.run("SELECT 4")

    def test_refused_logins_and_user_in_a_loop(self):
        self.server.refuse_logins(number=18470, times=1)
        with self.assertRaises(OdbcError) as caught:
            self.connect()
        self.assertEqual(caught.exception.number, 18470)
        self.server.intruder(database="plant", access="RESTRICTED_USER", times=2)
        self.connection.run("ALTER DATABASE plant SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE")
        self.assertEqual(self.connection.fails(self.restore), 3101)
        self.connection.run("ALTER DATABASE plant SET OFFLINE WITH ROLLBACK IMMEDIATE")
        self.connection.run(self.restore)


if __name__ == "__main__":
    unittest.main()
