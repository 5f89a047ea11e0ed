#include "connection.hpp"

#include "../text.hpp"
#include "statement.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <system_error>
#include <thread>

namespace stationsync::sqlserver::odbc {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{100}; // at the running call and the time
constexpr std::chrono::milliseconds cancel_interval{1000};
constexpr std::chrono::milliseconds login_margin{5000};
constexpr std::chrono::milliseconds leave_limit{3000};

// Whatever the driver's return code was.
bool is_server_error(const Diagnostic& said) {
    return said.is_error() && said.number > 0;
}

// What is said of a statement because it was asked to end.
bool comes_of_ending(const Diagnostic& said) {
    constexpr std::array<std::int32_t, 3> numbers = {3013, 3204, 3262};
    return !said.is_error() || said.state == "HY008" || said.state == "HYT00" ||
           said.state == "S1008" ||
           std::find(numbers.begin(), numbers.end(), said.number) != numbers.end();
}

} // namespace

// What belongs to the driver; a call that was left behind keeps it.
struct Connection::State {
    const Api& api;
    const ConnectionString where;
    Environment environment;
    Handle connection;
    bool is_connected = false; // on the driver's thread
    std::mutex mutex;          // guards what follows
    std::uint64_t batch = 0;   // number of the present one, so that no late cancel meets the next
    SQLHANDLE running = SQL_NULL_HANDLE;
    bool is_ending = false;
    std::atomic<bool> is_cancelling{false};

    State(const Api& manager, const ConnectionString& string)
        : api(manager), where(string), environment(manager), connection(manager, SQL_HANDLE_DBC) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { leave(); }

    void leave() noexcept {
        if (is_connected)
            api.disconnect(connection.get());
        is_connected = false;
    }

    // From here to its end the statement can be reached; false when it must not begin.
    bool begin(SQLHANDLE statement) {
        const std::lock_guard lock(mutex);
        running = statement;
        return !is_ending;
    }
    void end() {
        const std::lock_guard lock(mutex);
        running = SQL_NULL_HANDLE;
    }
    void reset() {
        const std::lock_guard lock(mutex);
        ++batch;
        is_ending = false;
    }
    void cancel_running(std::uint64_t wanted) {
        const std::lock_guard lock(mutex);
        if (batch != wanted)
            return;
        is_ending = true;
        if (running != SQL_NULL_HANDLE)
            api.cancel(running);
    }

    // On a thread of its own, for some drivers hold SQLCancel until the statement has ended.
    static void cancel(const std::shared_ptr<State>& state) {
        if (state->is_cancelling.exchange(true))
            return;
        try {
            // Only the caller's thread counts batches, so this is the one that it waits for.
            std::thread([state, present = state->batch] {
                state->cancel_running(present);
                state->is_cancelling = false;
            }).detach();
        } catch (const std::system_error&) {
            state->is_cancelling = false; // no thread to be had: the next attempt is near
        }
    }
};

struct Connection::Login {
    std::vector<Diagnostic> messages;
    bool is_done = false;

    void work(State& state, std::chrono::seconds limit) {
        if (!state.environment.is_made()) {
            messages.push_back({"HY001", 0, "the ODBC driver manager cannot be used"});
            return;
        }
        if (!state.connection.allocate(state.environment.handle().get())) {
            collect(state.environment.handle(), state.where, messages);
            return;
        }
        // Autocommit is on as long as nobody touches it; to set it would begin a transaction in
        // some drivers.
        state.api.set_connect_attr(state.connection.get(), SQL_ATTR_LOGIN_TIMEOUT,
                                   number(static_cast<std::uintptr_t>(limit.count())),
                                   SQL_IS_UINTEGER);
        std::u16string text = utf16_of(state.where.text());
        const SQLRETURN code = state.api.driver_connect(
            state.connection.get(), nullptr, wide(text.data()),
            static_cast<SQLSMALLINT>(text.size()), nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
        wipe(text);
        is_done = SQL_SUCCEEDED(code);
        state.is_connected = is_done;
        if (code != SQL_SUCCESS)
            collect(state.connection, state.where, messages);
    }
};

struct Connection::Batch {
    std::u16string sql;
    Limits limits;
    Answer answer;
    bool has_failed = false;

    void work(State& state) {
        Statement statement(state.api, state.where);
        if (!statement.allocate(state.connection.get())) {
            has_failed = true;
            collect(state.connection, state.where, answer.messages);
            return;
        }
        if (state.begin(statement.handle())) {
            statement.run(std::move(sql), limits);
            has_failed = statement.has_failed();
            answer.results = std::move(statement.results());
            answer.messages = std::move(statement.messages());
        } else {
            has_failed = true;
            answer.messages.push_back({"HY008", 0, "it was asked to end before it began"});
        }
        state.end();
    }
};

Connection::Connection(const Api& api, const ConnectionString& where, const OdbcOptions& options)
    : state_(std::make_shared<State>(api, where)), options_(options) {}

Connection::~Connection() {
    if (thread_.is_busy())
        return; // left behind, and ends the connection when it comes back
    // That may hang, too.
    thread_.start([state = state_] { state->leave(); });
    const auto until = Clock::now() + leave_limit;
    while (!thread_.wait_for(look_interval) && Clock::now() < until) {
    }
}

bool Connection::is_asked_to_end(const RunOptions& options) const {
    return is_cancel_wanted_ || (options.op != nullptr && options.op->is_cancelled());
}

Ending Connection::watch(const RunOptions& options, std::chrono::milliseconds grace) {
    const auto begun = Clock::now();
    auto next_tick = begun + options.tick;
    auto next_cancel = begun;
    auto given_up = begun;
    Ending asked = Ending::complete;
    std::exception_ptr failure;
    while (!thread_.wait_for(look_interval)) {
        const auto now = Clock::now();
        if (asked == Ending::complete) {
            if (is_asked_to_end(options))
                asked = Ending::cancelled;
            else if (options.limit.count() > 0 && now >= begun + options.limit)
                asked = Ending::late;
            if (asked == Ending::complete && options.on_tick && now >= next_tick) {
                try {
                    if (!options.on_tick())
                        asked = Ending::cancelled;
                } catch (...) {
                    failure = std::current_exception();
                    asked = Ending::cancelled;
                }
                next_tick = Clock::now() + options.tick;
            }
            given_up = Clock::now() + grace;
        }
        if (asked == Ending::complete)
            continue;
        if (now >= given_up) {
            is_usable_ = false;
            asked = Ending::lost;
            break;
        }
        if (now >= next_cancel) {
            // Again and again: the first may come before the driver has sent the statement.
            State::cancel(state_);
            next_cancel = now + cancel_interval;
        }
    }
    if (failure)
        std::rethrow_exception(failure);
    return asked;
}

Ending Connection::connect(const sdk::Op* op, std::vector<Diagnostic>& messages) {
    const auto login = std::make_shared<Login>();
    is_cancel_wanted_ = false;
    thread_.start(
        [login, state = state_, limit = options_.login_limit] { login->work(*state, limit); });
    RunOptions options;
    options.op = op;
    options.limit = std::chrono::milliseconds(options_.login_limit) + login_margin;
    // SQLCancel does nothing for a login: it is given up at once.
    const Ending asked = watch(options, std::chrono::milliseconds(0));
    if (asked == Ending::lost) {
        const bool is_wanted = is_asked_to_end(options);
        messages.push_back({is_wanted ? "HY008" : "HYT00", 0,
                            is_wanted ? "the login was broken off"
                                      : "the driver has not returned from the login"});
        return is_wanted ? Ending::cancelled : Ending::late;
    }
    messages = std::move(login->messages);
    is_usable_ = login->is_done;
    return login->is_done ? Ending::complete : Ending::failed;
}

Answer Connection::run(std::string_view sql, const RunOptions& options) {
    Answer answer;
    if (!is_usable_) {
        answer.ending = Ending::lost;
        answer.messages.push_back({"08003", 0, "the connection was given up before"});
        return answer;
    }
    const auto batch = std::make_shared<Batch>();
    batch->sql = utf16_of(sql);
    batch->limits = {options.rows_max, options.value_bytes_max};
    is_cancel_wanted_ = false;
    state_->reset();
    thread_.start([batch, state = state_] { batch->work(*state); });
    const Ending asked = watch(options, options_.cancel_grace);
    if (asked == Ending::lost) {
        answer.ending = Ending::lost;
        answer.was_asked_to_end = true;
        answer.messages.push_back({"HYT00", 0, "the driver did not return when asked to end"});
        return answer;
    }
    answer = std::move(batch->answer);
    answer.was_asked_to_end = asked != Ending::complete;
    const auto& said = answer.messages;
    if (std::any_of(said.begin(), said.end(),
                    [](const Diagnostic& each) { return each.tells_loss(); })) {
        is_usable_ = false;
        answer.ending = Ending::lost;
    } else if (!batch->has_failed && std::none_of(said.begin(), said.end(), is_server_error)) {
        answer.ending = Ending::complete;
    } else if (std::all_of(said.begin(), said.end(), comes_of_ending)) {
        answer.ending = answer.was_asked_to_end ? asked : Ending::failed;
    } else {
        answer.ending = Ending::failed;
    }
    return answer;
}

void Connection::cancel() noexcept {
    is_cancel_wanted_ = true;
    thread_.wake();
}

} // namespace stationsync::sqlserver::odbc
