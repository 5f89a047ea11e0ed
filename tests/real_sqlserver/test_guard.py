"""The suite refuses every database that is none of its own; this is checked without a server."""

import unittest

from real_servers import GuardedReal, check_statement, owned


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


if __name__ == "__main__":
    unittest.main()
