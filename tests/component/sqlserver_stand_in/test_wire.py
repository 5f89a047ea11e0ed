"""How FreeTDS's driver takes what the stand-in sends: measured facts on which the ODBC layer rests."""

import ctypes
import socket
import struct
import unittest

from cases import Case
from sqlserver.odbc import ERROR, NO_DATA, Connection, OdbcError, library


class Values(Case):
    def test_every_type_arrives(self):
        rows = self.connect().rows(
            "SELECT CONVERT(bit, 1), CONVERT(tinyint, 255), CONVERT(smallint, -2), CONVERT(int, -3), "
            "CONVERT(bigint, -4), CONVERT(float, 1.5), CONVERT(numeric(25,0), 45000000016600190), "
            "CONVERT(decimal(10,2), -12.34),"
            " CONVERT(datetime, '2026-03-01T10:20:30.123'), CONVERT(datetime2(7), '2026-03-01 10:20:30.123456'),"
            " CONVERT(datetimeoffset(7), '2026-03-01 10:20:30.5+02:00'), CONVERT(date, '2026-03-01'),"
            " CONVERT(uniqueidentifier, '6F9619FF-8B86-D011-B42D-00C04FC964FF'), 0x0A0B, NULL, N'Žluť😀'")
        self.assertEqual(rows, [(
            "1", "255", "-2", "-3", "-4", "1.5", "45000000016600190", "-12.34", "2026-03-01 10:20:30.123",
            "2026-03-01 10:20:30.1234560", "2026-03-01 10:20:30.5000000 +02:00", "2026-03-01",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF", "0a0b", None, "Žluť😀")])

    def test_long_text_in_chunks(self):
        text = self.connect().value("SELECT REPLICATE(CONVERT(nvarchar(max), N'ž😀'), 20000)")
        self.assertEqual(text, "ž😀" * 20000)

    def test_parameters_come_as_sp_executesql(self):
        connection = self.connect()
        self.assertEqual(connection.rows("SELECT ?, ?", "x'😀", 7), [("x'😀", "7")])
        self.assertEqual(connection.rows("SELECT name FROM sys.databases WHERE name = ?", "MASTER"), [("master",)])

    def test_emoji_in_names_and_messages(self):
        connection = self.connect()
        for name in ("a]b", "x'y", "Žluť😀", "a;b--", "n" * 128):
            quoted = "[" + name.replace("]", "]]") + "]"
            connection.run(f"CREATE DATABASE {quoted}")
            messages = connection.run(f"USE {quoted}")[0].messages
            self.assertEqual(messages, [("01000", 5701, f"Changed database context to '{name}'.")])
            connection.run("USE master")
            self.assertEqual(connection.value("SELECT DB_ID(?)", name),
                             str(self.server.database(name=name)["id"]))
        self.assertEqual(connection.fails("CREATE DATABASE [" + "n" * 129 + "]"), 103)


class Results(Case):
    def test_errors_come_before_infos(self):
        """Diagnostics are not chronological: the error that came last is listed first."""
        results = self.connect().all("USE master; RAISERROR(N'two', 16, 1)")
        self.assertEqual(results[0].code, ERROR)
        self.assertEqual(results[0].numbers, [50000, 5701])

    def test_print_looks_like_an_error(self):
        """Its message has the number 0: FreeTDS gives SQL_ERROR and 42000."""
        results = self.connect().all("PRINT N'one'")
        self.assertEqual((results[0].code, results[0].messages), (ERROR, [("42000", 0, "one")]))

    def test_error_in_a_later_result(self):
        results = self.connect().all("SELECT 1; SELECT 2; RAISERROR(N'late', 16, 1)")
        self.assertEqual([result.code for result in results][:2], [0, 0])
        self.assertEqual(results[2].code, ERROR)
        self.assertEqual(results[2].numbers, [50000])

    def test_injected_error_only_in_the_third_result(self):
        self.server.fault(match="^RESTORE VERIFYONLY", action="late_error", results=2, errors=[3203])
        results = self.connect().all("RESTORE VERIFYONLY FROM DISK = N'/x'")
        self.assertEqual([result.code == ERROR for result in results], [False, False, True])
        self.assertIn(3203, results[2].numbers)

    def test_more_results_after_an_error_in_a_later_result(self):
        results = self.connect().all("SELECT 1; RAISERROR(N'one', 16, 1); SELECT 2")
        self.assertEqual([(result.code, result.rows) for result in results],
                         [(0, [("1",)]), (ERROR, []), (0, [("2",)])])
        self.server.check()

    def test_nothing_more_after_an_error_in_the_first_result(self):
        """unixODBC answers SQLMoreResults by itself; the rest is lost and freeing the statement sends an attention."""
        results = self.connect().all("RAISERROR(N'one', 16, 1); SELECT 2")
        self.assertEqual([result.code for result in results], [ERROR])
        self.assertIn("attention", self.server.problems()["sins"][0]["text"])

    def test_integer_in_a_variant_is_never_whole(self):
        """SQLGetData as text says "truncated" for ever: properties have to be converted by the statement."""
        statement = self.connect().statement()
        statement.start("SELECT SERVERPROPERTY('EngineEdition')")
        self.assertEqual(library().SQLFetch(statement.handle), 0)
        buffer, length = ctypes.create_string_buffer(200), ctypes.c_ssize_t()
        for _ in range(3):
            code = library().SQLGetData(statement.handle, ctypes.c_ushort(1), ctypes.c_short(-8), buffer,
                                        ctypes.c_ssize_t(200), ctypes.byref(length))
            self.assertEqual((code, buffer.raw[:2]), (1, b"4\0"))
        statement.results(library().SQLMoreResults(statement.handle))
        statement.free()

    def test_no_rows_is_no_data(self):
        connection = self.connect()
        self.plant(connection)
        results = connection.all("ALTER DATABASE plant SET AUTO_CLOSE OFF")
        self.assertEqual(results[0].code, NO_DATA)

    def test_backup_messages_come_together(self):
        connection = self.connect()
        self.plant(connection)
        results = connection.all(f"BACKUP DATABASE plant TO DISK = N'{self.folder}/x.bak' WITH FORMAT, STATS = 25")
        self.assertEqual(sorted(results[0].numbers), sorted([3211] * 4 + [4035] * 2 + [3014]))

    def test_unknown_statement_fails_the_test(self):
        connection = self.connect(program="line")
        for text in ("FROBNICATE", "SELECT * FROM sys.no_such_view", "SELECT no_such_column FROM sys.databases",
                     "SELECT NO_SUCH_FUNCTION(1)", "EXEC no_such_procedure", "ALTER DATABASE plant SET NONSENSE ON"):
            with self.assertRaises(OdbcError):
                connection.run(text)
            with self.assertRaises(AssertionError):
                self.server.check(program="line")
            self.server.forgive()
        self.server.check()


class Sins(Case):
    def test_undrained_statement_is_an_attention(self):
        connection = self.connect()
        statement = connection.statement()
        statement.start("SELECT 1; WAITFOR DELAY '00:00:20'; SELECT 2")
        statement.free()
        self.assertIn("attention", self.server.problems()["sins"][0]["text"])

    def test_autocommit_off_is_seen_and_backup_refused(self):
        connection = self.connect()
        self.plant(connection)
        connection.set_autocommit(False)
        self.assertEqual(connection.fails(f"BACKUP DATABASE plant TO DISK = N'{self.folder}/x.bak' WITH FORMAT"), 3021)
        self.assertIn("0x0E", self.server.problems()["sins"][0]["text"])

    def test_no_tds5_after_a_hang_up(self):
        self.server.hang_up(at="prelogin", times=1)
        with self.assertRaises(OdbcError):
            self.connect()
        self.server.check()

    def test_tds5_without_a_version_is_caught(self):
        self.server.hang_up(at="prelogin", times=1)
        text = self.server.connection_string().replace("TDS_Version=7.4;", "")
        with self.assertRaises(OdbcError):
            Connection(text)
        self.assertIn("0x02", self.server.problems()["sins"][0]["text"])

    def test_tds5_packet_is_refused(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as sock:
            sock.sendall(struct.pack(">BBHHBB", 2, 1, 8, 0, 0, 0))
            self.assertEqual(sock.recv(1), b"")
        self.assertIn("0x02", self.server.problems()["sins"][0]["text"])


class Login(Case):
    def test_refused_once(self):
        with self.assertRaises(OdbcError) as caught:
            self.connect(password="wrong")
        self.assertEqual(caught.exception.number, 18456)
        self.assertEqual(len(self.server.logins()), 1)

    def test_database_that_cannot_be_opened(self):
        with self.assertRaises(OdbcError) as caught:
            self.connect(database="nowhere")
        self.assertEqual(set(caught.exception.numbers) & {4060, 18456}, {4060, 18456})

    def test_server_away(self):
        self.server.stop()
        with self.assertRaises(OdbcError):
            self.connect()
        self.server.start()
        self.assertEqual(self.connect().value("SELECT 1"), "1")


class Cancel(Case):
    def test_cancel_from_another_thread(self):
        connection = self.connect()
        self.plant(connection)
        self.server.allow_attentions(count=1)
        rule = self.server.hold("^BACKUP", percent=40)
        statement = connection.statement()
        wait = self.beside(connection, lambda: statement.results(statement.start(
            f"BACKUP DATABASE plant TO DISK = N'{self.folder}/x.bak' WITH FORMAT")))
        self.server.wait_held(rule)
        statement.cancel()
        results = wait()
        self.assertEqual(results[0].code, ERROR)
        self.assertIn("HY008", [state for state, _, _ in results[0].messages])
        statement.free()
        self.assertEqual(connection.value("SELECT 5"), "5")
        self.server.check()

    def test_late_cancel_has_3014(self):
        connection = self.connect()
        self.plant(connection)
        self.server.allow_attentions(count=1)
        rule = self.server.hold("^BACKUP", stage="end")
        statement = connection.statement()
        wait = self.beside(connection, lambda: statement.results(statement.start(
            f"BACKUP DATABASE plant TO DISK = N'{self.folder}/x.bak' WITH FORMAT")))
        self.server.wait_held(rule)
        statement.cancel()
        self.assertIn(3014, [number for result in wait() for number in result.numbers])
        self.server.check()


if __name__ == "__main__":
    unittest.main()
