// The records of all databases of an instance, in memory and in the host's durable values.
#pragma once

#include "record.hpp"

#include <stationsync/host_ref.hpp>

#include <map>
#include <mutex>

namespace stationsync::sqlite {

// Thread-safe. For one key at most one caller at a time has a record out.
class RecordStore {
public:
    explicit RecordStore(sdk::Host host) : host_(host) {}

    // A copy; empty for a database never seen.
    Record get(const std::string& key);
    // Makes it durable when it says more than before; a mere later "unchanged" only now and then.
    void put(const std::string& key, const Record& record);

private:
    struct Entry {
        Record record;
        std::string stored; // encoded without the time of the last look
    };
    Entry& load(const std::string& key);

    sdk::Host host_;
    std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

} // namespace stationsync::sqlite
