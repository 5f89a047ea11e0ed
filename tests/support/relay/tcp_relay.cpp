#include "relay/tcp_relay.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <set>
#include <thread>
#include <vector>

namespace stationsync::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

tcp::endpoint endpoint_of(const std::string& address) {
    const auto colon = address.rfind(':');
    return {asio::ip::make_address(address.substr(0, colon)),
            static_cast<unsigned short>(std::stoul(address.substr(colon + 1)))};
}

void reset_socket(tcp::socket& socket) {
    error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
}

class Pair;

// One direction of one connection.
struct Flow {
    tcp::socket* from = nullptr;
    tcp::socket* to = nullptr;
    bool is_there = false;
    struct Piece {
        Clock::time_point due;
        std::vector<char> bytes; // empty: the end of the stream
    };
    std::deque<Piece> waiting;
    std::size_t waiting_bytes = 0;
    std::array<char, 16 * 1024> buffer{};
    std::unique_ptr<asio::steady_timer> timer;
    Clock::time_point free_at{}; // by the rate limit
    bool reading = false;
    bool writing = false;
    bool ended = false;
};

} // namespace

struct TcpRelay::State {
    asio::io_context context{1};
    tcp::endpoint listen;
    tcp::endpoint target;
    std::string source;
    std::unique_ptr<tcp::acceptor> acceptor;
    RelaySettings settings;
    std::set<std::shared_ptr<Pair>> pairs;
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> there{0};
    std::atomic<std::uint64_t> back{0};
    std::thread thread;

    void open();
    void accept();
    void apply(const RelaySettings& changed);
    void cut();
};

namespace {

class Pair : public std::enable_shared_from_this<Pair> {
public:
    template <class State>
    Pair(State& state, tcp::socket client)
        : client_(std::move(client)),
          server_(state.context),
          settings_(state.settings),
          there_bytes_(state.there),
          back_bytes_(state.back) {
        there_.from = back_.to = &client_;
        there_.to = back_.from = &server_;
        there_.is_there = true;
        there_.timer = std::make_unique<asio::steady_timer>(state.context);
        back_.timer = std::make_unique<asio::steady_timer>(state.context);
    }

    void connect(const tcp::endpoint& target, const std::string& source,
                 std::function<void()> when_gone) {
        when_gone_ = std::move(when_gone);
        error_code error;
        server_.open(target.protocol(), error);
        if (!source.empty()) {
            server_.bind({asio::ip::make_address(source), 0}, error);
        }
        server_.async_connect(target, [self = shared_from_this()](const error_code& failure) {
            if (failure) {
                return self->close();
            }
            self->connected_ = true;
            self->resume();
        });
    }

    // Also after a change of the settings.
    void resume() {
        for (Flow* flow : {&there_, &back_}) {
            read(*flow);
            write(*flow);
        }
    }

    void close() {
        if (!gone_) {
            gone_ = true;
            reset_socket(client_);
            reset_socket(server_);
            there_.timer->cancel();
            back_.timer->cancel();
            asio::post(client_.get_executor(), [self = shared_from_this()] {
                if (self->when_gone_) {
                    std::exchange(self->when_gone_, nullptr)();
                }
            });
        }
    }

private:
    static constexpr std::size_t waiting_max = 256 * 1024;

    void read(Flow& flow) {
        if (flow.reading || flow.ended || gone_ || !connected_ ||
            flow.waiting_bytes > waiting_max) {
            return;
        }
        flow.reading = true;
        flow.from->async_read_some(
            asio::buffer(flow.buffer),
            [self = shared_from_this(), &flow](const error_code& error, std::size_t size) {
                flow.reading = false;
                if (error && error != asio::error::eof) {
                    return self->close();
                }
                flow.ended = error == asio::error::eof;
                const auto delay =
                    flow.is_there ? self->settings_.delay_there : self->settings_.delay_back;
                flow.waiting.push_back(
                    {Clock::now() + delay,
                     {flow.buffer.begin(), flow.buffer.begin() + static_cast<long>(size)}});
                flow.waiting_bytes += size;
                self->write(flow);
                self->read(flow);
            });
    }

    void write(Flow& flow) {
        if (flow.writing || gone_ || flow.waiting.empty() || settings_.mode == RelayMode::swallow) {
            return;
        }
        const auto due = std::max(flow.waiting.front().due, flow.free_at);
        if (due > Clock::now()) {
            flow.timer->expires_at(due);
            flow.timer->async_wait([self = shared_from_this(), &flow](const error_code& error) {
                if (!error) {
                    self->write(flow);
                }
            });
            return;
        }
        auto& bytes = flow.waiting.front().bytes;
        if (bytes.empty()) {
            error_code ignored;
            flow.to->shutdown(tcp::socket::shutdown_send, ignored);
            flow.waiting.pop_front();
            if (there_.ended && back_.ended && there_.waiting.empty() && back_.waiting.empty()) {
                close();
            }
            return;
        }
        flow.writing = true;
        if (settings_.bytes_per_second != 0) {
            flow.free_at =
                std::max(flow.free_at, Clock::now()) +
                std::chrono::microseconds(bytes.size() * 1'000'000 / settings_.bytes_per_second);
        }
        asio::async_write(
            *flow.to, asio::buffer(bytes),
            [self = shared_from_this(), &flow](const error_code& error, std::size_t size) {
                flow.writing = false;
                if (error) {
                    return self->close();
                }
                (flow.is_there ? self->there_bytes_ : self->back_bytes_) += size;
                flow.waiting_bytes -= size;
                flow.waiting.pop_front();
                self->write(flow);
                self->read(flow);
            });
    }

    tcp::socket client_;
    tcp::socket server_;
    const RelaySettings& settings_;
    std::atomic<std::uint64_t>& there_bytes_;
    std::atomic<std::uint64_t>& back_bytes_;
    std::function<void()> when_gone_;
    Flow there_;
    Flow back_;
    bool connected_ = false;
    bool gone_ = false;
};

} // namespace

void TcpRelay::State::open() {
    acceptor = std::make_unique<tcp::acceptor>(context, listen);
    listen = acceptor->local_endpoint(); // the same port when it listens again
    accept();
}

void TcpRelay::State::accept() {
    acceptor->async_accept([this](const error_code& error, tcp::socket socket) {
        if (error) {
            return;
        }
        ++accepted;
        if (settings.mode == RelayMode::reset) {
            reset_socket(socket);
        } else {
            auto pair = std::make_shared<Pair>(*this, std::move(socket));
            pairs.insert(pair);
            pair->connect(target, source,
                          [this, raw = std::weak_ptr<Pair>(pair)] { pairs.erase(raw.lock()); });
        }
        accept();
    });
}

void TcpRelay::State::apply(const RelaySettings& changed) {
    settings = changed;
    if (settings.mode == RelayMode::refuse) {
        acceptor.reset();
    } else if (!acceptor) {
        open();
    }
    if (settings.mode == RelayMode::reset) {
        cut();
    }
    for (const auto& pair : pairs) {
        pair->resume();
    }
}

void TcpRelay::State::cut() {
    for (const auto& pair : pairs) {
        pair->close();
    }
}

TcpRelay::TcpRelay(const std::string& listen, const std::string& target, const std::string& source)
    : state_(std::make_shared<State>()) {
    state_->listen = endpoint_of(listen);
    state_->target = endpoint_of(target);
    state_->source = source;
    state_->open();
    state_->thread = std::thread([state = state_.get()] {
        const auto work = asio::make_work_guard(state->context);
        state->context.run();
    });
}

TcpRelay::~TcpRelay() {
    asio::post(state_->context, [state = state_.get()] {
        state->acceptor.reset();
        state->cut();
        state->context.stop();
    });
    state_->thread.join();
}

std::string TcpRelay::address() const {
    return state_->listen.address().to_string() + ":" + std::to_string(state_->listen.port());
}

void TcpRelay::set(const RelaySettings& settings) {
    std::promise<void> done;
    asio::post(state_->context, [&] {
        state_->apply(settings);
        done.set_value();
    });
    done.get_future().wait();
}

void TcpRelay::cut() {
    std::promise<void> done;
    asio::post(state_->context, [&] {
        state_->cut();
        done.set_value();
    });
    done.get_future().wait();
}

std::uint64_t TcpRelay::accepted() const {
    return state_->accepted;
}
std::uint64_t TcpRelay::bytes_there() const {
    return state_->there;
}
std::uint64_t TcpRelay::bytes_back() const {
    return state_->back;
}

} // namespace stationsync::test
