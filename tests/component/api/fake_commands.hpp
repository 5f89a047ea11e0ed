#pragma once
// A service behind the API that answers as the test says, and a thread that runs both.

#include "api/api_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include <future>
#include <optional>
#include <thread>

namespace stationsync::test {

class FakeCommands final : public host::ServiceCommands {
public:
    void call(const std::string& name, const nlohmann::json& arguments, host::Access access,
              host::ReplyFunction done) override {
        if (name == "status") {
            done(host::reply_ok({{"project", "P"}}));
        } else if (name == "objects") {
            done(host::reply_ok({{"asked", arguments}}));
        } else if (name == "history") {
            // Large, so that a client that does not read blocks the answer.
            done({host::ReplyCode::ok, "\"" + std::string(64U << 20U, 'x') + "\""});
        } else if (name == "never" || name == "verify") {
            kept.push_back(std::move(done));
        } else if (name == "refuse") {
            done(host::reply_error(host::ReplyCode::refused, "An apply is open.", "Wait."));
        } else {
            done(host::reply_ok({{"name", name}, {"act", access == host::Access::act}}));
        }
    }

    std::vector<host::ReplyFunction> kept;
};

class RunningApi {
public:
    explicit RunningApi(host::ApiLimits limits = {}) {
        run([&] {
            server_.emplace(context_, commands,
                            host::ApiOptions{{"127.0.0.1", 0}, {"view", "act"}, limits});
        });
    }
    ~RunningApi() {
        run([&] { server_.reset(); });
        work_.reset();
        thread_.join();
    }
    RunningApi(const RunningApi&) = delete;
    RunningApi& operator=(const RunningApi&) = delete;

    // Runs `task` on the engine thread.
    template <class Task>
    void run(Task task) {
        std::promise<void> done;
        boost::asio::post(context_, [&] {
            task();
            done.set_value();
        });
        done.get_future().get();
    }
    host::ApiServer& server() { return *server_; }
    host::Endpoint endpoint() { return server_->endpoint(); }
    void publish(const std::string& type, const nlohmann::json& event) {
        run([&] { server_->publish(type, event); });
    }

    FakeCommands commands;

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    std::thread thread_{[this] { context_.run(); }};
    std::optional<host::ApiServer> server_;
};

} // namespace stationsync::test
