"""SERVERPROPERTY and DATABASEPROPERTYEX. A name that the version does not know gives NULL, as documented."""

import os


def server_property(instance, name):
    version = instance.version
    key = str(name).lower()
    if not version.has(key):
        return None
    if key in instance.properties:
        return instance.properties[key]
    values = {
        "productversion": version.product, "productmajorversion": str(version.numbers[0]),
        "productminorversion": str(version.numbers[1]), "productbuild": str(version.numbers[2]),
        "productlevel": version.level, "productupdatelevel": version.update, "productupdatereference": None,
        "edition": version.edition, "editionid": version.edition_id, "engineedition": version.engine_edition,
        "collation": instance.collation, "lcid": 1033, "codepage": 1252, "sqlcharset": 1, "sqlsortorder": 52,
        "instancename": None if instance.name.upper() == "MSSQLSERVER" else instance.name,
        "machinename": instance.machine, "servername": instance.server_name(),
        "computernamephysicalnetbios": instance.machine, "processid": os.getpid(),
        "islocaldb": int(version.edition_name == "localdb"), "isclustered": 0, "ishadrenabled": 0,
        "hadrmanagerstatus": 2, "isxtpsupported": 1 if version.numbers >= (13, 0, 4001) or
        version.edition_name in ("enterprise", "developer") else 0,
        "filestreameffectivelevel": 0, "filestreamconfiguredlevel": 0, "filestreamsharename": None,
        "isfulltextinstalled": 0, "issingleuser": 0, "isintegratedsecurityonly": 0, "isadvancedanalyticsinstalled": 0,
        "ispolybaseinstalled": 0, "instancedefaultdatapath": instance.data + "/",
        "instancedefaultlogpath": instance.data + "/", "instancedefaultbackuppath": instance.backup_folder,
        "pathseparator": "/", "resourceversion": version.product, "buildclrversion": "v4.0.30319",
        "suspendeddatabasecount": 0, "licensetype": "DISABLED"}
    return values.get(key)


def database_property(session, name, key):
    database = session.instance.databases.get(str(name).casefold())
    if database is None:
        return None
    options = database.content["options"] if database.content else {}
    known = database.state in ("ONLINE", "EMERGENCY") and (database.is_open or not options.get("is_auto_close_on"))
    values = {"status": "SUSPECT" if database.state == "RECOVERY_PENDING" else database.state,
              "useraccess": options.get("user_access", "MULTI_USER"),
              "updateability": "READ_ONLY" if options.get("is_read_only") else "READ_WRITE",
              "version": database.content["version"] if known else 0 if database.content else None,
              "collation": options.get("collation_name") if known else None,
              "recovery": options.get("recovery_model"), "isautoclose": int(options.get("is_auto_close_on", False)),
              "isinstandby": int(database.is_in_standby), "isfulltextenabled": 1, "lastgoodcheckdbtime":
              database.last_good_checkdb, "iscleanlyshutdown": int(not database.is_open),
              "ispublished": int(options.get("is_published", False)), "edition": None}
    return values.get(str(key).lower())
