"""A database of the instance: its state, files, users and what the dynamic management views tell of it."""

import os
import uuid

from . import content as contents
from .errors import fail

STATES = {"ONLINE": 0, "RESTORING": 1, "RECOVERING": 2, "RECOVERY_PENDING": 3, "SUSPECT": 4, "EMERGENCY": 5,
          "OFFLINE": 6}
ACCESS = {"MULTI_USER": 0, "SINGLE_USER": 1, "RESTRICTED_USER": 2}
SYSTEM = {"master": 1, "tempdb": 2, "model": 3, "msdb": 4}
# Kept by the instance, not inside the database
STORED = ("id", "name", "state", "create_date", "files", "guid", "is_in_standby", "source_id", "mirroring_guid",
          "replica_id", "differential_base_lsn", "differential_base_guid", "last_full_lsn", "dirty", "instance_options",
          "last_good_checkdb", "owner_sid")


class Database:
    def __init__(self, instance, identifier, name, content, files, create_date):
        self.instance = instance
        self.id = identifier
        self.name = name
        self.content = content
        self.files = files  # dicts: id, type (0 rows, 1 log, 2 filestream), name, path, pages, group
        self.create_date = create_date
        self.guid = uuid.uuid4()
        self.state = "ONLINE"
        self.is_in_standby = False
        self.source_id = None
        self.mirroring_guid = None
        self.replica_id = None
        self.differential_base_lsn = None
        self.differential_base_guid = None
        self.last_full_lsn = 0
        self.dirty = 0  # extents changed since the last full backup
        self.last_good_checkdb = None
        self.owner_sid = None
        self.pending = None  # content restored WITH NORECOVERY
        # Not taken from a backup: a restored database comes up without them
        self.instance_options = {"is_trustworthy_on": False, "is_db_chaining_on": False}
        # What a stop of the service or AUTO_CLOSE loses
        self.is_open = False
        self.wakes = 0
        self.usage = {}
        self.io = {}
        self.memory_attempts = {}  # id of a memory-optimized table: rows inserted, updated, deleted
        self.open_since = None
        # Users and work under way
        self.users = []
        self.writer = None
        self.write_begun = None
        self.committed = None
        self.busy = None  # 'BACKUP' or 'RESTORE'
        self.log_records = []

    @property
    def options(self):
        return self.content["options"]

    @property
    def user_access(self):
        return self.options["user_access"]

    @property
    def is_system(self):
        return self.id <= 4

    def stored(self):
        return {key: getattr(self, key) for key in STORED}

    @classmethod
    def from_stored(cls, instance, fields):
        database = cls(instance, fields["id"], fields["name"], None, fields["files"], fields["create_date"])
        for key in STORED:
            setattr(database, key, fields[key])
        return database

    # Files

    def primary_path(self):
        return next(file["path"] for file in self.files if file["type"] == 0)

    def log_files(self):
        return [file for file in self.files if file["type"] == 1]

    def save(self):
        if self.content is None or self.source_id is not None or self.state not in ("ONLINE", "OFFLINE", "EMERGENCY"):
            return
        self.grow()
        path = self.primary_path()
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(contents.to_text(self.committed or self.content))
        os.replace(path + ".new", path)

    def load(self):
        """Reads the content; the state tells when that does not work."""
        try:
            with open(self.primary_path(), encoding="utf-8") as file:
                self.content = contents.restored(contents.from_text(file.read()))
            missing = [f for f in self.files if f["type"] != 2 and not os.path.exists(f["path"])]
            return not missing
        except (OSError, ValueError, KeyError):
            return False

    def grow(self):
        """Files grow by 8 MB steps when the content needs it."""
        needed = contents.data_pages(self.committed or self.content)
        rows = [file for file in self.files if file["type"] == 0]
        while sum(file["pages"] for file in rows) < needed:
            rows[-1]["pages"] += max(1024, needed // 16)

    # Opening and closing

    def open(self):
        if self.is_open or self.state not in ("ONLINE", "EMERGENCY"):
            return
        self.is_open = True
        self.open_since = self.instance.now()
        self.usage, self.io, self.memory_attempts, self.log_records = {}, {}, {}, []
        if self.options["is_auto_close_on"]:
            self.wakes += 1
        if not self.options["is_read_only"]:
            self.log(3, "LOP_BEGIN_CKPT")

    def close(self):
        if self.is_open and not self.options["is_read_only"]:
            self.checkpoint()
        self.is_open = False
        self.usage, self.io, self.memory_attempts, self.log_records = {}, {}, {}, []
        self.save()

    def close_when_unused(self):
        if self.is_open and not self.users and not self.busy and self.options["is_auto_close_on"] and \
                self.state == "ONLINE" and not self.is_system:
            self.close()

    # Log and counters

    def log(self, records, operation="LOP_MODIFY_ROW", flush=True):
        """Writes log records; `flush` as a commit does it (delayed durability does not)."""
        self.content["lsn"] += (8 * records // 8 + 7) * contents.LSN_BLOCK
        self.log_records.append((self.content["lsn"], operation, self.instance.local_now()))
        if flush and self.options["delayed_durability"] != "FORCED":
            for file in self.log_files()[:1]:
                self.count_io(file["id"], 512 * (1 + records))

    def count_io(self, file_id, size):
        counters = self.io.setdefault(file_id, [0, 0])
        counters[0] += 1
        counters[1] += size

    def checkpoint(self):
        if self.options["is_read_only"]:
            return
        self.log(2, "LOP_END_CKPT")
        self.content["checkpoint_lsn"] = self.content["lsn"]
        if self.options["recovery_model"] == "SIMPLE":
            self.log_records = self.log_records[-1:]
        for file in self.files:
            if file["type"] == 0:
                self.count_io(file["id"], 8192)

    def count_update(self, table, rows, operation):
        """One INSERT, UPDATE, DELETE or MERGE, also when it hits no row."""
        if not table.get("memory_optimized"):
            for index in table["indexes"]:
                usage = self._usage(table, index["id"])
                usage["user_updates"] += 1
                usage["last_user_update"] = self.instance.local_now()
        else:
            attempts = self.memory_attempts.setdefault(table["id"], [0, 0, 0])
            attempts[{"LOP_INSERT_ROWS": 0, "LOP_DELETE_ROWS": 2}.get(operation, 1)] += rows
        for stat in table["stats"]:
            stat["modifications"] += rows
        self.content["dbts"] += rows
        self.dirty += -(-rows // 64)
        if rows:
            self.log(rows + 2, operation)

    def count_scan(self, table):
        if not table.get("memory_optimized"):
            usage = self._usage(table, table["indexes"][0]["id"])
            usage["user_scans"] += 1
            usage["last_user_scan"] = self.instance.local_now()

    def _usage(self, table, index):
        return self.usage.setdefault((table["id"], index), {
            "user_seeks": 0, "user_scans": 0, "user_lookups": 0, "user_updates": 0, "last_user_seek": None,
            "last_user_scan": None, "last_user_lookup": None, "last_user_update": None})

    def modified_extents(self):
        return 4 + len([f for f in self.files if f["type"] == 0]) - 1 + self.dirty

    # Access

    def check_state(self):
        """Raises why the database cannot be entered, whoever asks."""
        number = {"RESTORING": 927, "OFFLINE": 942, "RECOVERING": 922, "RECOVERY_PENDING": 945,
                  "SUSPECT": 926}.get(self.state)
        if number:
            raise fail(number, self.name)

    def check_access(self, session):
        """Raises why this session cannot use the database."""
        self.check_state()
        security = self.instance.security
        if not security.may_enter(session.login, self):
            raise fail(916, session.login.name, self.name)
        others = [user for user in self.users if user is not session]
        if self.user_access == "SINGLE_USER" and others:
            raise fail(924, self.name)
        if self.user_access == "RESTRICTED_USER" and not security.is_privileged(session.login, self):
            raise fail(923, self.name)

    def enter(self, session):
        if session not in self.users:
            self.users.append(session)
        self.open()

    def leave(self, session):
        if session in self.users:
            self.users.remove(session)
        self.close_when_unused()
