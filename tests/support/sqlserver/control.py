"""The control channel: JSON lines on a second TCP port, one request and one answer each."""

import json
import socket
import threading

from .errors import SqlError
from .instance import Ghost


class Control:
    """{"do": name, …} gives {"ok": result} or {"error": text}."""

    def __init__(self, server):
        self.server = server
        self.instance = server.instance
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            sock, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock, sock.makefile("rw", encoding="utf-8") as stream:
            for line in stream:
                request = json.loads(line)
                try:
                    method = getattr(self, "do_" + request.pop("do"))
                    answer = {"ok": method(**request)}
                except (SqlError, LookupError, ValueError, TypeError, AttributeError, OSError) as error:
                    answer = {"error": f"{type(error).__name__}: {error}"}
                stream.write(json.dumps(answer, default=str) + "\n")
                stream.flush()

    # What happened

    def do_problems(self, program=None):
        """Sins against the protocol and statements that are not known."""
        with self.instance.lock:
            def of(entries):
                return [e for e in entries if program is None or e["program"] == program]
            return {"sins": of(self.instance.sins), "unknown": of(self.instance.unknown)}

    def do_absent(self):
        with self.instance.lock:
            return list(self.instance.absent)

    def do_forgive(self):
        with self.instance.lock:
            for entries in (self.instance.sins, self.instance.unknown, self.instance.absent):
                entries.clear()

    def do_journal(self, program=None, since=0):
        with self.instance.lock:
            return [e for e in self.instance.journal[since:] if program is None or e["program"] == program]

    def do_journal_length(self):
        with self.instance.lock:
            return len(self.instance.journal)

    def do_logins(self):
        return list(self.server.logins)

    def do_sessions(self):
        with self.instance.lock:
            return [{"id": s.id, "program": s.program, "login": s.login.name, "ghost": s.is_ghost,
                     "database": s.database.name if s.database else None,
                     "command": s.request.command if s.request else None} for s in self.instance.sessions.values()]

    def do_database(self, name):
        """What the test may know of a database without waking it; None when there is none."""
        with self.instance.lock:
            database = self.instance.databases.get(name.casefold())
            if database is None:
                return None
            return {"id": database.id, "name": database.name, "state": database.state,
                    "user_access": database.user_access if database.content else None,
                    "open": database.is_open, "wakes": database.wakes, "guid": str(database.guid),
                    "files": database.files, "lsn": database.content["lsn"] if database.content else None,
                    "users": [user.id for user in database.users],
                    "family_guid": str(database.content["family_guid"]) if database.content else None,
                    "fork": str(database.content["recovery_fork"]) if database.content else None}

    def do_databases(self):
        with self.instance.lock:
            return [database.name for database in self.instance.databases.values()]

    # Faults

    def do_fault(self, **fields):
        with self.instance.lock:
            return self.instance.faults.add(fields).id

    def do_fault_state(self, id):
        with self.instance.lock:
            rule = self.instance.faults.find(id)
            return {"struck": rule.struck, "held": rule.held, "times": rule.times}

    def do_release(self, id):
        with self.instance.lock:
            self.instance.faults.find(id).released = True
            self.instance.changed.notify_all()

    def do_clear_faults(self):
        with self.instance.lock:
            self.instance.faults.clear()
            self.instance.folders, self.instance.volumes = [], []

    def do_intruder(self, database, login="sa", times=1, when="after", access=None, program="intruder"):
        """Another user takes the database as soon as it can: after its access changes, or before somebody enters."""
        with self.instance.lock:
            self.instance.faults.intruders.append({"database": database, "login": login, "times": times, "when": when,
                                                   "access": access, "program": program})

    def do_enter(self, database, login="sa", program="intruder"):
        """Another user sits in the database from now on."""
        with self.instance.lock:
            ghost = Ghost(self.instance, self.instance.find(database), self.instance.security.find(login),
                          program=program)
            ghost.database.check_access(ghost)
            ghost.enter()
            return ghost.id

    def do_end_session(self, id):
        with self.instance.lock:
            self.instance.sessions[id].end("killed")

    def do_allow_attentions(self, count):
        with self.instance.lock:
            self.instance.attentions_allowed = count

    def do_refuse_logins(self, number=18456, times=-1, program=None):
        self.instance.faults.login_refusal = {"number": number, "times": times, "program": program} if times else None

    def do_hang_up(self, at="prelogin", times=1):
        self.instance.faults.hang_up = {"at": at, "times": times}

    def do_folder(self, path, readable=True, writable=True):
        """What the service account may do in a folder."""
        with self.instance.lock:
            self.instance.folders = [f for f in self.instance.folders if f[0] != path]
            if not (readable and writable):
                self.instance.folders.append((path, readable, writable))

    def do_volume(self, path, free):
        """Free bytes on the volume of a folder; None asks the system again."""
        with self.instance.lock:
            self.instance.volumes = [v for v in self.instance.volumes if v[0] != path]
            if free is not None:
                self.instance.volumes.append([path, free])

    def do_clock(self, offset_s):
        with self.instance.lock:
            self.instance.clock_offset = offset_s

    def do_timezone(self, name):
        import zoneinfo
        with self.instance.lock:
            self.instance.zone = zoneinfo.ZoneInfo(name)

    def do_property(self, name, value):
        """Overrides SERVERPROPERTY."""
        with self.instance.lock:
            self.instance.properties[name.lower()] = value

    def do_mark(self, database, **fields):
        """Features that no statement makes: snapshots apart, e.g. replica_id, is_published, thumbprint, family_guid."""
        import uuid
        with self.instance.lock:
            entry = self.instance.find(database)
            for key, value in fields.items():
                if key in ("mirroring_guid", "replica_id"):
                    setattr(entry, key, uuid.UUID(value) if value else None)
                elif key in ("is_in_standby",):
                    setattr(entry, key, value)
                elif key == "state":
                    entry.state = value
                elif key == "thumbprint":
                    entry.content["thumbprint"] = bytes.fromhex(value)
                    entry.options["is_encrypted"] = True
                elif key in ("fulltext", "version"):
                    entry.content[key] = value
                elif key == "family_guid":
                    entry.content[key] = uuid.UUID(value)
                else:
                    entry.options[key] = value
            entry.save()
            self.instance.save()

    def do_certificate(self, name, thumbprint):
        with self.instance.lock:
            self.instance.certificates.append({"name": name, "thumbprint": bytes.fromhex(thumbprint)})

    # Service

    def do_restart(self):
        self.server.stop()
        self.server.start()

    def do_stop(self):
        self.server.stop()

    def do_start(self):
        self.server.start()

    def do_drop_connections(self):
        """The network breaks: every connection is reset."""
        for connection in list(self.server.connections):
            connection.close()
