#include "tree.hpp"

#include <stationsync/error.hpp>
#include <stationsync/paths.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

[[noreturn]] void fail(int code, std::string_view what, const std::string& shown) {
    const std::error_code error(code, std::generic_category());
    std::string text = std::string(what) + " \"" + shown + "\" failed: " + error.message() + ".";
    throw sdk::Error(sdk::status_of(error), text);
}

class Descriptor {
public:
    explicit Descriptor(int value = -1) noexcept : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Descriptor() {
        if (value_ >= 0)
            ::close(value_);
    }
    int get() const noexcept { return value_; }
    int release() noexcept { return std::exchange(value_, -1); }

private:
    int value_;
};

std::int64_t to_ns(const timespec& time) noexcept {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

timespec from_ns(std::int64_t ns) noexcept {
    std::int64_t seconds = ns / 1'000'000'000;
    std::int64_t rest = ns % 1'000'000'000;
    if (rest < 0) {
        rest += 1'000'000'000;
        --seconds;
    }
    timespec time{};
    time.tv_sec = static_cast<std::time_t>(seconds);
    time.tv_nsec = static_cast<long>(rest);
    return time;
}

Status to_status(const struct ::stat& raw) noexcept {
    Status status;
    if (S_ISREG(raw.st_mode))
        status.kind = Kind::file;
    else if (S_ISDIR(raw.st_mode))
        status.kind = Kind::folder;
    else if (S_ISLNK(raw.st_mode))
        status.kind = Kind::link;
    else
        status.kind = Kind::special;
    status.evidence = {raw.st_dev, raw.st_ino, static_cast<std::uint64_t>(raw.st_size),
                       to_ns(raw.st_mtim), to_ns(raw.st_ctim)};
    return status;
}

// Extended attributes carry access lists and what programs note about a file. Those that only the
// system may set are taken where it lets us.
void copy_attribute(int from, int to, const char* name, const std::string& shown) {
    std::string value(static_cast<std::size_t>(XATTR_SIZE_MAX), '\0');
    const ssize_t size = ::fgetxattr(from, name, value.data(), value.size());
    if (size < 0)
        return;
    if (::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0) == 0)
        return;
    const int code = errno;
    const std::string_view text(name);
    const bool must_keep = text.substr(0, 5) == "user." || text == "system.posix_acl_access";
    if (must_keep && code != ENOTSUP)
        fail(code, "Keeping the extended attributes of", shown);
}

void copy_attributes(int from, int to, const std::string& shown) {
    const ssize_t size = ::flistxattr(from, nullptr, 0);
    if (size <= 0)
        return;
    std::string names(static_cast<std::size_t>(size), '\0');
    const ssize_t filled = ::flistxattr(from, names.data(), names.size());
    for (ssize_t at = 0; at < filled;) {
        const char* name = names.data() + at;
        copy_attribute(from, to, name, shown);
        at += static_cast<ssize_t>(std::string_view(name).size()) + 1;
    }
}

} // namespace

struct File::Handle {
    Descriptor descriptor;
    std::string shown; // for messages
};

struct Folder::Handle {
    Descriptor descriptor;
    std::string shown;
    std::string path_of(const std::string& name) const {
        return name == "." ? shown : shown + "/" + name;
    }
};

File::File(std::unique_ptr<Handle> handle) noexcept : handle_(std::move(handle)) {}
File::File(File&& other) noexcept = default;
File& File::operator=(File&& other) noexcept = default;
File::~File() = default;

File File::open_package(const std::filesystem::path& path) {
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (descriptor.get() < 0)
        fail(errno, "Opening the package", path.string());
    ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return File(std::make_unique<Handle>(Handle{std::move(descriptor), path.string()}));
}

File File::create_package(const std::filesystem::path& path) {
    Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (descriptor.get() < 0)
        fail(errno, "Making the package", path.string());
    return File(std::make_unique<Handle>(Handle{std::move(descriptor), path.string()}));
}

std::size_t File::read(char* buffer, std::size_t count) {
    while (true) {
        const ssize_t got = ::read(handle_->descriptor.get(), buffer, count);
        if (got >= 0)
            return static_cast<std::size_t>(got);
        if (errno != EINTR)
            fail(errno, "Reading", handle_->shown);
    }
}

void File::rewind() {
    ::lseek(handle_->descriptor.get(), 0, SEEK_SET);
}

void File::write_at(std::uint64_t offset, const char* bytes, std::size_t count) {
    while (count != 0) {
        const ssize_t put =
            ::pwrite(handle_->descriptor.get(), bytes, count, static_cast<off_t>(offset));
        if (put < 0) {
            if (errno == EINTR)
                continue;
            fail(errno, "Writing", handle_->shown);
        }
        bytes += put;
        count -= static_cast<std::size_t>(put);
        offset += static_cast<std::uint64_t>(put);
    }
}

void File::set_size(std::uint64_t byte_count) {
    if (::ftruncate(handle_->descriptor.get(), static_cast<off_t>(byte_count)) != 0)
        fail(errno, "Writing", handle_->shown);
}

bool File::clone_from(const File& source) {
    return ::ioctl(handle_->descriptor.get(), FICLONE, source.handle_->descriptor.get()) == 0;
}

Status File::status() const {
    struct ::stat raw {};
    if (::fstat(handle_->descriptor.get(), &raw) != 0)
        fail(errno, "Reading", handle_->shown);
    return to_status(raw);
}

void File::set_modified(std::int64_t since_1970_ns) {
    const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, from_ns(since_1970_ns)};
    if (::futimens(handle_->descriptor.get(), times.data()) != 0)
        fail(errno, "Setting the time of", handle_->shown);
}

void File::take_attributes_of(const File& existing) {
    const int from = existing.handle_->descriptor.get();
    const int to = handle_->descriptor.get();
    struct ::stat old {};
    struct ::stat own {};
    if (::fstat(from, &old) != 0 || ::fstat(to, &own) != 0)
        fail(errno, "Reading", existing.handle_->shown);
    const bool has_owner = old.st_uid == own.st_uid && old.st_gid == own.st_gid;
    if (!has_owner && ::fchown(to, old.st_uid, old.st_gid) != 0)
        throw sdk::Error(STSYNC_DENIED,
                         "The owner of \"" + existing.handle_->shown +
                             "\" cannot be kept: let the service run as that user or as root.");
    copy_attributes(from, to, existing.handle_->shown);
    // After the owner, whose change clears some of these bits.
    if (::fchmod(to, old.st_mode & 07777) != 0)
        fail(errno, "Keeping the permissions of", existing.handle_->shown);
}

void File::take_defaults_of(const Folder& folder) {
    const int parent = folder.handle_->descriptor.get();
    const int own = handle_->descriptor.get();
    struct ::stat status {};
    if (::fstat(parent, &status) != 0)
        fail(errno, "Reading", folder.handle_->shown);
    // Owner and group as far as the service may give them away.
    if (::fchown(own, status.st_uid, status.st_gid) != 0)
        static_cast<void>(::fchown(own, static_cast<uid_t>(-1), status.st_gid) == 0);
    // A default access list says what new files get; the system applies it at creation, which asked
    // for a private file: the mask is opened again.
    const bool has_list = ::fgetxattr(parent, "system.posix_acl_default", nullptr, 0) > 0;
    const mode_t mode = has_list ? 0660 : status.st_mode & 0666;
    if (::fchmod(own, mode) != 0)
        fail(errno, "Setting the permissions of", handle_->shown);
}

void File::sync() {
    if (::fsync(handle_->descriptor.get()) != 0)
        fail(errno, "Writing", handle_->shown);
}

Folder::Folder(std::shared_ptr<Handle> handle) noexcept : handle_(std::move(handle)) {}
Folder::Folder(Folder&& other) noexcept = default;
Folder& Folder::operator=(Folder&& other) noexcept = default;
Folder::~Folder() = default;

Folder Folder::open_root(const std::filesystem::path& path) {
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            throw sdk::Error(STSYNC_DENIED,
                             "The folder \"" + path.string() +
                                 "\" does not exist: make it, mount its disk, or correct \"root\" "
                                 "in the configuration.");
        fail(errno, "Opening the folder", path.string());
    }
    return Folder(std::make_shared<Handle>(Handle{std::move(descriptor), path.string()}));
}

Folder Folder::open_folder(const std::string& name) const {
    Descriptor descriptor(::openat(handle_->descriptor.get(), name.c_str(),
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (descriptor.get() < 0) {
        if (errno == ENOTDIR || errno == ELOOP)
            throw sdk::Error(STSYNC_UNSUPPORTED, "\"" + handle_->path_of(name) +
                                                     "\" is not a folder but a file or a link.");
        fail(errno, "Opening the folder", handle_->path_of(name));
    }
    return Folder(std::make_shared<Handle>(Handle{std::move(descriptor), handle_->path_of(name)}));
}

void Folder::list(std::vector<Entry>& entries) const {
    // A descriptor of its own: reading moves its position.
    Descriptor again(::openat(handle_->descriptor.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (again.get() < 0)
        fail(errno, "Reading the folder", handle_->shown);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(again.get()), &::closedir);
    if (!stream)
        fail(errno, "Reading the folder", handle_->shown);
    again.release();
    while (true) {
        errno = 0;
        const dirent* raw = ::readdir(stream.get());
        if (raw == nullptr) {
            if (errno != 0)
                fail(errno, "Reading the folder", handle_->shown);
            return;
        }
        const std::string_view name(raw->d_name);
        if (name == "." || name == "..")
            continue;
        Entry& entry = entries.emplace_back();
        entry.name = name;
        if (raw->d_type == DT_REG)
            entry.kind = Kind::file;
        else if (raw->d_type == DT_DIR)
            entry.kind = Kind::folder;
        else if (raw->d_type == DT_LNK)
            entry.kind = Kind::link;
        else if (raw->d_type != DT_UNKNOWN)
            entry.kind = Kind::special;
    }
}

Status Folder::status(const std::string& name) const {
    struct ::stat raw {};
    if (::fstatat(handle_->descriptor.get(), name.c_str(), &raw, AT_SYMLINK_NOFOLLOW) == 0)
        return to_status(raw);
    if (errno == ENOENT)
        return {};
    fail(errno, "Reading", handle_->path_of(name));
}

File Folder::open_file(const std::string& name) const {
    // Not blocking: a pipe put in place of the file must not hold us.
    Descriptor descriptor(::openat(handle_->descriptor.get(), name.c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (descriptor.get() < 0) {
        if (errno == ELOOP)
            throw sdk::Error(STSYNC_UNSUPPORTED, "\"" + handle_->path_of(name) +
                                                     "\" is a symbolic link; links are not "
                                                     "synchronized.");
        fail(errno, "Opening", handle_->path_of(name));
    }
    File file(std::make_unique<File::Handle>(
        File::Handle{std::move(descriptor), handle_->path_of(name)}));
    if (file.status().kind != Kind::file)
        throw sdk::Error(STSYNC_UNSUPPORTED,
                         "\"" + handle_->path_of(name) + "\" is not a regular file.");
    return file;
}

File Folder::create_file(const std::string& name) const {
    Descriptor descriptor(::openat(handle_->descriptor.get(), name.c_str(),
                                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (descriptor.get() < 0)
        fail(errno, "Making a file in", handle_->shown);
    return File(std::make_unique<File::Handle>(
        File::Handle{std::move(descriptor), handle_->path_of(name)}));
}

void Folder::make_folder(const std::string& name) const {
    if (::mkdirat(handle_->descriptor.get(), name.c_str(), 0777) != 0) {
        if (errno == EEXIST)
            return;
        fail(errno, "Making the folder", handle_->path_of(name));
    }
    struct ::stat own {};
    if (::fstat(handle_->descriptor.get(), &own) != 0)
        fail(errno, "Reading", handle_->shown);
    const Folder made = open_folder(name);
    const int descriptor = made.handle_->descriptor.get();
    if (::fchown(descriptor, own.st_uid, own.st_gid) != 0)
        static_cast<void>(::fchown(descriptor, static_cast<uid_t>(-1), own.st_gid) == 0);
    const bool has_list =
        ::fgetxattr(handle_->descriptor.get(), "system.posix_acl_default", nullptr, 0) > 0;
    if (!has_list && ::fchmod(descriptor, own.st_mode & 07777) != 0)
        fail(errno, "Setting the permissions of", handle_->path_of(name));
}

void Folder::remove_file(const std::string& name) const {
    if (::unlinkat(handle_->descriptor.get(), name.c_str(), 0) != 0 && errno != ENOENT)
        fail(errno, "Removing", handle_->path_of(name));
}

void Folder::remove_folder(const std::string& name) const {
    if (::unlinkat(handle_->descriptor.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT &&
        errno != ENOTEMPTY && errno != EEXIST)
        fail(errno, "Removing the folder", handle_->path_of(name));
}

Replaced Folder::replace(const std::string& temp, const std::string& target,
                         bool expect_absent) const {
    const int folder = handle_->descriptor.get();
    const unsigned flags = expect_absent ? RENAME_NOREPLACE : RENAME_EXCHANGE;
    if (::renameat2(folder, temp.c_str(), folder, target.c_str(), flags) == 0)
        return expect_absent ? Replaced::in_one_step : Replaced::old_kept_back;
    if (expect_absent && errno == EEXIST)
        return Replaced::appeared;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        fail(errno, "Replacing", handle_->path_of(target));
    // A file system without these flags. A second name fails where one exists already.
    if (expect_absent && ::linkat(folder, temp.c_str(), folder, target.c_str(), 0) == 0) {
        remove_file(temp);
        return Replaced::in_one_step;
    }
    if (expect_absent && errno == EEXIST)
        return Replaced::appeared;
    // One without second names either: the caller has looked a moment ago.
    if (::renameat(folder, temp.c_str(), folder, target.c_str()) != 0)
        fail(errno, "Replacing", handle_->path_of(target));
    return Replaced::in_one_step;
}

void Folder::undo_replace(const std::string& temp, const std::string& target) const {
    const int folder = handle_->descriptor.get();
    if (::renameat2(folder, temp.c_str(), folder, target.c_str(), RENAME_EXCHANGE) != 0)
        fail(errno, "Putting back", handle_->path_of(target));
}

void Folder::sync() const {
    if (::fsync(handle_->descriptor.get()) != 0)
        fail(errno, "Writing", handle_->shown);
}

bool Folder::is_writable() const {
    return ::faccessat(handle_->descriptor.get(), ".", W_OK, AT_EACCESS) == 0;
}

std::int64_t file_clock_now_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return to_ns(now);
}

} // namespace filesync
