// Finds the objects in the tree.
#pragma once

#include "live.hpp"

#include <stationsync/provider.hpp>

#include <mutex>
#include <unordered_set>

namespace filesync {

// One per instance; scans may run at the same time.
class Scanner {
public:
    explicit Scanner(Context& context) : context_(context) {}

    // Emits what `scope` asks for. Throws sdk::Error when the root is not to be used.
    void scan(const stationsync::sdk::Op& op, const stationsync::sdk::Scope& scope,
              stationsync::sdk::ObjectSink& out);

private:
    class Run; // one scan

    // True the first time only, so that the log names a file once.
    bool is_news(const std::string& path);

    Context& context_;
    std::mutex mutex_;
    std::unordered_set<std::string> told_;
};

} // namespace filesync
