/* "stsync.provider.watch/1": hints that something changed, so that no scan has to wait for it. */
#pragma once

#include "module.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define STSYNC_PROVIDER_WATCH_V1 "stsync.provider.watch/1"

/* Receives hints. Valid from start until stop returns. [any, also from threads of the plugin; never
 * from inside a call of the host into this instance other than start] */
typedef struct stsync_watch_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* ctx;

    /* The object `key` may have changed; an empty key = scan everything. A hint only: too many do
     * no harm, the host scans before it believes one. */
    stsync_status(STSYNC_CALL* changed)(void* ctx, stsync_str key) STSYNC_NOEXCEPT;

    /* Watching has ended by itself; `text` says why. The host goes on with periodic scans and may
     * call stop and start. At most once per start. */
    stsync_status(STSYNC_CALL* lost)(void* ctx, stsync_str text) STSYNC_NOEXCEPT;
} stsync_watch_sink;

typedef struct stsync_provider_watch_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;

    /* Begins to watch; changes after its return are hinted. Fails when it cannot watch at all;
     * a part that cannot be watched is logged. Not called while started. [control] */
    stsync_status(STSYNC_CALL* start)(const stsync_instance* instance, const stsync_op* op,
                                      const stsync_watch_sink* sink) STSYNC_NOEXCEPT;

    /* Ends it and joins; after the return the sink is used no more. At most 2 seconds. No effect
     * when not started. [control] */
    stsync_status(STSYNC_CALL* stop)(const stsync_instance* instance) STSYNC_NOEXCEPT;
} stsync_provider_watch_v1;

#if defined(__cplusplus)
} /* extern "C" */
#endif
