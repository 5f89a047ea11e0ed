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

// Nothing when a column is of a type that the sum leaves out.
std::optional<std::vector<Table>> tables_of(SqlSession& session, const std::string& database,
                                            const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    // 34 image, 35 text, 99 ntext, 241 xml, 240 types of the CLR
    const Answer answer =
        session.run("SELECT s.name AS schema_name, t.name AS table_name, "
                    "(SELECT COUNT_BIG(*) FROM " +
                        database +
                        ".sys.columns c WHERE c.object_id = t.object_id AND "
                        "c.system_type_id IN (34, 35, 99, 240, 241)) AS left_out FROM " +
                        database + ".sys.tables t JOIN " + database +
                        ".sys.schemas s ON s.schema_id = t.schema_id ORDER BY s.name, t.name",
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
