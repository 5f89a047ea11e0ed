"""CREATE, ALTER and DROP DATABASE, KILL and the rest that concerns whole databases."""

import os
import uuid

from . import content as contents
from .errors import Message, SqlError, fail
from .restore import remove_file
from .security import SA_SID

FAILED = 5069


class DatabaseStatements:
    def do_create_database(self, statement):
        session = self.session
        if session.transactions:
            raise fail(226, text="CREATE DATABASE statement not allowed within multi-statement transaction.")
        if not session.login.has("CREATE DATABASE"):
            raise fail(262, "CREATE DATABASE", "master")
        if statement.name.casefold() in self.instance.databases:
            raise fail(1801, statement.name)
        if statement.snapshot_of:
            self._create_snapshot(statement)
            return
        files = self.instance.default_files(statement.name)
        if statement.files:
            files = [self._new_file(number, 0, entry) for number, entry in enumerate(statement.files, 1)]
            logs = statement.logs or [{"name": statement.name + "_log",
                                       "filename": os.path.splitext(files[0]["path"])[0] + "_log.ldf"}]
            first = len(files)
            files += [self._new_file(first + number, 1, entry) for number, entry in enumerate(logs, 1)]
            files[0]["id"], files[first]["id"] = 1, 2
            for number, file in enumerate(files[1:first] + files[first + 1:], 3):
                file["id"] = number
        for file in files:
            self._check_new_path(file["path"])
        self._check_limit(files)
        database = self.instance.create_database(statement.name, session.login.sid, files,
                                                 collation=statement.collation)
        if not database.options["is_auto_close_on"]:
            database.open()

    def _new_file(self, number, kind, entry):
        return {"id": number, "type": kind, "name": entry["name"], "path": entry["filename"],
                "pages": entry.get("size", 1024), "group": 1 if kind == 0 else 0}

    def _check_new_path(self, path):
        if os.path.exists(path):
            raise SqlError(Message(5170, path), Message(1802, text="CREATE DATABASE failed. Some file names listed "
                                                                   "could not be created. Check related errors."))
        denied = self.instance.folder_error(path, True)
        if denied:
            raise fail(5123, denied, path)

    def _check_limit(self, files):
        limit = self.instance.version.size_limit_mb
        if limit and sum(f["pages"] for f in files if f["type"] == 0) > limit * 128:
            raise fail(1827, limit)

    def _create_snapshot(self, statement):
        original = self.instance.find(statement.snapshot_of)
        original.check_state()
        files = [self._new_file(number, 0, entry) for number, entry in enumerate(statement.files, 1)]
        for file in files:
            self._check_new_path(file["path"])
        database = self.instance.create_database(statement.name, self.session.login.sid, files)
        database.content = contents.copy_of(original.content)
        database.source_id = original.id
        database.options["is_read_only"] = True
        database.open()
        self.instance.save()

    def do_drop_database(self, statement):
        for name in statement.names:
            database = self.instance.databases.get(name.casefold())
            if database is None and statement.lenient:
                continue
            security = self.instance.security
            if database is None or not (security.may_alter(self.session.login, database) or
                                        database.owner_sid == self.session.login.sid):
                raise fail(3701, "drop", "database", name)
            if database.is_system:
                raise fail(3708, text=f"Cannot drop the database '{name}' because it is a system database.")
            snapshot = next((d for d in self.instance.databases.values() if d.source_id == database.id), None)
            if snapshot:
                raise fail(3709, "drop", snapshot.name)
            if self.instance.sessions_in(database) or database.busy:
                raise fail(3702, name)
            self._drop(database)

    def _drop(self, database):
        """The files of an offline database stay on the disk, as documented."""
        if database.state != "OFFLINE":
            for file in database.files:
                remove_file(file)
        del self.instance.databases[database.name.casefold()]
        self.instance.save()
        self.instance.changed.notify_all()

    # ALTER DATABASE

    def _alterable(self, name):
        database = self.session.database if name is None else self.instance.databases.get(name.casefold())
        if database is None or not self.instance.security.may_alter(self.session.login, database):
            raise SqlError(Message(5011, name), Message(FAILED))
        return database

    def do_rename_database(self, statement):
        database = self._alterable(statement.database)
        if database.is_system:
            raise fail(5058, "NAME", database.name)
        self._failed(database.check_state)
        if statement.name.casefold() in self.instance.databases and \
                self.instance.databases[statement.name.casefold()] is not database:
            raise fail(1801, statement.name)
        if self.instance.sessions_in(database, self.session) or database.busy:
            raise fail(5030)
        database.open()
        del self.instance.databases[database.name.casefold()]
        database.name = statement.name
        database.create_date = self.instance.local_now()  # documented: date of creation or renaming
        self.instance.databases[statement.name.casefold()] = database
        database.checkpoint()
        database.save()
        self.instance.save()
        self.info(5021, severity=0, text=f"The database name '{statement.name}' has been set.")
        self.instance.faults.after_access_change(database)
        database.close_when_unused()

    def _failed(self, check):
        """A failure of ALTER DATABASE ends with 5069."""
        try:
            check()
        except SqlError as error:
            raise error.followed_by(Message(FAILED)) from None

    def do_modify_file(self, statement):
        database = self._alterable(statement.database)
        entry = statement.file
        file = next((f for f in database.files if f["name"].casefold() == entry["name"].casefold()), None)
        if file is None:
            raise fail(5041, entry["name"])
        if "newname" in entry:
            file["name"] = entry["newname"]
        if "size" in entry:
            if entry["size"] < file["pages"]:
                raise fail(5039, text="MODIFY FILE failed. Specified size is less than or equal to current size.")
            before, file["pages"] = file["pages"], entry["size"]
            try:
                self._check_limit(database.files)
            except SqlError:
                file["pages"] = before
                raise
        if "filename" in entry:
            file["path"] = entry["filename"]
        self._logged(database)

    def do_add_file(self, statement):
        database = self._alterable(statement.database)
        kind, group = 1 if statement.log else 0, None
        if statement.group is not None:
            group = next((g for g in database.content["filegroups"]
                          if g["name"].casefold() == statement.group.casefold()), None)
            if group is None:
                raise fail(1921, "filegroup", statement.group)
            kind = 2 if group["type"] in ("FD", "FX") else 0
        for entry in statement.files:
            file = self._new_file(max(f["id"] for f in database.files) + 1, kind, entry)
            if group is not None:
                file["group"] = group["id"]
            self._check_new_path(file["path"])
            database.files.append(file)
            self.instance.make_file(file)
        self._logged(database)

    def do_add_filegroup(self, statement):
        database = self._alterable(statement.database)
        groups = database.content["filegroups"]
        kind = {"contains filestream": "FD", "contains memory_optimized_data": "FX"}.get(statement.contains, "FG")
        groups.append({"id": max(g["id"] for g in groups) + 1, "name": statement.name, "type": kind})
        self._logged(database)

    def _logged(self, database):
        """ALTER DATABASE writes a checkpoint."""
        if database.state == "ONLINE":
            database.open()
            database.checkpoint()
            database.save()
        self.instance.save()
        database.close_when_unused()

    def do_set_database(self, statement):
        session = self.session
        database = self._alterable(statement.database)
        if session.transactions:
            raise fail(226, text="ALTER DATABASE statement not allowed within multi-statement transaction.")
        keys = dict(statement.options)
        if database.is_system and {"state", "user_access", "is_read_only"} & set(keys):
            raise SqlError(Message(5058, next(iter(keys.values())), database.name), Message(FAILED))
        if database.state == "RESTORING":
            raise SqlError(Message(5052, "ALTER DATABASE", "RESTORING"), Message(FAILED))
        offline = database.state not in ("ONLINE", "EMERGENCY")
        if keys.get("state") != "ONLINE" and offline and not (keys.get("state") or "user_access" in keys):
            self._failed(database.check_state)
        if "state" in keys:
            self._set_state(statement, database, keys["state"])
        elif {"user_access", "is_read_only", "is_read_committed_snapshot_on"} & set(keys) and not offline:
            self._make_room(statement, database, keys)
        for key, value in statement.options:
            if key != "state":
                self._set_option(database, key, value)
        self._logged(database)
        self.instance.faults.after_access_change(database)

    def _set_option(self, database, key, value):
        if key in ("is_trustworthy_on", "is_db_chaining_on"):
            if not self.session.login.is_sysadmin:
                raise SqlError(Message(15247), Message(FAILED))
            database.instance_options[key] = value
        elif key == "broker":
            if value == "new_broker":
                database.content["broker_guid"] = uuid.uuid4()
            if value == "enable_broker" and any(
                    d is not database and d.content and d.options["is_broker_enabled"] and
                    d.content["broker_guid"] == database.content["broker_guid"]
                    for d in self.instance.databases.values()):
                raise SqlError(Message(9772, text=f'The Service Broker in database "{database.name}" cannot be '
                                                  "enabled because there is already an enabled Service Broker with "
                                                  "the same ID."),
                               Message(FAILED))
            database.options["is_broker_enabled"] = value != "disable_broker"
        elif key == "compatibility_level" and value > self.instance.version.compatibility:
            raise SqlError(Message(15048, text="Valid values of the database compatibility level are lower."),
                           Message(FAILED))
        elif database.content is not None:
            database.options[key] = value

    def _set_state(self, statement, database, state):
        if state == "OFFLINE":
            if database.state == "OFFLINE":
                return
            self._make_room(statement, database, {"state": state})
            if self.session.database is database:
                self.session.use("master")
            database.close()
            database.state = "OFFLINE"
            return
        if state == "ONLINE":
            if database.state == "ONLINE":
                return
            if not database.load():
                database.state = "RECOVERY_PENDING"
                self.instance.save()
                raise SqlError(Message(5120, database.primary_path(), "2(The system cannot find the file specified.)"),
                               Message(945, database.name), Message(FAILED))
            database.state = "ONLINE"
            database.open()
            return
        raise SqlError(Message(5058, state, database.name), Message(FAILED))

    def _make_room(self, statement, database, keys):
        """Others leave the database before its access changes: rolled back at once, refused, or waited for."""
        session = self.session
        security = self.instance.security
        wanted = keys.get("user_access", keys.get("state"))
        single = database.user_access == "SINGLE_USER"
        others = self.instance.sessions_in(database, session)
        if single and others and "user_access" in keys and wanted != "SINGLE_USER" and \
                statement.termination != "immediate":
            raise SqlError(Message(5064, database.name), Message(FAILED))
        if single and others and database.users[0] is not session and wanted in ("SINGLE_USER", "MULTI_USER"):
            raise SqlError(Message(5064, database.name), Message(FAILED))

        def blocking():
            users = self.instance.sessions_in(database, session)
            if wanted == "MULTI_USER":
                return []
            if wanted == "RESTRICTED_USER":
                return [user for user in users if not security.is_privileged(user.login, database)]
            return users
        if database.busy:
            raise SqlError(Message(5061, database.name), Message(FAILED))
        victims = blocking()
        if victims and statement.termination == "no_wait":
            raise SqlError(Message(5070, database.name), Message(FAILED))
        if statement.termination == "immediate":
            if victims:
                self.info(5060, 0)
            for user in victims:
                user.end("killed")
                if not user.is_ghost and user.connection is not None:
                    user.rollback()
                database.leave(user)
            if victims:
                self.info(5060, 100)
        elif victims and not self.instance.wait(session, lambda: not blocking(), session.lock_timeout()):
            raise SqlError(Message(5061, database.name), Message(FAILED))

    def do_alter_authorization(self, statement):
        database = self.instance.databases.get(statement.database.casefold())
        login = self.instance.security.find(statement.login)
        own = self.session.login
        if database is None or not (own.is_sysadmin or database.owner_sid == own.sid):
            raise fail(15151, "find", "database", statement.database)
        if login is None or not own.may_impersonate(login):
            raise fail(15151, "find", "principal", statement.login)
        database.check_state()
        user = next((p for p in database.content["principals"] if p["sid"] == login.sid and p["id"] != 1), None)
        if user:
            raise fail(15110, text="The proposed new database owner is already a user or aliased in the database.")
        database.open()
        database.owner_sid = login.sid
        contents.find_principal(database.content, "dbo")["sid"] = login.sid
        database.log(4)
        self._logged(database)

    # Sessions and service

    def do_kill(self, statement):
        login = self.session.login
        if not login.has("ALTER ANY CONNECTION"):
            raise fail(6102)
        victim = self.instance.sessions.get(statement.session)
        if statement.session <= 50 or statement.session > 32767:
            raise fail(6101, statement.session)
        if victim is None:
            raise fail(6106, statement.session)
        if victim is self.session:
            raise fail(6104)
        victim.end("killed")

    def do_shutdown(self, _statement):
        if not self.session.login.has("SHUTDOWN"):
            raise fail(6004, severity=14, text="User does not have permission to perform this action.")
        for session in list(self.instance.sessions.values()):
            session.end("stopped")
        self.instance.state = "shutdown"

    def do_dbcc(self, statement):
        name = statement.name
        database = self.session.database
        if name == "checkdb" and statement.arguments:
            database = self.instance.find(str(statement.arguments[0])) if not isinstance(statement.arguments[0], int) \
                else self.instance.by_id(statement.arguments[0]) or database
        if name in ("traceon", "traceoff"):
            flags = {flag for flag in statement.arguments if isinstance(flag, int) and flag > 0}
            self.instance.trace_flags = self.instance.trace_flags | flags if name == "traceon" else \
                self.instance.trace_flags - flags
        elif name == "tracestatus":
            self._trace_status(statement)
        elif name == "checkdb":
            database.check_access(self.session)
            if not self.instance.security.is_owner(self.session.login, database):
                raise fail(7983, severity=14, text=f"User '{self.session.login.name}' does not have permission to run "
                                                   f"DBCC checkdb for database '{database.name}'.")
            database.open()
            database.log(2)  # the boot page notes the date
            database.last_good_checkdb = self.instance.local_now()
            database.save()
            if "no_infomsgs" not in statement.options:
                self.info(8989, severity=0,
                          text="CHECKDB found 0 allocation errors and 0 consistency errors in database "
                                                 f"'{database.name}'.")
            self.reply.done()
            database.close_when_unused()
        else:
            raise self.unknown_statement(f"DBCC {name}")

    def _trace_status(self, statement):
        from .evaluate import Rowset
        from .views import columns_of
        wanted = [flag for flag in statement.arguments if isinstance(flag, int) and flag > 0]
        flags = wanted or sorted(self.instance.trace_flags)
        columns = columns_of("TraceFlag smallint, Status smallint, Global smallint, Session smallint")
        on = self.instance.trace_flags
        rows = [(flag, int(flag in on), int(flag in on), 0) for flag in flags]
        self.send_rows(Rowset(columns, rows))

    def is_sa(self, sid):
        return sid == SA_SID
