#include "plugins/plugin_library.hpp"

#include "base/path_text.hpp"
#include "plugins/load_mode.hpp"

#include <boost/dll/library_info.hpp>
#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cstring>

namespace stationsync::host {

namespace {

// Never destroyed: code of a plugin may run until the process ends (thread-local destructors,
// unique symbols), and unloading gains nothing.
std::vector<boost::dll::shared_library>& loaded_libraries() {
    static auto* const libraries = new std::vector<boost::dll::shared_library>;
    return *libraries;
}

bool is_library(const std::filesystem::path& file) {
    return file.extension() == boost::dll::shared_library::suffix().native();
}

bool exports_entry(const std::filesystem::path& file) {
    boost::dll::library_info info(file.native());
    const auto symbols = info.symbols();
    return std::find(symbols.begin(), symbols.end(), STSYNC_ENTRY_NAME) != symbols.end();
}

bool is_plugin_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

} // namespace

std::string copy_text(const stsync_str& text) {
    return text.size == 0 || !text.data
               ? std::string()
               : std::string(text.data, static_cast<std::size_t>(text.size));
}

stsync_str view_of(std::string_view text) {
    return {text.data(), text.size()};
}

void PluginRegistry::refuse(const std::filesystem::path& file, std::string text) {
    refused_.push_back({file, std::move(text)});
}

void PluginRegistry::load_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator place(folder, error), end; !error && place != end;
         place.increment(error))
        if (is_library(place->path()))
            files.push_back(place->path());
    if (error)
        refuse(folder, "cannot read the plugin folder " + path_text(folder) + ": " +
                           error.message() + "; name another one with --plugins");
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files)
        load_file(file);
}

void PluginRegistry::load_file(const std::filesystem::path& file) {
    const std::string name = path_text(file.filename());
    try {
        if (!exports_entry(file)) {
            refuse(
                file,
                name +
                    " is no StationSync plugin: it does not export the function " STSYNC_ENTRY_NAME
                    "; remove it from the plugin folder or build it with the SDK");
            return;
        }
    } catch (const std::exception&) {
        refuse(file, name +
                         " is not a shared library of this system and processor; replace it by one "
                         "that was built for them");
        return;
    }
    boost::dll::fs::error_code error;
    boost::dll::shared_library library(std::filesystem::absolute(file).native(), plugin_load_mode(),
                                       error);
    if (error) {
        refuse(file, name + " cannot be loaded: " + error.message() +
                         "; install what it needs or remove it");
        return;
    }
    const auto entry = library.get<std::remove_pointer_t<stsync_plugin_v1_fn>>(STSYNC_ENTRY_NAME);
    loaded_libraries().push_back(std::move(library));
    const stsync_module* const module = entry(STSYNC_ABI_MINOR);
    if (!module) {
        refuse(file, name + " refuses this version of StationSync; update one of the two");
        return;
    }
    take(file, module);
}

void PluginRegistry::take(const std::filesystem::path& file, const stsync_module* module) {
    const std::string name = path_text(file.filename());
    if (module->size < sizeof(stsync_module)) {
        refuse(file, name + " describes itself with " + std::to_string(module->size) +
                         " bytes where at least " + std::to_string(sizeof(stsync_module)) +
                         " are expected; rebuild it with the SDK");
        return;
    }
    if (module->abi_major != STSYNC_ABI_MAJOR) {
        refuse(file, name + " was built for version " + std::to_string(module->abi_major) +
                         " of the plugin interface, this StationSync speaks version " +
                         std::to_string(STSYNC_ABI_MAJOR) + "; install a plugin built for it");
        return;
    }
    if (!module->describe || !module->create || module->count == 0) {
        refuse(file, name + " lacks a function that every plugin must have (" +
                         (!module->describe ? "describe"
                          : !module->create ? "create"
                                            : "any kind") +
                         "); rebuild it with the SDK");
        return;
    }
    for (std::uint32_t i = 0; i < module->count; ++i) {
        const stsync_descriptor* const descriptor = module->describe(i);
        if (!descriptor || descriptor->size < offsetof(stsync_descriptor, vendor)) {
            refuse(file, name + " does not describe its kind " + std::to_string(i));
            continue;
        }
        auto kind = std::make_unique<PluginKind>();
        kind->id = copy_text(descriptor->id);
        if (!is_plugin_id(kind->id) || find(kind->id)) {
            refuse(file, name + (find(kind->id) ? " offers '" + kind->id +
                                                      "', which another plugin "
                                                      "offers already; remove one of the two"
                                                : " has no usable id; rebuild it with the SDK"));
            continue;
        }
        if ((descriptor->flags & 0xff000000u) != 0) {
            refuse(file, name +
                             " needs something of the host that this version does not know; update "
                             "StationSync");
            continue;
        }
        kind->file = file;
        kind->module = module;
        kind->descriptor = descriptor;
        kind->name = copy_text(descriptor->name);
        kind->version = copy_text(descriptor->version);
        kind->vendor = copy_text(descriptor->vendor);
        kind->config_schema = copy_text(descriptor->config_schema);
        kind->package_extension = copy_text(descriptor->package_extension);
        kind->is_provider = descriptor->kind == STSYNC_KIND_PROVIDER;
        kind->keys_are_paths = (descriptor->flags & STSYNC_KEYS_ARE_PATHS) != 0;
        kind->export_reproducible = (descriptor->flags & STSYNC_EXPORT_REPRODUCIBLE) != 0;
        kind->max_parallel = std::max(descriptor->max_parallel, 1u);
        kind->default_timeout_ms = descriptor->default_timeout_ms;
        kinds_.push_back(std::move(kind));
    }
}

const PluginKind* PluginRegistry::find(std::string_view id) const {
    for (const auto& kind : kinds_)
        if (kind->id == id)
            return kind.get();
    return nullptr;
}

} // namespace stationsync::host
