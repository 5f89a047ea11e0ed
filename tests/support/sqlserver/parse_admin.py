"""Statements about whole databases, backups, logins and permissions."""

from .parse_base import node
from .parse_query import QueryReader

# ALTER DATABASE … SET name ON|OFF: the column of sys.databases
SWITCHES = {"auto_close": "is_auto_close_on", "auto_shrink": "is_auto_shrink_on",
            "auto_create_statistics": "is_auto_create_stats_on", "auto_update_statistics": "is_auto_update_stats_on",
            "auto_update_statistics_async": "is_auto_update_stats_async_on", "trustworthy": "is_trustworthy_on",
            "db_chaining": "is_db_chaining_on", "read_committed_snapshot": "is_read_committed_snapshot_on",
            "query_store": "is_query_store_on", "allow_snapshot_isolation": "snapshot_isolation_state",
            "ansi_null_default": "is_ansi_null_default_on", "quoted_identifier": "is_quoted_identifier_on",
            "encryption": "is_encrypted"}


class AdminReader(QueryReader):
    def _text_or_variable(self):
        if self.token.kind == "var":
            return node("variable", name=self.take().value.lower())
        return node("literal", value=self.string())

    def _name_or_variable(self):
        if self.token.kind == "var":
            return node("variable", name=self.take().value.lower())
        return node("literal", value=self.name())

    # Databases

    def _file_list(self):
        return self.listed(self._file)

    def _file(self):
        """(NAME = n, FILENAME = 'f', SIZE = 8MB, …)"""
        self.need_op("(")
        fields = {}
        while True:
            key = self.any_name().lower()
            if key == "offline":
                fields[key] = True
            else:
                self.need_op("=")
                if key in ("size", "maxsize", "filegrowth"):
                    fields[key] = self._size()
                elif key in ("filename", "name", "newname"):
                    fields[key] = self.string() if self.token.kind == "string" else self.name()
                else:
                    raise self.unexpected()
            if not self.op(","):
                self.need_op(")")
                return fields

    def _size(self):
        """In pages of 8 KB."""
        if self.word("unlimited"):
            return -1
        number = self.integer()
        unit = self.word("kb", "mb", "gb", "tb")
        if self.op("%"):
            return number
        return max(1, number * {"kb": 1, None: 1 << 10, "mb": 1 << 10, "gb": 1 << 20, "tb": 1 << 30}[unit] // 8)

    def _create_database(self):
        result = node("create_database", name=self.name(), files=[], logs=[], snapshot_of=None, collation=None)
        if self.word("containment"):
            self.need_op("=")
            self.need_word("none", "partial")
        if self.word("on"):
            self.word("primary")
            result.files = self._file_list()
        if self.word("log on"):
            result.logs = self._file_list()
        if self.word("collate"):
            result.collation = self.any_name()
        if self.word("as snapshot of"):
            result.snapshot_of = self.name()
        return result

    def _alter_database(self):
        name = None if self.word("current") else self.name()
        if self.word("modify"):
            if self.word("name"):
                self.need_op("=")
                return node("rename_database", database=name, name=self.name())
            self.need_word("file")
            return node("modify_file", database=name, file=self._file())
        if self.word("add file"):
            files = self._file_list()
            group = self.name() if self.word("to filegroup") else None
            return node("add_file", database=name, files=files, log=False, group=group)
        if self.word("add log file"):
            return node("add_file", database=name, files=self._file_list(), log=True, group=None)
        if self.word("add filegroup"):
            group = self.name()
            contains = self.word("contains filestream", "contains memory_optimized_data")
            return node("add_filegroup", database=name, name=group, contains=contains)
        if self.word("collate"):
            return node("set_database", database=name, options=[("collation_name", self.any_name())], termination=None)
        self.need_word("set")
        options = self.listed(self._database_option)
        termination = None
        if self.word("with"):
            if self.word("no_wait"):
                termination = "no_wait"
            else:
                self.need_word("rollback")
                termination = "immediate"
                if self.word("after"):
                    self.integer()
                    self.word("seconds")
                else:
                    self.need_word("immediate")
        return node("set_database", database=name, options=options, termination=termination)

    def _database_option(self):
        word = self.word("single_user", "restricted_user", "multi_user")
        if word:
            return "user_access", word.upper()
        word = self.word("online", "offline", "emergency")
        if word:
            return "state", word.upper()
        word = self.word("read_only", "read_write")
        if word:
            return "is_read_only", word == "read_only"
        word = self.word("enable_broker", "disable_broker", "new_broker", "error_broker_conversations")
        if word:
            return "broker", word
        if self.word("recovery"):
            return "recovery_model", self.need_word("simple", "full", "bulk_logged").upper()
        if self.word("compatibility_level"):
            self.need_op("=")
            return "compatibility_level", self.integer()
        if self.word("page_verify"):
            return "page_verify", self.need_word("none", "checksum", "torn_page_detection").upper()
        if self.word("delayed_durability"):
            self.need_op("=")
            return "delayed_durability", self.need_word("disabled", "allowed", "forced").upper()
        for switch, column in SWITCHES.items():
            if self.word(switch):
                self.op("=")
                value = self.need_word("on", "off") == "on"
                if switch == "query_store" and self.is_op("("):
                    self._skip_parentheses()
                return column, value
        raise self.unexpected()

    # BACKUP and RESTORE

    def _st_backup(self):
        self.need_word("database")
        database = self._name_or_variable()
        self.need_word("to")
        devices = self.listed(self._device)
        return node("backup", database=database, devices=devices, options=self._backup_options())

    def _device(self):
        self.need_word("disk")
        self.need_op("=")
        return self._text_or_variable()

    def _st_restore(self):
        what = self.need_word("database", "labelonly", "headeronly", "filelistonly", "verifyonly")
        database = self._name_or_variable() if what == "database" else None
        devices = []
        if self.word("from"):
            if self.word("database_snapshot"):
                self.need_op("=")
                return node("revert", database=database, snapshot=self._text_or_variable())
            devices = self.listed(self._device)
        elif what != "database":
            raise self.unexpected()
        return node("restore" if what == "database" else "restore_" + what, database=database, devices=devices,
                    options=self._backup_options())

    def _backup_options(self):
        """{name: value or True}; MOVE gives a list of (logical, path)."""
        options = {"move": []}
        if not self.word("with"):
            return options

        def one():
            flag = self.word("copy_only", "format", "noformat", "init", "noinit", "skip", "noskip", "checksum",
                             "no_checksum", "stop_on_error", "continue_after_error", "compression", "no_compression",
                             "replace", "recovery", "norecovery", "restricted_user", "restart", "keep_replication",
                             "differential", "loadhistory", "unload", "nounload", "enable_broker", "new_broker",
                             "norewind", "rewind", "keep_cdc", "partial", "error_broker_conversations")
            if flag:
                options[flag] = True
                return
            if self.word("move"):
                logical = self._text_or_variable()
                self.need_word("to")
                options["move"].append((logical, self._text_or_variable()))
                return
            key = self.need_word("name", "description", "medianame", "mediadescription", "stats", "file", "blocksize",
                                 "maxtransfersize", "buffercount", "standby", "expiredate", "retaindays")
            if key == "stats" and not self.is_op("="):
                options[key] = node("literal", value=10)
                return
            self.need_op("=")
            if self.token.kind == "number":
                options[key] = node("literal", value=self.integer())
            else:
                options[key] = self._text_or_variable()
        self.listed(one)
        return options

    def _st_kill(self):
        return node("kill", session=self.integer(), status_only=bool(self.word("with statusonly")))

    def _st_shutdown(self):
        return node("shutdown", wait=not self.word("with nowait"))

    # Logins, users, permissions

    def _alter_other(self):
        if self.word("database"):
            return self._alter_database()
        if self.word("authorization on database"):
            self.need_op("::")
            database = self.name()
            self.need_word("to")
            return node("alter_authorization", database=database, login=self.name())
        if self.word("server role", "role"):
            server = self.tokens[self.at - 2].value.lower() == "server"
            role = self.name()
            action = self.need_word("add member", "drop member")
            return node("role_member", server=server, role=role, add=action.startswith("add"), member=self.name())
        if self.word("user"):
            name = self.name()
            self.need_word("with")
            options = dict(self.listed(self._principal_option))
            return node("alter_user", name=name, options=options)
        if self.word("login"):
            name = self.name()
            action = self.word("enable", "disable")
            options = {} if action else dict(self.listed(self._principal_option)) if self.word("with") else {}
            return node("alter_login", name=name, action=action, options=options)
        raise self.unexpected()

    def _principal_option(self):
        key = self.any_name().lower()
        self.need_op("=")
        if self.token.kind == "binary":
            value = self.take().value
        elif self.token.kind == "string":
            value = self.string()
        else:
            value = self.any_name()
        self.word("must_change")
        return key, value

    def _create_principal(self):
        if self.word("login"):
            name = self.name()
            windows = bool(self.word("from windows"))
            options = dict(self.listed(self._principal_option)) if self.word("with") else {}
            return node("create_login", name=name, windows=windows, options=options)
        if self.word("user"):
            name = self.name()
            login = name
            if self.word("for login", "from login"):
                login = self.name()
            elif self.word("without login"):
                login = None
            options = dict(self.listed(self._principal_option)) if self.word("with") else {}
            return node("create_user", name=name, login=login, options=options)
        if self.word("role"):
            name = self.name()
            if self.word("authorization"):
                self.name()
            return node("create_role", name=name)
        if self.word("master key"):
            self.need_word("encryption by password")
            self.need_op("=")
            self.string()
            return node("create_master_key")
        raise self.unexpected()

    def _permission_statement(self, action):
        words = []
        permissions = []
        while True:
            words.append(self.any_name().upper())
            if self.is_op(",") or self.is_word("on", "to", "from"):
                permissions.append(" ".join(words))
                words = []
                if not self.op(","):
                    break
        target = None
        if self.word("on"):
            scope = self.any_name().lower() if self.is_op("::", ahead=1) else "object"
            self.op("::")
            target = (scope, self.path())
        self.need_word("to", "from")
        names = self.listed(self.name)
        self.word("with grant option", "cascade")
        return node("permission", action=action, permissions=permissions, target=target, names=names)

    def _st_grant(self):
        return self._permission_statement("grant")

    def _st_deny(self):
        return self._permission_statement("deny")

    def _st_revoke(self):
        return self._permission_statement("revoke")
