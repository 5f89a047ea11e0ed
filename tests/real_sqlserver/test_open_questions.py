"""What the plugin and the stand-in take for true without Microsoft saying so, each asked of the server itself.

A failure here against a real server is an answer, not a defect of the test: it says which assumption to give up.
"""

import threading
import unittest

from real_servers import LOGIN, PREFIX, RealCase, need_long, need_real, owned, text, wait_until, with_login
from sqlserver.odbc import Connection, OdbcError

NAME = PREFIX + "q"


class Question(RealCase):
    def setUp(self):
        super().setUp()
        self.one = self.server()
        self.addCleanup(self.one.close)
        self.addCleanup(self.one.drop_all)
        self.addCleanup(self.one.check)
        self.one.make_database(NAME)

    def user_updates(self):
        return int(self.one.value("SELECT ISNULL(SUM(user_updates), 0) FROM sys.dm_db_index_usage_stats WHERE "
                                  f"database_id = DB_ID({text(NAME)})"))

    def newest_modify_date(self):
        return self.one.value(f"SELECT MAX(modify_date) FROM {NAME}.sys.objects WHERE is_ms_shipped = 0")

    def log_end(self):
        return self.one.value(f"SELECT log_end_lsn FROM sys.dm_db_log_stats(DB_ID({text(NAME)}))")

    def rows_by_partitions(self):
        return self.one.value(f"SELECT SUM(row_count) FROM {NAME}.sys.dm_db_partition_stats s JOIN {NAME}.sys.objects o "
                              "ON o.object_id = s.object_id WHERE o.is_ms_shipped = 0 AND s.index_id < 2")

    def test_truncate_leaves_a_trace_that_is_looked_at(self):
        before = self.user_updates(), self.newest_modify_date(), self.rows_by_partitions()
        self.one.run(f"TRUNCATE TABLE {NAME}.dbo.recipe")
        after = self.user_updates(), self.newest_modify_date(), self.rows_by_partitions()
        print("TRUNCATE moves:", [what for what, old, new in zip(("user_updates", "modify_date", "row_count"), before,
                                                                 after) if old != new])
        self.assertNotEqual(before, after)
        self.assertEqual(before[1], after[1], "TRUNCATE does not move modify_date")

    def test_a_rebuild_moves_modify_date(self):
        before = self.newest_modify_date()
        self.one.run(f"ALTER INDEX ALL ON {NAME}.dbo.recipe REBUILD")
        self.assertNotEqual(self.newest_modify_date(), before)

    def test_an_update_of_no_row_counts_as_one_of_a_user(self):
        before = self.user_updates()
        self.one.run(f"UPDATE {NAME}.dbo.recipe SET amount = 1 WHERE id = 4711")
        self.assertEqual(self.user_updates(), before + 1)

    def test_log_stats_wake_a_closed_database(self):
        self.one.run(f"ALTER DATABASE {NAME} SET AUTO_CLOSE ON")
        closed = f"SELECT collation_name FROM sys.databases WHERE name = {text(NAME)}"
        with self.one.connect() as connection:
            wait_until(lambda: connection.value(closed) is None, "it is closed")
            log_end = connection.value(f"SELECT log_end_lsn FROM sys.dm_db_log_stats(DB_ID({text(NAME)}))")
            is_open = connection.value(closed) is not None
        print("dm_db_log_stats of a closed database:", log_end, "and it is", "open" if is_open else "closed")
        self.assertTrue(is_open or log_end is not None, "either it wakes the database, or it tells without doing so")

    def test_an_offline_database_can_be_renamed(self):
        """Not relied on: the replaced database is renamed while it is online."""
        self.one.run(f"ALTER DATABASE {NAME} SET OFFLINE WITH ROLLBACK IMMEDIATE")
        self.addCleanup(lambda: NAME in self.one.databases() and self.one.run(f"ALTER DATABASE {NAME} SET ONLINE"))
        try:
            self.one.run(f"ALTER DATABASE {NAME} MODIFY NAME = [{NAME}2]")
            print("MODIFY NAME of an offline database: works")
            self.one.run(f"ALTER DATABASE {NAME}2 SET ONLINE")
        except OdbcError as error:
            print("MODIFY NAME of an offline database:", error)

    def backup(self, more=""):
        on_server, local = self.path(NAME + ".bak")
        self.one.run(f"BACKUP DATABASE {NAME} TO DISK = {text(on_server)} WITH COPY_ONLY, FORMAT, CHECKSUM{more}")
        return on_server, local

    def test_a_restore_over_it_keeps_the_owner(self):
        def owner():
            return self.one.value(f"SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = {text(NAME)}")
        before = owner()
        on_server, _ = self.backup()
        self.one.run(f"ALTER DATABASE {NAME} SET OFFLINE WITH ROLLBACK IMMEDIATE",
                     f"RESTORE DATABASE {NAME} FROM DISK = {text(on_server)} WITH REPLACE")
        self.assertEqual(owner(), before)

    def test_a_restored_database_has_no_broker(self):
        on_server, _ = self.backup()
        self.one.run(f"RESTORE DATABASE {NAME} FROM DISK = {text(on_server)} WITH REPLACE")
        self.assertEqual(self.one.value(f"SELECT CONVERT(int, is_broker_enabled) FROM sys.databases WHERE name = "
                                        f"{text(NAME)}"), "0")

    def test_a_block_size_of_64_kb_is_taken_back(self):
        on_server, _ = self.backup(", BLOCKSIZE = 65536")
        self.one.run(f"RESTORE DATABASE {NAME} FROM DISK = {text(on_server)} WITH REPLACE")
        self.assertEqual(self.one.state(NAME), "ONLINE MULTI_USER")

    def test_the_format_number_of_the_release(self):
        known = {"11": 706, "12": 782, "13": 852, "14": 869, "15": 904, "16": 957, "17": 998}
        major = self.one.value("SELECT CONVERT(nvarchar(10), SERVERPROPERTY('ProductMajorVersion'))")
        self.assertEqual(int(self.one.value("SELECT CONVERT(int, DATABASEPROPERTYEX('model', 'Version'))")),
                         known.get(major, 0))

    def test_a_cancelled_backup_leaves_its_partial_file(self):
        on_server, local = self.path(NAME + "_cancelled.bak")
        need_real("a backup that lasts long enough")
        self.one.run(f"CREATE TABLE {NAME}.dbo.big (a char(8000))",
                     f"INSERT INTO {NAME}.dbo.big SELECT TOP (60000) 'x' FROM sys.all_columns a "
                     "CROSS JOIN sys.all_columns b")
        with self.one.connect() as connection:
            statement = connection.statement()
            job = threading.Thread(target=lambda: statement.results(statement.start(
                f"BACKUP DATABASE {owned(NAME)} TO DISK = {text(on_server)} WITH COPY_ONLY, FORMAT, STATS = 1")))
            job.start()
            wait_until(local.exists, "the backup has begun", every=0.001)
            statement.cancel()
            job.join(60)
            statement.free()
        print("after a cancelled BACKUP the file is", f"{local.stat().st_size} bytes" if local.exists() else "gone")

    def test_a_login_that_is_no_sysadmin_is_told_nothing_of_files(self):
        _, local = self.backup()
        on_server = self.path(local.name)[0]
        need_real("another login") if not hasattr(self.one, "tool") else None
        password = "Zz_stationsync-1"
        string = with_login(self.one.connection_string, LOGIN, password)
        if string is None:
            self.skipTest("the connection string names no SQL login, so the server may take none")
        self.one.run(f"IF EXISTS (SELECT * FROM sys.server_principals WHERE name = {text(LOGIN)}) DROP LOGIN {LOGIN}",
                     f"CREATE LOGIN {LOGIN} WITH PASSWORD = {text(password)}")
        self.addCleanup(lambda: self.one.run(f"DROP LOGIN {LOGIN}"))
        with Connection(string) as connection:
            found = connection.rows(f"EXEC master.dbo.xp_fileexist {text(on_server)}")
        self.assertEqual(int(found[0][0]), 0)

    def test_query_store_writes_without_a_user(self):
        need_long("the Query Store writes every 15 minutes")
        self.one.run(f"ALTER DATABASE {NAME} SET QUERY_STORE = ON (DATA_FLUSH_INTERVAL_SECONDS = 60)")
        before = self.log_end(), self.user_updates(), self.newest_modify_date()
        wait_until(lambda: self.one.rows(f"SELECT * FROM {NAME}.dbo.recipe") and self.log_end() != before[0],
                   "the log has moved", 1200, every=0.5)
        self.assertEqual((self.user_updates(), self.newest_modify_date()), before[1:])


if __name__ == "__main__":
    unittest.main()
