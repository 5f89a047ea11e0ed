"""BACKUP DATABASE, and what the catalogue of a backup file tells: LABELONLY, HEADERONLY, FILELISTONLY."""

import os
import uuid
from decimal import Decimal

from . import content as contents

from .errors import Interrupted, Message, SqlError, fail
from .evaluate import Rowset
from .media import Reader, Writer
from .views import columns_of

STEP = 5  # percent
NULL_GUID = uuid.UUID(int=0)
HEADER_COLUMNS = columns_of("""BackupName nvarchar(128), BackupDescription nvarchar(255), BackupType smallint,
    ExpirationDate datetime, Compressed tinyint, Position smallint, DeviceType tinyint, UserName nvarchar(128),
    ServerName nvarchar(128), DatabaseName nvarchar(128), DatabaseVersion int, DatabaseCreationDate datetime,
    BackupSize numeric(20,0), FirstLSN numeric(25,0), LastLSN numeric(25,0), CheckpointLSN numeric(25,0),
    DatabaseBackupLSN numeric(25,0), BackupStartDate datetime, BackupFinishDate datetime, SortOrder smallint,
    CodePage smallint, UnicodeLocaleId int, UnicodeComparisonStyle int, CompatibilityLevel tinyint,
    SoftwareVendorId int, SoftwareVersionMajor int, SoftwareVersionMinor int, SoftwareVersionBuild int,
    MachineName nvarchar(128), Flags int, BindingID guid, RecoveryForkID guid, Collation nvarchar(128), FamilyGUID guid,
    HasBulkLoggedData bit, IsSnapshot bit, IsReadOnly bit, IsSingleUser bit, HasBackupChecksums bit, IsDamaged bit,
    BeginsLogChain bit, HasIncompleteMetaData bit, IsForceOffline bit, IsCopyOnly bit, FirstRecoveryForkID guid,
    ForkPointLSN numeric(25,0), RecoveryModel nvarchar(60), DifferentialBaseLSN numeric(25,0),
    DifferentialBaseGUID guid, BackupTypeDescription nvarchar(60), BackupSetGUID guid, CompressedBackupSize bigint,
    Containment tinyint, KeyAlgorithm nvarchar(32), EncryptorThumbprint varbinary(20), EncryptorType nvarchar(32),
    LastValidRestoreTime datetime, TimeZone nvarchar(32), CompressionAlgorithm nvarchar(32)""")
FILE_COLUMNS = columns_of("""LogicalName nvarchar(128), PhysicalName nvarchar(260), Type char(1),
    FileGroupName nvarchar(128), Size numeric(20,0), MaxSize numeric(20,0), FileId bigint, CreateLSN numeric(25,0),
    DropLSN numeric(25,0), UniqueId guid, ReadOnlyLSN numeric(25,0), ReadWriteLSN numeric(25,0),
    BackupSizeInBytes bigint, SourceBlockSize int, FileGroupId int, LogGroupGUID guid,
    DifferentialBaseLSN numeric(25,0), DifferentialBaseGUID guid, IsReadOnly bit, IsPresent bit,
    TDEThumbprint varbinary(32), SnapshotURL nvarchar(360)""")
LABEL_COLUMNS = columns_of("""MediaName nvarchar(128), MediaSetId guid, FamilyCount int, FamilySequenceNumber int,
    MediaFamilyId guid, MediaSequenceNumber int, MediaLabelPresent tinyint, MediaDescription nvarchar(255),
    SoftwareName nvarchar(128), SoftwareVendorId int, MediaDate datetime, MirrorCount int, IsCompressed bit""")


class BackupStatements:
    def do_backup(self, statement):
        name = self.value(statement.database)
        try:
            self._backup(statement, name)
        except (SqlError, Interrupted) as error:
            self._aborted(error, "BACKUP DATABASE")

    def _aborted(self, error, what):
        """3013 is the trailer of every failure; an attention gives 3204 before it."""
        trailer = Message(3013, what)
        if isinstance(error, Interrupted):
            for message in (Message(3204), trailer):
                self.reply.message(message)
            raise error
        if type(error) is SqlError:
            raise error.followed_by(trailer) from None
        raise error

    def _backup(self, statement, name):
        database = self._check_backup(statement, name)
        path = self.device(statement)
        options = statement.options
        if os.path.exists(path) and "format" not in options:
            if "init" not in options:
                raise fail(50000, text="The stand-in keeps one backup set per file: use FORMAT, INIT or a new file.")
            Reader(self.instance, path)
        database.busy = "BACKUP"
        writer = None
        try:
            database.open()
            database.checkpoint()
            content = contents.copy_of(database.committed or database.content)
            header = self._header(database, content, options)
            writer = Writer(self.instance, path, header, content)
            self.fault("open", statement, database=database)
            writer.open()
            self._carry(statement, database, len(writer.pages), writer.write_pages)
            header["finish"] = self.instance.local_now()
            writer.finish()
        finally:
            database.busy = None
            if writer and hasattr(writer, "file"):
                writer.close()
            database.close_when_unused()
        self._after_backup(database, header, writer, path)
        self._report(database, header, len(writer.pages))

    def _check_backup(self, statement, name):
        session = self.session
        if session.transactions:
            raise fail(3021)
        database = self.instance.find(name)
        if database.name == "tempdb":
            raise fail(3147)
        database.check_state()
        if not self.instance.security.has_in(session.login, database, "BACKUP DATABASE"):
            raise fail(262, "BACKUP DATABASE", name)
        database.check_access(session)
        if "compression" in statement.options and self.instance.version.is_express:
            raise fail(1844, "BACKUP DATABASE WITH COMPRESSION", self.instance.version.edition)
        if database.busy:
            raise fail(3023)
        return database

    def device(self, statement):
        path = self.value(statement.devices[0])
        if len(statement.devices) != 1:
            raise fail(50000, text="The stand-in knows backups of one device only.")
        if len(path.encode("utf-16-le")) // 2 > 259:
            raise fail(3057, 259)
        return path if path.startswith("/") else os.path.join(self.instance.backup_folder, path)

    def _carry(self, statement, database, pages, move):
        """The data phase, in steps of five per cent with progress messages as STATS asks for."""
        request = self.session.request
        stats = int(self.value(statement.options["stats"])) if "stats" in statement.options else 1000
        told = 0
        for percent in range(0, 101, STEP):
            request.percent = float(percent)
            self.fault("data", statement, percent, database)
            request.wait_type = "BACKUPIO"
            self.instance.changed.wait(0.0005)
            self.session.check()
            move(pages * max(0, percent - STEP) // 100, pages * percent // 100)
            if percent >= told + stats:
                told = percent - percent % stats
                self.info(3211, told)
                self.reply.flush()
        request.wait_type = None

    def _header(self, database, content, options):
        """What the backup says of itself; the names are those of RESTORE HEADERONLY and its sisters."""
        def text(key):
            return self.value(options[key]) if key in options else None
        version = self.instance.version
        now = self.instance.local_now()
        lsn = content["lsn"]
        database.log(1, "LOP_MARK")
        return {
            "name": text("name"), "description": text("description"), "media_name": text("medianame"),
            "media_description": text("mediadescription"), "media_id": uuid.uuid4(), "family_id": uuid.uuid4(),
            "set_guid": uuid.uuid4(), "binding": uuid.uuid4(), "database_name": database.name,
            "database_version": content["version"], "created": database.create_date,
            "first_lsn": content["checkpoint_lsn"], "last_lsn": lsn, "checkpoint_lsn": content["checkpoint_lsn"],
            "database_backup_lsn": database.last_full_lsn, "start": now, "finish": now,
            "user": self.session.login.name, "server": self.instance.server_name(), "machine": self.instance.machine,
            "software": list(version.numbers), "product": version.product, "compatibility":
            content["options"]["compatibility_level"], "collation": content["options"]["collation_name"],
            "family_guid": content["family_guid"], "fork": content["recovery_fork"],
            "first_fork": content["first_fork"],
            "recovery_model": content["options"]["recovery_model"], "checksums": "checksum" in options,
            "copy_only": "copy_only" in options, "compressed": "compression" in options,
            "read_only": content["options"]["is_read_only"], "single_user":
            content["options"]["user_access"] == "SINGLE_USER", "containment": content["options"]["containment"],
            "differential_base_lsn": database.differential_base_lsn,
            "differential_base_guid": database.differential_base_guid, "thumbprint": content["thumbprint"],
            "guid": database.guid, "used_pages": contents.data_pages(content),
            "files": [dict(file) for file in database.files], "filegroups": content["filegroups"]}

    def _after_backup(self, database, header, writer, path):
        """Differential base and history; COPY_ONLY leaves the base alone."""
        if not header["copy_only"]:
            database.differential_base_lsn = header["first_lsn"]
            database.differential_base_guid = header["set_guid"]
            database.last_full_lsn = header["checkpoint_lsn"]
            database.dirty = 0
        self.remember_set(header, writer.size, path)
        self.instance.find("msdb").log(12, "LOP_INSERT_ROWS")
        database.save()
        self.instance.save()

    def remember_set(self, header, size, path):
        """Rows in msdb for a backup set; its number."""
        history = self.instance.history
        known = next((row for row in history["backupset"] if row["backup_set_uuid"] == header["set_guid"]), None)
        if known:
            return known["backup_set_id"]
        number = len(history["backupset"]) + 1
        history["backupmediaset"].append({
            "media_set_id": number, "media_uuid": header["media_id"], "media_family_count": 1,
            "name": header["media_name"], "description": header["media_description"],
            "software_name": "Microsoft SQL Server", "software_vendor_id": 4608, "mtf_major_version": 1,
            "mirror_count": 1, "is_password_protected": False, "is_compressed": header["compressed"],
            "is_encrypted": False})
        history["backupmediafamily"].append({
            "media_set_id": number, "family_sequence_number": 1, "media_family_id": header["family_id"],
            "media_count": 1, "physical_device_name": path, "device_type": 2, "physical_block_size": 512, "mirror": 0})
        history["backupset"].append({
            "backup_set_id": number, "backup_set_uuid": header["set_guid"], "media_set_id": number,
            "first_family_number": 1, "first_media_number": 1, "last_family_number": 1, "last_media_number": 1,
            "name": header["name"], "description": header["description"], "user_name": header["user"],
            "software_major_version": header["software"][0], "software_minor_version": header["software"][1],
            "software_build_version": header["software"][2], "position": 1, "first_lsn": header["first_lsn"],
            "last_lsn": header["last_lsn"], "checkpoint_lsn": header["checkpoint_lsn"],
            "database_backup_lsn": header["database_backup_lsn"], "database_creation_date": header["created"],
            "backup_start_date": header["start"], "backup_finish_date": header["finish"], "type": "D",
            "compatibility_level": header["compatibility"], "database_version": header["database_version"],
            "backup_size": size, "database_name": header["database_name"], "server_name": header["server"],
            "machine_name": header["machine"], "flags": 0, "collation_name": header["collation"],
            "is_password_protected": False, "recovery_model": header["recovery_model"], "has_bulk_logged_data": False,
            "is_snapshot": False, "is_readonly": header["read_only"], "is_single_user": header["single_user"],
            "has_backup_checksums": header["checksums"], "is_damaged": False, "begins_log_chain": False,
            "has_incomplete_metadata": False, "is_force_offline": False, "is_copy_only": header["copy_only"],
            "first_recovery_fork_guid": header["first_fork"], "last_recovery_fork_guid": header["fork"],
            "database_guid": header["guid"], "family_guid": header["family_guid"],
            "differential_base_lsn": None, "differential_base_guid": None, "compressed_backup_size": size})
        return number

    def _report(self, database, header, pages):
        rows = [file for file in header["files"] if file["type"] == 0]
        for file in rows:
            self.info(4035, header["used_pages"] if file["id"] == 1 else 0, database.name, file["name"], 1)
        for file in header["files"]:
            if file["type"] == 1:
                self.info(4035, 2, database.name, file["name"], 1)
        self.info(3014, "BACKUP DATABASE", header["used_pages"] + 2, "0.050", f"{pages * 8 / 50:.3f}")
        self.reply.done()

    # The catalogue of a file

    def _catalogue(self, statement, what):
        if not self.session.login.has("CREATE DATABASE"):
            raise SqlError(Message(262, "CREATE DATABASE", "master"), Message(3013, what))
        self.fault("open", statement)
        try:
            return Reader(self.instance, self.device(statement))
        except SqlError as error:
            raise error.followed_by(Message(3013, what)) from None

    def _versioned(self, prefix, columns, row):
        shown = [(name, kind) for name, kind in columns if self.instance.version.has(f"{prefix}.{name}")]
        return shown, tuple(row.get(name) for name, _ in shown)

    def do_restore_labelonly(self, statement):
        header = self._catalogue(statement, "RESTORE LABELONLY").header
        columns, row = self._versioned("label", LABEL_COLUMNS, {
            "MediaName": header["media_name"], "MediaSetId": header["media_id"], "FamilyCount": 1,
            "FamilySequenceNumber": 1, "MediaFamilyId": header["family_id"], "MediaSequenceNumber": 1,
            "MediaLabelPresent": 0, "MediaDescription": header["media_description"],
            "SoftwareName": "Microsoft SQL Server", "SoftwareVendorId": 4608, "MediaDate": header["start"],
            "MirrorCount": 1, "IsCompressed": header["compressed"]})
        self.send_rows(Rowset(columns, [row]))

    def do_restore_headeronly(self, statement):
        reader = self._catalogue(statement, "RESTORE HEADERONLY")
        h = reader.header
        size = len(reader.raw)
        columns, row = self._versioned("header", HEADER_COLUMNS, {
            "BackupName": h["name"], "BackupDescription": h["description"], "BackupType": 1, "Compressed":
            int(h["compressed"]), "Position": 1, "DeviceType": 2, "UserName": h["user"], "ServerName": h["server"],
            "DatabaseName": h["database_name"], "DatabaseVersion": h["database_version"],
            "DatabaseCreationDate": h["created"], "BackupSize": Decimal(size), "FirstLSN": Decimal(h["first_lsn"]),
            "LastLSN": Decimal(h["last_lsn"]), "CheckpointLSN": Decimal(h["checkpoint_lsn"]),
            "DatabaseBackupLSN": Decimal(h["database_backup_lsn"]), "BackupStartDate": h["start"],
            "BackupFinishDate": h["finish"], "SortOrder": 52, "CodePage": 0, "UnicodeLocaleId": 1033,
            "UnicodeComparisonStyle": 196609, "CompatibilityLevel": h["compatibility"], "SoftwareVendorId": 4608,
            "SoftwareVersionMajor": h["software"][0], "SoftwareVersionMinor": h["software"][1],
            "SoftwareVersionBuild": h["software"][2], "MachineName": h["machine"],
            "Flags": 512 + 16 * h["checksums"] + 1024 * h["copy_only"], "BindingID": h["binding"],
            "RecoveryForkID": h["fork"], "Collation": h["collation"], "FamilyGUID": h["family_guid"],
            "HasBulkLoggedData": False, "IsSnapshot": False, "IsReadOnly": h["read_only"],
            "IsSingleUser": h["single_user"], "HasBackupChecksums": h["checksums"], "IsDamaged": False,
            "BeginsLogChain": False, "HasIncompleteMetaData": False, "IsForceOffline": False,
            "IsCopyOnly": h["copy_only"], "FirstRecoveryForkID": h["first_fork"], "ForkPointLSN": None,
            "RecoveryModel": h["recovery_model"], "BackupTypeDescription": "Database", "BackupSetGUID": h["set_guid"],
            "CompressedBackupSize": size, "Containment": h["containment"], "LastValidRestoreTime": None,
            "TimeZone": "0", "CompressionAlgorithm": None})
        self.send_rows(Rowset(columns, [row]))

    def do_restore_filelistonly(self, statement):
        header = self._catalogue(statement, "RESTORE FILELIST").header
        groups = {group["id"]: group for group in header["filegroups"]}
        rows = []
        for file in header["files"]:
            group = groups.get(file.get("group", 0))
            kind = "D" if file["type"] == 0 else "L" if file["type"] == 1 else "S"
            columns, row = self._versioned("filelist", FILE_COLUMNS, {
                "LogicalName": file["name"], "PhysicalName": file["path"], "Type": kind,
                "FileGroupName": group["name"] if group else None, "Size": Decimal(file["pages"] * 8192),
                "MaxSize": Decimal(35184372080640), "FileId": file["id"], "CreateLSN": Decimal(0),
                "DropLSN": Decimal(0), "UniqueId": uuid.uuid5(header["guid"], str(file["id"])),
                "ReadOnlyLSN": Decimal(0), "ReadWriteLSN": Decimal(0), "BackupSizeInBytes":
                header["used_pages"] * 8192 if kind == "D" else 0, "SourceBlockSize": 512,
                "FileGroupId": file.get("group", 0), "LogGroupGUID": None, "DifferentialBaseLSN":
                None if header["differential_base_lsn"] is None else Decimal(header["differential_base_lsn"]),
                "DifferentialBaseGUID": header["differential_base_guid"] or NULL_GUID, "IsReadOnly": False,
                "IsPresent": True, "TDEThumbprint": header["thumbprint"], "SnapshotURL": None})
            rows.append(row)
        self.send_rows(Rowset(columns, rows))


