// The keys of the configuration, for the host: see settings.hpp and provider_settings.hpp.
#pragma once

#include <string_view>

namespace stationsync::sqlserver {

inline constexpr std::string_view configuration_schema = R"({
    "databases": {"type": "list", "required": true,
        "help": "databases: names, patterns with * and ?, or KEY=name"},
    "server": {"type": "string", "help": "computer of SQL Server; default: this one"},
    "instance": {"type": "string", "help": "named instance, such as SQLEXPRESS"},
    "port": {"type": "integer", "help": "TCP port; then SQL Server Browser is not asked"},
    "user": {"type": "string", "help": "login of SQL Server; default: the account of the service"},
    "password": {"type": "secret", "help": "password = { secret = \"NAME\" }"},
    "trusted": {"type": "boolean", "help": "log in as the account of the service"},
    "encrypt": {"type": "string", "help": "yes, no or strict"},
    "trust_certificate": {"type": "boolean", "help": "take any certificate of the server"},
    "driver": {"type": "string", "help": "ODBC driver; default: the best one installed"},
    "connection": {"type": "string", "help": "ODBC connection string, instead of all that"},
    "backup_folder": {"type": "string",
        "help": "folder that SQL Server and this service both use; default: the sync directory"},
    "backup_folder_on_server": {"type": "string",
        "help": "the same folder as SQL Server names it"},
    "compression": {"type": "boolean", "help": "compress backups where the edition can"},
    "verify_backup": {"type": "boolean", "help": "read each backup once more; default true"},
    "exact_build": {"type": "boolean", "help": "stations must have the same build of SQL Server"},
    "on_uncertain": {"type": "string", "help": "what may have changed: change or ignore"},
    "sum_below_mb": {"type": "integer",
        "help": "up to this size rows are summed up, to know a database again after a restart"},
    "poll_seconds": {"type": "integer", "help": "how often changes are looked for; default 15"},
    "stall_minutes": {"type": "integer",
        "help": "a backup or restore without progress is given up; default 10"},
    "restore": {"type": "string", "help": "auto, side-by-side or in-place"},
    "check_database": {"type": "boolean",
        "help": "DBCC CHECKDB before a restored database is used"},
    "preserve_trustworthy": {"type": "boolean",
        "help": "keep TRUSTWORTHY and DB_CHAINING as they were here"},
    "preserve_broker": {"type": "boolean", "help": "enable Service Broker where it was"},
    "accept_foreign_family": {"type": "boolean",
        "help": "overwrite a database of the same name that is another one"},
    "accept_replication": {"type": "boolean",
        "help": "overwrite databases that are published, subscribed or have change data capture"},
    "keep_previous": {"type": "boolean",
        "help": "keep the replaced database, offline, until the next one is replaced"},
    "data_folder": {"type": "string", "help": "for new data files, as SQL Server names it"},
    "log_folder": {"type": "string", "help": "for new log files, as SQL Server names it"}
})";

} // namespace stationsync::sqlserver
