#include "cli/api_client.hpp"

#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "cli/environment.hpp"
#include "config/endpoint.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

namespace stationsync::host::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds connect_time_max{5};
constexpr std::chrono::minutes answer_time_max{11}; // a little more than the service allows itself
constexpr std::uint64_t small_file_bytes_max = 4096;
constexpr std::uint64_t answer_bytes_max = 1024ULL * 1024 * 1024;

class NotRunning : public CommandFailure {
public:
    using CommandFailure::CommandFailure;
};

[[noreturn]] void not_running(const RootPaths& paths) {
    std::error_code error;
    if (!std::filesystem::exists(paths.station_file(), error) && !error) {
        throw CommandFailure(
            "there is no station in " + path_text(paths.configuration) +
                ": station.toml is missing",
            paths.root.empty()
                ? "Name the station's folder with --root DIR, or make a station with "
                  "`stationsync init` or `stationsync join`."
                : "Check --root, or make a station there with `stationsync init` or "
                  "`stationsync join`.");
    }
    throw NotRunning("the service is not running",
                     "Start it with `stationsync " +
                         (paths.root.empty() ? "" : "--root " + path_text(paths.root) + " ") +
                         "run` or as a system service.");
}

// Nothing when the file does not exist.
std::optional<std::string> read_api_file(const std::filesystem::path& file,
                                         const std::string& readers) {
    auto text = read_whole(file, small_file_bytes_max);
    if (text) {
        return std::move(*text);
    }
    if (text.error().kind == IoErrorKind::not_found) {
        return std::nullopt;
    }
    if (text.error().kind == IoErrorKind::denied) {
        throw CommandFailure("this account may not read " + path_text(file), readers);
    }
    throw CommandFailure(text.error().text, remedy_of(text.error().kind));
}

std::string escaped(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        const auto plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
                           byte == '.';
        if (plain) {
            result += byte;
        } else {
            result += {'%', digits[code >> 4U], digits[code & 15U]};
        }
    }
    return result;
}

std::string target_of(const std::string& view, const Parameters& parameters) {
    auto target = "/v1/" + view;
    char separator = '?';
    for (const auto& [name, value] : parameters) {
        target += separator + escaped(name) + "=" + escaped(value);
        separator = '&';
    }
    return target;
}

} // namespace

struct ApiClient::Connection {
    using Request = http::request<http::string_body>;
    using Parser = http::response_parser<http::string_body>;

    asio::io_context io;
    beast::tcp_stream stream{io};
    beast::flat_buffer buffer;
    Endpoint endpoint;
    std::string token;
    std::chrono::seconds answer_time = answer_time_max;
    bool may_ask_again = true;
    bool open = false;

    // Runs the operation that was just started.
    void run() {
        io.restart();
        io.run();
    }

    error_code connect() {
        error_code error;
        const auto address = asio::ip::make_address(endpoint.address, error);
        if (error) {
            return error;
        }
        stream.expires_after(connect_time_max);
        stream.async_connect(asio::ip::tcp::endpoint(address, endpoint.port),
                             [&error](error_code result) { error = result; });
        run();
        open = !error;
        return error;
    }

    Request request(http::verb verb, const std::string& target, std::string body) const {
        Request request(verb, target, 11);
        request.set(http::field::host, to_text(endpoint));
        request.set(http::field::authorization, "Bearer " + token);
        if (verb == http::verb::post) {
            request.set(http::field::content_type, "application/json");
        }
        request.body() = std::move(body);
        request.prepare_payload();
        return request;
    }

    error_code send(const Request& request) {
        error_code error;
        stream.expires_after(connect_time_max);
        http::async_write(stream, request,
                          [&error](error_code result, std::size_t) { error = result; });
        run();
        return error;
    }

    error_code receive(Parser& parser, bool patient) {
        error_code error;
        parser.body_limit(answer_bytes_max);
        if (patient) {
            stream.expires_never();
        } else {
            stream.expires_after(answer_time);
        }
        http::async_read(stream, buffer, parser,
                         [&error](error_code result, std::size_t) { error = result; });
        run();
        return error;
    }

    void close() {
        stream.close();
        buffer.clear();
        open = false;
    }

    [[noreturn]] void broken(const error_code& error) {
        close();
        throw CommandFailure("the service at " + to_text(endpoint) +
                                 " did not answer: " + error.message(),
                             "It may be stopping or starting: try again.");
    }

    [[noreturn]] void refused(unsigned status, const std::string& body) const {
        const auto answer = json::parse(body, nullptr, false);
        if (status == 401) {
            throw CommandFailure(
                "the program at " + to_text(endpoint) +
                    " does not accept the token of this station",
                "Another service uses this address: check --root and `api` in [net] "
                "of station.toml.");
        }
        if (!answer.is_object() || !answer.contains("error") || !answer["error"].is_object()) {
            throw CommandFailure("the program at " + to_text(endpoint) +
                                     " is not StationSync (HTTP status " + std::to_string(status) +
                                     ")",
                                 "Check --root and `api` in [net] of station.toml.");
        }
        const auto& error = answer["error"];
        throw CommandFailure(error.value("text", "the service refused without a reason"),
                             error.value("remedy", ""));
    }

    // `patient`: waits for the answer as long as the service lives.
    json exchange(http::verb verb, const std::string& target, const std::string& body,
                  bool patient = false) {
        const auto message = request(verb, target, body);
        // The service may have closed an idle connection; a question may be asked again, an action
        // not.
        for (auto attempt = 0;; ++attempt) {
            const auto reused = open;
            error_code error;
            if (!open) {
                error = connect();
            }
            Parser parser;
            if (!error) {
                error = send(message);
            }
            if (!error) {
                error = receive(parser, patient);
            }
            if (error && reused && attempt == 0 && may_ask_again && verb == http::verb::get) {
                close();
                continue;
            }
            if (error) {
                broken(error);
            }
            auto& response = parser.get();
            if (!response.keep_alive()) {
                close();
            }
            if (response.result_int() != 200) {
                refused(response.result_int(), response.body());
            }
            auto answer = json::parse(response.body(), nullptr, false);
            if (answer.is_discarded()) {
                refused(200, "");
            }
            return answer;
        }
    }
};

ApiClient::ApiClient(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
ApiClient::~ApiClient() = default;

ApiClient::ApiClient(const RootPaths& paths, Token token)
    : connection_(std::make_unique<Connection>()) {
    const auto address =
        read_api_file(paths.api_endpoint_file(), "Run the command as administrator (root).");
    const auto parsed = address ? json::parse(*address, nullptr, false) : json();
    if (!parsed.is_object()) {
        not_running(paths);
    }
    connection_->endpoint.address = parsed.value("address", "");
    connection_->endpoint.port = parsed.value("port", std::uint16_t{0});
    // Administrators act; who cannot act may still look.
    std::optional<std::string> secret;
    if (token == Token::view) {
        secret = read_api_file(paths.view_token_file(),
                               "Looking needs membership in the group `stationsync`, or "
                               "administrator rights.");
    } else {
        secret =
            read_api_file(paths.act_token_file(),
                          "Actions need administrator rights: run the command as administrator "
                          "(root, or the account of the service).");
    }
    if (!secret) {
        not_running(paths);
    }
    connection_->token = std::move(*secret);
    if (connection_->connect()) {
        // The files of a service that did not end cleanly.
        not_running(paths);
    }
}

std::unique_ptr<ApiClient> ApiClient::if_running(const RootPaths& paths, Token token) {
    try {
        return std::make_unique<ApiClient>(paths, token);
    } catch (const NotRunning&) {
        return nullptr;
    }
}

void ApiClient::limit_answers(std::chrono::seconds time_max) {
    connection_->answer_time = time_max;
    connection_->may_ask_again = false;
}

json ApiClient::get(const std::string& view, const Parameters& parameters) {
    return connection_->exchange(http::verb::get, target_of(view, parameters), "");
}

json ApiClient::act(const std::string& action, const json& arguments) {
    return connection_->exchange(http::verb::post, "/v1/actions/" + action, arguments.dump());
}

json ApiClient::act_long(const std::string& action, const json& arguments) {
    return connection_->exchange(http::verb::post, "/v1/actions/" + action, arguments.dump(), true);
}

bool ApiClient::stream(const std::string& view, const Parameters& parameters,
                       const OnEvent& on_event) {
    auto& link = *connection_;
    link.close();
    auto error = link.connect();
    if (!error) {
        error = link.send(link.request(http::verb::get, target_of(view, parameters), ""));
    }
    http::response_parser<http::buffer_body> head;
    if (!error) {
        link.stream.expires_after(answer_time_max);
        http::async_read_header(link.stream, link.buffer, head,
                                [&error](error_code result, std::size_t) { error = result; });
        link.run();
    }
    if (error) {
        link.broken(error);
    }
    if (head.get().result_int() != 200) {
        link.close();
        link.refused(head.get().result_int(), "{\"error\":{\"text\":\"the service refused the "
                                              "stream\"}}");
    }
    std::string text = beast::buffers_to_string(link.buffer.data());
    link.buffer.clear();
    char chunk[16384];
    for (;;) {
        for (auto end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
            std::string_view event(text.data(), end);
            std::string_view type;
            std::string_view data;
            while (!event.empty()) {
                const auto line = event.substr(0, event.find('\n'));
                event.remove_prefix(std::min(line.size() + 1, event.size()));
                if (line.starts_with("event: ")) {
                    type = line.substr(7);
                } else if (line.starts_with("data: ")) {
                    data = line.substr(6);
                }
            }
            if (!type.empty() && !on_event(type, data)) {
                link.close();
                return true;
            }
            text.erase(0, end + 2);
        }
        std::size_t received = 0;
        link.stream.expires_after(answer_time_max);
        link.stream.async_read_some(asio::buffer(chunk), [&](error_code result, std::size_t bytes) {
            error = result;
            received = bytes;
        });
        link.run();
        if (error) {
            link.close();
            return false;
        }
        text.append(chunk, received);
    }
}

} // namespace stationsync::host::cli
