// The discovery `static`: stations of the configuration and of a list in a database.
#include "odbc_source.hpp"
#include "sqlite_source.hpp"
#include "station_list.hpp"

#include <stationsync/plugin.hpp>
#include <stationsync/sha256.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace stationsync::discovery_static {

namespace {

constexpr std::chrono::milliseconds poll_interval{2000};
constexpr std::size_t cached_bytes_max = 60000; // the host stores 64 KiB for one key
constexpr std::size_t complaints_max = 1000;
const std::string cache_key = "rows";
const std::string cached_project_key = "project";
const std::string cached_source_key = "source"; // whose rows they are
constexpr const char* default_query = "SELECT name, address FROM stations";

constexpr std::string_view schema = R"({
    "stations": {"type": "list", "required": false,
                 "help": "addresses of stations: \"host\", \"host:port\", \"[ipv6]:port\""},
    "database": {"type": "string", "required": false,
                 "help": "absolute path of an SQLite database with a list of stations"},
    "odbc": {"type": "string or secret", "required": false,
             "help": "connection string of another database with a list of stations"},
    "password": {"type": "secret", "required": false, "help": "goes into \"odbc\" as PWD"},
    "interval": {"type": "integer", "required": false,
                 "help": "seconds between two readings over ODBC; 10"},
    "query": {"type": "string", "required": false,
              "help": "gives the columns name and address; SELECT name, address FROM stations"},
    "project_query": {"type": "string", "required": false,
                      "help": "gives the name of the project to which the list belongs"}
})";

bool is_configured(const sdk::Host& host, const char* key) {
    try {
        return host.config(key).has_value();
    } catch (const sdk::Error&) {
        return true; // a list, or a secret
    }
}

std::unique_ptr<StationSource> make_source(const sdk::Host& host) {
    const bool has_odbc = is_configured(host, "odbc");
    const bool has_database = is_configured(host, "database");
    if (has_odbc && has_database)
        throw sdk::Error(STSYNC_INVALID_ARG, "Both \"database\" and \"odbc\" are set: keep the one "
                                             "where the station list is.");
    if (!has_odbc)
        for (const char* key : {"password", "interval"})
            if (is_configured(host, key))
                throw sdk::Error(STSYNC_INVALID_ARG, std::string("The setting \"") + key +
                                                         "\" needs \"odbc\": add the connection "
                                                         "string.");
    if (!has_odbc && !has_database) {
        for (const char* key : {"query", "project_query"})
            if (is_configured(host, key))
                throw sdk::Error(STSYNC_INVALID_ARG, std::string("The setting \"") + key +
                                                         "\" needs \"database\" or \"odbc\": add "
                                                         "where the station list is.");
        return nullptr;
    }
    const Queries queries{host.config("query").value_or(default_query),
                          host.config("project_query")};
    if (has_odbc)
        return std::make_unique<OdbcSource>(host, OdbcSource::settings_of(host), queries);
    return std::make_unique<SqliteSource>(host.config_path("database"), queries);
}

// Names of databases are foreign text.
std::string shown(const std::string& name) {
    const bool is_printable = name.size() <= 200 && sdk::is_valid_utf8(name) &&
                              std::none_of(name.begin(), name.end(), [](char byte) {
                                  return static_cast<unsigned char>(byte) < 0x20;
                              });
    return is_printable ? name : "…";
}

class StaticDiscovery final : public sdk::Discovery {
public:
    static constexpr sdk::Options options{0, 1, 0, "StationSync", {}, schema};

    explicit StaticDiscovery(sdk::Host host)
        : host_(host),
          configured_(parse_stations(host.config_list("stations"))),
          source_(make_source(host)) {
        if (configured_.empty() && source_ == nullptr)
            throw sdk::Error(STSYNC_INVALID_ARG,
                             "Neither \"stations\" nor \"database\" nor \"odbc\" is "
                             "set: add, for example, stations = "
                             "[\"station-b\"].");
    }

    ~StaticDiscovery() override { join(); }

    void start(sdk::Op&, sdk::DiscoverySink sink) override {
        is_stopping_ = false;
        if (source_ != nullptr)
            listing_ = cached_listing();
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
        bool is_asked = true;
        // What is known already is told before the database is asked, which may take its time.
        bool is_first = source_ != nullptr;
        while (!is_stopping()) {
            try {
                if (!is_first && source_ != nullptr && source_->is_due(is_asked))
                    read_source(sink);
                const auto now = present_stations();
                tell_changes(told, now, sink);
                told = now;
            } catch (const std::exception& failure) {
                set_note(sink, failure.what());
            }
            if (std::exchange(is_first, false))
                continue;
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, poll_interval, [this] { return is_stopping_ || is_wanted_; });
            is_asked = std::exchange(is_wanted_, false);
        }
        note_.reset();
    }

    void read_source(const sdk::DiscoverySink& sink) {
        try {
            Listing listing = source_->read([this] { return is_stopping(); });
            if (listing != listing_) {
                listing_ = std::move(listing);
                keep_listing();
            }
            set_note(sink, project_note());
        } catch (const SourceAway& away) {
            const bool is_known = !listing_.rows.empty();
            if (!is_stopping())
                set_note(sink,
                         std::string(away.what()) + (is_known ? " The last known list is used."
                                                              : " No list is known from before."));
        }
    }

    // What the database says of the project decides nothing here: it may have come from another
    // station. The finds carry the name, and the host leaves those of another project alone.
    std::string project_note() const {
        const std::string own = host_.config("@project").value_or("");
        if (!listing_.project || *listing_.project == own)
            return "";
        if (listing_.project->empty())
            return "The query of the project's name gives nothing: correct `project_query`, or "
                   "enter the name. The stations of the list are used as those of project \"" +
                   own + "\".";
        return "The station list is that of project \"" + shown(*listing_.project) +
               "\", but this station works for \"" + own +
               "\": its stations are not looked for. Use `stationsync project use` for the project "
               "that runs here, or correct the name in the database.";
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
        auto stations = stations_of_rows(listing_.rows, self, complain);
        if (listing_.project)
            for (auto& [id, station] : stations)
                station.project = *listing_.project;
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

    // The rows of another database or query are nobody's last known list.
    std::string source_fingerprint() const {
        const sdk::Digest digest = sdk::sha256(source_->identity());
        return {digest.begin(), digest.end()};
    }

    Listing cached_listing() const {
        try {
            if (host_.kv_get(cached_source_key) != source_fingerprint())
                return {};
            return {decode_rows(host_.kv_get(cache_key).value_or("")),
                    host_.kv_get(cached_project_key)};
        } catch (const sdk::Error&) {
            return {}; // without the cache the list comes from the database alone
        }
    }

    void keep_listing() const {
        try {
            host_.kv_put({{cache_key, encode_rows(listing_.rows, cached_bytes_max)},
                          {cached_project_key, listing_.project},
                          {cached_source_key, source_fingerprint()}});
        } catch (const sdk::Error& failure) {
            host_.log(STSYNC_LOG_WARNING, "discovery-static.cache", "", failure.what());
        }
    }

    sdk::Host host_;
    std::vector<Address> configured_;
    std::unique_ptr<StationSource> source_;
    Listing listing_;                  // of the last successful reading, or of the cache
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
