-- The default schema of a station list for discovery-static in SQLite; its default query is
--   SELECT name, address FROM stations
-- `stationsync configurator init` makes it, and so does: sqlite3 stations.db < stations.sql

CREATE TABLE IF NOT EXISTS stations (
    -- Display name of the station, at most 48 bytes. Rows of the same name are several addresses
    -- of one station.
    name    TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 48),
    -- "host", "host:port" or "[ipv6-address]:port"; without a port it is 8883.
    address TEXT NOT NULL CHECK (length(address) > 0),
    PRIMARY KEY (name, address)
) WITHOUT ROWID;

-- For project_query = "SELECT value FROM settings WHERE name = 'project'".
CREATE TABLE IF NOT EXISTS settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
