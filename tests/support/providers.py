"""Sections of project files, and files of what they keep in step."""

import json
import os

from sql_servers import SECRET as SQL_SECRET


def files_provider(station, name="recipes", folder="recipes", settle="200ms", scan="2s", extra=""):
    """A section of a project file for plugin filesync; makes the folder."""
    root = station.data / folder
    root.mkdir(parents=True, exist_ok=True)
    return (f'[providers.{name}]\nplugin = "filesync"\nsettle = "{settle}"\nscan_interval = "{scan}"\n'
            f'root = {json.dumps(str(root))}\n{extra}\n')


def sqlite_provider(station, name="batchdb", files=("batch.db",), settle="200ms", scan="2s", extra=""):
    """A section of a project file for plugin sqlite; the databases lie in the folder `db`."""
    folder = station.data / "db"
    folder.mkdir(parents=True, exist_ok=True)
    paths = json.dumps([str(folder / file) for file in files])
    return (f'[providers.{name}]\nplugin = "sqlite"\nsettle = "{settle}"\nscan_interval = "{scan}"\n'
            f'files = {paths}\n{extra}\n')


def sqlserver_provider(server, name="batchdb", databases=("plant",), settle="2s", scan="2s", extra=""):
    """A section of a project file for plugin sqlserver; `server` is one of sql_servers.py."""
    password = f'password = {{ secret = "{SQL_SECRET}" }}\n' if server.password else ""
    lines = "\n".join(server.lines)
    return (f'[providers.{name}]\nplugin = "sqlserver"\nsettle = "{settle}"\nscan_interval = "{scan}"\n'
            f'poll_seconds = 1\ndatabases = {json.dumps(list(databases), ensure_ascii=False)}\n{lines}\n'
            f'{password}{extra}\n')


def put(path, content):
    """Writes a file of a station's data at once: half of it, seen on a slow machine, would be a state of its own."""
    aside = next(folder for folder in path.parents if folder.name == "data").parent / "being-written"
    aside.write_bytes(content)
    os.replace(aside, path)
