#include "content_sum.hpp"

#include "job_outcome.hpp"
#include "quoting.hpp"

#include <stationsync/sha256.hpp>

namespace stationsync::sqlserver {

namespace {

constexpr std::size_t tables_max = 2000;

struct Table {
    std::string schema;
    std::string name;
};

// sys.columns.system_type_id of what BINARY_CHECKSUM is known to take in. It ignores image, text,
// ntext, xml and types of the CLR, and a type that a later version brings (json, vector) may be
// ignored as well: a table with any other type has no sum.
// uniqueidentifier, date, time, datetime2, datetimeoffset, tinyint, smallint, int, smalldatetime,
// real, money, datetime, float, sql_variant, bit, decimal, numeric, smallmoney, bigint, varbinary,
// varchar, binary, char, timestamp, nvarchar, nchar
constexpr std::string_view summed_types = "36, 40, 41, 42, 43, 48, 52, 56, 58, 59, 60, 61, 62, 98, "
                                          "104, 106, 108, 122, 127, 165, 167, 173, 175, 189, 231, "
                                          "239";

// Nothing when a column is of a type that the sum leaves out.
std::optional<std::vector<Table>> tables_of(SqlSession& session, const std::string& database,
                                            const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    const Answer answer = session.run(
        "SELECT s.name AS schema_name, t.name AS table_name, "
        "(SELECT COUNT_BIG(*) FROM " +
            database +
            ".sys.columns c WHERE c.object_id = t.object_id AND "
            "c.system_type_id NOT IN (" +
            std::string(summed_types) + ")) AS left_out FROM " + database + ".sys.tables t JOIN " +
            database + ".sys.schemas s ON s.schema_id = t.schema_id ORDER BY s.name, t.name",
        options);
    if (answer.ending == Ending::failed)
        return std::nullopt;
    require_complete(answer, op);
    const ResultSet& rows = answer.rows();
    std::vector<Table> tables;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const Row row = rows.row(i);
        if (row["left_out"].integer().value_or(1) > 0 || !row["schema_name"].is_exact() ||
            !row["table_name"].is_exact())
            return std::nullopt;
        tables.push_back(
            {row["schema_name"].text().value_or(""), row["table_name"].text().value_or("")});
    }
    if (rows.has_more || tables.size() > tables_max)
        return std::nullopt;
    return tables;
}

} // namespace

std::optional<std::string> read_content_sum(SqlSession& session, std::string_view database,
                                            const sdk::Op* op) {
    const std::string name = quoted_name(database);
    const auto tables = tables_of(session, name, op);
    if (!tables)
        return std::nullopt;
    RunOptions options;
    options.op = op;
    options.limit = std::chrono::minutes(10);
    sdk::Sha256 hash;
    for (const Table& table : *tables) {
        const Answer answer = session.run(
            "SELECT COUNT_BIG(*) AS row_count, CHECKSUM_AGG(BINARY_CHECKSUM(*)) AS mixed, "
            "SUM(CONVERT(bigint, BINARY_CHECKSUM(*))) AS added FROM " +
                name + '.' + quoted_name(table.schema, table.name) + " WITH (NOLOCK)",
            options);
        if (answer.ending == Ending::failed)
            return std::nullopt;
        require_complete(answer, op);
        const Row row = answer.row();
        for (const char* const column : {"row_count", "mixed", "added"}) {
            const std::string value = row[column].text().value_or("-") + ';';
            hash.update(value.data(), value.size());
        }
    }
    const sdk::Digest digest = hash.finish();
    return std::string(digest.begin(), digest.end());
}

} // namespace stationsync::sqlserver
