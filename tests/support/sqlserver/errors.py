"""Messages of SQL Server: number, severity and English text, from Microsoft's list of Database Engine errors.

A text has printf-like places in the order of the arguments. Clients must match by number, never by text.
"""

# number: (severity, text)
MESSAGES = {
    102: (15, "Incorrect syntax near '%s'."),
    105: (15, "Unclosed quotation mark after the character string '%s'."),
    111: (15, "'%s' must be the first statement in a query batch."),
    137: (15, 'Must declare the scalar variable "%s".'),
    156: (15, "Incorrect syntax near the keyword '%s'."),
    195: (15, "'%s' is not a recognized built-in function name."),
    201: (16, "Procedure or function '%s' expects parameter '%s', which was not supplied."),
    207: (16, "Invalid column name '%s'."),
    208: (16, "Invalid object name '%s'."),
    213: (16, "Column name or number of supplied values does not match table definition."),
    229: (14, "The %s permission was denied on the object '%s', database '%s', schema '%s'."),
    245: (16, "Conversion failed when converting the %s value '%s' to data type %s."),
    262: (14, "%s permission denied in database '%s'."),
    297: (16, "The user does not have permission to perform this action."),
    300: (14, "%s permission was denied on object 'server', database 'master'."),
    512: (16, "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, "
              ">= or when the subquery is used as an expression."),
    515: (16, "Cannot insert the value NULL into column '%s', table '%s'; column does not allow nulls. %s fails."),
    596: (21, "Cannot continue the execution because the session is in the kill state."),
    911: (16, "Database '%s' does not exist. Make sure that the name is entered correctly."),
    909: (21, "Database '%s' cannot be started in this edition of SQL Server because part or all of object '%s' is "
              "enabled with data compression or vardecimal storage format."),
    913: (22, "Could not find database ID %s. Database may not be activated yet or may be in transition."),
    916: (14, 'The server principal "%s" is not able to access the database "%s" under the current security context.'),
    921: (14, "Database '%s' has not been recovered yet. Wait and try again."),
    922: (14, "Database '%s' is being recovered. Waiting until recovery is finished."),
    923: (14, "Database '%s' is in restricted mode. Only the database owner and members of the dbcreator and sysadmin "
              "roles can access it."),
    924: (14, "Database '%s' is already open and can only have one user at a time."),
    926: (14, "Database '%s' cannot be opened. It has been marked SUSPECT by recovery."),
    927: (14, "Database '%s' cannot be opened. It is in the middle of a restore."),
    942: (14, "Database '%s' cannot be opened because it is offline."),
    945: (14, "Database '%s' cannot be opened due to inaccessible files or insufficient memory or disk space. See the "
              "SQL Server errorlog for details."),
    952: (16, "Database '%s' is in transition. Try the statement later."),
    1205: (13, "Transaction (Process ID %s) was deadlocked on lock resources with another process and has been chosen "
               "as the deadlock victim. Rerun the transaction."),
    1222: (16, "Lock request time out period exceeded."),
    1801: (16, "Database '%s' already exists. Choose a different database name."),
    1827: (16, "CREATE DATABASE or ALTER DATABASE failed because the resulting cumulative database size would exceed "
               "your licensed limit of %s MB per database."),
    1834: (16, "The file '%s' cannot be overwritten. It is being used by database '%s'."),
    1844: (16, "%s is not supported on %s."),
    2627: (14, "Violation of PRIMARY KEY constraint '%s'. Cannot insert duplicate key in object '%s'."),
    2714: (16, "There is already an object named '%s' in the database."),
    2812: (16, "Could not find stored procedure '%s'."),
    3013: (16, "%s is terminating abnormally."),
    3014: (0, "%s successfully processed %s pages in %s seconds (%s MB/sec)."),
    3021: (16, "Cannot perform a backup or restore operation within a transaction."),
    3023: (16, "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a "
               "database must be serialized. Reissue the statement after the current backup or file manipulation "
               "operation is completed."),
    3043: (16, "BACKUP '%s' detected an error on page (%s) in file '%s'."),
    3057: (16, "Invalid device name. The length of the device name provided exceeds supported limit (maximum length "
               "is:%s). Reissue the BACKUP statement with a valid device name."),
    3098: (16, "The backup cannot be performed because '%s' was requested after the media was formatted with an "
               "incompatible structure. To append to this media set, either omit '%s' or specify '%s'."),
    3101: (16, "Exclusive access could not be obtained because the database is in use."),
    3102: (16, "RESTORE cannot process database '%s' because it is in use by this session. It is recommended that the "
               "master database be used when performing this operation."),
    3104: (16, "RESTORE cannot operate on database '%s' because it is configured for database mirroring or has joined "
               "an availability group. If you intend to restore the database, use ALTER DATABASE to remove mirroring "
               "or to remove the database from its availability group."),
    3108: (16, "To restore the master database, the server must be running in single-user mode."),
    3110: (14, "User does not have permission to RESTORE database '%s'."),
    3119: (16, "Problems were identified while planning for the RESTORE statement. Previous messages provide details."),
    3137: (16, "Database cannot be reverted. Either the primary or the snapshot names are improperly specified, all "
               "other snapshots have not been dropped, or there are missing files."),
    3142: (16, 'File "%s" cannot be restored over the existing "%s". Reissue the RESTORE statement using WITH REPLACE '
               "to overwrite pre-existing files, or WITH MOVE to identify an alternate location."),
    3147: (16, "Backup and restore operations are not allowed on database tempdb."),
    3154: (16, "The backup set holds a backup of a database other than the existing '%s' database."),
    3156: (16, "File '%s' cannot be restored to '%s'. Use WITH MOVE to identify a valid location for the file."),
    3159: (16, 'The tail of the log for the database "%s" has not been backed up. Use BACKUP LOG WITH NORECOVERY to '
               "backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT clause "
               "of the RESTORE statement to just overwrite the contents of the log."),
    3167: (16, "RESTORE could not start database '%s'."),
    3169: (16, "The database was backed up on a server running version %s. That version is incompatible with this "
               "server, which is running version %s. Either restore the database on a server that supports the "
               "backup, or use a backup that is compatible with this server."),
    3176: (16, "File '%s' is claimed by '%s'(%s) and '%s'(%s). The WITH MOVE clause can be used to relocate one or "
               "more files."),
    3183: (16, 'RESTORE detected an error on page (%s) in database "%s" as read from the backup set.'),
    3187: (16, "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum "
               "information."),
    3189: (16, "Damage to the backup set was detected."),
    3201: (16, "Cannot open backup device '%s'. Operating system error %s."),
    3202: (16, 'Write on "%s" failed: %s'),
    3203: (16, 'Read on "%s" failed: %s'),
    3204: (16, "The backup or restore was aborted."),
    3209: (16, "Operation is not supported on user instances."),
    3211: (0, "%s percent processed."),
    3227: (16, 'The backup media on "%s" is part of media family %s which has already been processed on "%s".'),
    3234: (16, "Logical file '%s' is not part of database '%s'. Use RESTORE FILELISTONLY to list the logical file "
               "names."),
    3241: (16, "The media family on device '%s' is incorrectly formed. SQL Server cannot process this media family."),
    3242: (16, "The file on device '%s' is not a valid Microsoft Tape Format backup set."),
    3257: (16, "There is insufficient free space on disk volume '%s' to create the database. The database requires %s "
               "additional free bytes, while only %s bytes are available."),
    3262: (0, "The backup set on file %s is valid."),
    3287: (16, "The file ID %s on device '%s' is incorrectly formed and can not be read."),
    3271: (16, 'A nonrecoverable I/O error occurred on file "%s:" %s.'),
    3414: (21, "An error occurred during recovery, preventing the database '%s' (%s:0) from restarting. Diagnose the "
               "recovery errors and fix them, or restore from a known good backup."),
    3701: (11, "Cannot %s the %s '%s', because it does not exist or you do not have permission."),
    3702: (16, 'Cannot drop database "%s" because it is currently in use.'),
    3709: (16, "Cannot %s the database while the database snapshot \"%s\" refers to it. Drop that database first."),
    3902: (16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."),
    3903: (16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."),
    3906: (16, 'Failed to update database "%s" because the database is read-only.'),
    4035: (0, "Processed %s pages for database '%s', file '%s' on file %s."),
    4060: (11, 'Cannot open database "%s" requested by the login. The login failed.'),
    4064: (11, "Cannot open user default database. Login failed."),
    5011: (14, "User does not have permission to alter database '%s', the database does not exist, or the database is "
               "not in a state that allows access checks."),
    5030: (16, "The database could not be exclusively locked to perform the operation."),
    5041: (16, "MODIFY FILE failed. File '%s' does not exist."),
    5052: (16, "%s is not permitted while a database is in the %s state."),
    5058: (16, "Option '%s' cannot be set in database '%s'."),
    5060: (0, "Nonqualified transactions are being rolled back. Estimated rollback completion: %s%%."),
    5061: (16, "ALTER DATABASE failed because a lock could not be placed on database '%s'. Try again later."),
    5064: (16, "Changes to the state or options of database '%s' cannot be made at this time. The database is in "
               "single-user mode, and a user is currently connected to it."),
    5069: (16, "ALTER DATABASE statement failed."),
    5070: (16, "Database state cannot be changed while other users are using the database '%s'"),
    5120: (16, 'Unable to open the physical file "%s". Operating system error %s.'),
    5123: (16, "CREATE FILE encountered operating system error %s while attempting to open or create the physical "
               "file '%s'."),
    5133: (16, 'Directory lookup for the file "%s" failed with the operating system error %s.'),
    5170: (16, "Cannot create file '%s' because it already exists. Change the file path or the file name, and retry "
               "the operation."),
    5591: (16, "FILESTREAM feature is disabled."),
    5701: (0, "Changed database context to '%s'."),
    5703: (0, "Changed language setting to %s."),
    6005: (10, "SHUTDOWN is in progress."),
    6101: (16, "Session ID %s is not valid."),
    6102: (14, "User does not have permission to use the KILL statement."),
    6104: (16, "Cannot use KILL to kill your own process."),
    6106: (16, "Process ID %s is not an active process ID."),
    8114: (16, "Error converting data type %s to %s."),
    8134: (16, "Divide by zero error encountered."),
    9002: (17, "The transaction log for database '%s' is full due to '%s'."),
    12824: (16, "The sp_configure value 'contained database authentication' must be set to 1 in order to %s a contained "
                "database. You may need to use RECONFIGURE to set the value_in_use."),
    15007: (16, "'%s' is not a valid login or you do not have permission."),
    15023: (16, "User, group, or role '%s' already exists in the current database."),
    15025: (16, "The server principal '%s' already exists."),
    15151: (16, "Cannot %s the %s '%s', because it does not exist or you do not have permission."),
    15247: (16, "User does not have permission to perform this action."),
    15406: (16, "Cannot execute as the server principal because the principal \"%s\" does not exist, this type of "
                "principal cannot be impersonated, or you do not have permission."),
    15517: (16, "Cannot execute as the database principal because the principal \"%s\" does not exist, this type of "
                "principal cannot be impersonated, or you do not have permission."),
    17809: (20, "Could not connect because the maximum number of '%s' user connections has already been reached."),
    18450: (14, "Login failed for login '%s'. The login is not defined as a valid login of a trusted SQL Server "
                "connection."),
    18452: (14, "Login failed. The login is from an untrusted domain and cannot be used with Integrated "
                "authentication."),
    18456: (14, "Login failed for user '%s'."),
    18470: (14, "Login failed for user '%s'. Reason: The account is disabled."),
    18488: (14, "Login failed for user '%s'. Reason: The password of the account must be changed."),
    33111: (16, "Cannot find server certificate with thumbprint '%s'."),
    41381: (16, "Memory-optimized tables and natively compiled modules are not supported with this edition of SQL "
                "Server."),
    50000: (16, "%s"),
}

# These end the batch, as compile errors and deadlocks do; other errors end their statement only.
ENDS_BATCH = {102, 105, 111, 137, 156, 195, 207, 208, 245, 1205, 2812, 8114}


class Message:
    """One ERROR or INFO token."""

    def __init__(self, number, *args, severity=None, text=None, state=1):
        known_severity, known_text = MESSAGES.get(number, (16, "Error %s, severity 16." % number))
        self.number = number
        self.severity = known_severity if severity is None else severity
        self.text = text if text is not None else (known_text % args if args or "%%" in known_text else known_text)
        self.state = state

    def __str__(self):
        return f"{self.number}: {self.text}"


class SqlError(Exception):
    """A statement fails with one or more messages, in the order in which the server sends them."""

    def __init__(self, *messages):
        super().__init__("; ".join(map(str, messages)))
        self.messages = list(messages)

    @property
    def number(self):
        return self.messages[0].number

    def followed_by(self, *messages):
        return type(self)(*self.messages, *messages)


def fail(number, *args, **more):
    """The exception for one message: raise fail(911, name)."""
    return SqlError(Message(number, *args, **more))


class Unknown(SqlError):
    """The stand-in does not know the statement (or view, column, function): the test has to fail."""

    def __init__(self, *messages):
        super().__init__(*messages)


class Interrupted(Exception):
    """The client sent an attention while the statement ran."""


class SessionEnded(Exception):
    """The session was killed, its connection dropped or the service stopped; `reason` says which."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason
