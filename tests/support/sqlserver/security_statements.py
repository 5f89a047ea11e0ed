"""Logins, users, roles and permissions."""

from . import content as contents
from .errors import fail
from .security import SERVER_ROLES, Login, sid_of
from .tables import Entered


class SecurityStatements:
    def _need(self, permission):
        if not self.session.login.has(permission):
            raise fail(15247)

    def do_create_login(self, statement):
        self._need("ALTER ANY LOGIN")
        security = self.instance.security
        if security.find(statement.name):
            raise fail(15025, statement.name)
        options = statement.options
        sid = options.get("sid") or sid_of(statement.name, statement.windows)
        login = security.add(Login(statement.name, sid, options.get("password"), statement.windows))
        login.default_database = options.get("default_database", "master")
        self.instance.save()

    def _login(self, name, verb="alter"):
        login = self.instance.security.find(name)
        if login is None:
            raise fail(15151, verb, "login", name)
        return login

    def do_alter_login(self, statement):
        self._need("ALTER ANY LOGIN")
        login = self._login(statement.name)
        if statement.action:
            login.disabled = statement.action == "disable"
        login.password = statement.options.get("password", login.password)
        login.default_database = statement.options.get("default_database", login.default_database)
        self.instance.save()

    def do_drop_principal(self, statement):
        if statement.type == "login":
            self._need("ALTER ANY LOGIN")
            login = self.instance.security.find(statement.name)
            if login is None:
                raise fail(15151, "drop", "login", statement.name)
            del self.instance.security.logins[login.name.casefold()]
            self.instance.save()
            return

        def body(content):
            if statement.type == "schema":
                entry = contents.schema_named(content, statement.name)
                where = content["schemas"]
            else:
                entry = contents.find_principal(content, statement.name)
                where = content["principals"]
            if entry is None:
                if statement.lenient:
                    return
                raise fail(15151, "drop", statement.type, statement.name)
            where.remove(entry)
            if where is content["principals"]:
                content["members"] = [pair for pair in content["members"] if entry["id"] not in pair]
                content["permissions"] = [p for p in content["permissions"] if p["grantee"] != entry["id"]]
        self._change_principals(body)

    def _change_principals(self, body):
        """Needs db_owner (or ALTER ANY USER, which the stand-in does not tell apart)."""
        database = self.session.database
        if not self.instance.security.is_owner(self.session.login, database):
            raise fail(15247)
        with Entered(database):
            self.session.begin_write(database)
            try:
                body(database.content)
            finally:
                self.session.end_write()
            database.dirty += 1
            database.log(4)
            database.save()

    def do_create_user(self, statement):
        login = self._login(statement.login, "find") if statement.login else None

        def body(content):
            if contents.find_principal(content, statement.name):
                raise fail(15023, statement.name)
            if login and any(p["sid"] == login.sid for p in content["principals"]):
                raise fail(15063, text="The login already has an account under a different user name.")
            self._new_principal(content, statement.name, "U" if login and login.windows else "S",
                                login.sid if login else sid_of("user " + statement.name, True),
                                3 if login and login.windows else 1 if login else 0)
        self._change_principals(body)

    def _new_principal(self, content, name, kind, sid, authentication):
        now = self.instance.local_now()
        content["principals"].append({"id": content["next_principal"], "name": name, "type": kind, "sid": sid,
                                      "auth": authentication, "owner": 1 if kind == "R" else None, "create": now,
                                      "modify": now})
        content["next_principal"] += 1

    def do_create_role(self, statement):
        def body(content):
            if contents.find_principal(content, statement.name):
                raise fail(15023, statement.name)
            self._new_principal(content, statement.name, "R", sid_of("role " + statement.name, True), 0)
        self._change_principals(body)

    def do_alter_user(self, statement):
        def body(content):
            user = contents.find_principal(content, statement.name)
            if user is None:
                raise fail(15151, "alter", "user", statement.name)
            if "login" in statement.options:
                login = self._login(statement.options["login"], "find")
                if any(p["sid"] == login.sid and p is not user for p in content["principals"]):
                    raise fail(15063, text="The login already has an account under a different user name.")
                user["sid"] = login.sid
            if "name" in statement.options:
                user["name"] = statement.options["name"]
            user["modify"] = self.instance.local_now()
        self._change_principals(body)

    def do_role_member(self, statement):
        if statement.server:
            self._need("CONTROL SERVER")
            login = self._login(statement.member, "add")
            role = statement.role.lower()
            if role not in SERVER_ROLES:
                raise fail(15151, "alter", "server role", statement.role)
            (login.roles.add if statement.add else login.roles.discard)(role)
            self.instance.save()
            return

        def body(content):
            role = contents.find_principal(content, statement.role)
            member = contents.find_principal(content, statement.member)
            if role is None or role["type"] != "R":
                raise fail(15151, "alter", "role", statement.role)
            if member is None:
                raise fail(15151, "add", "principal", statement.member)
            pair = [role["id"], member["id"]]
            content["members"] = [p for p in content["members"] if p != pair] + ([pair] if statement.add else [])
        self._change_principals(body)

    def do_permission(self, statement):
        scope, path = statement.target or (None, None)
        security = self.instance.security
        database = self.session.database
        if scope == "login":
            self._permission_on_login(statement, self._login(path[-1], "find"))
            return
        server_wide = scope is None and all(
            p.startswith(("VIEW SERVER", "VIEW ANY", "CREATE ANY", "ALTER ANY", "CONNECT ANY", "CONNECT SQL",
                          "CONTROL SERVER", "ALTER SERVER")) for p in statement.permissions)
        if server_wide:
            self._need("CONTROL SERVER")
            for name in statement.names:
                login = self._login(name, "find")
                for permission in statement.permissions:
                    self._grant_to_login(login, statement.action, permission)
            self.instance.save()
            return

        def body(content):
            object_id = 0
            if scope == "object":
                where = contents.find_object(content, path[-2] if len(path) > 1 else "dbo", path[-1])
                if where is None:
                    raise fail(15151, "find", "object", path[-1])
                object_id = where["id"]
            for name in statement.names:
                principal = contents.find_principal(content, name)
                if principal is None:
                    raise fail(15151, "find", "user", name)
                for permission in statement.permissions:
                    content["permissions"] = [
                        p for p in content["permissions"]
                        if (p["grantee"], p["permission"], p["object"]) != (principal["id"], permission, object_id)]
                    if statement.action != "revoke":
                        content["permissions"].append({"grantee": principal["id"], "permission": permission,
                                                       "object": object_id, "state":
                                                       "G" if statement.action == "grant" else "D"})
        del security, database
        self._change_principals(body)

    def _permission_on_login(self, statement, owner):
        self._need("CONTROL SERVER")
        if statement.permissions != ["IMPERSONATE"] or statement.action == "deny":
            raise fail(102, " ".join(statement.permissions))
        for name in statement.names:
            login = self._login(name, "find")
            (login.impersonates.add if statement.action == "grant" else login.impersonates.discard)(owner.sid)
        self.instance.save()

    def do_execute_as(self, statement):
        login = self.instance.security.find(statement.login)
        if login is None or not self.session.login.may_impersonate(login):
            raise fail(15406, statement.login)
        self.session.logins_before.append(self.session.login)
        self.session.login = login

    def do_revert(self, _statement):
        if self.session.logins_before:
            self.session.login = self.session.logins_before.pop()

    def _grant_to_login(self, login, action, permission):
        if not self.instance.version.has(permission):
            raise fail(102, permission)
        login.granted.discard(permission)
        login.denied.discard(permission)
        if action == "grant":
            login.granted.add(permission)
        elif action == "deny":
            login.denied.add(permission)

    def do_create_master_key(self, _statement):
        self._change_principals(lambda content: content["symmetric_keys"].append({"name": "##MS_DatabaseMasterKey##"}))
