"""Views of one database: objects, principals, statistics, space; and the history of backups in msdb."""

from decimal import Decimal

from . import content as contents
from . import sqltypes
from .views import MSDB, database_state, server_state, view

TYPES = {"U": "USER_TABLE", "P": "SQL_STORED_PROCEDURE", "V": "VIEW", "FN": "SQL_SCALAR_FUNCTION", "TR": "SQL_TRIGGER",
         "SO": "SEQUENCE_OBJECT", "PK": "PRIMARY_KEY_CONSTRAINT"}


def _objects(context, *types):
    """Objects of the database that this login may see; the view opens a closed database."""
    database = context.database
    database.open()
    security = context.session.instance.security
    login = context.session.login
    everything = security.has_in(login, database, "VIEW DEFINITION") or security.has_in(login, database, "SELECT")
    for entry in database.content["objects"]:
        if (not types or entry["type"] in types) and \
                (everything or security.has_in(login, database, "SELECT", entry["id"])):
            yield entry


def _object_row(entry):
    return {"name": entry["name"], "object_id": entry["id"], "principal_id": None, "schema_id": entry["schema"],
            "parent_object_id": entry.get("parent", 0), "type": entry["type"].ljust(2),
            "type_desc": TYPES[entry["type"]], "create_date": entry["create"], "modify_date": entry["modify"],
            "is_ms_shipped": False, "is_published": False, "is_schema_published": False}


_OBJECT = """name sysname, object_id int, principal_id int, schema_id int, parent_object_id int, type char(2),
    type_desc nvarchar(60), create_date datetime, modify_date datetime, is_ms_shipped bit, is_published bit,
    is_schema_published bit"""


@view("objects", _OBJECT, "database")
def objects(context):
    for entry in _objects(context):
        yield _object_row(entry)


@view("tables", _OBJECT + """, lob_data_space_id int, max_column_id_used int, is_replicated bit,
    is_memory_optimized bit,
    durability tinyint, temporal_type tinyint, is_tracked_by_cdc bit""", "database")
def tables(context):
    for entry in _objects(context, "U"):
        yield dict(_object_row(entry), lob_data_space_id=0, max_column_id_used=len(entry["columns"]),
                   is_replicated=False,
                   is_memory_optimized=bool(entry.get("memory_optimized")), durability=0, temporal_type=0,
                   is_tracked_by_cdc=False)


@view("procedures", _OBJECT, "database")
def procedures(context):
    for entry in _objects(context, "P"):
        yield _object_row(entry)


@view("sql_modules", "object_id int, definition nvarchar(max)", "database")
def sql_modules(context):
    for entry in _objects(context, "P", "V", "FN", "TR"):
        yield {"object_id": entry["id"], "definition": entry["definition"]}


@view("columns", """object_id int, name sysname, column_id int, system_type_id tinyint, max_length smallint,
    precision tinyint, scale tinyint, is_nullable bit, is_identity bit""", "database")
def columns(context):
    for entry in _objects(context, "U"):
        for number, column in enumerate(entry["columns"], 1):
            yield {"object_id": entry["id"], "name": column["name"], "column_id": number,
                   "system_type_id": sqltypes.SYSTEM_IDS[column["type"].name],
                   "max_length": column["type"].size, "precision": column["type"].precision,
                   "scale": column["type"].scale, "is_nullable": column["nullable"],
                   "is_identity": column["identity"] is not None}


@view("indexes", """object_id int, name sysname, index_id int, type tinyint, type_desc nvarchar(60), is_unique bit,
    is_primary_key bit, is_disabled bit""", "database")
def indexes(context):
    for entry in _objects(context, "U"):
        for index in entry["indexes"]:
            yield {"object_id": entry["id"], "name": index["name"], "index_id": index["id"],
                   "type": min(index["id"], 2),
                   "type_desc": ["HEAP", "CLUSTERED", "NONCLUSTERED"][min(index["id"], 2)],
                   "is_unique": index["unique"], "is_primary_key": index["id"] == 1, "is_disabled": False}


@view("stats", "object_id int, name sysname, stats_id int, auto_created bit, user_created bit", "database")
def stats(context):
    for entry in _objects(context, "U"):
        for stat in entry["stats"]:
            yield {"object_id": entry["id"], "name": stat["name"], "stats_id": stat["id"],
                   "auto_created": stat["name"].startswith("_WA"), "user_created": False}


@view("dm_db_stats_properties", """object_id int, stats_id int, last_updated datetime2, rows bigint,
    rows_sampled bigint, steps int, unfiltered_rows bigint, modification_counter bigint""", "database")
def dm_db_stats_properties(context):
    for entry in _objects(context, "U"):
        for stat in entry["stats"]:
            if [entry["id"], stat["id"]] == list(context.arguments):
                yield {"object_id": entry["id"], "stats_id": stat["id"], "last_updated": stat["updated"],
                       "rows": stat["rows"], "rows_sampled": stat["rows"], "steps": 1, "unfiltered_rows": stat["rows"],
                       "modification_counter": stat["modifications"]}


@view("dm_db_partition_stats", """partition_id bigint, object_id int, index_id int, partition_number int,
    in_row_data_page_count bigint, in_row_used_page_count bigint, in_row_reserved_page_count bigint,
    used_page_count bigint, reserved_page_count bigint, row_count bigint""", "database")
def dm_db_partition_stats(context):
    database_state(context)
    for row in partitions(context):
        pages = row["pages"]
        yield dict(row, in_row_data_page_count=pages, in_row_used_page_count=pages + 1,
                   in_row_reserved_page_count=pages + 8,
                   used_page_count=pages + 1, reserved_page_count=pages + 8)


@view("partitions", """partition_id bigint, object_id int, index_id int, partition_number int, hobt_id bigint,
    rows bigint, data_compression tinyint""", "database")
def partitions_view(context):
    for row in partitions(context):
        yield dict(row, hobt_id=row["partition_id"], rows=row["row_count"], data_compression=0)


def partitions(context):
    for entry in _objects(context, "U"):
        for index in entry["indexes"]:
            yield {"partition_id": entry["id"] * 256 + index["id"], "object_id": entry["id"], "index_id": index["id"],
                   "partition_number": 1, "row_count": len(entry["rows"]), "pages": contents.table_pages(entry)}


@view("dm_db_file_space_usage", """database_id smallint, file_id smallint, filegroup_id smallint,
    total_page_count bigint,
    allocated_extent_page_count bigint, unallocated_extent_page_count bigint, version_store_reserved_page_count bigint,
    user_object_reserved_page_count bigint, internal_object_reserved_page_count bigint, mixed_extent_page_count bigint,
    modified_extent_page_count bigint""", "database")
def dm_db_file_space_usage(context):
    server_state(context)
    database = context.database
    database.open()
    used = contents.data_pages(database.content)
    for file in database.files:
        if file["type"] == 0:
            share = min(used, file["pages"])
            used -= share
            yield {"database_id": database.id, "file_id": file["id"], "filegroup_id": file["group"],
                   "total_page_count": file["pages"], "allocated_extent_page_count": share,
                   "unallocated_extent_page_count": file["pages"] - share, "version_store_reserved_page_count": 0,
                   "user_object_reserved_page_count": 0, "internal_object_reserved_page_count": 0,
                   "mixed_extent_page_count": 0,
                   "modified_extent_page_count": 8 * database.modified_extents() if file["id"] == 1 else 0}


@view("dm_db_log_space_usage", """database_id smallint, total_log_size_in_bytes bigint, used_log_space_in_bytes bigint,
    used_log_space_in_percent real, log_space_in_bytes_since_last_backup bigint""", "database")
def dm_db_log_space_usage(context):
    server_state(context)
    total = sum(file["pages"] * 8192 for file in context.database.log_files())
    yield {"database_id": context.database.id, "total_log_size_in_bytes": total, "used_log_space_in_bytes": 524288,
           "used_log_space_in_percent": 52428800 / total, "log_space_in_bytes_since_last_backup": 0}


@view("dm_db_xtp_object_stats", """object_id bigint, row_insert_attempts bigint, row_update_attempts bigint,
    row_delete_attempts bigint, write_conflicts bigint, unique_constraint_violations bigint,
    object_address varbinary(8)""", "database")
def dm_db_xtp_object_stats(context):
    database_state(context)
    for entry in _objects(context, "U"):
        if entry.get("memory_optimized"):
            inserts, updates, deletes = context.database.memory_attempts.get(entry["id"], (0, 0, 0))
            yield {"object_id": entry["id"], "row_insert_attempts": inserts, "row_update_attempts": updates,
                   "row_delete_attempts": deletes, "write_conflicts": 0, "unique_constraint_violations": 0,
                   "object_address": b""}


@view("schemas", "name sysname, schema_id int, principal_id int", "database")
def schemas(context):
    context.database.open()
    for entry in context.database.content["schemas"]:
        yield {"name": entry["name"], "schema_id": entry["id"], "principal_id": entry["owner"]}


@view("types", """name sysname, system_type_id tinyint, user_type_id int, schema_id int, max_length smallint,
    is_user_defined bit, is_nullable bit""", "database")
def types(context):
    context.database.open()
    for number, entry in enumerate(context.database.content["types"], 257):
        yield {"name": entry["name"], "system_type_id": 231, "user_type_id": number, "schema_id": entry["schema"],
               "max_length": entry["type"].size, "is_user_defined": True, "is_nullable": entry["nullable"]}


@view("database_principals", """name sysname, principal_id int, type char(1), type_desc nvarchar(60),
    default_schema_name sysname, create_date datetime, modify_date datetime, owning_principal_id int,
    sid varbinary(85), is_fixed_role bit, authentication_type int, authentication_type_desc nvarchar(60)""", "database")
def database_principals(context):
    context.database.open()
    for entry in context.database.content["principals"]:
        kind = entry["type"]
        yield {"name": entry["name"], "principal_id": entry["id"], "type": kind,
               "type_desc": {"S": "SQL_USER", "U": "WINDOWS_USER", "R": "DATABASE_ROLE"}[kind],
               "default_schema_name": None if kind == "R" else "dbo", "create_date": entry["create"],
               "modify_date": entry["modify"], "owning_principal_id": entry["owner"], "sid": entry["sid"],
               "is_fixed_role": entry["id"] >= 16384, "authentication_type": entry["auth"],
               "authentication_type_desc": ["NONE", "INSTANCE", "DATABASE", "WINDOWS"][entry["auth"]]}


@view("database_permissions", """class tinyint, class_desc nvarchar(60), major_id int, minor_id int,
    grantee_principal_id int, grantor_principal_id int, type char(4), permission_name sysname, state char(1),
    state_desc nvarchar(60)""", "database")
def database_permissions(context):
    context.database.open()
    for entry in context.database.content["permissions"]:
        yield {"class": 1 if entry["object"] else 0,
               "class_desc": "OBJECT_OR_COLUMN" if entry["object"] else "DATABASE",
               "major_id": entry["object"], "minor_id": 0, "grantee_principal_id": entry["grantee"],
               "grantor_principal_id": 1, "type": "".join(word[0] for word in entry["permission"].split())[:4],
               "permission_name": entry["permission"], "state": entry["state"],
               "state_desc": "GRANT" if entry["state"] == "G" else "DENY"}


@view("database_role_members", "role_principal_id int, member_principal_id int", "database")
def database_role_members(context):
    context.database.open()
    for role, member in context.database.content["members"]:
        yield {"role_principal_id": role, "member_principal_id": member}


@view("sequences", _OBJECT + """, start_value sql_variant, increment sql_variant, minimum_value sql_variant,
    maximum_value sql_variant, is_cycling bit, is_cached bit, current_value sql_variant""", "database")
def sequences(context):
    for entry in _objects(context, "SO"):
        yield dict(_object_row(entry), start_value=entry["start"], increment=1, minimum_value=-2**63,
                   maximum_value=2**63 - 1, is_cycling=False, is_cached=True,
                   current_value=entry["start"] if entry["current"] is None else entry["current"])


@view("identity_columns", """object_id int, name sysname, column_id int, seed_value sql_variant,
    increment_value sql_variant, last_value sql_variant""", "database")
def identity_columns(context):
    for entry in _objects(context, "U"):
        for number, column in enumerate(entry["columns"], 1):
            if column["identity"]:
                yield {"object_id": entry["id"], "name": column["name"], "column_id": number,
                       "seed_value": column["identity"][0], "increment_value": column["identity"][1],
                       "last_value": entry["identity"]}


@view("filegroups", """name sysname, data_space_id int, type char(2), type_desc nvarchar(60), is_default bit,
    is_read_only bit""", "database")
def filegroups(context):
    context.database.open()
    for entry in context.database.content["filegroups"]:
        yield {"name": entry["name"], "data_space_id": entry["id"], "type": entry["type"],
               "type_desc": {"FG": "ROWS_FILEGROUP", "FX": "MEMORY_OPTIMIZED_DATA_FILEGROUP",
                             "FD": "FILESTREAM_DATA_FILEGROUP"}[entry["type"]],
               "is_default": entry["id"] == 1, "is_read_only": False}


@view("symmetric_keys", "name sysname, symmetric_key_id int, key_length int, create_date datetime", "database")
def symmetric_keys(context):
    context.database.open()
    for number, entry in enumerate(context.database.content["symmetric_keys"], 101):
        yield {"name": entry["name"], "symmetric_key_id": number, "key_length": 256,
               "create_date": context.database.create_date}


@view("fulltext_indexes", "object_id int, unique_index_id int, fulltext_catalog_id int, is_enabled bit", "database")
def fulltext_indexes(context):
    context.database.open()
    if context.database.content["fulltext"]:
        yield {"object_id": 1, "unique_index_id": 1, "fulltext_catalog_id": 5, "is_enabled": True}


@view("fulltext_catalogs", "fulltext_catalog_id int, name sysname", "database")
def fulltext_catalogs(context):
    if context.database.content["fulltext"]:
        yield {"fulltext_catalog_id": 5, "name": "catalog"}


def _nothing(_context):
    return ()


for _name, _columns in {
        "partition_functions": """name sysname, function_id int, type char(2), create_date datetime,
            modify_date datetime""",
        "partition_schemes": "name sysname, data_space_id int, type char(2), function_id int",
        "service_queues": _OBJECT, "triggers": _OBJECT,
        "assemblies": "name sysname, assembly_id int, modify_date datetime",
        "database_scoped_configurations": "configuration_id int, name nvarchar(60), value sql_variant",
        "change_tracking_databases": "database_id int, is_auto_cleanup_on tinyint",
        "dm_db_persisted_sku_features": "feature_name sysname, feature_id int",
        "database_audit_specifications": "name sysname"}.items():
    view(_name, _columns, "database")(_nothing)
for _name, _columns in {
        "availability_databases_cluster": "group_id guid, group_database_id guid, database_name sysname",
        "availability_groups": "group_id guid, name sysname",
        "dm_hadr_database_replica_states": "database_id int, group_id guid, is_local bit",
        "dm_database_encryption_keys": """database_id int, encryption_state int, encryptor_thumbprint varbinary(20),
            key_algorithm nvarchar(32)""",
        "traces": "id int, status int, path nvarchar(260), is_default bit"}.items():
    view(_name, _columns)(_nothing)


# msdb

def _history(name, columns):
    @view(name, columns, where=MSDB)
    def rows(context):
        instance = context.session.instance
        msdb = instance.find("msdb")
        if not instance.security.has_in(context.session.login, msdb, "SELECT"):
            from .errors import fail
            raise fail(229, "SELECT", name, "msdb", "dbo")
        for row in instance.history[name]:
            yield {key: Decimal(value) if key.endswith("_lsn") and value is not None else value
                   for key, value in row.items()}
    return rows


_history("backupset", """backup_set_id int, backup_set_uuid guid, media_set_id int, first_family_number tinyint,
    first_media_number smallint, last_family_number tinyint, last_media_number smallint, name nvarchar(128),
    description nvarchar(255), user_name nvarchar(128), software_major_version tinyint, software_minor_version tinyint,
    software_build_version smallint, position int, first_lsn numeric(25,0), last_lsn numeric(25,0),
    checkpoint_lsn numeric(25,0), database_backup_lsn numeric(25,0), database_creation_date datetime,
    backup_start_date datetime, backup_finish_date datetime, type char(1), compatibility_level tinyint,
    database_version int, backup_size numeric(20,0), database_name nvarchar(128), server_name nvarchar(128),
    machine_name nvarchar(128), flags int, collation_name nvarchar(128), is_password_protected bit,
    recovery_model nvarchar(60),
    has_bulk_logged_data bit, is_snapshot bit, is_readonly bit, is_single_user bit, has_backup_checksums bit,
    is_damaged bit, begins_log_chain bit, has_incomplete_metadata bit, is_force_offline bit, is_copy_only bit,
    first_recovery_fork_guid guid, last_recovery_fork_guid guid, fork_point_lsn numeric(25,0), database_guid guid,
    family_guid guid, differential_base_lsn numeric(25,0), differential_base_guid guid,
    compressed_backup_size numeric(20,0)""")
_history("restorehistory", """restore_history_id int, restore_date datetime, destination_database_name nvarchar(128),
    user_name nvarchar(128), backup_set_id int, restore_type char(1), replace bit, recovery bit, restart bit,
    stop_at datetime, device_count tinyint, stop_at_mark_name nvarchar(128), stop_before bit""")
_history("backupmediaset", """media_set_id int, media_uuid guid, media_family_count tinyint, name nvarchar(128),
    description nvarchar(255), software_name nvarchar(128), software_vendor_id int, mtf_major_version tinyint,
    mirror_count tinyint, is_password_protected bit, is_compressed bit, is_encrypted bit""")
_history("backupmediafamily", """media_set_id int, family_sequence_number tinyint, media_family_id guid,
    media_count int, logical_device_name nvarchar(128), physical_device_name nvarchar(260), device_type tinyint,
    physical_block_size int, mirror tinyint""")
