// The baselines of all databases of an instance, in memory and in the host's durable values.
#pragma once

#include "baseline.hpp"

#include <stationsync/host_ref.hpp>

#include <functional>
#include <mutex>

namespace stationsync::sqlserver {

// Thread-safe. For one key at most one caller at a time has a baseline out to change it.
class BaselineStore {
public:
    explicit BaselineStore(sdk::Host host) : host_(host) {}

    // A copy; empty for a database never seen. Bytes that cannot be read count as never seen, which
    // one warning says.
    Baseline get(const std::string& key);
    // Makes it durable when it says more than before; a mere later "unchanged" only now and then.
    // Throws sdk::Error when the host does not store it: memory then has the old one too.
    void put(const std::string& key, const Baseline& baseline);
    // The same, if `is_current` says so: nobody else stores between its answer and this. False: it
    // did not, and nothing is stored.
    bool put_if(const std::string& key, const Baseline& baseline,
                const std::function<bool()>& is_current);

private:
    struct Entry {
        Baseline baseline;
        std::string stored; // encoded without the time of the last look
        stsync_time stored_clean_at = STSYNC_TIME_NONE;
    };
    Entry& load(const std::string& key);
    void store(const std::string& key, const Baseline& baseline);

    sdk::Host host_;
    std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

} // namespace stationsync::sqlserver
