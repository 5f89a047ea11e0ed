"""The listening socket of the instance, and starting and stopping its service."""

import contextlib
import socket
import threading

from .connection import Connection


class Server:
    def __init__(self, instance, address, port):
        self.instance = instance
        self.address = address
        self.port = port
        self.connections = set()
        self.logins = []
        self._listener = None
        self.listen()

    def listen(self):
        """Takes the port; the first time the kernel chooses one when none was given."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            connection = Connection(self, sock)
            self.connections.add(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def forget(self, connection):
        self.connections.discard(connection)

    def stop(self):
        """The service stops: nobody listens, sessions end, memory is lost."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self.instance.lock:
            self.instance.stop()
        for connection in list(self.connections):
            connection.close()

    def start(self):
        with self.instance.lock:
            self.instance.start()
        self.listen()
