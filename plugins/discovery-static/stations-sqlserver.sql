-- The same schema for SQL Server, and a login that may read it and nothing else.
-- Run it with: sqlcmd -S SERVER -d DATABASE -i stations-sqlserver.sql

IF OBJECT_ID(N'dbo.stations') IS NULL
    CREATE TABLE dbo.stations (
        name    nvarchar(48)  NOT NULL CHECK (LEN(name) > 0),
        address nvarchar(262) NOT NULL CHECK (LEN(address) > 0),
        CONSTRAINT stations_key PRIMARY KEY (name, address)
    );

IF OBJECT_ID(N'dbo.settings') IS NULL
    CREATE TABLE dbo.settings (
        name  nvarchar(48)  NOT NULL CONSTRAINT settings_key PRIMARY KEY,
        value nvarchar(400) NOT NULL
    );

-- With a user of the database called stationsync:
--   GRANT SELECT ON dbo.stations TO stationsync;
--   GRANT SELECT ON dbo.settings TO stationsync;
