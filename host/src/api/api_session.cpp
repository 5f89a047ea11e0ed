// One connection of the local API: HTTP through Beast.
#include "api/api_implementation.hpp"
#include "api/request_rules.hpp"
#include "base/log.hpp"
#include "base/utc_text.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <functional>

namespace stationsync::host {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t stream_chunk_bytes = 65536;

unsigned http_status(ReplyCode code) {
    switch (code) {
    case ReplyCode::ok:
        return 200;
    case ReplyCode::bad_request:
        return 400;
    case ReplyCode::denied:
        return 403;
    case ReplyCode::not_found:
        return 404;
    case ReplyCode::refused:
        return 409;
    case ReplyCode::unavailable:
        return 503;
    case ReplyCode::failed:
        return 500;
    }
    return 500;
}

Reply refusal_reply(const RequestRefusal& refusal) {
    const auto code = refusal.status == 404                            ? ReplyCode::not_found
                      : refusal.status == 403 || refusal.status == 401 ? ReplyCode::denied
                                                                       : ReplyCode::bad_request;
    return reply_error(code, refusal.text, refusal.remedy);
}

nlohmann::json to_json(const log::Entry& entry) {
    return {{"number", entry.number},
            {"at", utc_text(entry.at_us)},
            {"level", log::level_name(entry.level)},
            {"part", entry.part},
            {"text", entry.text},
            {"station", entry.station},
            {"object", entry.object},
            {"reason", entry.reason}};
}

std::string dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// One connection: request after request, or one endless stream.
class Session final : public ApiSession, public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, std::shared_ptr<ApiServer::Implementation> server)
        : stream_(std::move(socket)),
          server_(std::move(server)),
          timer_(server_->context),
          buffer_(server_->options.limits.header_bytes_max +
                  server_->options.limits.body_bytes_max) {
        server_->sessions.insert(this);
    }
    ~Session() override {
        server_->sessions.erase(this);
        if (streaming_) {
            --server_->streams;
        }
        if (log_streaming_) {
            server_->unwatch_log();
        }
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void read(std::chrono::milliseconds time_max);
    void close() override;
    void wake() override {
        if (streaming_ && !writing_) {
            write_stream();
        }
    }

private:
    using Pull = std::function<std::string()>; // the next text of a stream; empty: nothing new

    void on_read(error_code error);
    void route();
    RequestFacts facts() const;
    void run_command(const CommandRoute& route);
    void limit_answer();
    void watch_client();
    void show_log(const LogRoute& route);
    void stream_log(std::size_t lines);
    void stream_events();
    void start_stream(std::string first_text, Pull pull);
    void write_stream();
    void wait_for_end();
    void keep_alive();
    void answer(unsigned status, std::string body);
    void write_answer();

    beast::tcp_stream stream_;
    std::shared_ptr<ApiServer::Implementation> server_;
    asio::steady_timer timer_; // for the service's answer, then for keep-alive lines
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    std::uint64_t request_number_ = 0;
    std::shared_ptr<Session> waited_for_; // itself, while nothing else holds it; see watch_client
    bool streaming_ = false;
    bool log_streaming_ = false;
    bool writing_ = false;
    Pull pull_;
    std::string outgoing_;
    char ignored_input_[256]{};
};

void Session::read(std::chrono::milliseconds time_max) {
    const auto& limits = server_->options.limits;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser_->body_limit(limits.body_bytes_max);
    stream_.expires_after(time_max);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->on_read(error); });
}

void Session::on_read(error_code error) {
    if (server_->stopped) {
        return;
    }
    if (error == http::error::body_limit || error == http::error::header_limit ||
        error == http::error::buffer_overflow) {
        parser_->get().keep_alive(false);
        const auto reply =
            reply_error(ReplyCode::bad_request, "The request is too large.", "Send less at once.");
        return answer(error == http::error::body_limit ? 413 : 431, reply.body);
    }
    if (error) {
        return close(); // gone, too slow, or not HTTP
    }
    route();
}

RequestFacts Session::facts() const {
    const auto& request = parser_->get();
    const auto view = [](beast::string_view text) {
        return std::string_view(text.data(), text.size());
    };
    RequestFacts facts;
    facts.method = view(request.method_string());
    facts.target = view(request.target());
    facts.host = view(request[http::field::host]);
    facts.one_host = request.count(http::field::host) == 1;
    facts.origin = view(request[http::field::origin]);
    facts.fetch_site = view(request["Sec-Fetch-Site"]);
    facts.authorization = view(request[http::field::authorization]);
    facts.content_type = view(request[http::field::content_type]);
    facts.body = request.body();
    return facts;
}

void Session::route() {
    auto route = judge_request(facts(), server_->options.endpoint, server_->options.tokens);
    if (const auto* refusal = std::get_if<RequestRefusal>(&route)) {
        if (refusal->status == 401 || refusal->status == 403) {
            log::write_limited("refused request", log::Level::warning, "api",
                               "a request to the local API was refused: " + refusal->text);
        }
        return answer(refusal->status, refusal_reply(*refusal).body);
    }
    if (const auto* command = std::get_if<CommandRoute>(&route)) {
        return run_command(*command);
    }
    const auto* log_route = std::get_if<LogRoute>(&route);
    if (log_route != nullptr && !log_route->follow) {
        return show_log(*log_route);
    }
    if (server_->streams >= server_->options.limits.streams_max) {
        return answer(
            503, reply_error(ReplyCode::unavailable, "Too many open streams.", "Close another one.")
                     .body);
    }
    return log_route != nullptr ? stream_log(log_route->lines) : stream_events();
}

void Session::run_command(const CommandRoute& route) {
    // Reading ended; only the service's answer is waited for now.
    stream_.expires_never();
    const auto number = request_number_;
    if (route.may_last) {
        watch_client();
    } else {
        limit_answer();
    }
    // The session stays alive through the answer, so that a slow command still finds its client;
    // where that may take hours, only as long as there is a client.
    const auto kept = route.may_last ? nullptr : shared_from_this();
    const auto done = [kept, weak = weak_from_this(), number](Reply reply) {
        const auto self = weak.lock();
        if (self && !self->server_->stopped && self->request_number_ == number) {
            self->timer_.cancel();
            self->answer(http_status(reply.code), std::move(reply.body));
        }
    };
    server_->commands.call(route.name, route.arguments, route.access, done);
}

void Session::limit_answer() {
    timer_.expires_after(server_->options.limits.answer_time_max);
    timer_.async_wait([weak = weak_from_this(), number = request_number_](error_code error) {
        const auto self = weak.lock();
        if (!error && self && self->request_number_ == number) {
            self->answer(504, reply_error(ReplyCode::unavailable,
                                          "The service did not answer in time.", "Try again.")
                                  .body);
        }
    });
}

// Holds the session until its client goes away or says something.
void Session::watch_client() {
    auto readable = [self = shared_from_this(), number = request_number_](error_code error) {
        if (error || self->request_number_ != number) {
            return;
        }
        error_code unknown;
        if (self->stream_.socket().available(unknown) != 0) {
            // The next request; it is read after the answer, which still has to find the session.
            self->waited_for_ = self;
            return;
        }
        ++self->request_number_; // the answer comes too late
        self->close();
    };
    stream_.socket().async_wait(tcp::socket::wait_read, std::move(readable));
}

void Session::show_log(const LogRoute& route) {
    auto entries = nlohmann::json::array();
    for (const auto& entry : log::recent(0, route.lines)) {
        entries.push_back(to_json(entry));
    }
    answer(200, dump({{"entries", std::move(entries)}}));
}

void Session::stream_log(std::size_t lines) {
    const auto past = log::recent(0, lines);
    const auto newest = log::recent(0, 1);
    auto position = !past.empty()    ? past.front().number - 1
                    : newest.empty() ? std::uint64_t{0}
                                     : newest.front().number;
    log_streaming_ = true;
    server_->watch_log();
    start_stream("event: ready\ndata: {}\n\n", [position]() mutable {
        std::string text;
        for (const auto& entry : log::recent(position, 1000)) {
            if (text.size() > stream_chunk_bytes) {
                break;
            }
            text += "event: log\ndata: " + dump(to_json(entry)) + "\n\n";
            position = entry.number;
        }
        return text;
    });
}

void Session::stream_events() {
    const auto field = parser_->get()["Last-Event-ID"];
    std::string first_text;
    auto position = server_->events.start(std::string_view(field.data(), field.size()), first_text);
    start_stream(std::move(first_text), [this, position]() mutable {
        return server_->events.read(position, stream_chunk_bytes);
    });
}

void Session::start_stream(std::string first_text, Pull pull) {
    streaming_ = true;
    ++server_->streams;
    pull_ = std::move(pull);
    outgoing_ = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                "Connection: close\r\n\r\n" +
                std::move(first_text);
    stream_.expires_never();
    wait_for_end();
    write_stream();
    keep_alive();
}

// A listener sends nothing more; the end of its input means that it is gone.
void Session::wait_for_end() {
    stream_.async_read_some(asio::buffer(ignored_input_),
                            [weak = weak_from_this()](error_code error, std::size_t) {
                                if (const auto self = weak.lock()) {
                                    error ? self->close() : self->wait_for_end();
                                }
                            });
}

void Session::write_stream() {
    if (outgoing_.empty()) {
        outgoing_ = pull_();
    }
    if (outgoing_.empty() || server_->stopped) {
        return;
    }
    writing_ = true;
    stream_.expires_after(server_->options.limits.write_time_max);
    stream_.async_write_some(asio::buffer(outgoing_),
                             [self = shared_from_this()](error_code error, std::size_t sent) {
                                 self->writing_ = false;
                                 self->outgoing_.erase(0, sent);
                                 error ? self->close() : self->write_stream();
                             });
}

void Session::keep_alive() {
    timer_.expires_after(server_->options.limits.keep_alive_every);
    // Holds the session: a stream lives until its connection ends.
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (error || self->server_->stopped) {
            return;
        }
        if (!self->writing_) {
            self->outgoing_ += ": still here\n\n";
            self->write_stream();
        }
        self->keep_alive();
    });
}

void Session::answer(unsigned status, std::string body) {
    ++request_number_; // whoever else would answer this request comes too late
    const auto kept = std::move(waited_for_);
    response_.emplace();
    response_->version(11);
    response_->result(status);
    response_->set(http::field::content_type, "application/json");
    response_->set(http::field::cache_control, "no-store");
    response_->set("X-Content-Type-Options", "nosniff");
    if (status == 401) {
        response_->set(http::field::www_authenticate, "Bearer");
    }
    response_->keep_alive(parser_->get().keep_alive());
    response_->body() = std::move(body);
    response_->prepare_payload();
    serializer_.emplace(*response_);
    write_answer();
}

void Session::write_answer() {
    stream_.expires_after(server_->options.limits.write_time_max);
    http::async_write_some(
        stream_, *serializer_, [self = shared_from_this()](error_code error, std::size_t) {
            if (error || self->server_->stopped) {
                return self->close();
            }
            if (!self->serializer_->is_done()) {
                return self->write_answer();
            }
            const auto keep = self->response_->keep_alive();
            self->serializer_.reset();
            self->response_.reset();
            keep ? self->read(self->server_->options.limits.idle_time_max) : self->close();
        });
}

void Session::close() {
    const auto kept = std::move(waited_for_);
    error_code ignored;
    timer_.cancel();
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
}

} // namespace

void open_session(tcp::socket socket, std::shared_ptr<ApiServer::Implementation> server) {
    const auto time_max = server->options.limits.request_time_max;
    std::make_shared<Session>(std::move(socket), std::move(server))->read(time_max);
}

} // namespace stationsync::host
