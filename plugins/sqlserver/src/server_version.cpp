#include "server_version.hpp"

#include "job_outcome.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace stationsync::sqlserver {

namespace {

constexpr const char* version_token = "sqlserver.version";
constexpr const char* format_token = "sqlserver.format";
constexpr const char* build_token = "sqlserver.build";
constexpr const char* edition_token = "sqlserver.edition";
constexpr const char* collation_token = "sqlserver.collation";

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;
constexpr std::int64_t standard_edition_id = -1534726760;
constexpr int enterprise_engine = 3;
constexpr int major_2012 = 11;
constexpr int major_2014 = 12;
constexpr int major_2017 = 14;
constexpr int major_2022 = 16;
constexpr int major_2025 = 17;

struct Property {
    const char* column;
    const char* name;
};

// SERVERPROPERTY answers NULL for a name that a version does not know.
constexpr std::array properties{
    Property{"product_version", "ProductVersion"},
    Property{"product_level", "ProductLevel"},
    Property{"update_level", "ProductUpdateLevel"},
    Property{"edition", "Edition"},
    Property{"edition_id", "EditionID"},
    Property{"engine_edition", "EngineEdition"},
    Property{"collation", "Collation"},
    Property{"machine_name", "MachineName"},
    Property{"instance_name", "InstanceName"},
    Property{"is_local_db", "IsLocalDB"},
    Property{"is_clustered", "IsClustered"},
    Property{"is_hadr_enabled", "IsHadrEnabled"},
    Property{"is_xtp_supported", "IsXTPSupported"},
    Property{"filestream_level", "FilestreamEffectiveLevel"},
    Property{"is_full_text_installed", "IsFullTextInstalled"},
    Property{"data_path", "InstanceDefaultDataPath"},
    Property{"log_path", "InstanceDefaultLogPath"},
    Property{"backup_path", "InstanceDefaultBackupPath"},
    Property{"path_separator", "PathSeparator"},
};

std::string text_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? std::string() : value->text().value_or("");
}

std::int64_t number_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? 0 : value->integer().value_or(0);
}

int small_number_in(const Row& row, std::string_view column) {
    return static_cast<int>(number_in(row, column));
}

bool flag_in(const Row& row, std::string_view column) {
    return number_in(row, column) != 0;
}

std::string value_of(const std::vector<sdk::Token>& tokens, std::string_view name) {
    for (const sdk::Token& token : tokens)
        if (token.name == name && token.kind != STSYNC_TOKEN_MIN)
            return token.value;
    return {};
}

bool is_exact(const std::vector<sdk::Token>& tokens, std::string_view name) {
    return std::any_of(tokens.begin(), tokens.end(), [&](const sdk::Token& token) {
        return token.name == name && token.kind == STSYNC_TOKEN_EXACT;
    });
}

// "2022 (16.0.4105.2)", or as much as is known.
std::string shown(const std::vector<sdk::Token>& tokens) {
    const std::string build = value_of(tokens, build_token);
    const auto version = parse_version(build);
    return version ? release_of(version->major, version->minor) + " (" + build + ")"
                   : "of an unknown version";
}

std::string shown(const ServerVersion& version) {
    return "SQL Server " + release_of(version.major, version.minor) + " (" + to_text(version) + ")";
}

bool is_same_release(const ServerVersion& a, const ServerVersion& b) noexcept {
    return a.major == b.major && a.minor == b.minor;
}

} // namespace

std::optional<ServerVersion> parse_version(std::string_view text) {
    std::array<int, 4> parts{};
    std::size_t count = 0;
    while (count < parts.size()) {
        const auto [stopped, failure] =
            std::from_chars(text.data(), text.data() + text.size(), parts.at(count));
        if (failure != std::errc{} || parts.at(count) < 0)
            return std::nullopt;
        ++count;
        text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
        if (text.empty())
            break;
        if (text.front() != '.')
            return std::nullopt;
        text.remove_prefix(1);
    }
    if (count < 2 || !text.empty())
        return std::nullopt;
    return ServerVersion{parts[0], parts[1], parts[2], parts[3]};
}

std::string to_text(const ServerVersion& version) {
    std::string text = std::to_string(version.major) + '.' + std::to_string(version.minor) + '.' +
                       std::to_string(version.build);
    if (version.revision != 0)
        text += '.' + std::to_string(version.revision);
    return text;
}

std::string release_of(int major, int minor) {
    constexpr std::array<const char*, 7> years = {"2012", "2014", "2016", "2017",
                                                  "2019", "2022", "2025"};
    if (major == 10)
        return minor == 50 ? "2008 R2" : "2008";
    const int index = major - major_2012;
    if (index >= 0 && index < static_cast<int>(years.size()) && minor == 0)
        return years.at(static_cast<std::size_t>(index));
    return "version " + std::to_string(major) + '.' + std::to_string(minor);
}

std::string ServerFacts::name() const {
    return shown(version) + (edition.empty() ? "" : ", " + edition);
}

std::optional<std::uint64_t> ServerFacts::data_bytes_max() const noexcept {
    if (!is_express())
        return std::nullopt;
    return (version.major >= major_2025 ? 50 : 10) * gibibyte;
}

bool ServerFacts::can_compress() const noexcept {
    return engine_edition == enterprise_engine || edition_id == standard_edition_id;
}

bool ServerFacts::has_log_stats() const noexcept {
    return version >= ServerVersion{13, 0, 5026, 0}; // 2016 SP2
}

bool ServerFacts::has_file_exists() const noexcept {
    return version.major >= major_2017;
}

bool ServerFacts::has_host_info() const noexcept {
    return version.major >= major_2017;
}

bool ServerFacts::has_connect_any() const noexcept {
    return version.major >= major_2014;
}

bool ServerFacts::splits_server_state() const noexcept {
    return version.major >= major_2022;
}

std::string server_facts_statement() {
    std::string statement = "SELECT @@SERVERNAME AS server_name, "
                            "DATABASEPROPERTYEX('model', 'Version') AS model_version";
    for (const Property& each : properties)
        statement += std::string(", CONVERT(nvarchar(4000), SERVERPROPERTY('") + each.name +
                     "')) AS " + each.column;
    return statement;
}

ServerFacts parse_server_facts(const Row& row) {
    ServerFacts facts;
    const std::string version = text_in(row, "product_version");
    const auto parsed = parse_version(version);
    if (!parsed)
        throw sdk::Error(STSYNC_INTERNAL,
                         "SQL Server has told no version that can be read: \"" + version + "\".");
    facts.version = *parsed;
    facts.format = small_number_in(row, "model_version");
    facts.level = text_in(row, "product_level");
    facts.update_level = text_in(row, "update_level");
    facts.edition = text_in(row, "edition");
    facts.edition_id = number_in(row, "edition_id");
    facts.engine_edition = small_number_in(row, "engine_edition");
    facts.collation = text_in(row, "collation");
    facts.machine = text_in(row, "machine_name");
    facts.instance = text_in(row, "instance_name");
    facts.server = text_in(row, "server_name");
    facts.is_local_db = flag_in(row, "is_local_db");
    facts.is_clustered = flag_in(row, "is_clustered");
    facts.is_hadr_enabled = flag_in(row, "is_hadr_enabled");
    facts.has_in_memory = flag_in(row, "is_xtp_supported");
    facts.filestream_level = small_number_in(row, "filestream_level");
    facts.has_full_text = flag_in(row, "is_full_text_installed");
    facts.data_folder = text_in(row, "data_path");
    facts.log_folder = text_in(row, "log_path");
    facts.backup_folder = text_in(row, "backup_path");
    facts.path_separator = text_in(row, "path_separator");
    if (facts.path_separator.empty())
        facts.path_separator = "\\";
    facts.is_linux = facts.path_separator == "/";
    return facts;
}

ServerFacts ask_server_facts(SqlSession& session, const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    const Answer answer = session.run(server_facts_statement(), options);
    require_complete(answer, op);
    ServerFacts facts = parse_server_facts(answer.row());
    if (facts.has_host_info()) {
        const Answer host = session.run("SELECT host_platform FROM sys.dm_os_host_info", options);
        // The view needs a right on servers before 2022; the separator has told already.
        if (host.is_complete() && !host.results.empty() && !host.rows().rows.empty())
            facts.is_linux = text_in(host.row(), "host_platform") == "Linux";
    }
    return facts;
}

std::string unsupported_reason(const ServerFacts& facts) {
    constexpr std::array<int, 5> elsewhere = {5, 6, 8, 9, 11}; // Azure SQL, Synapse, Edge …
    if (std::find(elsewhere.begin(), elsewhere.end(), facts.engine_edition) != elsewhere.end())
        return facts.name() + " runs in a cloud or on an edge device and cannot restore backups of "
                              "a plant: use a SQL Server on a computer of the plant.";
    if (facts.is_local_db)
        return facts.name() + " is a LocalDB, which belongs to one user and ends with him: install "
                              "the Express edition as a service.";
    if (facts.version.major < major_2012)
        return facts.name() + " is too old: SQL Server 2012 or later is needed.";
    return {};
}

std::vector<sdk::Token> tokens_of(const ServerFacts& facts, bool is_build_exact) {
    const auto text = [](int number) { return std::to_string(number); };
    const std::uint32_t build_kind = is_build_exact ? STSYNC_TOKEN_EXACT : STSYNC_TOKEN_INFO;
    return {{STSYNC_TOKEN_EXACT, version_token,
             text(facts.version.major) + '.' + text(facts.version.minor)},
            {STSYNC_TOKEN_EXACT, format_token, text(facts.format)},
            {build_kind, build_token, to_text(facts.version)},
            {STSYNC_TOKEN_INFO, edition_token, facts.edition},
            {STSYNC_TOKEN_INFO, collation_token, facts.collation}};
}

std::vector<std::string> incompatibilities(const std::vector<sdk::Token>& ours,
                                           const std::vector<sdk::Token>& theirs) {
    const auto differs = [&](const char* name) {
        return (is_exact(ours, name) || is_exact(theirs, name)) &&
               value_of(ours, name) != value_of(theirs, name);
    };
    const std::string both =
        "SQL Server is " + shown(ours) + " here and " + shown(theirs) + " there";
    // One reason is enough: another release always has another format and build.
    if (differs(version_token))
        return {both + ": a database restored by the newer one can never go back, so install the "
                       "same version on all stations"};
    if (differs(format_token))
        return {both + ", and the files of their databases have different formats, " +
                value_of(ours, format_token) + " here and " + value_of(theirs, format_token) +
                " there: install the same version on all stations"};
    if (differs(build_token))
        return {both + ", and exact_build = true asks for the same: install the same update on all "
                       "stations, or take exact_build out"};
    return {};
}

std::vector<std::string> differences(const std::vector<sdk::Token>& ours,
                                     const std::vector<sdk::Token>& theirs) {
    std::vector<std::string> found;
    const auto note = [&](const char* name, const std::string& what, const std::string& remedy) {
        const std::string a = value_of(ours, name);
        const std::string b = value_of(theirs, name);
        if (!a.empty() && !b.empty() && a != b)
            found.push_back(what + " is " + a + " here and " + b + " there: " + remedy);
    };
    note(build_token, "The build of SQL Server", "install the same update on all stations.");
    note(edition_token, "The edition of SQL Server",
         "a database that needs what one of them lacks cannot be restored there.");
    note(collation_token, "The collation of the server",
         "statements that compare texts with temporary tables may fail on one of them.");
    return found;
}

HeaderVersion parse_header_version(const Row& header) {
    HeaderVersion version;
    version.version.major = small_number_in(header, "SoftwareVersionMajor");
    version.version.minor = small_number_in(header, "SoftwareVersionMinor");
    version.version.build = small_number_in(header, "SoftwareVersionBuild");
    version.format = small_number_in(header, "DatabaseVersion");
    version.collation = text_in(header, "Collation");
    return version;
}

PackageVerdict judge_package(const HeaderVersion& header, const ServerFacts& facts,
                             bool is_build_exact) {
    PackageVerdict verdict;
    const std::string both =
        "The backup was made by " + shown(header.version) + ", and here is " + shown(facts.version);
    const int theirs = header.version.build;
    const int ours = facts.version.build;
    if (!is_same_release(header.version, facts.version))
        verdict.obstacle = both + ": install the same version on all stations.";
    else if (header.format != facts.format)
        verdict.obstacle = both + "; its database has the format " + std::to_string(header.format) +
                           ", but this server uses " + std::to_string(facts.format) +
                           ": bring the database to the version of its server, or install the same "
                           "version on all stations.";
    else if (is_build_exact && theirs != ours)
        verdict.obstacle = both + ", and exact_build = true asks for the same: install the same "
                                  "update on all stations, or take exact_build out.";
    else if (ours < theirs)
        verdict.warnings.push_back(both + ": install the newer update on this station.");
    else if (theirs < ours)
        verdict.warnings.push_back(both + ": install the newer update on that station.");
    return verdict;
}

} // namespace stationsync::sqlserver
