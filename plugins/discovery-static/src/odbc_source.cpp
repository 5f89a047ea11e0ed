#include "odbc_source.hpp"

#include "odbc.hpp"

#include <stationsync/sha256.hpp>

#include <algorithm>
#include <mutex>

namespace stationsync::discovery_static {

namespace {

constexpr std::chrono::seconds driver_limit{10}; // told to the driver, for login and each query
// Whatever the driver does: a login and two queries that each take almost as long as they may.
constexpr std::chrono::seconds whole_limit{35};
constexpr std::size_t value_bytes_max = 1024; // names have 48 bytes, addresses 262
constexpr std::int64_t interval_max_s = 3600;

std::optional<std::string> config_text(const sdk::Host& host, const char* key) {
    try {
        return host.config(key);
    } catch (const sdk::Error& failure) {
        if (failure.status() == STSYNC_DENIED) // it is a secret
            return std::string();
        throw sdk::Error(STSYNC_INVALID_ARG, std::string("The setting \"") + key +
                                                 "\" must be text in quotes or a secret, { secret "
                                                 "= \"NAME\" }.");
    }
}

// The secret itself is read when it is needed: it may be set or changed later.
bool is_secret(const sdk::Host& host, const char* key) {
    const auto text = config_text(host, key);
    if (text && !text->empty())
        throw sdk::Error(STSYNC_INVALID_ARG,
                         std::string("The setting \"") + key +
                             "\" must not stand in the file: use `stationsync secret set NAME`, "
                             "and write " +
                             key + " = { secret = \"NAME\" }.");
    return text.has_value();
}

std::string need_secret(const sdk::Host& host, const char* key) {
    auto value = host.secret(key);
    if (!value || value->empty())
        throw SourceAway(std::string("The secret of `") + key +
                         "` is not set: use `stationsync secret set` with the name that stands "
                         "there.");
    return *std::move(value);
}

bool is_same_name(std::string_view a, std::string_view b) {
    const auto lowered = [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lowered(x) == lowered(y); });
}

// Columns of type CHAR are filled up with blanks.
std::string trimmed(const std::optional<std::string>& value) {
    if (!value)
        return {};
    const std::size_t end = value->find_last_not_of(' ');
    return end == std::string::npos ? std::string() : value->substr(0, end + 1);
}

std::size_t column_of(const odbc::Result& result, std::string_view name) {
    const auto place = std::find_if(result.columns.begin(), result.columns.end(),
                                    [&](const auto& each) { return is_same_name(each, name); });
    if (place == result.columns.end())
        throw SourceAway("The query of the station list gives no columns name and address: write "
                         "SELECT … AS name, … AS address.");
    return static_cast<std::size_t>(place - result.columns.begin());
}

std::string driver_list() {
    std::string list;
    for (const std::string& name : odbc::installed_drivers())
        list += (list.empty() ? "" : ", ") + name;
    return list.empty() ? "none is installed" : "installed are " + list;
}

} // namespace

// What one reading needs and gives; shared with the thread that may be left behind in the driver.
struct OdbcSource::Job {
    Job(const odbc::ConnectionString& connection_string, Queries wanted)
        : where(connection_string), queries(std::move(wanted)) {}

    const odbc::ConnectionString where;
    const Queries queries;
    odbc::Result stations;
    std::optional<odbc::Result> project;
    std::optional<odbc::Error> failure;
    std::string other_failure;

    void work() noexcept {
        try {
            odbc::Options options;
            options.login_limit = driver_limit;
            options.query_limit = driver_limit;
            options.is_read_only = true;
            const auto made = std::make_shared<odbc::Connection>(where, options);
            {
                const std::lock_guard lock(mutex_);
                if (is_cancelled_)
                    return;
                connection_ = made;
            }
            stations = made->run(queries.stations, {rows_max, value_bytes_max});
            if (queries.project)
                project = made->run(*queries.project, {1, value_bytes_max});
        } catch (const odbc::Error& error) {
            failure = error;
        } catch (const std::exception& error) {
            other_failure = error.what();
        }
        const std::lock_guard lock(mutex_);
        connection_.reset();
    }

    void cancel() noexcept {
        std::shared_ptr<odbc::Connection> made;
        {
            const std::lock_guard lock(mutex_);
            is_cancelled_ = true;
            made = connection_;
        }
        if (made)
            made->cancel();
    }

private:
    std::mutex mutex_;
    std::shared_ptr<odbc::Connection> connection_;
    bool is_cancelled_ = false;
};

OdbcSettings OdbcSource::settings_of(const sdk::Host& host) {
    OdbcSettings settings;
    settings.where = config_text(host, "odbc").value_or("");
    settings.has_password = is_secret(host, "password");
    const odbc::ConnectionString where(settings.where);
    if (where.has_password())
        throw sdk::Error(STSYNC_INVALID_ARG,
                         "A password must not stand in \"odbc\": use `stationsync secret set "
                         "NAME`, take it out, and add password = { secret = \"NAME\" }.");
    if (!settings.where.empty() && !where.has("driver") && !where.has("dsn") &&
        !where.has("filedsn"))
        throw sdk::Error(STSYNC_INVALID_ARG,
                         "The setting \"odbc\" names neither Driver nor DSN: write, for example, "
                         "odbc = \"Driver={ODBC Driver 18 for SQL Server};Server=…;Database=…\".");
    const std::int64_t seconds = host.config_integer("interval", settings.interval.count());
    if (seconds < 1 || seconds > interval_max_s)
        throw sdk::Error(STSYNC_INVALID_ARG, "The setting \"interval\" must be 1 to 3600 seconds, "
                                             "but is " +
                                                 std::to_string(seconds) + ".");
    settings.interval = std::chrono::seconds(seconds);
    return settings;
}

OdbcSource::OdbcSource(sdk::Host host, OdbcSettings settings, Queries queries)
    : host_(host), settings_(std::move(settings)), queries_(std::move(queries)) {}

// Of a connection string that is a secret a digest, for what is kept is no secret. Its password
// does not count: with another one it is the same database.
std::string OdbcSource::identity() const {
    std::string where = settings_.where;
    if (where.empty()) {
        if (auto secret = host_.secret("odbc")) {
            const sdk::Digest digest =
                sdk::sha256(odbc::ConnectionString(*secret).without_secrets(*secret));
            for (const std::uint8_t byte : digest)
                where += std::to_string(byte) + '.';
            odbc::wipe(*secret);
        }
    }
    return "odbc\n" + where + '\n' + queries_.stations + '\n' + queries_.project.value_or("");
}

odbc::ConnectionString OdbcSource::connection_string() const {
    std::string text =
        settings_.where.empty() ? need_secret(host_, "odbc") : std::string(settings_.where);
    odbc::ConnectionString where(text);
    odbc::wipe(text);
    if (settings_.has_password) {
        std::string password = need_secret(host_, "password");
        where.add_secret("PWD", password);
        odbc::wipe(password);
    }
    return where;
}

std::string OdbcSource::fingerprint() const {
    try {
        const sdk::Digest digest = sdk::sha256(connection_string().text());
        return {digest.begin(), digest.end()};
    } catch (const std::exception&) {
        return {};
    }
}

bool OdbcSource::is_due(bool is_asked) {
    const auto now = std::chrono::steady_clock::now();
    // Asking again and again with a wrong password locks the account. With another one it may go.
    if (!refused_.is_due(now))
        return fingerprint() != refused_with_;
    return is_asked || (away_.is_due(now) && now - read_at_ >= settings_.interval);
}

void OdbcSource::fail(odbc::Cause cause, const std::string& text) {
    const std::string said = " (" + text + "): ";
    switch (cause) {
    case odbc::Cause::no_driver:
        throw SourceAway("The ODBC driver or data source of the station list cannot be used" +
                         said + driver_list() + "; install it, or correct Driver or DSN.");
    case odbc::Cause::refused:
        refused_with_ = fingerprint();
        refused_.failed(std::chrono::steady_clock::now());
        throw SourceAway("The database of the station list refuses the login" + said +
                         "correct user and password; it is tried again at once with another "
                         "password, else more and more seldom.");
    case odbc::Cause::late:
        throw SourceAway("The database of the station list does not answer in time" + said +
                         "it is tried again by itself.");
    case odbc::Cause::statement:
        throw SourceAway("The station list cannot be read over ODBC" + said +
                         "correct `query`, or make the table.");
    case odbc::Cause::away:
        break;
    }
    throw SourceAway("The database of the station list cannot be reached" + said +
                     "it is tried again by itself.");
}

Listing OdbcSource::listing_of(Job& job) const {
    if (job.stations.has_more)
        throw SourceAway("The station list has more than " + std::to_string(rows_max) +
                         " rows: restrict `query`.");
    const std::size_t name = column_of(job.stations, "name");
    const std::size_t address = column_of(job.stations, "address");
    Listing listing;
    for (const auto& row : job.stations.rows)
        listing.rows.push_back({trimmed(row.at(name)), trimmed(row.at(address))});
    if (job.project)
        listing.project = job.project->rows.empty() || job.project->rows.front().empty()
                              ? std::string()
                              : trimmed(job.project->rows.front().front());
    return listing;
}

Listing OdbcSource::read(const std::function<bool()>& is_stopping) {
    if (call_.is_busy())
        throw SourceAway("The ODBC driver of the station list has not returned from an earlier "
                         "call: it is tried again when it has; if that does not happen, restart "
                         "the service.");
    const auto job = std::make_shared<Job>(connection_string(), queries_);
    // Before what follows may throw: a failure counts as an attempt.
    away_.failed(std::chrono::steady_clock::now());
    const BlockingCall::End end =
        call_.run([job] { job->work(); }, [job] { job->cancel(); }, whole_limit, is_stopping);
    read_at_ = std::chrono::steady_clock::now();
    if (end == BlockingCall::End::stopped)
        throw SourceAway("The reading of the station list was ended.");
    if (end == BlockingCall::End::late)
        fail(odbc::Cause::late,
             "the driver was given up after " + std::to_string(whole_limit.count()) + " s");
    if (job->failure)
        fail(job->failure->cause(), job->failure->what());
    if (!job->other_failure.empty())
        fail(odbc::Cause::away, job->other_failure);
    Listing listing = listing_of(*job);
    away_.succeeded();
    refused_.succeeded();
    return listing;
}

} // namespace stationsync::discovery_static
