"""The instance: its databases, sessions, history in msdb, clock and folders, kept under one directory."""

import datetime
import os
import shutil
import threading
import time
import zoneinfo

from . import content as contents
from .database import SYSTEM, Database
from .errors import fail
from .faults import Faults
from .security import SA_SID, Login, Security, sid_of
from .sqltypes import to_datetime_ticks
from .versions import Version

COLLATION = "SQL_Latin1_General_CP1_CI_AS"


class Instance:
    """Everything behind the wire. `lock` is held while a statement runs; waiting gives it up."""

    def __init__(self, directory, settings):
        self.directory = os.path.abspath(directory)
        self.data = os.path.join(self.directory, "data")
        self.backup_folder = os.path.join(self.directory, "backup")
        for folder in (self.data, self.backup_folder):
            os.makedirs(folder, exist_ok=True)
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = Version(settings.get("version", "2019"), settings.get("edition", "express"),
                               settings.get("build"))
        self.name = settings.get("name", "SQLEXPRESS")
        self.machine = settings.get("machine", "STANDIN")
        self.collation = settings.get("collation", COLLATION)
        self.zone = zoneinfo.ZoneInfo(settings.get("timezone", "UTC"))
        self.clock_offset = 0.0
        self.security = Security()
        self.databases = {}
        self.sessions = {}
        self.ghosts = []
        self.history = {"backupset": [], "restorehistory": [], "backupmediaset": [], "backupmediafamily": []}
        self.certificates = []
        self.properties = {}  # overrides of SERVERPROPERTY
        self.configuration = {"backup compression default": 0, "max server memory (MB)": 1410,
                              "contained database authentication": 0}
        self.folders = []  # (path prefix, readable, writable)
        self.volumes = []  # [path prefix, free bytes]
        self.trace_flags = set()
        self.service_account = settings.get("service_account", "NT SERVICE\\MSSQL$" + self.name)
        self.faults = Faults(self)
        self.unknown = []  # statements that the stand-in does not know
        self.absent = []  # asked for what this version of SQL Server does not have
        self.sins = []
        self.attentions_allowed = 0
        self.journal = []  # every statement: spid, program, number of its batch, text
        self.state = "running"
        self.started = None
        self.next_database_id = 5
        password = settings.get("password", "secret")
        self.security.add(Login("sa", SA_SID, password, roles=["sysadmin"]))
        self.security.add(Login("NT AUTHORITY\\SYSTEM", sid_of("NT AUTHORITY\\SYSTEM", True), windows=True))
        self._load()
        if "master" not in self.databases:
            self._create_system()
        self.start()

    # Time

    def now(self):
        """UTC, without a zone."""
        return datetime.datetime.utcfromtimestamp(time.time() + self.clock_offset)

    def now_with_offset(self):
        return self.now().replace(tzinfo=datetime.timezone.utc).astimezone(self.zone)

    def local_now(self):
        """What GETDATE gives: local time of the machine in steps of 1/300 s."""
        return to_datetime_ticks(self.now_with_offset().replace(tzinfo=None))

    # Storage

    def _master_path(self):
        return os.path.join(self.directory, "instance.json")

    def save(self):
        text = contents.to_text({
            "version": self.version.release, "next_database_id": self.next_database_id, "history": self.history,
            "databases": [database.stored() for database in self.databases.values()],
            "logins": [login.stored() for login in self.security.logins.values()],
            "certificates": self.certificates, "configuration": self.configuration})
        with open(self._master_path() + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self._master_path() + ".new", self._master_path())

    def _load(self):
        try:
            with open(self._master_path(), encoding="utf-8") as file:
                fields = contents.from_text(file.read())
        except FileNotFoundError:
            return
        self.next_database_id = fields["next_database_id"]
        self.history = fields["history"]
        self.certificates = fields["certificates"]
        self.configuration = fields["configuration"]
        self.security.logins = {}
        for stored in fields["logins"]:
            login = Login.from_stored(stored)
            self.security.logins[login.name.casefold()] = login
        for stored in fields["databases"]:
            database = Database.from_stored(self, stored)
            self.databases[database.name.casefold()] = database

    def _create_system(self):
        for name, identifier in SYSTEM.items():
            self.create_database(name, SA_SID, identifier=identifier)

    def default_files(self, name, safe=None):
        safe = safe or "".join("_" if c in '/\\:*?"<>|\0' else c for c in name)
        return [{"id": 1, "type": 0, "name": name, "path": os.path.join(self.data, safe + ".mdf"), "pages": 1024,
                 "group": 1},
                {"id": 2, "type": 1, "name": name + "_log", "path": os.path.join(self.data, safe + "_log.ldf"),
                 "pages": 1024, "group": 0}]

    def create_database(self, name, owner_sid, files=None, identifier=None, collation=None):
        """With files of its own making; the caller has checked names and paths."""
        content = contents.new_content(self.version.database_version, self.version.compatibility,
                                       collation or self.collation, self.local_now(), owner_sid)
        if self.version.is_express and identifier is None:
            content["options"]["is_auto_close_on"] = True
        if self.version.numbers >= (16,) and identifier is None:
            content["options"]["is_query_store_on"] = True
        if identifier is None and not self.version.is_express:
            content["options"]["recovery_model"] = "FULL"
        if name == "msdb":
            content["options"]["is_broker_enabled"] = True
        database = Database(self, identifier or self.free_id(), name, content, files or self.default_files(name),
                            self.local_now())
        database.owner_sid = owner_sid
        self.databases[name.casefold()] = database
        for file in database.files:
            self.make_file(file)
        database.save()
        self.save()
        return database

    def make_file(self, file):
        if file["type"] == 2:
            os.makedirs(file["path"], exist_ok=True)
        elif file["type"] == 1 or file["id"] != 1:
            with open(file["path"], "wb") as log:
                log.write(b"StationSync stand-in: no content in this file\n")

    def free_id(self):
        taken = {database.id for database in self.databases.values()}
        return next(number for number in range(5, 32767) if number not in taken)

    # Service

    def start(self):
        """Starts the service: recovery of all databases; counters begin anew."""
        self.started = self.local_now()
        self.trace_flags = set()
        for database in self.databases.values():
            database.users, database.writer, database.committed, database.busy = [], None, None, None
            database.is_open, database.usage, database.io, database.wakes = False, {}, {}, 0
            if database.state == "RESTORING":
                continue
            if database.state in ("OFFLINE", "RECOVERY_PENDING", "SUSPECT"):
                if not database.load() and database.state == "OFFLINE":
                    continue
                if database.state != "RECOVERY_PENDING":
                    continue
            if database.name == "tempdb":
                database.content = contents.new_content(self.version.database_version, self.version.compatibility,
                                                        self.collation, self.local_now(), SA_SID)
                database.create_date = self.local_now()
            elif not database.load():
                database.state = "RECOVERY_PENDING"
                continue
            database.state = "ONLINE"
            if not database.options["is_auto_close_on"] or database.is_system:
                database.open()
        self.state = "running"
        self.save()

    def stop(self):
        """Ends all sessions; running work is cut off where it is."""
        self.state = "stopped"
        for session in list(self.sessions.values()):
            session.end("stopped")
        self.ghosts = []
        self.changed.notify_all()
        deadline = time.monotonic() + 10
        while self.sessions and time.monotonic() < deadline:
            self.changed.wait(0.1)
        for database in self.databases.values():
            if database.is_open:
                database.close()
        self.save()

    # Names and sessions

    def find(self, name):
        """A database that exists; 911 otherwise."""
        database = self.databases.get(name.casefold()) if name is not None else None
        if database is None:
            raise fail(911, name)
        return database

    def by_id(self, identifier):
        return next((d for d in self.databases.values() if d.id == identifier), None)

    def new_session_id(self):
        return next(number for number in range(51, 32767) if number not in self.sessions)

    def sessions_in(self, database, without=None):
        return [user for user in database.users if user is not without]

    def wait(self, session, until, timeout=None):
        """Waits without the lock until `until()` is true; False at the timeout. An attention or kill ends it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            session.check()
            if until():
                return True
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self.changed.wait(min(left, 1.0) if left is not None else 1.0)

    def server_name(self):
        return self.machine if self.name.upper() == "MSSQLSERVER" else f"{self.machine}\\{self.name}"

    # Folders

    def folder_error(self, path, writing):
        """The operating system error that the service account meets at a path; None when there is none."""
        for prefix, readable, writable in self.folders:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                if not readable or (writing and not writable):
                    return "5(Access is denied.)"
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            return "3(The system cannot find the path specified.)"
        if not writing and not os.path.exists(path):
            return "2(The system cannot find the file specified.)"
        if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder,
                                                os.W_OK if writing else os.R_OK):
            return "5(Access is denied.)"
        return None

    def free_bytes(self, path):
        for prefix, free in self.volumes:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return free
        folder = path
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder) or "/"
        return shutil.disk_usage(folder).free

    def mount_point(self, path):
        """Of the volume that holds a path, with a separator at its end."""
        for prefix, _free in self.volumes:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return prefix.rstrip("/") + "/"
        return "/"

    def take_space(self, path, size):
        """Bytes written on a volume whose free space the test has set."""
        for volume in self.volumes:
            if path.startswith(volume[0].rstrip("/") + "/"):
                volume[1] = max(0, volume[1] - size)
                return


class Ghost:
    """A session of another user that the test put into a database; it has no connection."""

    def __init__(self, instance, database, login, comes_back=0, program="intruder"):
        self.instance = instance
        self.login = login
        self.program = program
        self.comes_back = comes_back
        self.database = database
        self.id = instance.new_session_id()
        self.host = "OTHER"
        self.request = None
        self.transaction_begun = None
        self.connected = instance.local_now()
        self.is_ghost = True

    def enter(self):
        self.instance.sessions[self.id] = self
        self.database.enter(self)
        self.instance.ghosts.append(self)

    def end(self, _reason):
        """Killed or rolled back: leaves; may come back at once, as a program does that reconnects in a loop."""
        self.instance.sessions.pop(self.id, None)
        self.database.leave(self)
        if self in self.instance.ghosts:
            self.instance.ghosts.remove(self)
        self.instance.changed.notify_all()
