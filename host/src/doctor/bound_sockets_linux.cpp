#include "doctor/bound_sockets.hpp"

#include "doctor/proc_net.hpp"
#include "doctor/text_of.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace stationsync::host::doctor {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> process_of(const fs::path& folder) {
    const auto name = folder.filename().string();
    std::int64_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    return parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()
               ? std::optional(number)
               : std::nullopt;
}

std::optional<std::uint64_t> socket_inode(const fs::path& link) {
    constexpr std::string_view head = "socket:[";
    std::error_code error;
    const auto target = fs::read_symlink(link, error).string();
    std::uint64_t inode = 0;
    if (error || !target.starts_with(head)) {
        return std::nullopt;
    }
    std::from_chars(target.data() + head.size(), target.data() + target.size(), inode);
    return inode;
}

// Only those that this account may look into; root sees all.
void add_holders(std::map<std::uint64_t, BoundSocket*>& by_inode) {
    std::error_code error;
    for (fs::directory_iterator process("/proc", error), end; !error && process != end;
         process.increment(error)) {
        const auto id = process_of(process->path());
        if (!id) {
            continue;
        }
        std::error_code refused;
        for (fs::directory_iterator file(process->path() / "fd", refused), none;
             !refused && file != none; file.increment(refused)) {
            const auto inode = socket_inode(file->path());
            const auto place = inode ? by_inode.find(*inode) : by_inode.end();
            if (place == by_inode.end()) {
                continue;
            }
            auto name = text_of(process->path() / "comm");
            name.erase(std::find(name.begin(), name.end(), '\n'), name.end());
            const SocketHolder holder{*id, name};
            auto& holders = place->second->holders;
            if (std::ranges::find(holders, holder) == holders.end()) {
                holders.push_back(holder);
            }
        }
    }
}

} // namespace

std::vector<BoundSocket> sockets_on(Transport transport, std::uint16_t port) {
    std::vector<BoundSocket> found;
    std::vector<std::uint64_t> inodes;
    const bool tcp = transport == Transport::tcp;
    for (const auto* const file :
         {tcp ? "/proc/net/tcp" : "/proc/net/udp", tcp ? "/proc/net/tcp6" : "/proc/net/udp6"}) {
        for (auto& socket : parse_proc_net(text_of(file))) {
            // A UDP socket that is connected takes datagrams of its peer only.
            if (socket.port == port && (tcp ? socket.listens : !socket.has_peer)) {
                found.push_back({std::move(socket.address), port, {}});
                inodes.push_back(socket.inode);
            }
        }
    }
    std::map<std::uint64_t, BoundSocket*> by_inode;
    for (std::size_t i = 0; i < found.size(); ++i) {
        by_inode.emplace(inodes[i], &found[i]);
    }
    if (!by_inode.empty()) {
        add_holders(by_inode);
    }
    return found;
}

} // namespace stationsync::host::doctor
