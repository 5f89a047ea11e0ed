// The discovery `static`: stations of the configuration and of a list in a database.
#include "sqlite_source.hpp"
#include "station_list.hpp"

#include <stationsync/plugin.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace stationsync::discovery_static {

namespace {

constexpr std::chrono::milliseconds poll_interval{2000};
constexpr std::size_t cached_bytes_max = 60000; // the host stores 64 KiB for one key
constexpr std::size_t complaints_max = 1000;
const std::string cache_key = "rows";
constexpr const char* default_query = "SELECT name, address FROM stations";

constexpr std::string_view schema = R"({
    "stations": {"type": "list", "required": false,
                 "help": "addresses of stations: \"host\", \"host:port\", \"[ipv6]:port\""},
    "database": {"type": "string", "required": false,
                 "help": "absolute path of an SQLite database with a list of stations"},
    "query": {"type": "string", "required": false,
              "help": "gives the columns name and address; SELECT name, address FROM stations"}
})";

std::unique_ptr<StationSource> make_source(const sdk::Host& host) {
    const auto query = host.config("query");
    if (!host.config("database")) {
        if (query)
            throw sdk::Error(STSYNC_INVALID_ARG, "The setting \"query\" needs \"database\": add "
                                                 "the path of the database.");
        return nullptr;
    }
    return std::make_unique<SqliteSource>(host.config_path("database"),
                                          query.value_or(default_query));
}

class StaticDiscovery final : public sdk::Discovery {
public:
    static constexpr sdk::Options options{0, 1, 0, "StationSync", {}, schema};

    explicit StaticDiscovery(sdk::Host host)
        : host_(host),
          configured_(parse_stations(host.config_list("stations"))),
          source_(make_source(host)) {
        if (configured_.empty() && source_ == nullptr)
            throw sdk::Error(STSYNC_INVALID_ARG, "Neither \"stations\" nor \"database\" is set: "
                                                 "add, for example, stations = [\"station-b\"].");
    }

    ~StaticDiscovery() override { join(); }

    void start(sdk::Op&, sdk::DiscoverySink sink) override {
        is_stopping_ = false;
        if (source_ != nullptr)
            rows_ = cached_rows();
        thread_ = std::thread([this, sink] { run(sink); });
    }

    void stop(sdk::Op&) override { join(); }

    void announce(sdk::Op&, const sdk::Peer& self) override {
        Self own;
        own.name = self.name;
        for (const std::string& endpoint : self.endpoints) {
            const auto parsed = parse_address(endpoint);
            if (const auto* address = std::get_if<Address>(&parsed))
                own.addresses.push_back(*address);
        }
        const std::lock_guard lock(mutex_);
        self_ = std::move(own);
        is_wanted_ = true;
        wake_.notify_all();
    }

    void probe(sdk::Op&, const std::string&) override {
        const std::lock_guard lock(mutex_);
        is_wanted_ = true;
        wake_.notify_all();
    }

private:
    void join() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
            wake_.notify_all();
        }
        if (thread_.joinable())
            thread_.join();
    }

    bool is_stopping() {
        const std::lock_guard lock(mutex_);
        return is_stopping_;
    }

    // The thread of the plugin; everything below runs on it.
    void run(const sdk::DiscoverySink& sink) {
        std::map<std::string, sdk::Peer> told;
        bool is_forced = true;
        while (!is_stopping()) {
            try {
                if (source_ != nullptr && (is_forced || source_->may_have_changed()))
                    read_source(sink);
                const auto now = present_stations();
                tell_changes(told, now, sink);
                told = now;
            } catch (const std::exception& failure) {
                set_note(sink, failure.what());
            }
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, poll_interval, [this] { return is_stopping_ || is_wanted_; });
            is_forced = std::exchange(is_wanted_, false);
        }
        note_.reset();
    }

    void read_source(const sdk::DiscoverySink& sink) {
        try {
            std::vector<Row> rows = source_->read([this] { return is_stopping(); });
            if (rows != rows_) {
                rows_ = std::move(rows);
                keep_rows();
            }
            set_note(sink, "");
        } catch (const SourceAway& away) {
            if (!is_stopping())
                set_note(sink, std::string(away.what()) + " The last known list is used.");
        }
    }

    std::map<std::string, sdk::Peer> present_stations() {
        Self self;
        {
            const std::lock_guard lock(mutex_);
            self = self_;
        }
        const auto complain = [this](const std::string& text) {
            if (complaints_.size() < complaints_max && complaints_.insert(text).second)
                host_.log(STSYNC_LOG_WARNING, "discovery-static.row", "", text);
        };
        auto stations = stations_of_rows(rows_, self, complain);
        stations.merge(stations_of_addresses(configured_, self));
        return stations;
    }

    // One note for each cause, however often it is met.
    void set_note(const sdk::DiscoverySink& sink, const std::string& text) {
        if (text == note_)
            return;
        note_ = text;
        sink.note(text);
        if (!text.empty())
            host_.log(STSYNC_LOG_WARNING, "discovery-static.away", "", text);
    }

    std::vector<Row> cached_rows() const {
        try {
            return decode_rows(host_.kv_get(cache_key).value_or(""));
        } catch (const sdk::Error&) {
            return {}; // without the cache the list comes from the database alone
        }
    }

    void keep_rows() const {
        try {
            host_.kv_put({{cache_key, encode_rows(rows_, cached_bytes_max)}});
        } catch (const sdk::Error& failure) {
            host_.log(STSYNC_LOG_WARNING, "discovery-static.cache", "", failure.what());
        }
    }

    sdk::Host host_;
    std::vector<Address> configured_;
    std::unique_ptr<StationSource> source_;
    std::vector<Row> rows_;            // of the last successful reading, or of the cache
    std::optional<std::string> note_;  // the one that is shown; nothing = not known
    std::set<std::string> complaints_; // already made

    std::mutex mutex_; // guards what follows
    std::condition_variable wake_;
    Self self_;
    bool is_stopping_ = false;
    bool is_wanted_ = false;
    std::thread thread_;
};

} // namespace
} // namespace stationsync::discovery_static

STSYNC_DISCOVERY(stationsync::discovery_static::StaticDiscovery, "discovery-static",
                 "Stations of a list", "1.0.0")
