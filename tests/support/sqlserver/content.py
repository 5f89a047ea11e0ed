"""What is inside a database and travels in its backups: objects with rows, principals, options, LSN.

All of it is one dict of plain values, so that a file of the database and a backup are the same JSON text.
"""

import base64
import datetime
import json
import uuid
from decimal import Decimal

from .sqltypes import Type

FIXED_ROLES = ["db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin", "db_backupoperator", "db_datareader",
               "db_datawriter", "db_denydatareader", "db_denydatawriter"]
PAGE = 8192
LSN_BLOCK = 10**5
LSN_FILE = 10**15


def _to_plain(value):
    if isinstance(value, datetime.datetime):
        return {"$t": value.isoformat()}
    if isinstance(value, Decimal):
        return {"$n": str(value)}
    if isinstance(value, bytes):
        return {"$b": base64.b64encode(value).decode()}
    if isinstance(value, uuid.UUID):
        return {"$g": str(value)}
    if isinstance(value, set):
        return {"$s": sorted(value)}
    raise TypeError(type(value))


def _from_plain(fields):
    if len(fields) == 1:
        key, value = next(iter(fields.items()))
        if key == "$t":
            return datetime.datetime.fromisoformat(value)
        if key == "$n":
            return Decimal(value)
        if key == "$b":
            return base64.b64decode(value)
        if key == "$g":
            return uuid.UUID(value)
        if key == "$s":
            return {tuple(x) if isinstance(x, list) else x for x in value}
    return fields


def to_text(value):
    """JSON with a line per row and object: an unchanged table is unchanged bytes."""
    return json.dumps(value, default=_to_plain, indent=0, ensure_ascii=False)


def from_text(text):
    return json.loads(text, object_hook=_from_plain)


def new_content(version, compatibility, collation, now, owner_sid):
    """An empty database as CREATE DATABASE leaves it."""
    family = uuid.uuid4()
    principals = [
        {"id": 0, "name": "public", "type": "R", "sid": b"\x01\x05" + b"\0" * 7, "auth": 0, "owner": 1},
        {"id": 1, "name": "dbo", "type": "S", "sid": owner_sid, "auth": 1, "owner": None},
        {"id": 2, "name": "guest", "type": "S", "sid": b"\0", "auth": 0, "owner": None},
        {"id": 3, "name": "INFORMATION_SCHEMA", "type": "S", "sid": None, "auth": 0, "owner": None},
        {"id": 4, "name": "sys", "type": "S", "sid": None, "auth": 0, "owner": None}]
    principals += [{"id": 16384 + n, "name": name, "type": "R", "sid": b"\x01\x05" + bytes([9, n]), "auth": 0,
                    "owner": 1}
                   for n, name in enumerate(FIXED_ROLES)]
    for principal in principals:
        principal.update(create=now, modify=now)
    return {
        "version": version, "family_guid": family, "recovery_fork": family, "first_fork": family,
        "lsn": 34 * LSN_FILE + 200 * LSN_BLOCK + 1, "checkpoint_lsn": 34 * LSN_FILE + 160 * LSN_BLOCK + 1,
        "dbts": 2000, "next_object": 901578250, "next_principal": 5, "broker_guid": uuid.uuid4(), "created": now,
        "objects": [], "schemas": [{"id": 1, "name": "dbo", "owner": 1}], "types": [], "principals": principals,
        "members": [[16384, 1]], "permissions": [], "symmetric_keys": [], "fulltext": False,
        "filegroups": [{"id": 1, "name": "PRIMARY", "type": "FG"}], "thumbprint": None,
        "options": {
            "recovery_model": "SIMPLE", "compatibility_level": compatibility, "collation_name": collation,
            "is_auto_close_on": False, "is_auto_shrink_on": False, "is_auto_create_stats_on": True,
            "is_auto_update_stats_on": True, "is_auto_update_stats_async_on": False, "is_read_only": False,
            "is_read_committed_snapshot_on": False, "snapshot_isolation_state": False, "is_query_store_on": False,
            "is_broker_enabled": True, "is_published": False, "is_merge_published": False, "is_subscribed": False,
            "is_cdc_enabled": False, "is_distributor": False, "is_encrypted": False, "containment": 0,
            "is_ansi_null_default_on": False, "is_quoted_identifier_on": False, "page_verify": "CHECKSUM",
            "delayed_durability": "DISABLED", "user_access": "MULTI_USER"}}


def lsn_text(lsn):
    """The form of the dynamic management views: hexadecimal, in three parts."""
    return f"{lsn // LSN_FILE:08x}:{lsn % LSN_FILE // LSN_BLOCK:08x}:{lsn % LSN_BLOCK:04x}"


def copy_of(content):
    """A state to return to: rows are tuples, so that lists of them need no deep copy."""
    result = dict(content)
    for key in ("schemas", "types", "principals", "permissions", "symmetric_keys", "filegroups"):
        result[key] = [dict(entry) for entry in content[key]]
    result["members"] = [list(pair) for pair in content["members"]]
    result["options"] = dict(content["options"])
    result["objects"] = []
    for entry in content["objects"]:
        entry = dict(entry)
        for key in ("rows", "columns", "indexes"):
            if key in entry:
                entry[key] = list(entry[key])
        if "stats" in entry:
            entry["stats"] = [dict(stat) for stat in entry["stats"]]
        result["objects"].append(entry)
    return result


def restored(content):
    """After reading JSON: rows as tuples, types as types."""
    for entry in content["objects"]:
        if "rows" in entry:
            entry["rows"] = [tuple(row) for row in entry["rows"]]
            for column in entry["columns"]:
                column["type"] = Type(*column["type"])
    for entry in content["types"]:
        entry["type"] = Type(*entry["type"])
    return content


def schema_named(content, name):
    return next((s for s in content["schemas"] if s["name"].casefold() == name.casefold()), None)


def find_object(content, schema, name, types=None):
    schema_entry = schema_named(content, schema or "dbo")
    if not schema_entry:
        return None
    for entry in content["objects"]:
        if entry["schema"] == schema_entry["id"] and entry["name"].casefold() == name.casefold() and \
                (types is None or entry["type"] in types):
            return entry
    return None


def find_principal(content, name):
    return next((p for p in content["principals"] if p["name"].casefold() == name.casefold()), None)


def new_object(content, schema, name, kind, now, **more):
    content["next_object"] += 16_000_057 if content["next_object"] < 2_000_000_000 else 16
    entry = {"id": content["next_object"], "schema": schema, "name": name, "type": kind, "create": now, "modify": now}
    entry.update(more)
    content["objects"].append(entry)
    return entry


def data_pages(content):
    """Pages that the content takes, including the system tables of an empty database."""
    return 330 + sum(table_pages(entry) for entry in content["objects"] if "rows" in entry)


def table_pages(entry):
    size = 0
    for row in entry["rows"]:
        for value in row:
            size += 2 * len(value) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 8
        size += 9
    return -(-size // 8060)
