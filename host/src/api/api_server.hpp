#pragma once
// The local HTTP/JSON API: loopback, two tokens, Host and Origin checked, everything bounded.

#include "api/service_commands.hpp"
#include "config/endpoint.hpp"
#include "config/root_paths.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace stationsync::host {

struct ApiLimits {
    std::size_t connections_max = 64;
    std::size_t streams_max = 16; // of them open event or log streams
    std::size_t header_bytes_max = 8192;
    std::size_t body_bytes_max = 65536;
    std::size_t events_kept = 1024; // what a stream may lag behind before it is told to reload
    std::chrono::milliseconds request_time_max{10'000}; // to send one whole request
    std::chrono::milliseconds idle_time_max{60'000};    // between requests
    std::chrono::milliseconds write_time_max{15'000};   // without any progress of the client
    std::chrono::milliseconds answer_time_max{600'000}; // for the service to answer
    std::chrono::milliseconds keep_alive_every{15'000}; // comment line on quiet streams
};

struct ApiTokens {
    std::string view; // may read
    std::string act;  // may read and act
};
// Random, 256 bits each, as hexadecimal text.
ApiTokens make_api_tokens();

struct ApiOptions {
    Endpoint endpoint; // port 0: any free one
    ApiTokens tokens;
    ApiLimits limits{};
};

// Lives on the engine thread, like all its calls. Destroying it closes every connection.
class ApiServer final : public EventSink {
public:
    // Listens at once. Throws std::runtime_error with a sentence when the address cannot be used.
    ApiServer(boost::asio::io_context& context, ServiceCommands& commands, ApiOptions options);
    ~ApiServer() override;

    Endpoint endpoint() const; // with the real port
    void publish(const std::string& type, const nlohmann::json& event) override;
    // Stops accepting and closes all connections; idempotent.
    void stop();

    class Implementation;

private:
    std::shared_ptr<Implementation> implementation_;
};

// Writes state/api: address and process id readable by all, the view token readable by the group
// `stationsync` where that exists, the act token by administrators only. Throws std::runtime_error.
void write_api_files(const RootPaths& paths, const Endpoint& endpoint, const ApiTokens& tokens);
// Removes them on a clean end; never throws.
void remove_api_files(const RootPaths& paths) noexcept;

} // namespace stationsync::host
