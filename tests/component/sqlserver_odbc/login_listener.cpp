#include "component/sqlserver_odbc/login_listener.hpp"

#include "text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace stationsync::test {

namespace {

constexpr std::uint8_t prelogin_packet = 0x12;
constexpr std::uint8_t login_packet = 0x10;
constexpr std::size_t header_size = 8;

bool read_all(int client, char* to, std::size_t size) {
    while (size > 0) {
        const ssize_t count = ::recv(client, to, size, 0);
        if (count <= 0)
            return false;
        to += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

void send_message(int client, const std::string& content) {
    const std::size_t size = content.size() + header_size;
    std::string packet = {4, 1, static_cast<char>(size >> 8), static_cast<char>(size), 0, 0, 1, 0};
    packet += content;
    ::send(client, packet.data(), packet.size(), MSG_NOSIGNAL);
}

std::uint32_t number_at(const std::string& message, std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = size; i > 0; --i)
        value = value << 8 | static_cast<unsigned char>(message.at(at + i - 1));
    return value;
}

// A text of LOGIN7: its offset and length in units stand at `at`.
std::string text_at(const std::string& message, std::size_t at, bool is_hidden) {
    const std::size_t offset = number_at(message, at, 2);
    const std::size_t units = number_at(message, at + 2, 2);
    std::u16string text;
    for (std::size_t i = 0; i < units; ++i) {
        unsigned value = 0;
        for (std::size_t half = 0; half < 2; ++half) {
            auto byte = static_cast<unsigned>(number_at(message, offset + 2 * i + half, 1));
            if (is_hidden) {
                byte ^= 0xa5u;
                byte = (byte << 4 | byte >> 4) & 0xffu;
            }
            value |= byte << (8 * half);
        }
        text += static_cast<char16_t>(value);
    }
    return sqlserver::utf8_of(text).text;
}

std::string wide(const std::string& ascii) {
    std::string text;
    for (const char byte : ascii)
        text += {byte, 0};
    return text;
}

std::string refusal() {
    const std::string said = "Login failed for user.";
    std::string error = {0x18, 0x48, 0, 0, 1, 14}; // 18456, state, severity
    error += {static_cast<char>(said.size()), 0};
    error += wide(said) + std::string(6, '\0'); // neither server nor procedure; line 0
    std::string message = {static_cast<char>(0xaa), static_cast<char>(error.size()), 0};
    return message + error + static_cast<char>(0xfd) + std::string({2, 0}) + std::string(10, '\0');
}

} // namespace

LoginListener::LoginListener(Manner manner) : manner_(manner) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

LoginListener::~LoginListener() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
}

std::vector<SeenLogin> LoginListener::logins() const {
    const std::lock_guard lock(mutex_);
    return logins_;
}

std::vector<std::uint8_t> LoginListener::packets() const {
    const std::lock_guard lock(mutex_);
    return packets_;
}

void LoginListener::serve() {
    while (true) {
        const int client = ::accept(socket_, nullptr, nullptr);
        if (client < 0)
            return;
        serve_client(client);
        ::close(client);
    }
}

std::string LoginListener::read_message(int client) {
    std::string message;
    while (true) {
        std::string header(header_size, '\0');
        if (!read_all(client, header.data(), header.size()))
            return {};
        const auto size = static_cast<std::size_t>(static_cast<unsigned char>(header[2]) << 8 |
                                                   static_cast<unsigned char>(header[3]));
        {
            const std::lock_guard lock(mutex_);
            packets_.push_back(static_cast<std::uint8_t>(header[0]));
        }
        const std::size_t begin = message.size();
        message.resize(begin + size - header_size);
        if (!read_all(client, message.data() + begin, size - header_size))
            return {};
        if ((header[1] & 1) != 0)
            return message;
    }
}

void LoginListener::serve_client(int client) {
    if (read_message(client).empty() || manner_ == Manner::hang_up ||
        packets().back() != prelogin_packet)
        return;
    // Version and "no encryption".
    send_message(client, std::string("\0\0\x0b\0\x06\x01\0\x11\0\x01\xff", 11) +
                             std::string("\x10\0\x03\xe8\0\0", 6) + '\x02');
    const std::string login = read_message(client);
    if (login.empty() || packets().back() != login_packet)
        return;
    {
        const std::lock_guard lock(mutex_);
        logins_.push_back({number_at(login, 4, 4), text_at(login, 40, false),
                           text_at(login, 44, true), text_at(login, 48, false),
                           text_at(login, 68, false)});
    }
    send_message(client, refusal());
}

} // namespace stationsync::test
