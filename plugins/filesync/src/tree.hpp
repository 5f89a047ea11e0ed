// Folders and files as this plugin needs them: every name is looked up in an open folder and no
// symbolic link is ever followed below the root, so that no name leads out of it, whatever others
// rename meanwhile. One implementation per system: tree_linux.cpp, tree_windows.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace filesync {

enum class Kind : std::uint8_t { absent, file, folder, link, special, unknown };

// What tells, without reading a file, that its content is the same as when it was last read.
struct Evidence {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t byte_count = 0;
    std::int64_t modified_ns = 0; // since 1970 UTC
    std::int64_t changed_ns = 0;  // set by the system at every change, cannot be forged

    friend bool operator==(const Evidence& a, const Evidence& b) noexcept {
        return a.device == b.device && a.inode == b.inode && a.byte_count == b.byte_count &&
               a.modified_ns == b.modified_ns && a.changed_ns == b.changed_ns;
    }
    friend bool operator!=(const Evidence& a, const Evidence& b) noexcept { return !(a == b); }
};

struct Status {
    Kind kind = Kind::absent;
    Evidence evidence; // of files only
};

// One name in a folder, as listed.
struct Entry {
    std::string name;          // UTF-8, or raw bytes where the system's names are bytes
    Kind kind = Kind::unknown; // unknown: ask Folder::status
    Evidence evidence;         // filled where listing gives it for nothing, else zero
    bool has_evidence = false;
};

class Folder;

// An open file. Functions throw sdk::Error with a sentence that names the file.
class File {
public:
    // A file of the host, by absolute path.
    static File open_package(const std::filesystem::path& path);
    // A new file of the host; it must not exist.
    static File create_package(const std::filesystem::path& path);

    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();

    // Up to `count` bytes from the present position on; 0 = end of file.
    std::size_t read(char* buffer, std::size_t count);
    // From the start again.
    void rewind();
    void write_at(std::uint64_t offset, const char* bytes, std::size_t count);
    void set_size(std::uint64_t byte_count);
    // Shares the source's blocks instead of copying them; false where the file system cannot.
    bool clone_from(const File& source);
    Status status() const;
    void set_modified(std::int64_t since_1970_ns);
    // Takes owner, permissions and attributes of a file that it will replace. DENIED when it
    // cannot.
    void take_attributes_of(const File& existing);
    // Takes what its folder passes on to new files.
    void take_defaults_of(const Folder& folder);
    // Content and attributes are on the disk when it returns.
    void sync();

private:
    friend class Folder;
    struct Handle;
    explicit File(std::unique_ptr<Handle> handle) noexcept;
    std::unique_ptr<Handle> handle_;
};

// How an exchange of a file for another ended.
enum class Replaced : std::uint8_t {
    in_one_step,   // the old file is gone
    old_kept_back, // the old file now has the temporary name: look at it, then remove it
    appeared       // nothing was expected and something is there: nothing was done
};

// An open folder. Names are single names, never paths. Functions throw sdk::Error.
class Folder {
public:
    // The root, by absolute path; it may itself be reached through links.
    static Folder open_root(const std::filesystem::path& path);

    Folder(Folder&& other) noexcept;
    Folder& operator=(Folder&& other) noexcept;
    ~Folder();

    // The folder `name` in this one. NOT_FOUND when it is absent, UNSUPPORTED when it is no folder.
    Folder open_folder(const std::string& name) const;
    // Appends all names but "." and "..".
    void list(std::vector<Entry>& entries) const;
    Status status(const std::string& name) const;
    // For reading. NOT_FOUND, UNSUPPORTED when it is no regular file, BUSY when others write it and
    // the system tells.
    File open_file(const std::string& name) const;
    // Reading and writing; private to the service until it takes other attributes.
    File create_file(const std::string& name) const;
    // With what this folder passes on; no effect when it exists.
    void make_folder(const std::string& name) const;
    // No effect when it is absent.
    void remove_file(const std::string& name) const;
    // No effect when it is not empty.
    void remove_folder(const std::string& name) const;
    // Gives the file `temp` the name `target` in one step. With `expect_absent` an existing target
    // is left alone.
    Replaced replace(const std::string& temp, const std::string& target, bool expect_absent) const;
    // Takes an exchange with Replaced::old_kept_back back.
    void undo_replace(const std::string& temp, const std::string& target) const;
    // The names are on the disk when it returns.
    void sync() const;
    bool is_writable() const;

private:
    friend class File;
    struct Handle;
    explicit Folder(std::shared_ptr<Handle> handle) noexcept;
    std::shared_ptr<Handle> handle_;
};

// Now, by the clock that stamps files: not the host's, which a test may shift.
std::int64_t file_clock_now_ns() noexcept;

} // namespace filesync
