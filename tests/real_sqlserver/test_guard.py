"""The suite refuses every database that is none of its own; this is checked without a server."""

import unittest

from real_servers import PREFIX, GuardedReal, check_statement, is_work_of, owned, with_login


class Guard(unittest.TestCase):
    def test_other_databases_are_refused_before_anything_is_sent(self):
        for statement in ("DROP DATABASE plant", "CREATE DATABASE [plant]", "ALTER DATABASE plant SET OFFLINE",
                          "RESTORE DATABASE [a]]b] FROM DISK = N'x'", "BACKUP DATABASE plant TO DISK = N'x'",
                          "DROP DATABASE IF EXISTS plant", "USE plant; SELECT 1", "INSERT INTO plant.dbo.t VALUES (1)",
                          "UPDATE plant.dbo.t SET a = 1", "DELETE FROM plant.dbo.t", "TRUNCATE TABLE plant.dbo.t",
                          "CREATE TABLE plant.dbo.t (a int)", "drop table [plant].dbo.t",
                          "SELECT 1; DROP DATABASE [zz_stationsync]"):
            with self.subTest(statement), self.assertRaises(AssertionError):
                check_statement(statement)
        with self.assertRaises(AssertionError):
            owned("plant")

    def test_own_databases_and_looks_are_allowed(self):
        for statement in ("DROP DATABASE [zz_stationsync_test_a]", "USE zz_stationsync_test_a; CHECKPOINT; USE master",
                          "INSERT INTO [zz_stationsync_test_a]]b].dbo.t VALUES (1)", "SELECT * FROM sys.databases"):
            check_statement(statement)

    def test_a_password_is_taken_out_of_the_connection_string(self):
        server = GuardedReal("Driver={ODBC Driver 18 for SQL Server};Server=a;UID=sa;PWD={x;}}y};Encrypt=yes")
        self.assertEqual(server.password, "x;}y")
        self.assertNotIn("PWD", server.lines[0])
        self.assertIn("Encrypt=yes", server.lines[0])

    def test_of_the_databases_of_stations_only_those_made_for_ours_count(self):
        ours, digest = PREFIX + "A", "0e78555d2c063fd2"
        self.assertTrue(is_work_of("~syncold_0123abcd_" + digest, [ours]))
        self.assertTrue(is_work_of("~syncin_0123abcd_" + digest, [PREFIX + "b", ours]))
        for name in ("~syncold_0123abcd_" + digest[::-1], "~syncold_" + digest, "~syncold_0123abcd_" + digest + "0",
                     "~syncel_0123abcd_" + digest, ours):
            self.assertFalse(is_work_of(name, [ours]), name)
        with self.assertRaises(AssertionError):
            is_work_of("~syncold_0123abcd_" + digest, ["plant"])

    def test_another_login_takes_the_place_of_user_and_password(self):
        for given, made in (("Server=a;UID=sa;PWD=x;Encrypt=yes", "Server=a;UID={u};PWD={p}}p};Encrypt=yes;"),
                            ("Driver={a;UID=b};Password={x;}}y};User=sa", "Driver={a;UID=b};Password={p}}p};User={u};"),
                            ("Server=a;PWD=;uid=sa", "Server=a;PWD={p}}p};uid={u};"),
                            ("Server=a;Trusted_Connection=yes", None), ("Server=a;UID=sa", None)):
            self.assertEqual(with_login(given, "u", "p}p"), made)


if __name__ == "__main__":
    unittest.main()
