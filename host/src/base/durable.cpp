#include "base/durable.hpp"

#include "base/durable_system.hpp"

#include <utility>
#include <vector>

namespace stationsync::host {
namespace fs = std::filesystem;

IoResult<void> make_directories(const fs::path& directory) {
    std::error_code code;
    if (fs::is_directory(directory, code)) {
        return {};
    }
    const fs::path parent = directory.parent_path();
    if (!parent.empty() && parent != directory) {
        if (auto made = make_directories(parent); !made) {
            return made;
        }
    }
    fs::create_directory(directory, code);
    if (code && !fs::is_directory(directory)) {
        return io_error("create the folder", directory, code);
    }
    return parent.empty() ? IoResult<void>{} : sync_directory(parent);
}

IoResult<void> rename_durable(const fs::path& from, const fs::path& to) {
    if (auto renamed = rename_over(from, to); !renamed) {
        return renamed;
    }
    if (auto synced = sync_directory(to.parent_path()); !synced) {
        return synced;
    }
    return from.parent_path() == to.parent_path() ? IoResult<void>{}
                                                  : sync_directory(from.parent_path());
}

namespace {
IoResult<void> write_part(const fs::path& part, std::span<const std::byte> bytes, bool only_owner) {
    auto file = only_owner ? create_for_owner(part) : File::create(part);
    if (!file) {
        return file.error();
    }
    if (auto written = file->write_at(bytes, 0); !written) {
        return written;
    }
    return file->sync();
}
} // namespace

IoResult<void> atomic_write(const fs::path& path, std::span<const std::byte> bytes,
                            bool only_owner) {
    fs::path part = path;
    part += ".part";
    auto done = write_part(part, bytes, only_owner);
    if (done) {
        done = rename_durable(part, path);
    }
    if (!done) {
        // The reason of the failure matters more than that of the clean-up.
        static_cast<void>(remove_file(part));
    }
    return done;
}

IoResult<void> atomic_write(const fs::path& path, std::string_view text, bool only_owner) {
    return atomic_write(path, std::as_bytes(std::span(text.data(), text.size())), only_owner);
}

IoResult<std::string> read_whole(const fs::path& path, std::uint64_t bytes_max) {
    auto file = File::open_read(path);
    if (!file) {
        return file.error();
    }
    const auto facts = file->facts();
    if (!facts) {
        return facts.error();
    }
    if (facts->bytes > bytes_max) {
        return io_error("read", path, std::make_error_code(std::errc::value_too_large));
    }
    // One byte more than expected, so that a file that grows meanwhile is noticed.
    std::string text(static_cast<std::size_t>(facts->bytes) + 1, '\0');
    const auto count = file->read_at(std::as_writable_bytes(std::span(text)), 0);
    if (!count) {
        return count.error();
    }
    if (*count > bytes_max) {
        return io_error("read", path, std::make_error_code(std::errc::value_too_large));
    }
    text.resize(*count);
    return text;
}

namespace {
IoResult<void> copy_content(const File& from, File& to) {
    std::vector<std::byte> buffer(std::size_t{1} << 18);
    std::uint64_t offset = 0;
    for (;;) {
        const auto count = from.read_at(buffer, offset);
        if (!count) {
            return count.error();
        }
        if (*count == 0) {
            return {};
        }
        if (auto written = to.write_at(std::span(buffer).first(*count), offset); !written) {
            return written;
        }
        offset += *count;
    }
}

IoResult<LinkMethod> clone_or_copy(const fs::path& from, const fs::path& to) {
    auto source = File::open_read(from);
    if (!source) {
        return source.error();
    }
    auto target = File::create_new(to);
    if (!target) {
        return target.error();
    }
    LinkMethod method = LinkMethod::clone;
    IoResult<void> done;
    if (!clone_content(from, to)) {
        method = LinkMethod::copy;
        done = copy_content(*source, *target);
    }
    if (done) {
        const auto facts = source->facts();
        done = facts ? target->set_modified(facts->modified_100ns) : IoResult<void>(facts.error());
    }
    if (!done) {
        target->close();
        static_cast<void>(remove_file(to));
        return done.error();
    }
    return method;
}
} // namespace

IoResult<LinkMethod> link_or_copy(const fs::path& from, const fs::path& to, bool shared) {
    if (shared) {
        std::error_code code;
        if (!fs::is_symlink(fs::symlink_status(from, code))) {
            fs::create_hard_link(from, to, code);
            if (!code) {
                return LinkMethod::hard_link;
            }
        }
    }
    return clone_or_copy(from, to);
}

IoResult<void> remove_file(const fs::path& path) {
    std::error_code code;
    fs::remove(path, code);
    if (code && code != std::errc::no_such_file_or_directory &&
        code != std::errc::not_a_directory) {
        return io_error("remove", path, code);
    }
    return {};
}

IoResult<std::uint64_t> free_bytes(const fs::path& path) {
    fs::path existing = path;
    std::error_code code;
    while (!fs::exists(existing, code) && existing.has_parent_path() &&
           existing.parent_path() != existing) {
        existing = existing.parent_path();
    }
    const fs::space_info space = fs::space(existing, code);
    if (code) {
        return io_error("ask for the free room of", existing, code);
    }
    return static_cast<std::uint64_t>(space.available);
}

} // namespace stationsync::host
