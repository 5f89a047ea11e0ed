// A SQL Server that answers from a script, for tests of what decides.
#pragma once

#include "sql_session.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace stationsync::sqlserver::test {

inline Diagnostic error(std::int32_t number, std::string text = "said by the server",
                        std::string state = "42000") {
    return {std::move(state), number, std::move(text)};
}

inline Diagnostic information(std::int32_t number, std::string text = "said by the server") {
    return {"01000", number, std::move(text)};
}

inline Answer failed(std::vector<Diagnostic> messages, Ending ending = Ending::failed) {
    Answer answer;
    answer.ending = ending;
    answer.messages = std::move(messages);
    return answer;
}

// Columns with their values; "NULL" is NULL.
inline Answer one_row(const std::vector<std::pair<std::string, std::string>>& fields) {
    ResultSet set;
    set.rows.emplace_back();
    for (const auto& [column, value] : fields) {
        set.columns.push_back(column);
        set.rows.front().push_back(value == "NULL" ? Value() : Value::of_text(value));
    }
    Answer answer;
    answer.results.push_back(std::move(set));
    return answer;
}

// Expects its steps in this order, and nothing else.
class ScriptedSession final : public SqlSession {
public:
    // A statement that contains `part` is answered with `answer`.
    void expect(std::string part, Answer answer) {
        steps_.push_back({std::move(part), std::move(answer)});
    }
    ~ScriptedSession() override {
        for (const Step& step : steps_)
            ADD_FAILURE() << "never asked: " << step.part;
    }

    Answer run(std::string_view sql, const RunOptions& options) override {
        asked.emplace_back(sql);
        if (options.op != nullptr && options.op->is_cancelled())
            return failed({{"HY008", 0, "cancelled"}}, Ending::cancelled);
        if (steps_.empty() || sql.find(steps_.front().part) == std::string_view::npos) {
            ADD_FAILURE() << "not expected: " << sql;
            return failed({error(1, "not in the script")});
        }
        Answer answer = std::move(steps_.front().answer);
        steps_.pop_front();
        if (answer.ending == Ending::lost)
            is_usable_ = false;
        return answer;
    }
    void cancel() noexcept override {}
    bool is_usable() const noexcept override { return is_usable_; }
    std::int64_t id() const noexcept override { return 55; }

    std::vector<std::string> asked;

private:
    struct Step {
        std::string part;
        Answer answer;
    };
    std::deque<Step> steps_;
    bool is_usable_ = true;
};

} // namespace stationsync::sqlserver::test
