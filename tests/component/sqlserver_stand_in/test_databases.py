"""Databases: backup, restore, states, access modes, permissions, files."""

import unittest

from cases import Case
from sqlserver.odbc import OdbcError


class RoundTrip(Case):
    def test_rows_come_back(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        other = self.connect(program="other")
        other.run("UPDATE plant.dbo.recipe SET name = N'changed' WHERE id = 2")
        other.run("INSERT INTO plant.dbo.recipe(name) VALUES (N'new')")
        connection.run(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE, CHECKSUM")
        self.assertEqual(other.rows("SELECT name FROM plant.dbo.recipe ORDER BY id"), [("r0",), ("r1",), ("r2",)])
        self.server.check()

    def test_between_two_servers_of_one_version(self):
        second = self.start("second")
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        other = self.connect(second)
        data = self.folder / "second/data"
        other.run(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH MOVE N'plant' TO N'{data}/p.mdf', "
                  f"MOVE N'plant_log' TO N'{data}/p.ldf'")
        self.assertEqual(other.value("SELECT COUNT(*) FROM plant.dbo.recipe"), "3")
        row = other.rows("SELECT b.backup_set_uuid, b.database_name, r.[replace] FROM msdb.dbo.restorehistory r "
                         "JOIN msdb.dbo.backupset b ON b.backup_set_id = r.backup_set_id")
        guid = connection.value("SELECT backup_set_uuid FROM msdb.dbo.backupset")
        self.assertEqual(row, [(guid, "plant", "0")])

    def test_header_tells_what_was_asked_for(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection, more="COPY_ONLY, FORMAT, CHECKSUM, NAME = N'id', MEDIANAME = N'id'")
        result = connection.run(f"RESTORE HEADERONLY FROM DISK = N'{path}'")[0]
        row = dict(zip([column[0] for column in result.columns], result.rows[0]))
        self.assertEqual((row["BackupName"], row["DatabaseName"], row["IsCopyOnly"], row["HasBackupChecksums"]),
                         ("id", "plant", "1", "1"))
        self.assertEqual(row["DatabaseVersion"], connection.value("SELECT CONVERT(int, DATABASEPROPERTYEX('model', "
                                                                  "'Version'))"))
        self.assertIsNone(connection.value("SELECT differential_base_lsn FROM plant.sys.database_files "
                                           "WHERE file_id = 1"))

    def test_side_by_side_swap(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        user = self.connect(program="user", database="plant")
        data = self.folder / "server/data"
        connection.run(f"RESTORE DATABASE [~in] FROM DISK = N'{path}' WITH RESTRICTED_USER, "
                       f"MOVE N'plant' TO N'{data}/n.mdf', MOVE N'plant_log' TO N'{data}/n.ldf'")
        connection.run("ALTER DATABASE plant SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE")
        connection.run("ALTER DATABASE plant SET SINGLE_USER WITH ROLLBACK IMMEDIATE; "
                       "ALTER DATABASE plant MODIFY NAME = [~old]")
        connection.run("ALTER DATABASE [~old] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        connection.run("ALTER DATABASE [~in] MODIFY NAME = plant")
        connection.run("ALTER DATABASE plant SET MULTI_USER")
        with self.assertRaises(OdbcError):
            user.run("SELECT 1")
        self.assertEqual(connection.rows("SELECT name, state_desc, user_access_desc FROM sys.databases "
                                         "WHERE database_id > 4 ORDER BY name"),
                         [("plant", "ONLINE", "MULTI_USER"), ("~old", "OFFLINE", "SINGLE_USER")])
        connection.run("DROP DATABASE [~old]")
        self.assertTrue((data / "plant.mdf").exists(), "files of an offline database stay")
        self.server.check()

    def test_offline_database_comes_back_by_restore(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        connection.run("ALTER DATABASE plant SET OFFLINE WITH ROLLBACK IMMEDIATE")
        self.assertEqual(connection.fails("SELECT * FROM plant.dbo.recipe"), 942)
        connection.run(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE, RESTRICTED_USER")
        self.assertEqual(self.server.database(name="plant")["user_access"], "RESTRICTED_USER")


class Refusals(Case):
    def test_in_use(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        restore = f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE"
        user = self.server.enter(database="plant")
        self.assertEqual(connection.fails(restore), 3101)
        self.assertEqual(connection.fails("DROP DATABASE plant"), 3702)
        self.assertEqual(connection.rows("SELECT session_id, program_name FROM sys.dm_exec_sessions "
                                         "WHERE database_id = DB_ID(N'plant')"), [(str(user), "intruder")])
        connection.run(f"KILL {user}")
        connection.run("USE plant")
        self.assertEqual(connection.fails(restore), 3102)

    def test_damaged_files(self):
        connection = self.connect()
        self.plant(connection)
        good = self.backup(connection).read_bytes()
        path = self.folder / "bad.bak"
        for content, number in ((b"", 3241), (b"PK\3\4" + good[4:], 3241), (good[:100] + b"!" + good[101:], 3242),
                                (good[:9000], 3203), (good[:5000] + bytes([good[5000] ^ 1]) + good[5001:], 3183)):
            path.write_bytes(content)
            self.assertEqual(connection.fails(f"RESTORE VERIFYONLY FROM DISK = N'{path}' WITH CHECKSUM"), number)
        self.assertEqual(connection.fails(f"RESTORE LABELONLY FROM DISK = N'{self.folder}/none.bak'"), 3201)

    def test_damage_met_while_restoring_leaves_it_restoring(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        raw = path.read_bytes()
        path.write_bytes(raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:])
        self.assertEqual(connection.fails(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE"), 3183)
        self.assertEqual(connection.fails("USE plant"), 927)
        self.assertEqual(connection.value("SELECT state_desc FROM sys.databases WHERE name = N'plant'"), "RESTORING")
        connection.run("DROP DATABASE plant")

    def test_other_family_files_and_versions(self):
        connection = self.connect()
        self.plant(connection)
        self.plant(connection, "other")
        path = self.backup(connection)
        self.assertEqual(connection.fails(f"RESTORE DATABASE other FROM DISK = N'{path}'"), 3154)
        self.assertEqual(connection.fails(f"RESTORE DATABASE new FROM DISK = N'{path}'"), 1834)
        self.assertEqual(connection.fails(f"RESTORE DATABASE new FROM DISK = N'{path}' WITH MOVE N'x' TO N'/x'"), 3234)
        older = self.start("older", version="2017")
        self.assertEqual(self.connect(older).fails(f"RESTORE DATABASE new FROM DISK = N'{path}'"), 3169)

    def test_folder_and_space(self):
        connection = self.connect()
        self.plant(connection)
        backup = f"BACKUP DATABASE plant TO DISK = N'{self.folder}/x.bak' WITH FORMAT"
        self.server.folder(path=str(self.folder), writable=False)
        self.assertEqual(connection.fails(backup), 3201)
        self.server.folder(path=str(self.folder))
        self.server.volume(path=str(self.folder), free=5000)
        self.assertEqual(connection.fails(backup), 3202)
        self.server.volume(path=str(self.folder), free=None)
        connection.run(backup)
        self.server.volume(path=str(self.folder), free=5000)
        data = self.folder / "server/data"
        number = connection.fails(f"RESTORE DATABASE new FROM DISK = N'{self.folder}/x.bak' WITH "
                                  f"MOVE N'plant' TO N'{data}/n.mdf', MOVE N'plant_log' TO N'{data}/n.ldf'")
        self.assertEqual(number, 3257)

    def test_permissions(self):
        connection = self.connect()
        self.plant(connection)
        path = self.backup(connection)
        connection.run("CREATE LOGIN station WITH PASSWORD = N'pw'")
        station = self.connect(user="station", password="pw")
        backup = f"BACKUP DATABASE plant TO DISK = N'{path}' WITH FORMAT"
        self.assertEqual(station.fails("USE plant"), 916)
        self.assertEqual(station.fails(backup), 262)
        self.assertEqual(station.fails(f"RESTORE HEADERONLY FROM DISK = N'{path}'"), 262)
        self.assertEqual(station.fails(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE"), 3110)
        self.assertIn(station.fails("SELECT * FROM sys.dm_os_sys_info"), (297, 300))
        connection.run("ALTER SERVER ROLE dbcreator ADD MEMBER station; GRANT VIEW SERVER STATE TO station")
        connection.run("USE plant; CREATE USER station FOR LOGIN station; "
                       "ALTER ROLE db_backupoperator ADD MEMBER station; USE master")
        station.run(backup)
        station.run(f"RESTORE HEADERONLY FROM DISK = N'{path}'")
        self.assertEqual(station.rows("SELECT IS_SRVROLEMEMBER('dbcreator'), HAS_PERMS_BY_NAME(NULL, NULL, "
                                      "'VIEW SERVER STATE'), HAS_PERMS_BY_NAME(N'[plant]', 'DATABASE', "
                                      "'BACKUP DATABASE')"), [("1", "1", "1")])
        station.run(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH REPLACE")

    def test_single_user_slot(self):
        connection = self.connect()
        self.plant(connection)
        self.server.intruder(database="plant", access="SINGLE_USER")
        connection.run("ALTER DATABASE plant SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.assertEqual(connection.fails("USE plant"), 924)
        self.assertEqual(connection.fails("ALTER DATABASE plant MODIFY NAME = p2"), 5030)
        self.assertEqual(connection.fails("ALTER DATABASE plant SET MULTI_USER"), 5064)
        user = self.server.database(name="plant")["users"][0]
        connection.run(f"KILL {user}")
        connection.run("ALTER DATABASE plant SET MULTI_USER")

    def test_orphaned_user_and_owner(self):
        connection = self.connect()
        self.plant(connection)
        connection.run("CREATE LOGIN operator WITH PASSWORD = N'pw'; USE plant; "
                       "CREATE USER operator FOR LOGIN operator")
        connection.run("USE master; ALTER DATABASE plant SET TRUSTWORTHY ON")
        path = self.backup(connection)
        second = self.start("second")
        other = self.connect(second)
        other.run("CREATE LOGIN operator WITH PASSWORD = N'pw', SID = 0x01020304")
        data = self.folder / "second/data"
        other.run(f"RESTORE DATABASE plant FROM DISK = N'{path}' WITH MOVE N'plant' TO N'{data}/n.mdf', "
                  f"MOVE N'plant_log' TO N'{data}/n.ldf'")
        orphans = ("SELECT dp.name FROM plant.sys.database_principals dp LEFT JOIN sys.server_principals sp ON "
                   "sp.sid=dp.sid WHERE dp.type IN('S','U') AND dp.authentication_type IN(1,3) AND sp.sid IS NULL AND "
                   "dp.principal_id>4")
        self.assertEqual(other.rows(orphans), [("operator",)])
        other.run("USE plant; ALTER USER [operator] WITH LOGIN = [operator]; USE master")
        self.assertEqual(other.rows(orphans), [])
        self.assertEqual(other.value("SELECT is_trustworthy_on FROM sys.databases WHERE name = N'plant'"), "0")
        other.run("ALTER AUTHORIZATION ON DATABASE::plant TO sa")
        self.assertEqual(other.value("SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = N'plant'"),
                         "sa")
        second.check()


class Contexts(Case):
    def test_a_system_procedure_runs_in_the_database_that_it_is_called_with(self):
        connection = self.connect()
        self.plant(connection)
        connection.run("CREATE LOGIN anna WITH PASSWORD = 'x', CHECK_POLICY = OFF")
        connection.run("EXEC plant.sys.sp_executesql N'CREATE USER anna FOR LOGIN anna'")
        self.assertEqual(connection.value("SELECT COUNT(*) FROM plant.sys.database_principals WHERE name = N'anna'"),
                         "1")
        self.assertEqual(connection.value("SELECT COUNT(*) FROM master.sys.database_principals WHERE name = N'anna'"),
                         "0")
        self.assertEqual(connection.value("SELECT DB_NAME()"), "master")
        self.server.check()

    def test_the_volume_of_a_file_is_named_by_its_mount_point(self):
        connection = self.connect()
        self.plant(connection)
        query = ("SELECT v.volume_mount_point, v.available_bytes FROM sys.master_files f CROSS APPLY "
                 "sys.dm_os_volume_stats(f.database_id, f.file_id) v WHERE f.database_id = DB_ID(N'plant') "
                 "AND f.file_id = 1")
        self.assertEqual(connection.rows(query)[0][0], "/")
        data = self.folder / "server/data"
        self.server.volume(path=str(data), free=1234)
        self.assertEqual(connection.rows(query), [(f"{data}/", "1234")])
        self.server.check()

    def test_the_journal_tells_statements_of_one_batch(self):
        connection = self.connect(program="counted")
        connection.run("SELECT 1 AS a")
        connection.run("SELECT 2 AS a; SELECT 3 AS a")
        batches = [entry["batch"] for entry in self.server.journal(program="counted")]
        self.assertEqual(batches[-2], batches[-1])
        self.assertEqual(batches[-3] + 1, batches[-2])


if __name__ == "__main__":
    unittest.main()
