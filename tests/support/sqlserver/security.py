"""Logins, server roles and permissions, and what they allow inside a database."""

import hashlib

from . import content as contents

SERVER_ROLES = ["sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator",
                "bulkadmin"]
SA_SID = b"\x01"
# What each server role gives, as far as the statements of the stand-in need it
ROLE_GIVES = {"dbcreator": {"CREATE ANY DATABASE", "CREATE DATABASE", "ALTER ANY DATABASE"},
              "processadmin": {"ALTER ANY CONNECTION", "VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE"},
              "serveradmin": {"SHUTDOWN", "VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE"},
              "securityadmin": {"ALTER ANY LOGIN"}}
IMPLIED = {"CONTROL SERVER": {"*"},
           "VIEW SERVER STATE": {"VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE",
                                 "VIEW ANY DATABASE STATE"},
           "ALTER ANY DATABASE": {"CREATE ANY DATABASE", "CREATE DATABASE", "VIEW ANY DATABASE"},
           "CREATE ANY DATABASE": {"CREATE DATABASE"},
           "VIEW ANY DEFINITION": {"VIEW ANY DATABASE"},
           "ALTER SERVER STATE": {"VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE"}}
DB_ROLE_GIVES = {"db_backupoperator": {"BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"},
                 "db_datareader": {"SELECT"}, "db_datawriter": {"INSERT", "UPDATE", "DELETE"},
                 "db_ddladmin": {"ALTER", "VIEW DEFINITION", "CREATE TABLE"}}
DB_IMPLIED = {"CONTROL": {"*"}, "ALTER": {"VIEW DEFINITION"}}


class Login:
    def __init__(self, name, sid, password=None, windows=False, roles=()):
        self.name = name
        self.sid = sid
        self.password = password
        self.windows = windows
        self.roles = set(roles)
        self.granted = {"CONNECT SQL"}
        self.denied = set()
        self.impersonates = set()  # SIDs of other logins
        self.disabled = False
        self.must_change = False
        self.default_database = "master"
        self.principal_id = 0

    def stored(self):
        return dict(vars(self))

    @classmethod
    def from_stored(cls, fields):
        login = cls(fields["name"], fields["sid"])
        vars(login).update(fields)
        return login

    def may_impersonate(self, other):
        return self.is_sysadmin or other is self or other.sid in self.impersonates

    @property
    def is_sysadmin(self):
        return "sysadmin" in self.roles

    def has(self, permission):
        if self.is_sysadmin:
            return True
        given = set(self.granted) | {"VIEW ANY DATABASE"}
        for role in self.roles:
            given |= ROLE_GIVES.get(role, set())
        given -= self.denied
        for name in list(given):
            given |= IMPLIED.get(name, set())
        return permission not in self.denied and (permission in given or "*" in given)


def sid_of(name, windows):
    digest = hashlib.sha256(name.casefold().encode()).digest()
    return b"\x01\x05\0\0\0\0\0\x05\x15\0\0\0" + digest[:16] if windows else digest[:16]


class Security:
    def __init__(self):
        self.logins = {}

    def add(self, login):
        login.principal_id = 1 if login.sid == SA_SID else 259 + len(self.logins)
        self.logins[login.name.casefold()] = login
        return login

    def find(self, name):
        return self.logins.get(name.casefold())

    def by_sid(self, sid):
        return next((login for login in self.logins.values() if login.sid == sid), None)

    # Inside a database

    def user_of(self, login, database):
        """The principal that a login is in a database; None when it may not enter."""
        content = database.content
        if content is None:
            return None
        if login.is_sysadmin or database.owner_sid == login.sid:
            return contents.find_principal(content, "dbo")
        own = next((p for p in content["principals"] if p["sid"] == login.sid), None)
        if own:
            return own
        if database.is_system or login.has("CONNECT ANY DATABASE"):
            return contents.find_principal(content, "guest")
        return None

    def may_enter(self, login, database):
        return self.user_of(login, database) is not None

    def roles_of(self, principal, content):
        """Names of the roles, also those that come by way of other roles."""
        found, todo = set(), [principal["id"]]
        while todo:
            member = todo.pop()
            for role, inside in content["members"]:
                if inside == member and role not in found:
                    found.add(role)
                    todo.append(role)
        return {p["name"] for p in content["principals"] if p["id"] in found}

    def is_owner(self, login, database):
        principal = self.user_of(login, database)
        return bool(principal) and (principal["id"] == 1 or "db_owner" in self.roles_of(principal, database.content))

    def is_privileged(self, login, database):
        """Who may use a database in RESTRICTED_USER."""
        return "dbcreator" in login.roles or self.is_owner(login, database)

    def has_in(self, login, database, permission, object_id=0):
        """A permission on the database, or on one object of it."""
        if self.is_owner(login, database):
            return True
        principal = self.user_of(login, database)
        if principal is None:
            return False
        content = database.content
        roles = self.roles_of(principal, content)
        given = {"CONNECT"}
        for role in roles:
            given |= DB_ROLE_GIVES.get(role, set())
        holders = {principal["id"], 0} | {p["id"] for p in content["principals"] if p["name"] in roles}
        denied = set()
        for entry in content["permissions"]:
            if entry["grantee"] in holders and entry["object"] in (0, object_id):
                (given if entry["state"] == "G" else denied).add(entry["permission"])
        if login.has("VIEW ANY DEFINITION"):
            given.add("VIEW DEFINITION")
        if login.has("VIEW SERVER STATE") or login.has("VIEW SERVER PERFORMANCE STATE"):
            given |= {"VIEW DATABASE STATE", "VIEW DATABASE PERFORMANCE STATE"}
        if "VIEW DATABASE STATE" in given:
            given.add("VIEW DATABASE PERFORMANCE STATE")
        for name in list(given):
            given |= DB_IMPLIED.get(name, set())
        return permission not in denied and (permission in given or "*" in given)

    def may_restore(self, login, database):
        """RESTORE of an existing database: sysadmin, dbcreator or the owner itself (dbo), not db_owner members."""
        return login.is_sysadmin or login.has("CREATE ANY DATABASE") or database.owner_sid == login.sid

    def may_alter(self, login, database):
        if login.has("ALTER ANY DATABASE"):
            return True
        return database.content is not None and (self.is_owner(login, database) or
                                                 self.has_in(login, database, "ALTER"))
