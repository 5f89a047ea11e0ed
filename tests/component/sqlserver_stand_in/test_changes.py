"""What the counters and views tell of changes: the ground of change detection."""

import unittest

from cases import Case

GATE = ("SELECT d.name,l.log_end_lsn,f.w,u.n,u.t FROM sys.databases d OUTER APPLY sys.dm_db_log_stats(d.database_id) l "
        "OUTER APPLY (SELECT SUM(num_of_writes) w FROM sys.dm_io_virtual_file_stats(d.database_id,2)) f "
        "OUTER APPLY (SELECT SUM(user_updates) n,MAX(last_user_update) t FROM sys.dm_db_index_usage_stats s "
        "WHERE s.database_id=d.database_id) u WHERE d.database_id>4 AND d.state=0 AND d.collation_name IS NOT NULL")
OBJECTS = ("SELECT COUNT_BIG(*), MAX(modify_date), CHECKSUM_AGG(CHECKSUM(object_id,CONVERT(varbinary(8),modify_date))) "
           "FROM plant.sys.objects WHERE is_ms_shipped=0")


class Changes(Case):
    def setUp(self):
        super().setUp()
        self.connection = self.connect()
        self.plant(self.connection)

    def gate(self):
        return self.connection.rows(GATE)

    def test_reading_changes_nothing(self):
        before = self.gate()
        for _ in range(20):
            self.connection.rows("SELECT * FROM plant.dbo.recipe")
            self.assertEqual(self.gate(), before)

    def test_data_moves_gate_and_counter(self):
        for text in ("INSERT INTO plant.dbo.recipe(name) VALUES (N'x')", "UPDATE plant.dbo.recipe SET name = N'y'",
                     "DELETE FROM plant.dbo.recipe WHERE id = 1",
                     "MERGE plant.dbo.recipe AS t USING (VALUES (9, N'z')) AS s(id, name) ON t.id = s.id "
                     "WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name);"):
            before = self.gate()[0]
            self.connection.run(text)
            after = self.gate()[0]
            self.assertGreater(after[1], before[1])
            self.assertEqual(int(after[3]), int(before[3]) + 1)

    def test_noise_moves_the_gate_only(self):
        path = f"{self.folder}/n.bak"
        for text in ("USE plant; CHECKPOINT; USE master", "UPDATE STATISTICS plant.dbo.recipe",
                     "DBCC CHECKDB(N'plant') WITH NO_INFOMSGS, PHYSICAL_ONLY",
                     f"BACKUP DATABASE plant TO DISK = N'{path}' WITH FORMAT"):
            before, objects = self.gate()[0], self.connection.rows(OBJECTS)
            self.connection.run(text)
            after = self.gate()[0]
            self.assertGreater(after[1], before[1], text)
            self.assertEqual(after[3:], before[3:])
            self.assertEqual(self.connection.rows(OBJECTS), objects)

    def test_definitions_are_seen(self):
        for text in ("CREATE TABLE plant.dbo.more(id int)", "ALTER TABLE plant.dbo.more ADD name nvarchar(5)",
                     "DROP TABLE plant.dbo.more", "USE plant; EXEC('CREATE PROCEDURE dbo.p AS SELECT 1'); USE master"):
            before = self.connection.rows(OBJECTS)
            self.connection.run(text)
            self.assertNotEqual(self.connection.rows(OBJECTS), before)

    def test_rollback_leaves_the_rows(self):
        other = self.connect(program="other", database="plant")
        before = self.connection.rows("SELECT * FROM plant.dbo.recipe")
        other.run("BEGIN TRANSACTION; DELETE FROM dbo.recipe")
        self.assertEqual(self.connection.rows("SELECT * FROM plant.dbo.recipe"), before)
        self.assertEqual(self.connection.value("SELECT COUNT(*) FROM sys.dm_tran_database_transactions WHERE "
                                               "database_id = DB_ID(N'plant')"), "1")
        other.run("ROLLBACK")
        self.assertEqual(other.rows("SELECT * FROM dbo.recipe"), before)

    def test_restart_clears_counters_and_keeps_rows(self):
        before = self.connection.value("SELECT sqlserver_start_time FROM sys.dm_os_sys_info")
        self.server.restart()
        connection = self.connect()
        self.assertNotEqual(connection.value("SELECT sqlserver_start_time FROM sys.dm_os_sys_info"), before)
        self.assertEqual(connection.rows(GATE)[0][3:], (None, None))
        self.assertEqual(connection.value("SELECT COUNT(*) FROM plant.dbo.recipe"), "3")

    def test_new_process_on_the_same_folder(self):
        self.connection.close()
        self.assertEqual(self.server.end(), 0)
        self.server.launch()
        self.assertEqual(self.connect().value("SELECT COUNT(*) FROM plant.dbo.recipe"), "3")

    def test_closed_database_is_not_woken(self):
        self.connection.run("ALTER DATABASE plant SET AUTO_CLOSE ON")
        wakes = self.server.database(name="plant")["wakes"]
        for _ in range(5):
            self.assertEqual(self.gate(), [])
            self.connection.rows("SELECT name, collation_name FROM sys.databases")
        self.assertEqual(self.server.database(name="plant")["wakes"], wakes)
        self.connection.rows("SELECT database_guid FROM sys.database_recovery_status")
        self.assertGreater(self.server.database(name="plant")["wakes"], wakes)

    def test_fork_and_family(self):
        path = self.backup(self.connection)
        query = ("SELECT family_guid, recovery_fork_guid FROM sys.database_recovery_status "
                 "WHERE database_id = DB_ID('plant')")
        before = self.connection.rows(query)[0]
        self.connection.run(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE")
        after = self.connection.rows(query)[0]
        self.assertEqual(after[0], before[0])
        self.assertNotEqual(after[1], before[1])

    def test_clock_and_zone(self):
        self.server.timezone(name="Europe/Prague")
        self.server.clock(offset_s=3600)
        value = self.connection.value("SELECT DATEDIFF(second, GETUTCDATE(), GETDATE())")
        self.assertIn(value, ("3600", "7200"))
        self.assertRegex(self.connection.value("SELECT SYSDATETIMEOFFSET()"), r"\+0[12]:00$")


class Versions(Case):
    def test_what_older_versions_lack(self):
        for version, missing in (("2012", ("dm_db_log_stats(5)", "dm_os_host_info")),
                                 ("2016rtm", ("dm_db_log_stats(5)", "dm_os_host_info")),
                                 ("2017", ()), ("2025", ())):
            server = self.start(version, version=version)
            connection = self.connect(server)
            for name in ("dm_db_log_stats(5)", "dm_os_host_info"):
                text = f"SELECT * FROM sys.{name}"
                if name in missing:
                    self.assertEqual(connection.fails(text), 208)
            self.assertEqual(len(server.absent()), len(missing))
            server.check()
            connection.close()

    def test_properties(self):
        connection = self.connect()
        names = ("ProductVersion", "ProductMajorVersion", "Edition", "EngineEdition", "Collation", "InstanceName",
                 "MachineName", "PathSeparator", "InstanceDefaultDataPath", "IsXTPSupported", "NoSuchProperty")
        values = connection.rows("SELECT " + ", ".join(
            f"CONVERT(nvarchar(4000), SERVERPROPERTY(N'{name}'))" for name in names))
        self.assertEqual(values[0][:4], ("15.0.4355.3", "15", "Express Edition (64-bit)", "4"))
        self.assertIsNone(values[0][-1])


if __name__ == "__main__":
    unittest.main()
