"""RESTORE DATABASE and RESTORE VERIFYONLY, with the states that a failure leaves behind."""

import contextlib
import os
import re
import shutil
import uuid

from .database import Database
from .errors import Interrupted, Message, SessionEnded, SqlError, fail
from .media import Reader

PLANNING = 3119


class RestoreStatements:
    def do_restore_verifyonly(self, statement):
        what = "VERIFY DATABASE"
        if not self.session.login.has("CREATE DATABASE"):
            raise SqlError(Message(262, "CREATE DATABASE", "master"), Message(3013, what))
        try:
            self.fault("open", statement)
            reader = Reader(self.instance, self.device(statement))
            self.fault("header", statement)
            checked = "checksum" in statement.options
            if checked and not reader.header["checksums"]:
                raise fail(3187)
            verify = reader.header["checksums"]
            self._carry(statement, None, reader.page_count, lambda first, last: reader.check_pages(first, last, verify))
            reader.check_end(verify)
        except (SqlError, Interrupted) as error:
            self._aborted(error, what)
        self.info(3262, 1)
        self.reply.done()

    def do_restore(self, statement):
        name = self.value(statement.database)
        try:
            self._restore(statement, name)
        except (SqlError, Interrupted) as error:
            self._aborted(error, "RESTORE DATABASE")

    def do_revert(self, _statement):
        raise SqlError(Message(3137), Message(3013, "RESTORE DATABASE"))

    def _restore(self, statement, name):
        existing = self.instance.databases.get(name.casefold())
        self._check_restore(statement, name, existing)
        if not statement.devices:
            self._recover_only(statement, existing, name)
            return
        self.fault("open", statement, database=existing)
        reader = Reader(self.instance, self.device(statement))
        self.fault("header", statement, database=existing)
        self._check_header(statement, reader.header, name, existing)
        self._check_exclusive(existing)
        files = self._plan(statement, reader.header, name, existing)
        self.fault("plan", statement, database=existing)
        self._check_exclusive(existing)
        database = self._begin_restore(reader.header, name, existing, files)
        database.busy = "RESTORE"
        try:
            verify = reader.header["checksums"]
            self._carry(statement, database, reader.page_count,
                        lambda first, last: reader.check_pages(first, last, verify))
            reader.check_end(verify)
            content = reader.content()
            self._recover(statement, database, reader.header, content)
        except (SqlError, Interrupted, SessionEnded):
            self.instance.save()  # it stays RESTORING, or what the fault has made of it
            raise
        finally:
            database.busy = None
        self._after_restore(statement, database, reader)

    # Checks

    def _check_restore(self, statement, name, existing):
        session = self.session
        if session.transactions:
            raise fail(3021)
        if name.casefold() == "master":
            raise fail(3108)
        if name.casefold() == "tempdb":
            raise fail(3147)
        if existing is None:
            if not statement.devices:
                raise fail(911, name)
            if not session.login.has("CREATE DATABASE"):
                raise fail(262, "CREATE DATABASE", "master")
            return
        if session.database is existing:
            raise fail(3102, existing.name)
        if not self.instance.security.may_restore(session.login, existing):
            raise fail(3110, existing.name)
        if existing.mirroring_guid or existing.replica_id:
            raise fail(3104, existing.name)
        if any(d.source_id == existing.id for d in self.instance.databases.values()):
            raise fail(3709, "restore", next(d.name for d in self.instance.databases.values()
                                             if d.source_id == existing.id))
        if existing.busy:
            raise fail(3023)

    def _check_header(self, statement, header, name, existing):
        version = self.instance.version
        if header["database_version"] > version.database_version:
            raise fail(3169, header["product"], version.product)
        if "checksum" in statement.options and not header["checksums"]:
            raise fail(3187)
        if header["thumbprint"] and header["thumbprint"] not in [c["thumbprint"] for c in self.instance.certificates]:
            raise fail(33111, "0x" + header["thumbprint"].hex().upper())
        kinds = {file["type"] for file in header["files"]}
        groups = {group["type"] for group in header["filegroups"]}
        if "FX" in groups and not self._supports("isxtpsupported"):
            raise fail(41381)
        if 2 in kinds and "FD" in groups and not self._supports("filestreameffectivelevel"):
            raise fail(5591)
        if header["containment"] and not self.instance.configuration["contained database authentication"]:
            raise fail(12824, "restore")
        if existing is None or "replace" in statement.options or existing.state == "RESTORING":
            return
        if existing.content is None or existing.content["family_guid"] != header["family_guid"]:
            raise fail(3154, name)
        if existing.options["recovery_model"] != "SIMPLE":
            raise fail(3159, name)

    def _supports(self, key):
        from .properties import server_property
        return bool(server_property(self.instance, key))

    def _check_exclusive(self, existing):
        if existing is not None and self.instance.sessions_in(existing):
            raise fail(3101)

    def _plan(self, statement, header, name, existing):
        """The files of the restored database; the same problems as SQL Server finds when it plans."""
        moves = {self.value(logical).casefold(): self.value(path) for logical, path in statement.options["move"]}
        known = {file["name"].casefold() for file in header["files"]}
        for logical, _ in statement.options["move"]:
            if self.value(logical).casefold() not in known:
                raise fail(3234, self.value(logical), header["database_name"])
        files = []
        for file in header["files"]:
            path = re.sub("/+", "/", moves.get(file["name"].casefold(), file["path"]))
            taken = next((f for f in files if f["path"] == path), None)
            if taken:
                raise SqlError(Message(3176, path, taken["name"], taken["id"], file["name"], file["id"]),
                               Message(PLANNING))
            self._check_target(statement, file, path, existing)
            files.append(dict(file, path=path))
        self._check_room(name, files, existing)
        return files

    def _check_target(self, statement, file, path, existing):
        own = existing is not None and any(f["path"] == path for f in existing.files)
        unusable = Message(3156, file["name"], path)
        for database in self.instance.databases.values():
            if database is not existing and any(f["path"] == path for f in database.files):
                raise SqlError(Message(1834, path, database.name), unusable, Message(PLANNING))
        if not os.path.isdir(os.path.dirname(path)):
            raise SqlError(Message(5133, path, "2(The system cannot find the file specified.)"), unusable,
                           Message(PLANNING))
        denied = self.instance.folder_error(path, True)
        if denied and not (os.path.isdir(path) and file["type"] == 2):
            raise SqlError(Message(5123, denied, path), unusable, Message(PLANNING))
        if os.path.exists(path) and not own and "replace" not in statement.options:
            raise SqlError(Message(3142, file["name"], path), unusable, Message(PLANNING))

    def _check_room(self, name, files, existing):
        limit = self.instance.version.size_limit_mb
        if limit and sum(f["pages"] for f in files if f["type"] == 0) > limit * 128:
            raise SqlError(Message(1827, limit), Message(PLANNING))
        freed = sum(f["pages"] for f in existing.files) * 8192 if existing else 0
        for prefix, free in self.instance.volumes:
            needed = sum(f["pages"] for f in files if f["path"].startswith(prefix.rstrip("/") + "/")) * 8192 - freed
            if needed > free:
                raise SqlError(Message(3257, prefix, needed, free), Message(PLANNING))

    # Work

    def _begin_restore(self, header, name, existing, files):
        """From here on the old content is gone and the database is RESTORING."""
        database = existing
        if database is None:
            database = Database(self.instance, self.instance.free_id(), name, None, [], self.instance.local_now())
            database.owner_sid = self.session.login.sid
            self.instance.databases[name.casefold()] = database
        for file in database.files:
            remove_file(file)
        if existing:
            database.is_open, database.usage, database.io = False, {}, {}
        database.state = "RESTORING"
        database.content, database.pending = None, None
        database.is_in_standby = False
        database.instance_options = {"is_trustworthy_on": False, "is_db_chaining_on": False}
        database.files = files
        for file in files:
            if file["type"] == 2:
                os.makedirs(file["path"], exist_ok=True)
            else:
                with open(file["path"], "wb"):
                    pass
        self.instance.save()
        self.instance.changed.notify_all()
        return database

    def _recover(self, statement, database, header, content):
        options = content["options"]
        if "restricted_user" in statement.options:
            options["user_access"] = "RESTRICTED_USER"
        options["is_broker_enabled"] = "enable_broker" in statement.options
        content["version"] = max(content["version"], self.instance.version.database_version)
        database.differential_base_lsn = header["differential_base_lsn"]
        database.differential_base_guid = header["differential_base_guid"]
        database.last_full_lsn = header["database_backup_lsn"]
        if "norecovery" in statement.options:
            database.pending = content
            return
        self.fault("recovery", statement, database=database)
        self._bring_online(database, content)
        if "standby" in statement.options:
            database.is_in_standby = True

    def _bring_online(self, database, content):
        """Recovery begins a new fork and writes log records."""
        content["recovery_fork"] = uuid.uuid4()
        database.content, database.pending = content, None
        database.guid = uuid.uuid4()
        database.create_date = self.instance.local_now()
        database.state = "ONLINE"
        database.is_open = False
        database.open()
        database.log(5, "LOP_END_RECOVERY")
        database.checkpoint()
        database.save()
        self.instance.save()
        self.instance.faults.after_access_change(database)
        self.instance.changed.notify_all()

    def _recover_only(self, statement, existing, name):
        if existing.state != "RESTORING":
            raise fail(3153, text="The database is already fully recovered.")
        if existing.pending is None:
            raise fail(4333, text="The database cannot be recovered because the log was not restored.")
        self._bring_online(existing, existing.pending)
        self.info(3014, "RESTORE DATABASE", 0, "0.010", "0.000")
        self.reply.done()

    def _after_restore(self, statement, database, reader):
        header = reader.header
        history = self.instance.history
        number = self.remember_set(header, len(reader.raw), reader.path)
        history["restorehistory"].append({
            "restore_history_id": len(history["restorehistory"]) + 1, "restore_date": self.instance.local_now(),
            "destination_database_name": database.name, "user_name": self.session.login.name, "backup_set_id": number,
            "restore_type": "D", "replace": "replace" in statement.options,
            "recovery": "norecovery" not in statement.options, "restart": False, "stop_at": None, "device_count": 1,
            "stop_at_mark_name": None, "stop_before": None})
        self.instance.find("msdb").log(8, "LOP_INSERT_ROWS")
        self.instance.save()
        self._report_restore(database, header)
        database.close_when_unused()

    def _report_restore(self, database, header):
        for file in header["files"]:
            pages = header["used_pages"] if file["id"] == 1 else 2 if file["type"] == 1 else 0
            self.info(4035, pages, database.name, file["name"], 1)
        self.info(3014, "RESTORE DATABASE", header["used_pages"] + 2, "0.080", f"{header['used_pages'] / 10240:.3f}")
        self.reply.done()


def remove_file(file):
    with contextlib.suppress(FileNotFoundError):
        if os.path.isdir(file["path"]):
            shutil.rmtree(file["path"])
        else:
            os.remove(file["path"])


