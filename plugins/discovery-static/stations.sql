-- The default schema of a station list for discovery-static; its default query is
--   SELECT name, address FROM stations
-- Run it with: sqlite3 stations.db < stations.sql

CREATE TABLE IF NOT EXISTS stations (
    -- Display name of the station, at most 48 bytes. Rows of the same name are several addresses
    -- of one station.
    name    TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 48),
    -- "host", "host:port" or "[ipv6-address]:port"; without a port it is 8883.
    address TEXT NOT NULL CHECK (length(address) > 0),
    PRIMARY KEY (name, address)
) WITHOUT ROWID;
