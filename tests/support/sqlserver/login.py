"""The begin of a connection: PRELOGIN and LOGIN7."""

import struct
from types import SimpleNamespace

from . import wire
from .errors import Message, SqlError

NOT_SUPPORTED = 2  # encryption


def prelogin_answer(body, version, instance_name):
    """Options of the server in the order of the client's: version, encryption, instance, thread, MARS."""
    options = {}
    at = 0
    while at < len(body) and body[at] != 0xFF:
        token, offset, length = struct.unpack_from(">BHH", body, at)
        options[token] = body[offset:offset + length]
        at += 5
    wanted = options.get(2, b"").rstrip(b"\0").decode("ascii", "replace")
    right_instance = wanted.upper() in ("", "MSSQLSERVER", instance_name.upper())
    major, minor, build = version[:3]
    values = [(0, struct.pack(">BBHH", major, minor, build, 0)), (1, bytes([NOT_SUPPORTED])),
              (2, b"\0" if right_instance else b"\1"), (3, b""), (4, b"\0")]
    offset = 5 * len(values) + 1
    head = tail = b""
    for token, value in values:
        head += struct.pack(">BHH", token, offset, len(value))
        tail += value
        offset += len(value)
    return head + b"\xFF" + tail


def parse_login(body):
    version, packet_size = struct.unpack_from("<II", body, 4)

    def text(index):
        offset, length = struct.unpack_from("<HH", body, 36 + 4 * index)
        return body[offset:offset + 2 * length]
    password = bytes(((b ^ 0xA5) >> 4) | (((b ^ 0xA5) << 4) & 0xF0) for b in text(2))
    names = {name: text(index).decode("utf-16-le", "replace")
             for name, index in (("host", 0), ("user", 1), ("program", 3), ("server", 4), ("library", 6),
                                 ("language", 7), ("database", 8))}
    return SimpleNamespace(version=version, packet_size=packet_size, integrated=bool(body[25] & 0x80),
                           password=password.decode("utf-16-le", "replace"), **names)


def authenticate(instance, request):
    """The login that may connect; raises the refusal."""
    refusal = instance.faults.login_refusal
    if refusal and refusal["times"] and request.program == (refusal.get("program") or request.program):
        refusal["times"] -= 1
        number = refusal["number"]
        messages = [Message(number, request.user)]
        if number in (4060, 4064):
            messages = [Message(number, request.database), Message(18456, request.user)]
        raise SqlError(*messages)
    if request.integrated:
        raise SqlError(Message(18452))
    login = instance.security.find(request.user)
    if login is None or login.windows or login.password != request.password or "CONNECT SQL" in login.denied:
        raise SqlError(Message(18456, request.user))
    if login.disabled:
        raise SqlError(Message(18470, request.user))
    if login.must_change:
        raise SqlError(Message(18488, request.user))
    return login


def first_tokens(session, request, packet_size):
    """What follows an accepted login: environment, messages, acknowledgement."""
    server = session.instance.server_name()
    language = "us_english"
    return wire.environment_token(1, session.database.name, "master") + \
        wire.message_token(Message(5701, session.database.name, state=2), server) + \
        wire.environment_token(7, wire.COLLATION, b"") + wire.environment_token(2, language, "") + \
        wire.message_token(Message(5703, language), server) + \
        wire.login_ack(session.instance.version.numbers) + \
        wire.environment_token(4, str(packet_size), "4096") + wire.done_token(wire.DONE, 0)
