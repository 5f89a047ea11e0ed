"""The acceptance tests that a real server has to pass, too; numbers are those of the acceptance list."""

import hashlib
import time
import unittest

from real_servers import PREFIX, PairCase, is_work_of, need_long, need_real, quoted, setting, text, wait_until
from sqlserver.odbc import Connection

A, B = PairCase.NAMES


class Changes(PairCase):
    def test_2_3_4_every_kind_of_change_makes_one_new_state(self):
        self.pair()
        table = A + ".dbo.recipe"
        self.expect_one_state_each(
            f"INSERT INTO {table} VALUES (3, N'pie', 1)", f"UPDATE {table} SET amount = 9 WHERE id = 3",
            f"DELETE FROM {table} WHERE id = 3",
            f"MERGE {table} AS t USING (VALUES (4, N'tart', 2)) AS s(id, name, amount) ON t.id = s.id "
            "WHEN NOT MATCHED THEN INSERT (id, name, amount) VALUES (s.id, s.name, s.amount);",
            f"CREATE TABLE {A}.dbo.more (id int)", f"DROP TABLE {A}.dbo.more",
            f"USE {A}; EXEC('CREATE PROCEDURE dbo.p AS SELECT 1'); USE master")
        self.wait_rows(self.FIRST | {4: ("tart", 2)})

    def test_5_truncate_is_found(self):
        self.pair()
        self.expect_one_state_each(f"TRUNCATE TABLE {A}.dbo.recipe")
        self.wait_rows({})

    def test_6_an_insert_into_a_memory_optimized_table_is_found(self):
        need_real("tables in memory")
        self.pair()
        folder = self.on_a.value("SELECT CONVERT(nvarchar(300), SERVERPROPERTY('InstanceDefaultDataPath'))")
        self.expect_one_state_each(
            f"ALTER DATABASE {A} ADD FILEGROUP in_memory CONTAINS MEMORY_OPTIMIZED_DATA; ALTER DATABASE {A} ADD FILE "
            f"(NAME = N'in_memory', FILENAME = {text(folder + A + '_in_memory')}) TO FILEGROUP in_memory; "
            f"CREATE TABLE {A}.dbo.quick (id int NOT NULL PRIMARY KEY NONCLUSTERED) WITH (MEMORY_OPTIMIZED = ON)",
            f"INSERT INTO {A}.dbo.quick VALUES (1)", f"INSERT INTO {A}.dbo.quick VALUES (2)")
        wait_until(lambda: self.on_b.value(f"SELECT COUNT(*) FROM {B}.dbo.quick") == "2", "both rows are on B")

    def test_7_what_users_do_not_change_is_no_change(self):
        self.pair()
        on_server, _ = self.path(PREFIX + "other.bak")
        before = self.published()
        self.on_a.run(f"USE {A}; CHECKPOINT; USE master", f"UPDATE STATISTICS {A}.dbo.recipe",
                      f"BACKUP DATABASE {A} TO DISK = {text(on_server)} WITH COPY_ONLY, FORMAT",
                      f"DBCC CHECKDB(N'{A}') WITH NO_INFOMSGS, PHYSICAL_ONLY", f"SELECT * FROM {A}.dbo.recipe")
        # A later change shows that the looks have passed over all that.
        self.on_b.insert(B, 3, "pie", 1)
        self.wait_rows(self.FIRST | {3: ("pie", 1)})
        self.plant.wait_all_synced()
        self.assertEqual(self.published(), [before[0], before[1] + 1])

    def test_8_reading_with_query_store_for_20_minutes_makes_no_backup(self):
        need_long("20 minutes of reading")
        self.pair()
        self.expect_published_after(f"ALTER DATABASE {A} SET QUERY_STORE = ON")
        before = self.published()
        end = time.monotonic() + 20 * 60
        while time.monotonic() < end:  # the load itself, no wait for a result
            self.on_a.rows(f"SELECT * FROM {A}.dbo.recipe WHERE id <> {int(end - time.monotonic())}")
        self.assertEqual(self.published(), before)


class Restores(PairCase):
    def test_11_a_foreign_restore_is_put_back_and_wins_by_publish_only(self):
        self.pair(settle="3s")
        on_server, _ = self.path(PREFIX + "last_year.bak")
        self.on_b.run(f"BACKUP DATABASE {B} TO DISK = {text(on_server)} WITH COPY_ONLY, FORMAT")
        self.on_a.insert(A, 3, "pie", 1)
        newest = self.FIRST | {3: ("pie", 1)}
        self.wait_rows(newest)
        self.plant.wait_all_synced()
        restore = (f"ALTER DATABASE {B} SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
                   f"RESTORE DATABASE {B} FROM DISK = {text(on_server)} WITH REPLACE",
                   f"ALTER DATABASE {B} SET MULTI_USER")
        self.on_b.run(*restore)
        self.b.wait_history("put_back", "batchdb", "plant")
        self.wait_rows(newest)
        self.plant.wait_all_synced()
        # While the provider is held, nothing is put back before the order to publish is there.
        self.b.cli("hold", "batchdb")
        self.on_b.run(*restore)
        wait_until(lambda: self.b.object("batchdb", "plant")["state"] in ("held", "waiting"), "B has seen the restored one")
        published = self.published()
        self.b.cli("publish", "batchdb/plant")
        wait_until(lambda: self.published() == [published[0], published[1] + 1], "B has sealed it")
        self.b.cli("release", "batchdb")
        self.wait_rows(self.FIRST)

    def test_16_18_what_was_restored_is_no_change_and_a_change_after_it_is(self):
        self.pair()
        before = self.published()
        self.assertEqual(before[1], 0)
        self.b.stop()
        self.b.start().wait_connected(self.a)
        self.plant.wait_all_synced()
        self.assertEqual(self.published(), before)
        self.on_b.insert(B, 3, "pie", 1)
        self.wait_rows(self.FIRST | {3: ("pie", 1)})
        self.plant.wait_all_synced()
        self.assertEqual(self.published(), [before[0], 1])

    def test_22_who_sits_in_the_database_is_put_out_and_the_new_one_is_there(self):
        self.pair()
        with self.on_b.connect() as guest:
            guest.run(f"USE {B}")
            self.on_a.insert(A, 3, "pie", 1)
            self.wait_rows(self.FIRST | {3: ("pie", 1)})
        wait_until(lambda: not {n for n in self.on_b.databases() if is_work_of(n, self.NAMES)},
                   "the replaced one is gone")

    def test_27_45_a_dropped_database_comes_back_in_files_of_its_own(self):
        self.pair()
        self.on_b.run(f"DROP DATABASE {B}")
        self.wait_rows(self.FIRST)
        self.assertEqual(self.on_a.recipes(A), self.FIRST)

    def test_seconds_during_which_the_database_cannot_be_used(self):
        """Told, and below the bound of a swap: no statement of it reads or writes data."""
        need_real("how long a swap takes")
        self.pair()
        self.on_a.insert(A, 3, "pie", 1)
        newest, began, longest = self.FIRST | {3: ("pie", 1)}, None, 0.0
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            rows, now = self.on_b.recipes(B), time.monotonic()
            if rows is None:
                began = began or now
                longest = max(longest, now - began)
            else:
                began = None
                if rows == newest:
                    break
        print(f"not to be used for {longest:.2f} s")
        self.assertEqual(self.on_b.recipes(B), newest)
        self.assertLess(longest, 10)


class Packages(PairCase):
    def test_19_a_backup_is_copy_only_with_checksum_and_leaves_the_differential_base_alone(self):
        self.pair()

        def base():
            return self.on_a.rows("SELECT differential_base_lsn FROM sys.master_files WHERE type = 0 AND database_id = "
                                  f"DB_ID({text(A)})")
        before = base()
        self.expect_published_after(f"INSERT INTO {A}.dbo.recipe VALUES (3, N'pie', 1)")
        self.assertEqual(base(), before)
        newest = self.on_a.rows("SELECT is_copy_only, has_backup_checksums, is_damaged FROM msdb.dbo.backupset WHERE "
                                f"database_name = {text(A)} ORDER BY backup_set_id DESC")[0]
        self.assertEqual([int(field) for field in newest], [1, 1, 0])

    def test_34_owner_and_trustworthy_stay_and_the_recovery_model_comes_along(self):
        self.pair()
        owner = self.on_b.value(f"SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = {text(B)}")
        self.on_a.run(f"ALTER DATABASE {A} SET RECOVERY BULK_LOGGED")
        self.on_a.insert(A, 3, "pie", 1)
        self.wait_rows(self.FIRST | {3: ("pie", 1)})
        self.plant.wait_all_synced()
        found = self.on_b.rows("SELECT SUSER_SNAME(owner_sid), is_trustworthy_on, recovery_model_desc FROM sys.databases "
                               f"WHERE name = {text(B)}")[0]
        self.assertEqual(found[0], owner)
        self.assertEqual(int(found[1]), 0)
        self.assertEqual(found[2], "BULK_LOGGED")

    def test_47_ten_gigabytes_take_less_than_64_mb_of_memory(self):
        need_long("10 GB")
        self.pair(scan="10s")
        self.on_a.run(f"ALTER DATABASE {A} SET RECOVERY SIMPLE", f"CREATE TABLE {A}.dbo.big (a char(8000))")
        for _ in range(100):
            self.on_a.run(f"INSERT INTO {A}.dbo.big SELECT TOP (12000) REPLICATE(CONVERT(char(36), NEWID()), 222) "
                          "FROM sys.all_columns a CROSS JOIN sys.all_columns b")
        wait_until(lambda: self.on_b.value(f"SELECT COUNT(*) FROM {B}.dbo.big") == "1200000", "B has it", 3600, every=5)
        for station in self.plant:
            self.assertLess(station.peak_resident_bytes(), 64e6 + 60e6)  # of the plugin, and of the service itself


class Names(PairCase):
    NAMES = (PREFIX + "a]b 'Žluť😀; --", PREFIX + "n" * (128 - len(PREFIX)))

    def test_20_odd_names_make_the_whole_way(self):
        self.pair()
        self.on_b.insert(self.NAMES[1], 3, "x'; DROP DATABASE [zz_stationsync_test_x]; --", 1)
        self.wait_rows(self.FIRST | {3: ("x'; DROP DATABASE [zz_stationsync_test_x]; --", 1)})
        self.assertIn(quoted(self.NAMES[0]), quoted(self.on_a.value(
            f"SELECT name FROM sys.databases WHERE name = {text(self.NAMES[0])}")))


class Leftovers(PairCase):
    def test_what_a_killed_station_left_on_the_server_goes_and_what_others_made_stays(self):
        if setting() != "stand-in":
            self.skipTest("makes a database with a name of another station")
        server = self.server()
        self.addCleanup(server.close)
        digest = hashlib.sha256(B.encode()).hexdigest()[:16]
        ours, of_others = f"~syncold_0123abcd_{digest}", f"~syncold_0123abcd_{digest[::-1]}"
        with Connection(server.connection_string) as connection:
            for name in (ours, of_others):
                connection.run(f"CREATE DATABASE {quoted(name)}")
                connection.run(f"ALTER DATABASE {quoted(name)} SET OFFLINE")
        files = {path.name for path in server.tool.directory.rglob("*.mdf") if path.name.startswith("~sync")}
        server.drop_work(self.NAMES)
        self.assertEqual(server.databases(), {of_others})
        left = {path.name for path in server.tool.directory.rglob("*.mdf") if path.name.startswith("~sync")}
        self.assertEqual((len(files), left), (2, {f"{of_others}.mdf"}))


class Windows(PairCase):
    def test_48_local_system_reaches_a_named_instance_without_tcp(self):
        need_real("shared memory on Windows")
        self.skipTest("run the service as LocalSystem beside an Express instance whose TCP is off, with `instance` "
                      "alone in the provider, and look at `stationsync doctor`: see docs/engineer.md")


if __name__ == "__main__":
    unittest.main()
