"""Views of the server: databases, files, principals, sessions, requests, counters."""

import os
import uuid

from . import content as contents
from .database import ACCESS, STATES
from .errors import fail
from .security import SA_SID, SERVER_ROLES
from .views import Context, may_see_server, server_state, view

MODELS = {"FULL": 1, "BULK_LOGGED": 2, "SIMPLE": 3}
OPTION_COLUMNS = ["is_auto_close_on", "is_auto_shrink_on", "is_read_committed_snapshot_on", "is_auto_create_stats_on",
                  "is_auto_update_stats_on", "is_auto_update_stats_async_on", "is_published", "is_subscribed",
                  "is_merge_published", "is_distributor", "is_broker_enabled", "is_cdc_enabled", "is_encrypted",
                  "is_query_store_on", "is_ansi_null_default_on", "is_quoted_identifier_on"]


def visible_databases(context):
    """All with VIEW ANY DATABASE, else one's own and those that everybody sees."""
    instance, login = context.session.instance, context.session.login
    for database in sorted(instance.databases.values(), key=lambda d: d.id):
        if login.has("VIEW ANY DATABASE") or database.name in ("master", "tempdb") or \
                instance.security.is_owner(login, database):
            yield database


@view("databases", """name sysname, database_id int, source_database_id int, owner_sid varbinary(85),
    create_date datetime, compatibility_level tinyint, collation_name sysname, user_access tinyint,
    user_access_desc nvarchar(60), is_read_only bit, is_auto_close_on bit, is_auto_shrink_on bit, state tinyint,
    state_desc nvarchar(60), is_in_standby bit, is_cleanly_shutdown bit, is_supplemental_logging_enabled bit,
    snapshot_isolation_state tinyint, snapshot_isolation_state_desc nvarchar(60), is_read_committed_snapshot_on bit,
    recovery_model tinyint, recovery_model_desc nvarchar(60), page_verify_option tinyint,
    page_verify_option_desc nvarchar(60), is_auto_create_stats_on bit, is_auto_update_stats_on bit,
    is_auto_update_stats_async_on bit, is_ansi_null_default_on bit, is_quoted_identifier_on bit,
    is_fulltext_enabled bit,
    is_trustworthy_on bit, is_db_chaining_on bit, is_master_key_encrypted_by_server bit, is_published bit,
    is_subscribed bit, is_merge_published bit, is_distributor bit, is_sync_with_backup bit, service_broker_guid guid,
    is_broker_enabled bit, log_reuse_wait tinyint, log_reuse_wait_desc nvarchar(60), is_date_correlation_on bit,
    is_cdc_enabled bit, is_encrypted bit, is_honor_broker_priority_on bit, replica_id guid, group_database_id guid,
    default_language_lcid smallint, containment tinyint, containment_desc nvarchar(60),
    target_recovery_time_in_seconds int, delayed_durability int, delayed_durability_desc nvarchar(60),
    is_memory_optimized_elevate_to_snapshot_on bit, is_mixed_page_allocation_on bit, is_remote_data_archive_enabled bit,
    is_query_store_on bit, physical_database_name nvarchar(128), is_accelerated_database_recovery_on bit,
    is_ledger_on bit""")
def databases(context):
    for database in visible_databases(context):
        content = database.content or {}
        options = content.get("options", {})
        known = database.state in ("ONLINE", "EMERGENCY") and (database.is_open or not options.get("is_auto_close_on"))
        row = {column: options.get(column, False) for column in OPTION_COLUMNS}
        model = options.get("recovery_model", "SIMPLE")
        full_log = model != "SIMPLE" and database.last_full_lsn
        row.update(database.instance_options)
        row.update(
            name=database.name, database_id=database.id, source_database_id=database.source_id,
            owner_sid=database.owner_sid,
            create_date=database.create_date, state=STATES[database.state], state_desc=database.state,
            user_access=ACCESS[options.get("user_access", "MULTI_USER")],
            user_access_desc=options.get("user_access", "MULTI_USER"),
            is_read_only=options.get("is_read_only", False), is_in_standby=database.is_in_standby,
            compatibility_level=options["compatibility_level"] if known else None,
            collation_name=options["collation_name"] if known else None, is_cleanly_shutdown=not database.is_open,
            recovery_model=MODELS[model], recovery_model_desc=model, page_verify_option=2,
            page_verify_option_desc=options.get("page_verify", "CHECKSUM"), is_fulltext_enabled=True,
            snapshot_isolation_state=int(options.get("snapshot_isolation_state", False)),
            snapshot_isolation_state_desc="ON" if options.get("snapshot_isolation_state") else "OFF",
            is_master_key_encrypted_by_server=bool(content.get("symmetric_keys")),
            service_broker_guid=content.get("broker_guid", uuid.UUID(int=0)), log_reuse_wait=2 if full_log else 0,
            log_reuse_wait_desc="LOG_BACKUP" if full_log else "NOTHING", replica_id=database.replica_id,
            default_language_lcid=None, containment=options.get("containment", 0),
            containment_desc="PARTIAL" if options.get("containment") else "NONE", target_recovery_time_in_seconds=60,
            delayed_durability=0, delayed_durability_desc=options.get("delayed_durability", "DISABLED"),
            physical_database_name=database.name, is_supplemental_logging_enabled=False, is_sync_with_backup=False,
            is_date_correlation_on=False, is_honor_broker_priority_on=False, is_mixed_page_allocation_on=False,
            is_memory_optimized_elevate_to_snapshot_on=False, is_remote_data_archive_enabled=False,
            is_accelerated_database_recovery_on=False, is_ledger_on=False)
        yield row


@view("database_mirroring", """database_id int, mirroring_guid guid, mirroring_state tinyint,
    mirroring_state_desc nvarchar(60), mirroring_role tinyint, mirroring_role_desc nvarchar(60)""")
def database_mirroring(context):
    for database in visible_databases(context):
        yield {"database_id": database.id, "mirroring_guid": database.mirroring_guid}


@view("database_recovery_status", """database_id int, database_guid guid, family_guid guid,
    last_log_backup_lsn numeric(25,0), recovery_fork_guid guid, first_recovery_fork_guid guid,
    fork_point_lsn numeric(25,0)""")
def database_recovery_status(context):
    for database in visible_databases(context):
        database.open()  # documented: the view starts a database that is not open
        row = {"database_id": database.id}
        if database.is_open:
            content = database.content
            row.update(database_guid=database.guid, family_guid=content["family_guid"],
                       recovery_fork_guid=content["recovery_fork"], first_recovery_fork_guid=content["first_fork"])
        yield row
        database.close_when_unused()


def _file_row(database, file):
    kind = file["type"]
    state = database.state if database.state in ("RESTORING", "OFFLINE", "RECOVERY_PENDING") else "ONLINE"
    codes = {"ONLINE": 0, "RESTORING": 1, "RECOVERY_PENDING": 3, "OFFLINE": 6}
    return {"database_id": database.id, "file_id": file["id"], "file_guid": uuid.uuid5(database.guid, str(file["id"])),
            "type": kind, "type_desc": ["ROWS", "LOG", "FILESTREAM"][kind], "data_space_id": file.get("group", 0),
            "name": file["name"], "physical_name": file["path"], "state": codes[state], "state_desc": state,
            "size": file["pages"], "max_size": file.get("max", -1), "growth": file.get("growth", 8192),
            "is_media_read_only": False, "is_read_only": False, "is_sparse": database.source_id is not None,
            "is_percent_growth": False, "is_name_reserved": False, "create_lsn": None, "drop_lsn": None,
            "differential_base_lsn": database.differential_base_lsn if kind == 0 else None,
            "differential_base_guid": database.differential_base_guid if kind == 0 else None}


_FILE_COLUMNS = """file_id int, file_guid guid, type tinyint, type_desc nvarchar(60), data_space_id int, name sysname,
    physical_name nvarchar(260), state tinyint, state_desc nvarchar(60), size int, max_size int, growth int,
    is_media_read_only bit, is_read_only bit, is_sparse bit, is_percent_growth bit, is_name_reserved bit,
    create_lsn numeric(25,0), drop_lsn numeric(25,0), differential_base_lsn numeric(25,0), differential_base_guid guid,
    differential_base_time datetime, backup_lsn numeric(25,0)"""


@view("master_files", "database_id int, " + _FILE_COLUMNS)
def master_files(context):
    for database in visible_databases(context):
        for file in database.files:
            yield _file_row(database, file)


@view("database_files", _FILE_COLUMNS, "database")
def database_files(context):
    for file in context.database.files:
        yield _file_row(context.database, file)


# Counters

@view("dm_io_virtual_file_stats", """database_id smallint, file_id smallint, sample_ms bigint, num_of_reads bigint,
    num_of_bytes_read bigint, io_stall_read_ms bigint, num_of_writes bigint, num_of_bytes_written bigint,
    io_stall_write_ms bigint, io_stall bigint, size_on_disk_bytes bigint""")
def dm_io_virtual_file_stats(context):
    server_state(context)
    wanted, file_id = (list(context.arguments) + [None, None])[:2]
    for database in context.session.instance.databases.values():
        if not database.is_open or (wanted is not None and wanted != database.id):
            continue
        for file in database.files:
            if file_id is None or file_id == file["id"]:
                writes, size = database.io.get(file["id"], [0, 0])
                yield {"database_id": database.id, "file_id": file["id"], "sample_ms": 0, "num_of_reads": 10,
                       "num_of_bytes_read": 81920, "io_stall_read_ms": 0, "num_of_writes": writes,
                       "num_of_bytes_written": size, "io_stall_write_ms": 0, "io_stall": 0,
                       "size_on_disk_bytes": file["pages"] * 8192}


@view("dm_db_log_stats", """database_id int, recovery_model nvarchar(60), log_min_lsn nvarchar(24),
    log_end_lsn nvarchar(24), current_vlf_sequence_number bigint, current_vlf_size_mb float, total_vlf_count bigint,
    total_log_size_mb float, active_vlf_count bigint, active_log_size_mb float,
    log_truncation_holdup_reason nvarchar(60),
    log_backup_time datetime, log_backup_lsn nvarchar(24), log_since_last_log_backup_mb float,
    log_checkpoint_lsn nvarchar(24), log_since_last_checkpoint_mb float, log_recovery_lsn nvarchar(24),
    log_recovery_size_mb float, recovery_vlf_count bigint""")
def dm_db_log_stats(context):
    server_state(context)
    database = context.session.instance.by_id(context.arguments[0])
    if database is None or database.state != "ONLINE":
        return
    database.open()
    content = database.content
    minimum = content["checkpoint_lsn"] if database.options["recovery_model"] == "SIMPLE" or \
        not database.last_full_lsn else min(database.last_full_lsn, content["checkpoint_lsn"])
    yield {"database_id": database.id, "recovery_model": database.options["recovery_model"],
           "log_min_lsn": contents.lsn_text(minimum), "log_end_lsn": contents.lsn_text(content["lsn"]),
           "current_vlf_sequence_number": content["lsn"] // contents.LSN_FILE, "current_vlf_size_mb": 2.0,
           "total_vlf_count": 4, "total_log_size_mb": 8.0, "active_vlf_count": 1, "active_log_size_mb": 0.1,
           "log_truncation_holdup_reason": "NOTHING",
           "log_checkpoint_lsn": contents.lsn_text(content["checkpoint_lsn"]),
           "log_recovery_lsn": contents.lsn_text(content["checkpoint_lsn"]), "log_since_last_log_backup_mb": 0.0,
           "log_since_last_checkpoint_mb": 0.0, "log_recovery_size_mb": 0.0, "recovery_vlf_count": 1}
    database.close_when_unused()


@view("dm_db_index_usage_stats", """database_id smallint, object_id int, index_id int, user_seeks bigint,
    user_scans bigint, user_lookups bigint, user_updates bigint, last_user_seek datetime, last_user_scan datetime,
    last_user_lookup datetime, last_user_update datetime, system_seeks bigint, system_scans bigint,
    system_lookups bigint, system_updates bigint""")
def dm_db_index_usage_stats(context):
    server_state(context)
    instance = context.session.instance
    if 2330 in instance.trace_flags:
        return
    for database in instance.databases.values():
        for (object_id, index), usage in database.usage.items():
            yield dict(usage, database_id=database.id, object_id=object_id, index_id=index, system_seeks=0,
                       system_scans=0, system_lookups=0, system_updates=0)


@view("dm_os_sys_info", """cpu_count int, physical_memory_kb bigint, sqlserver_start_time datetime,
    ms_ticks bigint, virtual_machine_type_desc nvarchar(60), committed_kb bigint, committed_target_kb bigint""")
def dm_os_sys_info(context):
    server_state(context)
    yield {"cpu_count": 2, "physical_memory_kb": 4 << 20, "sqlserver_start_time": context.session.instance.started,
           "ms_ticks": 0, "virtual_machine_type_desc": "NONE", "committed_kb": 1 << 19, "committed_target_kb": 1 << 20}


@view("dm_os_host_info", """host_platform nvarchar(256), host_distribution nvarchar(256), host_release nvarchar(256),
    host_service_pack_level nvarchar(256), host_sku int, os_language_version int""")
def dm_os_host_info(_context):
    yield {"host_platform": "Linux", "host_distribution": "Ubuntu", "host_release": "22.04",
           "host_service_pack_level": "", "os_language_version": 0}


@view("dm_server_services", """servicename nvarchar(256), startup_type int, startup_type_desc nvarchar(256), status int,
    status_desc nvarchar(256), process_id int, last_startup_time offset, service_account nvarchar(256),
    filename nvarchar(256), is_clustered nvarchar(1), cluster_nodename nvarchar(256),
    instant_file_initialization_enabled nvarchar(1)""")
def dm_server_services(context):
    server_state(context, None)
    instance = context.session.instance
    yield {"servicename": f"SQL Server ({instance.name})", "startup_type": 2, "startup_type_desc": "Automatic",
           "status": 4,
           "status_desc": "Running", "process_id": 1234, "service_account": instance.service_account,
           "filename": "sqlservr.exe", "is_clustered": "N", "instant_file_initialization_enabled": "N"}


@view("dm_os_file_exists", "file_exists int, file_is_a_directory int, parent_directory_exists int")
def dm_os_file_exists(context):
    yield file_facts(context.session.instance, context.arguments[0])


def file_facts(instance, path):
    denied = instance.folder_error(path, False)
    if denied and denied.startswith("5(") and not os.path.isdir(path):
        return {"file_exists": 0, "file_is_a_directory": 0, "parent_directory_exists": 0}
    is_folder = os.path.isdir(path)
    return {"file_exists": int(os.path.isfile(path)), "file_is_a_directory": int(is_folder),
            "parent_directory_exists": int(os.path.isdir(os.path.dirname(path.rstrip("/"))))}


@view("dm_os_volume_stats", """database_id int, file_id int, volume_mount_point nvarchar(512), volume_id nvarchar(512),
    logical_volume_name nvarchar(512), file_system_type nvarchar(512), total_bytes bigint, available_bytes bigint""")
def dm_os_volume_stats(context):
    server_state(context)
    database = context.session.instance.by_id(context.arguments[0])
    for file in database.files if database else []:
        if file["id"] == context.arguments[1]:
            free = context.session.instance.free_bytes(file["path"])
            place = context.session.instance.mount_point(file["path"])
            yield {"database_id": database.id, "file_id": file["id"], "volume_mount_point": place, "volume_id": "",
                   "logical_volume_name": "", "file_system_type": "", "total_bytes": max(free, 1 << 40),
                   "available_bytes": free}


# Sessions

@view("dm_exec_sessions", """session_id smallint, login_time datetime, host_name nvarchar(128),
    program_name nvarchar(128), host_process_id int, client_version int, client_interface_name nvarchar(32),
    security_id varbinary(85), login_name nvarchar(128), nt_domain nvarchar(128), nt_user_name nvarchar(128),
    status nvarchar(30), cpu_time int, memory_usage int, last_request_start_time datetime,
    last_request_end_time datetime, is_user_process bit, original_login_name nvarchar(128), database_id smallint,
    open_transaction_count int""")
def dm_exec_sessions(context):
    own = context.session
    for session in list(own.instance.sessions.values()):
        if session is own or may_see_server(context):
            last = getattr(session, "last_request", session.connected)
            yield {"session_id": session.id, "login_time": session.connected, "host_name": session.host,
                   "program_name": session.program, "host_process_id": 4711, "client_version": 7,
                   "client_interface_name": "ODBC", "security_id": session.login.sid, "login_name": session.login.name,
                   "nt_domain": "", "nt_user_name": "", "status": "running" if session.request else "sleeping",
                   "cpu_time": 0, "memory_usage": 2, "last_request_start_time": last, "last_request_end_time": last,
                   "is_user_process": True, "original_login_name": session.login.name,
                   "database_id": session.database.id if session.database else 1,
                   "open_transaction_count": getattr(session, "transactions", 0)}


@view("dm_exec_requests", """session_id smallint, request_id int, start_time datetime, status nvarchar(30),
    command nvarchar(32), database_id smallint, blocking_session_id smallint, wait_type nvarchar(60), wait_time int,
    last_wait_type nvarchar(60), percent_complete real, estimated_completion_time bigint, total_elapsed_time int,
    cpu_time int, reads bigint, writes bigint""")
def dm_exec_requests(context):
    own = context.session
    for session in list(own.instance.sessions.values()):
        request = session.request
        if not request or (session is not own and not may_see_server(context)):
            continue
        elapsed = int(session.elapsed().total_seconds() * 1000)
        left = int(elapsed * (100 - request.percent) / request.percent) if request.percent else 0
        yield {"session_id": session.id, "request_id": 0, "start_time": request.started,
               "status": "suspended" if request.wait_type else "running", "command": request.command,
               "database_id": request.database.id if request.database else 1, "blocking_session_id": 0,
               "wait_type": request.wait_type, "wait_time": 0, "last_wait_type": request.wait_type or "",
               "percent_complete": request.percent, "estimated_completion_time": left, "total_elapsed_time": elapsed,
               "cpu_time": 0, "reads": 0, "writes": 0}


@view("dm_exec_connections", """session_id int, connect_time datetime, net_transport nvarchar(40),
    protocol_type nvarchar(40), encrypt_option nvarchar(40), auth_scheme nvarchar(40), client_net_address varchar(48),
    local_tcp_port int""")
def dm_exec_connections(context):
    server_state(context)
    for session in list(context.session.instance.sessions.values()):
        if not session.is_ghost:
            yield {"session_id": session.id, "connect_time": session.connected, "net_transport": "TCP",
                   "protocol_type": "TSQL", "encrypt_option": "FALSE", "auth_scheme": "SQL",
                   "client_net_address": "127.0.0.1", "local_tcp_port": 0}


@view("dm_tran_database_transactions", """transaction_id bigint, database_id int,
    database_transaction_begin_time datetime, database_transaction_type int, database_transaction_state int""")
def dm_tran_database_transactions(context):
    server_state(context)
    for database in context.session.instance.databases.values():
        if database.writer is not None:
            yield {"transaction_id": database.writer.id, "database_id": database.id,
                   "database_transaction_begin_time": database.write_begun, "database_transaction_type": 1,
                   "database_transaction_state": 4}


@view("dm_tran_session_transactions", """session_id int, transaction_id bigint, is_user_transaction bit,
    is_local bit, open_transaction_count int""")
def dm_tran_session_transactions(context):
    server_state(context)
    for session in list(context.session.instance.sessions.values()):
        if getattr(session, "transactions", 0):
            yield {"session_id": session.id, "transaction_id": session.id, "is_user_transaction": True,
                   "is_local": True,
                   "open_transaction_count": session.transactions}


# Principals and configuration

@view("server_principals", """name sysname, principal_id int, sid varbinary(85), type char(1), type_desc nvarchar(60),
    is_disabled bit, create_date datetime, modify_date datetime, default_database_name sysname,
    default_language_name sysname, is_fixed_role bit""")
def server_principals(context):
    instance = context.session.instance
    own = context.session.login
    for login in instance.security.logins.values():
        # Whom one may see: oneself, the built-in administrator, and with the right to everybody.
        if not (login is own or login.sid == SA_SID or own.has("VIEW ANY DEFINITION") or
                own.has("ALTER ANY LOGIN") or own.may_impersonate(login)):
            continue
        yield {"name": login.name, "principal_id": login.principal_id, "sid": login.sid,
               "type": "U" if login.windows else "S", "type_desc": "WINDOWS_LOGIN" if login.windows else "SQL_LOGIN",
               "is_disabled": login.disabled, "create_date": instance.started, "modify_date": instance.started,
               "default_database_name": login.default_database, "default_language_name": "us_english",
               "is_fixed_role": False}
    for number, name in enumerate(["public"] + SERVER_ROLES, 2):
        yield {"name": name, "principal_id": number, "sid": bytes([number]), "type": "R", "type_desc": "SERVER_ROLE",
               "is_disabled": False, "create_date": instance.started, "modify_date": instance.started,
               "is_fixed_role": name != "public"}


@view("server_role_members", "role_principal_id int, member_principal_id int")
def server_role_members(context):
    for login in context.session.instance.security.logins.values():
        for role in login.roles:
            yield {"role_principal_id": 3 + SERVER_ROLES.index(role), "member_principal_id": login.principal_id}


@view("certificates", "name sysname, certificate_id int, thumbprint varbinary(32), subject nvarchar(4000)", "database")
def certificates(context):
    if context.database.name == "master":
        for number, entry in enumerate(context.session.instance.certificates, 101):
            yield {"name": entry["name"], "certificate_id": number, "thumbprint": entry["thumbprint"], "subject": ""}


@view("configurations", """configuration_id int, name nvarchar(35), value int, minimum int, maximum int,
    value_in_use int,
    description nvarchar(255), is_dynamic bit, is_advanced bit""")
def configurations(context):
    for number, (name, value) in enumerate(context.session.instance.configuration.items(), 101):
        yield {"configuration_id": number, "name": name, "value": value, "minimum": 0, "maximum": 2147483647,
               "value_in_use": value, "description": name, "is_dynamic": True, "is_advanced": True}


@view("fn_my_permissions", """entity_name nvarchar(128), subentity_name nvarchar(128), permission_name nvarchar(60)""")
def fn_my_permissions(context):
    login = context.session.login
    if str(context.arguments[1]).upper() != "SERVER":
        raise fail(297)
    for name in ("CONTROL SERVER", "VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE", "VIEW ANY DATABASE",
                 "CREATE ANY DATABASE", "ALTER ANY DATABASE", "CONNECT ANY DATABASE", "VIEW ANY DEFINITION",
                 "ALTER ANY CONNECTION"):
        if context.session.instance.version.has(name) and login.has(name):
            yield {"entity_name": "server", "subentity_name": "", "permission_name": name}


__all__ = ["Context", "file_facts"]
