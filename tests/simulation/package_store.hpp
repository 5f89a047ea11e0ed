// The sync and history directories of a simulated station. What is in them is durable.
#pragma once

#include "content.hpp"
#include "stationsync/core/records.hpp"

#include <map>

namespace stationsync::simulation {

struct StoredPackage {
    Content content = absent;
    core::PackageInfo info;
    core::RevisionPtr revision; // a package describes itself; null until it was described
};

class PackageDirectory {
public:
    using Key = std::pair<core::ObjectId, core::Digest>;

    const StoredPackage* find(const core::ObjectId& object, const core::Digest& package) const {
        auto found = packages_.find({object, package});
        return found == packages_.end() ? nullptr : &found->second;
    }
    void put(const core::ObjectId& object, StoredPackage package) {
        packages_[{object, package.info.digest}] = std::move(package);
    }
    void describe(const core::ObjectId& object, const core::Digest& package,
                  core::RevisionPtr revision) {
        if (auto found = packages_.find({object, package}); found != packages_.end()) {
            found->second.revision = std::move(revision);
        }
    }
    bool erase(const core::ObjectId& object, const core::Digest& package) {
        return packages_.erase({object, package}) != 0;
    }
    bool holds(const core::ObjectId& object, Content content) const {
        auto i = packages_.lower_bound({object, core::Digest{}});
        for (; i != packages_.end() && i->first.first == object; ++i) {
            if (i->second.content == content) {
                return true;
            }
        }
        return false;
    }
    const std::map<Key, StoredPackage>& all() const { return packages_; }
    void clear() { packages_.clear(); }

private:
    std::map<Key, StoredPackage> packages_;
};

} // namespace stationsync::simulation
