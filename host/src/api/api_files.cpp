// How the command line finds the running service: address and tokens under state/api.
#include "api/api_server.hpp"
#include "api/api_system.hpp"
#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "base/random.hpp"
#include "base/text_codes.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <stdexcept>

namespace stationsync::host {
namespace {

void check(const IoResult<void>& result) {
    if (!result) {
        const auto remedy = remedy_of(result.error().kind);
        throw std::runtime_error(result.error().text + (remedy.empty() ? "" : ". " + remedy));
    }
}

std::string random_token() {
    std::array<std::byte, 32> random{};
    fill_random(random);
    return to_hex(random);
}

} // namespace

ApiTokens make_api_tokens() {
    return {.view = random_token(), .act = random_token()};
}

void write_api_files(const RootPaths& paths, const Endpoint& endpoint, const ApiTokens& tokens) {
    check(make_directories(paths.api()));
    check(atomic_write(paths.act_token_file(), tokens.act, true));
    set_token_readers(paths.act_token_file(), TokenReaders::administrators);
    check(atomic_write(paths.view_token_file(), tokens.view, true));
    set_token_readers(paths.view_token_file(), TokenReaders::group);
    // Last: whoever finds the address finds fitting tokens.
    const nlohmann::json address{
        {"address", endpoint.address}, {"port", endpoint.port}, {"process_id", process_id()}};
    check(atomic_write(paths.api_endpoint_file(), address.dump() + "\n"));
    using std::filesystem::perms;
    std::filesystem::permissions(paths.api_endpoint_file(), perms::owner_read | perms::owner_write |
                                                                perms::group_read |
                                                                perms::others_read);
}

void remove_api_files(const RootPaths& paths) noexcept {
    for (const auto& file :
         {paths.api_endpoint_file(), paths.view_token_file(), paths.act_token_file()}) {
        std::error_code ignored; // what stays is overwritten by the next start
        std::filesystem::remove(file, ignored);
    }
}

} // namespace stationsync::host
