// A provider that does what its setting `mode` says, to see what reaches the host.
#include <stationsync/plugin.hpp>

namespace sdk = stationsync::sdk;

namespace {

class Odd final : public sdk::Provider, public sdk::SelfTest {
public:
    explicit Odd(sdk::Host host) : host_(host), mode_(host.config("mode").value_or("")) {
        if (mode_ == "create")
            throw 42;
    }

    void recover(sdk::Op& op) override {
        if (mode_ == "error")
            throw sdk::Error(STSYNC_BUSY, "The server is away.", 500);
        if (mode_ == "bad_alloc")
            throw std::bad_alloc();
        if (mode_ == "disk_full")
            throw std::system_error(std::make_error_code(std::errc::no_space_on_device));
        if (mode_ == "int")
            throw 42;
        if (mode_ == "poll")
            while (true)
                op.check();
        if (mode_ == "commit")
            op.begin_commit();
        if (mode_ == "services") {
            host_.kv_put({{"a", "1"}, {"b", std::string("\0\n", 2)}});
            host_.kv_put({{"a", std::nullopt}});
            host_.log(STSYNC_LOG_INFO, "odd.list", "key",
                      std::to_string(host_.config_list("list").size()) + " " +
                          host_.secret("password").value_or("no secret") + " " +
                          (host_.kv_get("a") ? "kept" : "gone") + " " +
                          (host_.kv_get("b") == std::string("\0\n", 2) ? "same" : "differs"));
        }
    }

    std::vector<sdk::Token> compat(sdk::Op&) override {
        return {{STSYNC_TOKEN_EXACT, "server", "16.0.4"},
                {STSYNC_TOKEN_INFO, "driver", "18.2"},
                {STSYNC_TOKEN_MIN, "driver", "17.10"}};
    }

    void scan(sdk::Op&, const sdk::Scope&, sdk::ObjectSink& out) override {
        for (const char* key : {"a", "b", "c"})
            out.add(sdk::Object{key, sdk::mark_of_bytes(key)});
        out.add(sdk::Fault{"d", STSYNC_BUSY, "It is being written."});
    }

    sdk::ExportResult export_object(sdk::Op&, const std::string&,
                                    const std::filesystem::path&) override {
        return {sdk::mark_of_bytes("a"), 3};
    }

    sdk::ApplyResult apply(sdk::Op&, const std::string&, const std::filesystem::path&,
                           const sdk::ApplyInfo&) override {
        return {};
    }

    std::vector<sdk::Finding> self_test(sdk::Op&) override {
        return {{STSYNC_FINDING_WARNING, "odd.server", "The server is old.", "Update it."}};
    }

private:
    sdk::Host host_;
    std::string mode_;
};

} // namespace

STSYNC_PROVIDER(Odd, "org.example.odd", "Odd provider", "1.0.0")
