#include "root_marker.hpp"

#include <stationsync/error.hpp>
#include <stationsync/paths.hpp>

#include <array>
#include <optional>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

constexpr std::string_view id_line = "instance = ";

// The id in the marker; empty when it has none, nothing when there is no marker.
std::optional<std::string> read_marker(const Folder& root) {
    const std::string name(root_marker_name);
    if (root.status(name).kind != Kind::file)
        return std::nullopt;
    File file = root.open_file(name);
    std::array<char, 1024> buffer;
    const std::size_t count = file.read(buffer.data(), buffer.size());
    std::string_view text(buffer.data(), count);
    const std::size_t begin = text.find(id_line);
    if (begin == std::string_view::npos)
        return std::string();
    text.remove_prefix(begin + id_line.size());
    const std::size_t end = text.find_first_of("\r\n");
    return std::string(text.substr(0, end));
}

void write_marker(const Folder& root, const Settings& settings) {
    const std::string text = "This folder is kept in step by StationSync, as \"" +
                             settings.provider +
                             "\".\nThis file shows that it is the right folder: do not delete it, "
                             "do not copy it.\n" +
                             std::string(id_line) + settings.instance + "\n";
    const std::string temp = settings.temp_name();
    try {
        File file = root.create_file(temp);
        file.write_at(0, text.data(), text.size());
        file.take_defaults_of(root);
        file.sync();
        root.replace(temp, std::string(root_marker_name), true);
    } catch (...) {
        root.remove_file(temp);
        throw;
    }
    root.sync();
}

void check(const Settings& settings, const std::optional<std::string>& found) {
    if (found == settings.instance)
        return;
    const std::string root = sdk::utf8_from_path(settings.root);
    const std::string remedy =
        " If it is the right folder, run: stationsync provider accept-root " + settings.provider;
    if (!found)
        throw sdk::Error(STSYNC_DENIED, "The folder \"" + root + "\" has no file " +
                                            std::string(root_marker_name) +
                                            ": its disk is not mounted, or \"root\" was changed." +
                                            remedy);
    throw sdk::Error(STSYNC_DENIED,
                     "The folder \"" + root +
                         "\" belongs to another station or provider, says its file " +
                         std::string(root_marker_name) + "." + remedy);
}

} // namespace

Folder open_marked_root(const Settings& settings) {
    Folder root = Folder::open_root(settings.root);
    check(settings, read_marker(root));
    return root;
}

Folder open_markable_root(const Settings& settings) {
    Folder root = Folder::open_root(settings.root);
    const std::optional<std::string> found = read_marker(root);
    if (found || !(settings.may_write_marker || settings.may_take_over))
        check(settings, found);
    return root;
}

void prepare_root(Settings& settings) {
    const Folder root = Folder::open_root(settings.root);
    const std::optional<std::string> found = read_marker(root);
    const bool is_foreign = found && *found != settings.instance;
    const bool is_missing = !found;
    if (is_foreign && settings.may_take_over)
        root.remove_file(std::string(root_marker_name));
    const bool may_write = is_missing ? settings.may_write_marker || settings.may_take_over
                                      : is_foreign && settings.may_take_over;
    if (may_write)
        write_marker(root, settings);
    check(settings, read_marker(root));
    settings.may_write_marker = false;
    settings.may_take_over = false;
}

} // namespace filesync
