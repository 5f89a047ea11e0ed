#include "doctor/bound_sockets.hpp"

#include <algorithm>
#include <set>

namespace stationsync::host::doctor {

std::string holders_text(const std::vector<BoundSocket>& sockets) {
    std::set<std::string> names;
    for (const auto& socket : sockets) {
        for (const auto& holder : socket.holders) {
            names.insert(holder.program + " (process " + std::to_string(holder.process) + ")");
        }
    }
    std::string text;
    for (const auto& name : names) {
        text += (text.empty() ? "" : " and ") + name;
    }
    return text.empty() ? "another program" : text;
}

bool is_held_by(const std::vector<BoundSocket>& sockets, std::int64_t process) {
    return std::ranges::any_of(sockets, [process](const BoundSocket& socket) {
        return std::ranges::any_of(socket.holders, [process](const SocketHolder& holder) {
            return holder.process == process;
        });
    });
}

} // namespace stationsync::host::doctor
