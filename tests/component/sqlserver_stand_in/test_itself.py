"""What goes wrong in the stand-in itself is seen, and it leaves no process behind."""

import subprocess
import sys
import unittest
from unittest import mock

from cases import Case
from sqlserver import client
from sqlserver.odbc import OdbcError


class Defects(Case):
    def expect_defect(self, *words):
        """check() fails, and names it."""
        with self.assertRaises(AssertionError) as caught:
            self.server.check(program="line")
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.server.forgive()

    def test_an_error_of_the_file_system_is_no_broken_network(self):
        """A name that SQL Server takes and that is too long for a file here."""
        with self.assertRaises(OdbcError):
            self.connect(program="line").run("CREATE DATABASE [" + 100 * "€" + "]")
        self.expect_defect("OSError", "connection.py")

    def test_a_statement_that_is_too_deep_for_it_is_a_defect_with_and_without_parameters(self):
        deep = "SELECT " + 3000 * "(" + "{}" + 3000 * ")"
        for text, parameters in ((deep.format(1), ()), (deep.format("?"), ("x",))):
            with self.assertRaises(OdbcError):
                self.connect(program="line").run(text, *parameters)
            self.expect_defect("RecursionError")

    def test_a_client_that_goes_and_a_connection_that_is_cut_are_none(self):
        self.connect(program="line").close()
        self.server.fault(match="^SELECT 1", action="drop")
        with self.assertRaises(OdbcError):
            self.connect(program="line").run("SELECT 1")
        connection = self.connect(program="line")
        self.server.drop_connections()
        with self.assertRaises(OdbcError):
            connection.run("SELECT 2")
        self.server.check()


class Ends(Case):
    def test_what_was_wrong_is_told_before_it_is_forgotten(self):
        with self.assertRaises(OdbcError):
            self.connect().run("FROBNICATE")
        with self.assertRaises(AssertionError) as caught:
            self.server.end()
        self.assertIn("FROBNICATE", str(caught.exception))
        self.assertIsNotNone(self.server._process.returncode, "it has ended all the same")
        self.server.launch()
        self.server.check()
        with self.assertRaises(OdbcError):
            self.connect().run("FROBNICATE")
        self.assertEqual(self.server.end(checks=False), 0)

    def test_one_that_has_died_can_be_closed(self):
        self.server._process.kill()
        self.server._process.wait()
        for _ in range(2):  # what was written to it first may still be underway
            with self.assertRaises((OSError, ValueError)):
                self.server.check()
        self.server.kill()
        self.server.launch()
        self.server.check()

    def test_one_that_does_not_start_leaves_no_process(self):
        self.server.end()
        # The first line is not what it should be, though the process goes on.
        with mock.patch.object(client.sys, "executable", self.talker()), self.assertRaises(AssertionError):
            self.server.launch()
        self.assertIsNotNone(self.server._process.returncode)

    def talker(self):
        program = self.folder / "talker"
        program.write_text("#!/bin/sh\necho hello\nexec sleep 1234\n", encoding="utf-8")
        program.chmod(0o755)
        return str(program)

    def test_one_whose_parent_has_ended_before_it_looked_ends(self):
        directory = self.folder / "orphan"
        ended = subprocess.run([sys.executable, "-B", "-m", "sqlserver", str(directory), "--with-parent=1"],
                               cwd=client.pathlib.Path(client.__file__).parent.parent, timeout=60, check=False,
                               stdout=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, 0)


if __name__ == "__main__":
    unittest.main()
