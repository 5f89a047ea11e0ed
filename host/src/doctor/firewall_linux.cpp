#include "base/program.hpp"
#include "doctor/firewall.hpp"

#include <unistd.h>

#include <fstream>
#include <iterator>

namespace stationsync::host::doctor {
namespace {

constexpr std::chrono::seconds patience{5};

std::string text_of(const char* file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

FirewallListing without_rights(const std::string& tool) {
    FirewallListing listing;
    listing.trouble = "The rules of the firewall (" + tool + ") cannot be read by this account.";
    listing.trouble_remedy = "Run the command as root: sudo stationsync doctor";
    return listing;
}

FirewallListing failed(const std::string& tool, const ProgramRun& run) {
    FirewallListing listing;
    const bool late = run.end == ProgramRun::End::timed_out;
    listing.trouble = "The rules of the firewall cannot be read: " + tool +
                      (late ? " did not answer within 5 seconds."
                            : " ended with " + std::to_string(run.code) + ": " +
                                  run.err.substr(0, run.err.find('\n')));
    listing.trouble_remedy = "Look at the firewall by hand.";
    return listing;
}

// The old interface of the kernel, which nft does not list.
bool has_old_tables() {
    return text_of("/proc/net/ip_tables_names").find("filter") != std::string::npos;
}

FirewallListing read_iptables(const std::string& which) {
    const auto v4 = run_external({"iptables" + which, "-S"}, patience);
    const auto v6 = run_external({"ip6tables" + which, "-S"}, patience);
    FirewallListing listing;
    if (v4.succeeded()) {
        listing = {FirewallTool::iptables, v4.out, v6.out, {}, {}};
    } else if (v4.end != ProgramRun::End::not_found) {
        listing = failed("iptables", v4);
    }
    return listing;
}

} // namespace

// The tool that writes the rules comes before those that only show what it wrote.
FirewallListing read_firewall() {
    const bool is_root = ::geteuid() == 0;
    const auto firewalld = run_external({"firewall-cmd", "--state"}, patience);
    if (firewalld.succeeded()) {
        const auto zones = run_external({"firewall-cmd", "--list-all-zones"}, patience);
        if (zones.succeeded()) {
            return {FirewallTool::firewalld, zones.out, {}, {}, {}};
        }
        return is_root ? failed("firewall-cmd", zones) : without_rights("firewalld");
    }
    const auto ufw = run_external({"ufw", "status", "verbose"}, patience);
    if (ufw.succeeded() && ufw.out.find("Status: active") != std::string::npos) {
        return {FirewallTool::ufw, ufw.out, {}, {}, {}};
    }
    const auto nft = run_external({"nft", "list", "ruleset"}, patience);
    if (nft.end == ProgramRun::End::ended && !is_root && (!nft.succeeded() || nft.out.empty())) {
        return without_rights("nftables");
    }
    if (nft.succeeded() && !has_old_tables()) {
        return {FirewallTool::nftables, nft.out, {}, {}, {}};
    }
    if (nft.end != ProgramRun::End::not_found && !nft.succeeded()) {
        return failed("nft", nft);
    }
    if (!is_root) {
        return without_rights("iptables");
    }
    return read_iptables(has_old_tables() ? "-legacy" : "");
}

} // namespace stationsync::host::doctor
