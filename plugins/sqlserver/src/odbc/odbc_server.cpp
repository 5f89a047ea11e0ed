#include "odbc_server.hpp"

#include "../text.hpp"
#include "connection.hpp"

#include <algorithm>
#include <atomic>

namespace stationsync::sqlserver::odbc {

namespace {

// Of this process; each holds a thread until its driver comes back.
constexpr int left_behind_max = 8;
constexpr std::chrono::milliseconds prologue_limit{15000};

// Languages change the order of day and month in texts of dates, and the texts of errors.
constexpr std::string_view prologue =
    "SET NOCOUNT ON; SET IMPLICIT_TRANSACTIONS OFF; SET XACT_ABORT OFF; SET LANGUAGE us_english; "
    "SET LOCK_TIMEOUT 30000; SELECT @@SPID";

const Api& need_api() {
    std::string missing;
    const Api* const api = find_api(missing);
    if (api == nullptr)
        throw sdk::Error(STSYNC_DENIED, "SQL Server cannot be reached: " + missing + ".");
    return *api;
}

// Different for each session, so that no pool of a driver manager gives one back.
std::string application_of(SessionRole role) {
    static std::atomic<std::uint64_t> count{0};
    const char* const name = role == SessionRole::worker    ? "worker"
                             : role == SessionRole::monitor ? "monitor"
                                                            : "look";
    return std::string("StationSync ") + name + ' ' + std::to_string(++count);
}

std::int64_t session_id_of(const Answer& answer) {
    const ResultSet& set = answer.rows();
    if (set.rows.empty() || set.rows.front().empty())
        return 0;
    return set.rows.front().front().integer().value_or(0);
}

} // namespace

std::vector<InstalledDriver> installed_drivers() {
    return Environment(need_api()).drivers();
}

OdbcServer::OdbcServer(ServerSettings settings, std::function<std::string()> password,
                       const OdbcOptions& options)
    : settings_(std::move(settings)), password_(std::move(password)), options_(options) {}

Driver OdbcServer::driver() const {
    const Environment environment(need_api());
    const std::vector<InstalledDriver> installed = environment.drivers();
    if (settings_.connection.empty())
        return choose_driver(installed, settings_.driver);
    const ConnectionString own(settings_.connection);
    std::string named = own.value("driver").value_or("");
    if (named.empty())
        named = environment.driver_of_source(own.value("dsn").value_or(""));
    const auto place = std::find_if(installed.begin(), installed.end(), [&](const auto& each) {
        return is_same_name(each.name, named);
    });
    return driver_of(place == installed.end() ? InstalledDriver{named, ""} : *place);
}

Opened OdbcServer::open(SessionRole role, const sdk::Op* op) {
    const Api& api = need_api();
    if (DriverThread::left_behind() >= left_behind_max)
        throw sdk::Error(STSYNC_BUSY,
                         "The ODBC driver has not returned from " +
                             std::to_string(left_behind_max) +
                             " earlier calls: it is tried again when it has; if that does not "
                             "happen, restart the service.");
    std::string password = password_();
    const ConnectionString where =
        make_connection_string(settings_, driver(), password, application_of(role));
    wipe(password);
    auto connection = std::make_unique<Connection>(api, where, options_);
    Opened opened;
    opened.ending = connection->connect(op, opened.messages);
    if (opened.ending != Ending::complete)
        return opened;
    if (options_.has_prologue) {
        RunOptions options;
        options.limit = prologue_limit;
        options.op = op;
        Answer answer = connection->run(prologue, options);
        opened.ending = answer.ending;
        opened.messages.insert(opened.messages.end(), answer.messages.begin(),
                               answer.messages.end());
        if (!answer.is_complete())
            return opened;
        connection->set_id(session_id_of(answer));
    }
    opened.session = std::move(connection);
    return opened;
}

} // namespace stationsync::sqlserver::odbc
