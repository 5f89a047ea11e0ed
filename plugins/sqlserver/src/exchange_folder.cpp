#include "exchange_folder.hpp"

#include <stationsync/paths.hpp>

#include <cerrno>
#include <fstream>
#include <random>

namespace stationsync::sqlserver {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_size = std::size_t{1} << 20;

std::string random_name() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device source;
    std::string name;
    for (int i = 0; i < 16; ++i)
        name += digits[source() & 15u];
    return name;
}

[[noreturn]] void refuse_copy(const fs::path& from, const fs::path& to,
                              const std::error_code& failure) {
    const bool is_full = failure == std::errc::no_space_on_device;
    throw sdk::Error(is_full ? STSYNC_NO_SPACE : STSYNC_DENIED,
                     "The file " + sdk::utf8_from_path(from) + " cannot be copied to " +
                         sdk::utf8_from_path(to) + ": " + failure.message() + ". " +
                         (is_full ? "Free space there." : "Give the service the right to do it."));
}

// In blocks, so that a cancelled call ends soon. Leaves nothing behind on failure.
void copy_file(const fs::path& from, const fs::path& to, const sdk::Op& op) {
    const auto fail = [&] {
        const std::error_code failure(errno, std::generic_category());
        std::error_code ignored;
        fs::remove(to, ignored);
        refuse_copy(from, to, failure);
    };
    try {
        std::ifstream source(from, std::ios::binary);
        std::ofstream target(to, std::ios::binary);
        if (!source || !target)
            fail();
        std::vector<char> block(block_size);
        while (source) {
            op.check();
            source.read(block.data(), static_cast<std::streamsize>(block.size()));
            target.write(block.data(), source.gcount());
            if (source.bad() || !target)
                fail();
        }
        target.close();
        if (!target)
            fail();
    } catch (const sdk::Cancelled&) {
        std::error_code ignored;
        fs::remove(to, ignored);
        throw;
    }
}

bool set_modified(const fs::path& file, stsync_time time) {
    if (time == STSYNC_TIME_NONE)
        return true;
    const std::chrono::sys_time<std::chrono::microseconds> moment{std::chrono::microseconds(time)};
    std::error_code failure;
    fs::last_write_time(file,
                        std::chrono::time_point_cast<fs::file_time_type::duration>(
                            std::chrono::file_clock::from_sys(moment)),
                        failure);
    return !failure;
}

} // namespace

ExchangeFile::ExchangeFile(ExchangeFile&& other) noexcept
    : here_(std::move(other.here_)), there_(std::move(other.there_)), is_ours_(other.is_ours_) {
    other.is_ours_ = false;
}

ExchangeFile::~ExchangeFile() {
    std::error_code ignored;
    if (is_ours_)
        fs::remove(here_, ignored);
}

void ExchangeFile::move_to(const fs::path& target, stsync_time modified, const sdk::Op& op) {
    std::error_code failure;
    // Only the owner of a file may set its time.
    if (set_modified(here_, modified)) {
        fs::rename(here_, target, failure);
        if (!failure) {
            is_ours_ = false;
            return;
        }
    }
    copy_file(here_, target, op); // the destructor removes the original
    set_modified(target, modified);
}

ExchangeFolder::ExchangeFolder(const ProviderSettings& settings, std::string tag)
    : here_(settings.backup_folder),
      there_(settings.backup_folder_on_server.empty() ? sdk::utf8_from_path(settings.backup_folder)
                                                      : settings.backup_folder_on_server),
      prefix_("stationsync-" + std::move(tag) + '-') {}

fs::path ExchangeFolder::folder_here(const fs::path& near) const {
    return here_.empty() ? near.parent_path() : here_;
}

std::string ExchangeFolder::folder_there(const fs::path& near) const {
    return here_.empty() ? sdk::utf8_from_path(near.parent_path()) : there_;
}

ExchangeFile ExchangeFolder::new_file(const fs::path& package) const {
    const std::string name = prefix_ + random_name() + ".bak";
    const std::string folder = folder_there(package);
    const char separator = folder.find('/') != std::string::npos ? '/' : '\\';
    const bool has_separator = !folder.empty() && (folder.back() == '/' || folder.back() == '\\');
    return {folder_here(package) / name,
            folder + (has_separator ? "" : std::string(1, separator)) + name, true};
}

ExchangeFile ExchangeFolder::lend(const fs::path& package, const sdk::Op& op) const {
    if (here_.empty())
        return {package, sdk::utf8_from_path(package), false};
    ExchangeFile copy = new_file(package);
    copy_file(package, copy.here(), op);
    return copy;
}

void ExchangeFolder::remove_leftovers() const noexcept {
    std::error_code failure;
    for (fs::directory_iterator entries(here_, failure);
         !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        std::error_code ignored;
        const fs::path::string_type name = entries->path().filename().native();
        if (name.starts_with(fs::path(prefix_).native()) &&
            !name.starts_with(fs::path(safety_prefix()).native()))
            fs::remove(entries->path(), ignored);
    }
}

} // namespace stationsync::sqlserver
