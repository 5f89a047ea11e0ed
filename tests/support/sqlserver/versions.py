"""What differs between the versions of SQL Server, 2012 to 2025."""

# name: (product version, product level, update level, internal database version, compatibility level)
RELEASES = {
    "2012": ("11.0.7507.2", "SP4", None, 706, 110),
    "2014": ("12.0.6449.1", "SP3", None, 782, 120),
    "2016rtm": ("13.0.1601.5", "RTM", None, 852, 130),
    "2016": ("13.0.6300.2", "SP3", None, 852, 130),
    "2017": ("14.0.3456.2", "RTM", "CU31", 869, 140),
    "2019": ("15.0.4355.3", "RTM", "CU25", 904, 150),
    "2022": ("16.0.4105.2", "RTM", "CU11", 957, 160),
    "2025": ("17.0.1000.7", "RTM", None, 998, 170),
}
# name: (SERVERPROPERTY('Edition'), EngineEdition, EditionID)
EDITIONS = {
    "express": ("Express Edition (64-bit)", 4, -1592396055),
    "standard": ("Standard Edition (64-bit)", 2, -1534726760),
    "enterprise": ("Enterprise Edition: Core-based Licensing (64-bit)", 3, 1872460670),
    "developer": ("Developer Edition (64-bit)", 3, -2117995310),
    "localdb": ("Express Edition (64-bit)", 4, -1592396055),
    "azure": ("SQL Azure", 5, 1674378470),
}
# First version of what not every version has: a property, a view or "view.column"
SINCE = {
    "isxtpsupported": (12,),
    "pathseparator": (14,),
    "instancedefaultbackuppath": (15,),
    "suspendeddatabasecount": (16,),
    "dm_db_log_stats": (13, 0, 5026),
    "dm_db_xtp_object_stats": (12,),
    "dm_db_log_info": (13, 0, 5026),
    "dm_os_host_info": (14,),
    "dm_os_file_exists": (14,),
    "dm_os_enumerate_fixed_drives": (14,),
    "dm_db_file_space_usage.modified_extent_page_count": (13, 0, 5026),
    "databases.is_query_store_on": (13,),
    "databases.delayed_durability": (12,),
    "databases.delayed_durability_desc": (12,),
    "databases.is_memory_optimized_elevate_to_snapshot_on": (12,),
    "databases.is_mixed_page_allocation_on": (13,),
    "databases.is_remote_data_archive_enabled": (13,),
    "databases.physical_database_name": (15,),
    "databases.is_accelerated_database_recovery_on": (15,),
    "databases.is_ledger_on": (16,),
    "tables.is_memory_optimized": (12,),
    "tables.durability": (12,),
    "tables.temporal_type": (13,),
    "dm_server_services.instant_file_initialization_enabled": (13, 0, 4001),
    "header.KeyAlgorithm": (12,),
    "header.EncryptorThumbprint": (12,),
    "header.EncryptorType": (12,),
    "header.LastValidRestoreTime": (16,),
    "header.TimeZone": (16,),
    "header.CompressionAlgorithm": (16,),
    "filelist.SnapshotURL": (13,),
    "drop if exists": (13,),
    "VIEW SERVER PERFORMANCE STATE": (16,),
    "CONNECT ANY DATABASE": (12,),
}


class Version:
    """One release in one edition; `build` replaces the product version of the release."""

    def __init__(self, release, edition, build=None):
        product, self.level, self.update, self.database_version, self.compatibility = RELEASES[release]
        self.release = release
        self.product = build or product
        self.numbers = tuple(int(part) for part in self.product.split("."))
        self.edition_name = edition
        self.edition, self.engine_edition, self.edition_id = EDITIONS[edition]
        if release == "2025" and edition == "developer":
            self.edition = "Enterprise Developer Edition (64-bit)"

    @property
    def is_express(self):
        return self.edition_name in ("express", "localdb")

    def has(self, feature):
        since = SINCE.get(feature)
        return since is None or self.numbers >= since

    @property
    def performance_permission(self):
        return "VIEW SERVER PERFORMANCE STATE" if self.numbers >= (16,) else "VIEW SERVER STATE"

    @property
    def size_limit_mb(self):
        """Of all data files of a database; None without a limit."""
        return (51200 if self.numbers >= (17,) else 10240) if self.is_express else None

    def text(self):
        year = self.release[:4]
        level = f"{self.level}-{self.update}" if self.update else self.level
        system = "Linux (Ubuntu 22.04.4 LTS) <X64>" if self.numbers >= (14,) else \
            "Windows NT 6.3 <X64> (Build 9600: ) (Hypervisor)"
        return (f"Microsoft SQL Server {year} ({level}) - {self.product} (X64) \n\tStationSync test stand-in\n\t"
                f"{self.edition} on {system}")
