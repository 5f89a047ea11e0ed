#include "live.hpp"

#include "content.hpp"

#include <stationsync/error.hpp>

namespace filesync {

namespace sdk = stationsync::sdk;

std::string_view folder_of(std::string_view key) noexcept {
    const std::size_t slash = key.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : key.substr(0, slash);
}

std::string name_of(std::string_view key) {
    const std::size_t slash = key.rfind('/');
    return std::string(slash == std::string_view::npos ? key : key.substr(slash + 1));
}

Folder open_path(const Folder& root, std::string_view path) {
    const std::size_t first_end = path.find('/');
    Folder folder = root.open_folder(path.empty() ? "." : std::string(path.substr(0, first_end)));
    std::size_t slash = first_end;
    while (slash != std::string_view::npos) {
        const std::size_t begin = slash + 1;
        slash = path.find('/', begin);
        folder = folder.open_folder(std::string(path.substr(begin, slash - begin)));
    }
    return folder;
}

Digest identify(const sdk::Op& op, const Folder& folder, const std::string& name,
                const Evidence& evidence, DigestCache& cache, bool reread) {
    if (!reread)
        if (const auto known = cache.find(evidence))
            return *known;
    const std::int64_t read_at_ns = file_clock_now_ns();
    File file = folder.open_file(name);
    const Content content = read_content(op, file);
    const Status after = file.status();
    if (after.evidence != evidence || content.byte_count != evidence.byte_count)
        throw sdk::Error(STSYNC_BUSY, "The file is being written; it is looked at again.", 1000);
    cache.store(evidence, content.digest, read_at_ns);
    return content.digest;
}

stsync_time changed_at(const Evidence& evidence) noexcept {
    // Rounded down, also before 1970.
    const std::int64_t ns = evidence.modified_ns;
    return ns >= 0 ? ns / 1000 : -((-ns + 999) / 1000);
}

} // namespace filesync
