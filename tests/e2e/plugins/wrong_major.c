/* A plugin of a later major version: the loader must name both versions. */
#include <stationsync/module.h>

static const stsync_module module = {
    .size = sizeof(stsync_module),
    .abi_major = STSYNC_ABI_MAJOR + 1,
    .sdk_version = {"2.0.0", 5},
};

const stsync_module* STSYNC_CALL stsync_plugin_v1(uint32_t host_abi_minor) {
    (void)host_abi_minor;
    return &module;
}
