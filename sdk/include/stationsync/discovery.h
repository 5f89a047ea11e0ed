/* "stsync.discovery/1": finds addresses of other stations and announces one's own. Finds are hints,
 * never identity: whom one talks to is proved on the link. */
#pragma once

#include "module.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define STSYNC_DISCOVERY_V1 "stsync.discovery/1"

/* A station as it was found, or, for announce, our own. */
typedef struct stsync_peer {
    uint32_t size;
    uint32_t ttl_s;              /* seconds after which the find is forgotten unless renewed by
                                    `updated`; 0 = until lost. Counted by the host. */
    stsync_str id;               /* names the find within this plugin instance, 1..256 bytes */
    stsync_str station_id;       /* UUID text of the station, empty = unknown */
    stsync_str name;             /* display name, empty = unknown */
    stsync_str project;          /* project name, empty = unknown */
    const stsync_str* endpoints; /* "host:port", "1.2.3.4:8883", "[fe80::1%2]:8883"; a host without
                                    port has the default one. Best first. */
    const stsync_pair* texts;    /* further announced values: "proto" and "app" are the versions of
                                    the protocol and of the product, "source" the address that the
                                    find comes from, "via" the interface; others are the plugin's */
    uint32_t endpoint_count;
    uint32_t text_count;
} stsync_peer;

/* Receives finds. Valid from start until stop returns. [any, also from threads of the plugin] The
 * host copies what it keeps. Our own announcement must not be reported. */
typedef struct stsync_discovery_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* ctx;
    stsync_status(STSYNC_CALL* found)(void* ctx, const stsync_peer* peer) STSYNC_NOEXCEPT;
    stsync_status(STSYNC_CALL* updated)(void* ctx, const stsync_peer* peer) STSYNC_NOEXCEPT;
    stsync_status(STSYNC_CALL* lost)(void* ctx, stsync_str id) STSYNC_NOEXCEPT;
    /* One sentence about the state of the search, shown beside it; empty = all is well again. */
    stsync_status(STSYNC_CALL* note)(void* ctx, stsync_str text) STSYNC_NOEXCEPT;
} stsync_discovery_sink;

typedef struct stsync_discovery_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;

    /* Begins to search. Not called while started. A cause that may pass (network down, database
     * away) is a note, not a failure. [control] */
    stsync_status(STSYNC_CALL* start)(const stsync_instance* instance, const stsync_op* op,
                                      const stsync_discovery_sink* sink) STSYNC_NOEXCEPT;

    /* Ends it, withdraws what was announced, joins; afterwards the sink is used no more. At most 2
     * seconds. No effect when not started. [control] */
    stsync_status(STSYNC_CALL* stop)(const stsync_instance* instance,
                                     const stsync_op* op) STSYNC_NOEXCEPT;

    /* Makes our own station known, or its changed record; a plugin that cannot announce answers OK
     * and ignores it apart from recognising itself by it. [control, started] */
    stsync_status(STSYNC_CALL* announce)(const stsync_instance* instance, const stsync_op* op,
                                         const stsync_peer* self) STSYNC_NOEXCEPT;

    /* Takes the announcement back. [control, started] */
    stsync_status(STSYNC_CALL* withdraw)(const stsync_instance* instance,
                                         const stsync_op* op) STSYNC_NOEXCEPT;

    /* Searches now, for the station or address in `hint`, or for all when it is empty. "*" means
     * those of every project, where a plugin looks for our own project's only otherwise: they are
     * reported with their project, and are not to be connected to. Finds come by the sink, also
     * later. [control, started] */
    stsync_status(STSYNC_CALL* probe)(const stsync_instance* instance, const stsync_op* op,
                                      stsync_str hint) STSYNC_NOEXCEPT;
} stsync_discovery_v1;

#if defined(__cplusplus)
} /* extern "C" */
#endif
