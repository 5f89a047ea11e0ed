"""One client connection: reads its messages beside the running statement, so that an attention is seen at any time."""

import contextlib
import queue
import socket
import struct
import threading
import traceback

from . import login, wire
from .batch import Batch
from .errors import Interrupted, Message, SessionEnded, SqlError, fail
from .session import Session

_END = object()


class Reply:
    """The tokens of one response. The last DONE is held back until it is known whether more follows."""

    def __init__(self, sock, packet_size, server_name, in_procedure=False):
        self._socket = sock
        self._size = packet_size
        self._server = server_name
        self._done_kind = wire.DONE_IN_PROCEDURE if in_procedure else wire.DONE
        self._buffer = b""
        self._number = 1
        self._held = None
        self.had_error = False

    def _put(self, raw):
        if self._held is not None:
            status, count = self._held
            self._held = None
            self._buffer += wire.done_token(self._done_kind, status | wire.MORE, count)
        self._buffer += raw
        if len(self._buffer) > 1 << 16:
            self.flush()

    def message(self, message):
        self.had_error = self.had_error or message.severity > 10
        self._put(wire.message_token(message, self._server))

    def environment(self, kind, new, old):
        self._put(wire.environment_token(kind, new, old))

    def rows(self, rowset):
        self._put(wire.column_metadata(rowset.columns))
        for row in rowset.rows:
            self._put(wire.row_token(rowset.columns, row))

    def output(self, ordinal, name, kind, value):
        self._put(b"\xAC" + struct.pack("<H", ordinal) + wire.b_varchar(name) + b"\x01" + struct.pack("<IH", 0, 1) +
                  wire.type_info(kind) + wire.encode(kind, value))

    def done(self, count=None, error=False):
        self._put(b"")
        self._held = ((wire.COUNT if count is not None else 0) | (wire.ERROR if error else 0), count or 0)

    def flush(self):
        """Sends what there is, as the server does with progress messages."""
        full, self._number = wire.packets(self._buffer, self._size, self._number, last=False)
        self._buffer = b""
        wire.send(self._socket, full)

    def finish(self, return_status=None, acknowledge=False):
        if return_status is not None:
            self._put(b"\x79" + struct.pack("<i", return_status))
            self._buffer += wire.done_token(wire.DONE_PROCEDURE, wire.ERROR if self.had_error else 0)
        elif self._held is not None:
            status, count = self._held
            self._held = None
            self._buffer += wire.done_token(wire.DONE, status, count)
        elif not acknowledge:
            self._buffer += wire.done_token(wire.DONE, 0)
        if acknowledge:
            self._buffer += wire.done_token(wire.DONE, wire.ATTENTION_ACK)
        raw, self._number = wire.packets(self._buffer, self._size, self._number)
        self._buffer = b""
        wire.send(self._socket, raw)


class Connection:
    def __init__(self, server, sock):
        self.instance = server.instance
        self.server = server
        self.socket = sock
        self.session = None
        self.packet_size = 4096
        self.messages = queue.Queue()
        self.reply = None
        self.prepared = {}
        self.program = ""

    def run(self):
        try:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._log_in():
                threading.Thread(target=self._read, daemon=True).start()
                self._serve()
        except wire.Closed:
            pass
        except Exception:
            self._note_failure()
        finally:
            with self.instance.lock:
                if self.session:
                    self.session.leave()
            self.close()
            self.server.forget(self)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _note_failure(self):
        """What the stand-in gets wrong looks like a broken network to the client: the test has to fail."""
        with self.instance.lock:
            self.instance.unknown.append({"program": self.program, "text": "the stand-in fails",
                                          "why": traceback.format_exc()})

    def wake(self):
        """The session was ended from outside: an idle connection closes at once."""
        self.messages.put(_END)

    # Login

    def _hang_up(self, place):
        rule = self.instance.faults.hang_up
        if rule and rule["at"] == place and rule["times"]:
            rule["times"] -= 1
            return True
        return False

    def _log_in(self):
        kind, body, _ = wire.read_message(self.socket)
        if kind == wire.TDS5_LOGIN:
            self._sin("login of TDS 5.0, packet type 0x02, with the password in clear")
            return False
        if kind != wire.PRELOGIN:
            self._sin(f"first packet of type {kind:#04x}")
            return False
        if self._hang_up("prelogin"):
            return False
        answer = login.prelogin_answer(body, self.instance.version.numbers, self.instance.name)
        wire.send(self.socket, wire.packets(answer, 4096)[0])
        kind, body, _ = wire.read_message(self.socket)
        if kind != wire.LOGIN7:
            return False  # a client that requires encryption gives up, or starts TLS
        if self._hang_up("login"):
            return False
        request = login.parse_login(body)
        self.program = request.program
        if 512 <= request.packet_size <= 32767:
            self.packet_size = request.packet_size
        with self.instance.lock:
            try:
                self._accept(request)
            except SqlError as error:
                self._refuse(request, error)
                return False
        return True

    def _accept(self, request):
        account = login.authenticate(self.instance, request)
        self.session = Session(self.instance, self, account, request.program, request.host)
        self.session.register()
        name = request.database or account.default_database
        try:
            self.session.use(name)
        except SqlError as error:
            self.session.leave()
            self.session = None
            number = 4060 if request.database else 4064
            raise SqlError(Message(number, name), Message(18456, request.user)) from error
        self.server.logins.append({"user": request.user, "program": request.program, "accepted": True})
        wire.send(self.socket, wire.packets(login.first_tokens(self.session, request, self.packet_size), 4096)[0])

    def _refuse(self, request, error):
        self.server.logins.append({"user": request.user, "program": request.program, "accepted": False,
                                   "number": error.number})
        raw = b"".join(wire.message_token(message, self.instance.server_name()) for message in error.messages)
        wire.send(self.socket, wire.packets(raw + wire.done_token(wire.DONE, wire.ERROR), 4096)[0])

    def _sin(self, text):
        with self.instance.lock:
            self.instance.sins.append({"program": self.program, "text": text})

    # Messages

    def _read(self):
        try:
            while True:
                kind, body, status = wire.read_message(self.socket)
                if kind == wire.ATTENTION:
                    with self.instance.lock:
                        self._attention()
                self.messages.put((kind, body, status))
        except wire.Closed:
            pass
        except Exception:
            self._note_failure()
        with self.instance.lock:
            self.session.end("gone")

    def _attention(self):
        if self.instance.attentions_allowed > 0:
            self.instance.attentions_allowed -= 1
        else:
            self.instance.sins.append({"program": self.program,
                                       "text": "attention without a cancel that was announced"})
        self.session.attention = True
        self.instance.changed.notify_all()

    def _serve(self):
        while True:
            item = self.messages.get()
            if item is _END or self.session.ended:
                return
            kind, body, status = item
            self.reply = Reply(self.socket, self.packet_size, self.instance.server_name(), kind == wire.RPC)
            if kind == wire.ATTENTION:
                self.session.attention = False
                self.reply.finish(acknowledge=True)
                continue
            try:
                with self.instance.lock:
                    self._handle(kind, body)
            except Interrupted:
                self.reply.flush()  # the acknowledgement follows, when the attention is taken from the queue
                self._acknowledge()
            except SessionEnded as ended:
                if ended.reason == "killed":
                    self.reply.message(Message(596))
                    self.reply.finish()
                elif ended.reason == "stopped":
                    self.reply.message(Message(6005))
                    self.reply.flush()  # the response has no end
                return

    def _acknowledge(self):
        """The response of the interrupted statement ends with the acknowledgement of the attention."""
        kept = []
        while True:
            item = self.messages.get()
            if item is _END:
                self.messages.put(_END)
                return
            if item[0] == wire.ATTENTION:
                break
            kept.append(item)
        for item in kept:
            self.messages.put(item)
        self.session.attention = False
        with self.instance.lock:
            if self.session.options["xact_abort"] == "on":
                self.session.rollback()
        self.reply.finish(acknowledge=True)

    def _handle(self, kind, body):
        if kind == wire.BATCH:
            headers = struct.unpack_from("<I", body)[0]
            text = body[headers:].decode("utf-16-le", "surrogatepass")
            Batch(self.session, self.reply).run(text)
            self.reply.finish()
        elif kind == wire.RPC:
            self._procedure(body)
        elif kind == wire.MANAGER:
            self._transaction(body)
        else:
            self.instance.unknown.append({"program": self.program, "text": f"packet of type {kind:#04x}"})
            raise wire.Closed()

    def empty_results(self, count):
        for _ in range(count):
            self.reply.done(0)

    # Transaction manager requests: what a driver sends when autocommit is switched off

    def _transaction(self, body):
        self.instance.sins.append({"program": self.program,
                                   "text": "transaction manager request 0x0E: autocommit is off"})
        headers = struct.unpack_from("<I", body)[0]
        request = struct.unpack_from("<H", body, headers)[0]
        session = self.session
        descriptor = struct.pack("<Q", session.id)
        if request == 5:
            session.begin(by_manager=True)
            self.reply.environment(8, descriptor, b"")
        elif request in (7, 8):
            if request == 7 and session.transactions:
                session.transactions = 1
                session.commit()
            else:
                session.rollback()
            self.reply.environment(9 if request == 7 else 10, b"", descriptor)
            if body[-1] & 1 or (len(body) > headers + 3 and body[headers + 3] & 1):
                session.begin(by_manager=True)
                self.reply.environment(8, descriptor, b"")
        self.reply.done()
        self.reply.finish()

    # Remote procedure calls

    def _procedure(self, body):
        reader = wire.Parameters(body, struct.unpack_from("<I", body)[0])
        length = reader.take("H")
        if length == 0xFFFF:
            name = {10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec",
                    15: "sp_unprepare"}.get(reader.take("H"), "?")
        else:
            name = reader.raw(2 * length).decode("utf-16-le")
        reader.take("H")
        values = []
        while reader.at < len(body) and body[reader.at] not in (0x80, 0xFE, 0xFF):
            values.append(reader.parameter())
        method = getattr(self, "_rpc_" + name.lower(), None)
        if method is None:
            self._unknown_procedure(name, values)
        else:
            method(values)
        self.reply.finish(return_status=0)

    def _unknown_procedure(self, name, values):
        batch = Batch(self.session, self.reply)
        batch.run_procedure(name, [(parameter or None, value, False) for parameter, _, _, value in values])

    def _run(self, text, definitions, values):
        """A statement with parameters: their names come from the definition list "@P1 nvarchar(4), @P2 int"."""
        batch = Batch(self.session, self.reply)
        batch.run(text or "", batch.parameters(definitions or "", values))

    def _rpc_sp_executesql(self, values):
        definitions = values[1][3] if len(values) > 1 else ""
        self._run(values[0][3], definitions, values[2:])

    def _rpc_sp_prepexec(self, values):
        handle = len(self.prepared) + 1
        self.prepared[handle] = (values[2][3], values[1][3])
        self._run(values[2][3], values[1][3], values[3:])
        self.reply.output(0, values[0][0], wire.Type("int"), handle)

    def _rpc_sp_prepare(self, values):
        handle = len(self.prepared) + 1
        self.prepared[handle] = (values[2][3], values[1][3])
        self.reply.output(0, values[0][0], wire.Type("int"), handle)

    def _rpc_sp_execute(self, values):
        prepared = self.prepared.get(values[0][3])
        if prepared is None:
            for message in fail(8179, text=f"Could not find prepared statement with handle {values[0][3]}.").messages:
                self.reply.message(message)
            return
        self._run(*prepared, values[1:])

    def _rpc_sp_unprepare(self, values):
        self.prepared.pop(values[0][3], None)
