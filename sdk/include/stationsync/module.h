/* The entry of a plugin: one exported function, from which everything else is asked for by id.
 *
 * Order of calls: stsync_plugin_v1 once, describe as often as wanted, create; then on the instance
 * query, and by the tables `recover` (providers) or `start` (discovery) before anything else; at
 * the end destroy. The library stays loaded until the process ends. */
#pragma once

#include "op.h"
#include "types.h"
#include "version.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* What the host offers to one instance. The struct given to create and all tables that it hands out
 * are valid until destroy of that instance returns. */
typedef struct stsync_host {
    uint32_t size;
    uint32_t abi_major;
    uint32_t abi_minor; /* informative */
    uint32_t reserved;  /* 0 */
    stsync_str name;    /* "stationsync" or the program that plays host */
    stsync_str version; /* version of that program */
    void* ctx;          /* the host's */

    /* Table for an id such as "stsync.host.log/1" (see host.h), or NULL when the host does not
     * offer it. id is zero-terminated ASCII. The same answer every time. [any] */
    const void*(STSYNC_CALL* query)(const struct stsync_host* host, const char* id)STSYNC_NOEXCEPT;
} stsync_host;

/* stsync_descriptor.kind */
#define STSYNC_KIND_PROVIDER 1
#define STSYNC_KIND_DISCOVERY 2

/* stsync_descriptor.flags */
#define STSYNC_NEEDS_IN_PROCESS 0x1u /* cannot be moved into a process of its own */
#define STSYNC_SINGLE_INSTANCE 0x2u  /* at most one instance at a time */
/* Keys are relative paths with '/': the host refuses names that are not safe on every system. */
#define STSYNC_KEYS_ARE_PATHS 0x4u
/* Exporting the same state twice gives the same bytes and modification time. */
#define STSYNC_EXPORT_REPRODUCIBLE 0x8u

/* Describes one kind of instance that the plugin can make. Static data, valid until the process
 * ends, the same at every call. */
typedef struct stsync_descriptor {
    uint32_t size;
    uint32_t kind; /* STSYNC_KIND_* */
    uint32_t flags;
    uint32_t max_parallel;       /* [worker] calls at a time per instance, at least 1 */
    uint32_t default_timeout_ms; /* deadline of a call when the configuration names none; 0 = the
                                    host's own default */
    uint32_t reserved;           /* 0 */
    stsync_str id;               /* "filesync", "org.acme.recipes": [a-z0-9.-], 1..64 bytes */
    stsync_str name;             /* for people */
    stsync_str version;          /* "1.2.3" of the plugin */
    stsync_str vendor;
    stsync_str package_extension; /* ".db"; empty = that of the key. Providers only. */
    stsync_str config_schema;     /* JSON: {"key": {"type": "string|list|integer|boolean|secret",
                                     "required": bool, "help": "…"}}; a key that is not in it is a
                                     configuration error. Empty = anything goes. */
} stsync_descriptor;

/* One configured instance. Made by create, ended by destroy; the host keeps the pointer between. */
typedef struct stsync_instance {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* self;        /* the plugin's */

    /* Table for an id such as "stsync.provider/1", or NULL. Static per instance, usable at once;
     * the table is valid until destroy returns. id is zero-terminated ASCII. [any] */
    const void*(STSYNC_CALL* query)(const struct stsync_instance* instance,
                                    const char* id)STSYNC_NOEXCEPT;

    /* Ends the instance and frees all that it holds, joins its threads. Called once, after every
     * other call has returned (watch and discovery are stopped before); whatever it returns, the
     * instance is gone. At most 2 seconds. [control] */
    stsync_status(STSYNC_CALL* destroy)(const struct stsync_instance* instance) STSYNC_NOEXCEPT;
} stsync_instance;

/* The plugin itself. Static data, valid until the process ends. */
typedef struct stsync_module {
    uint32_t size;
    uint32_t abi_major; /* STSYNC_ABI_MAJOR that the plugin was built with */
    uint32_t abi_minor; /* informative */
    uint32_t count;     /* of descriptors */
    stsync_str sdk_version;

    /* Descriptor `index` in [0, count), NULL beyond. No side effects. [any] */
    const stsync_descriptor*(STSYNC_CALL* describe)(uint32_t index)STSYNC_NOEXCEPT;

    /* Makes an instance of the descriptor named `id`; reads its configuration from `host`. Does not
     * touch the live data. On failure emits one sentence with cause and remedy to `fail`.
     *  STSYNC_NOT_FOUND    no such descriptor
     *  STSYNC_INVALID_ARG  the configuration is wrong: shown to the operator, not tried again
     * before it changed STSYNC_INCOMPATIBLE the host lacks a service that the plugin needs
     * [control] */
    stsync_status(STSYNC_CALL* create)(const stsync_host* host, stsync_str id,
                                       const stsync_text_sink* fail,
                                       const stsync_instance** out) STSYNC_NOEXCEPT;
} stsync_module;

/* The only exported function. No side effects, no allocation: it may be called by a program that
 * merely lists plugins. NULL = this host is refused. [any] */
STSYNC_EXPORT const stsync_module* STSYNC_CALL stsync_plugin_v1(uint32_t host_abi_minor)
    STSYNC_NOEXCEPT;
typedef const stsync_module*(STSYNC_CALL* stsync_plugin_v1_fn)(uint32_t host_abi_minor);
#define STSYNC_ENTRY_NAME "stsync_plugin_v1"

#if defined(__cplusplus)
} /* extern "C" */
#endif
