"""The local API of a station, as tests ask it."""

import contextlib
import http.client
import json
import threading
import urllib.parse

from waiting import ApiError, wait_until


class StationApi:
    """The side of a Station that asks its service. Needs `root` and `namespace`."""

    def _connection(self, timeout):
        place = json.loads((self.root / "state" / "api" / "api.json").read_text())
        if self.namespace:
            return NamespaceConnection(self.namespace, place["address"], place["port"], timeout)
        return http.client.HTTPConnection(place["address"], place["port"], timeout=timeout)

    def _token(self, kind):
        return (self.root / "state" / "api" / f"{kind}.token").read_text().strip()

    def get(self, view, **parameters):
        target = "/v1/" + view
        if parameters:
            target += "?" + urllib.parse.urlencode(parameters)
        return self._exchange("GET", target, "view", None)

    def act(self, action, **arguments):
        return self._exchange("POST", "/v1/actions/" + action, "act", arguments)

    def _exchange(self, method, target, token, body):
        connection = self._connection(timeout=60)
        try:
            headers = {"Authorization": "Bearer " + self._token(token)}
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, target, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            content = json.loads(answer.read() or b"null")
            if answer.status != 200:
                raise ApiError(answer.status, content)
            return content
        finally:
            connection.close()

    def status(self):
        return self.get("status")

    def provider(self, name):
        return next(p for p in self.status()["providers"] if p["name"] == name)

    def messages(self, text=""):
        return [m for m in self.status()["messages"] if text in m["text"] + " " + m.get("remedy", "")]

    def station_list(self):
        return self.get("stations")

    def peer(self, other):
        """What this station says about another one (a Station or a name); None when unknown."""
        name = other if isinstance(other, str) else other.name
        return next((s for s in self.station_list() if s.get("name") == name), None)

    def objects(self, provider=None):
        return self.get("objects", **({"provider": provider} if provider else {}))

    def object(self, provider, key):
        return next((o for o in self.objects(provider) if o["key"] == key), None)

    def history(self, provider=None, key=None):
        parameters = {k: v for k, v in (("provider", provider), ("key", key)) if v}
        return self.get("history", **parameters)


class NamespaceConnection(http.client.HTTPConnection):
    """Connects from inside a network namespace: setns in a thread of its own, which keeps the rest out."""

    def __init__(self, namespace, host, port, timeout):
        super().__init__(host, port, timeout=timeout)
        self._namespace = namespace

    def connect(self):
        failure = []

        def enter_and_connect():
            try:
                import ctypes
                with open(f"/run/netns/{self._namespace}") as handle:
                    if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                http.client.HTTPConnection.connect(self)
            except OSError as error:
                failure.append(error)

        thread = threading.Thread(target=enter_and_connect)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]


class EventStream:
    """Reads GET /v1/events of a station in the background."""

    def __init__(self, station, view="events"):
        self.events = []
        self._connection = station._connection(timeout=None)
        self._connection.request("GET", "/v1/" + view,
                                 headers={"Authorization": "Bearer " + station._token("view")})
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise ApiError(self._answer.status, {})
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        kind, data = "", ""
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException, AttributeError):
            for raw in self._answer:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    self.events.append((kind, json.loads(data)))
                    kind, data = "", ""

    def wait(self, kind, test=lambda event: True, timeout=None):
        return wait_until(lambda: [e for k, e in self.events if k == kind and test(e)],
                          f"event '{kind}'", timeout)[0]

    def close(self):
        self._connection.close()
