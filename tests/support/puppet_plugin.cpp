// A provider with one object whose calls do not return while a test wants them to last. `folder` is
// the setting; in it
//   hold-CALL      the call CALL (create, recover, compat, scan, export, apply) waits while it
//   exists,
//                  cancelled or not, as a call on a dead network drive does
//   in-CALL        is made by the call when it begins to wait
//   refuse-compat  the back end does not tell its version
//   refuse-check   the back end cannot judge the version of another
//   version        the version of the back end; without it 1
//   accepts        the versions of other back ends that it takes data of; without it its own
//   live           the object
//   settings       made by recover: the setting `label` of the instance
#include <stationsync/plugin.hpp>

#include <chrono>
#include <fstream>
#include <thread>

namespace sdk = stationsync::sdk;
namespace fs = std::filesystem;

namespace {

class Puppet final : public sdk::Provider {
public:
    static constexpr sdk::Options options{0, 8, 2000};

    explicit Puppet(sdk::Host host)
        : folder_(host.config_path("folder")), label_(host.config("label").value_or("")) {
        wait("create");
    }

    void recover(sdk::Op&) override {
        wait("recover");
        std::ofstream(folder_ / "settings") << label_;
    }

    std::vector<sdk::Token> compat(sdk::Op&) override {
        wait("compat");
        if (fs::exists(folder_ / "refuse-compat"))
            throw sdk::Error(STSYNC_BUSY, "The server is away.");
        return {{STSYNC_TOKEN_EXACT, "puppet", version()}};
    }

    std::vector<std::string> check_compat(sdk::Op& op,
                                          const std::vector<sdk::Token>& remote) override {
        if (fs::exists(folder_ / "refuse-check"))
            throw sdk::Error(STSYNC_BUSY, "The server is away.");
        std::ifstream accepted(folder_ / "accepts");
        if (!accepted)
            return Provider::check_compat(op, remote);
        const std::string& theirs = remote.at(0).value;
        for (std::string each; accepted >> each;)
            if (each == theirs)
                return {};
        return {"version " + version() + " takes no data of version " + theirs};
    }

    void scan(sdk::Op& op, const sdk::Scope&, sdk::ObjectSink& out) override {
        wait("scan");
        op.check();
        if (fs::exists(live()))
            out.add(sdk::object_of_file("live", live()));
    }

    sdk::ExportResult export_object(sdk::Op&, const std::string&,
                                    const fs::path& package) override {
        wait("export");
        fs::copy_file(live(), package);
        const sdk::Digest digest = sdk::digest_of_file(package);
        return {sdk::mark_of_digest(digest), fs::file_size(package), digest};
    }

    std::optional<sdk::Digest> verify(sdk::Op&, const std::string&,
                                      const fs::path& package) override {
        return sdk::digest_of_file(package);
    }

    sdk::ApplyResult apply(sdk::Op& op, const std::string&, const fs::path& package,
                           const sdk::ApplyInfo& info) override {
        wait("apply");
        const sdk::Mark present = fs::exists(live()) ? sdk::mark_of_file(live()) : sdk::Mark();
        if (present != sdk::mark_of_file(package))
            sdk::require_mark(present, info);
        return {sdk::atomic_replace(op, package, live())};
    }

private:
    std::string version() const {
        std::string text = "1";
        std::ifstream(folder_ / "version") >> text;
        return text;
    }
    fs::path live() const { return folder_ / "live"; }
    void wait(const std::string& call) const {
        const fs::path hold = folder_ / ("hold-" + call);
        if (!fs::exists(hold))
            return;
        std::ofstream(folder_ / ("in-" + call)) << "1";
        while (fs::exists(hold))
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

    fs::path folder_;
    std::string label_;
};

} // namespace

STSYNC_PROVIDER(Puppet, "puppet", "Calls that last", "1.0.0")
