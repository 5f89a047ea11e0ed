/* The running call: cancelling, progress, the text of a failure, the point of no return. */
#pragma once

#include "types.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* Unit of stsync_op.progress. */
#define STSYNC_UNIT_BYTES 1
#define STSYNC_UNIT_OBJECTS 2
#define STSYNC_UNIT_STEPS 3

/* Made by the host for one call of a plugin and valid during that call only. All its functions take
 * the struct itself first and may be called from any thread that the plugin uses for this call. */
typedef struct stsync_op {
    uint32_t size;
    uint32_t reserved;   /* 0 */
    uint64_t id;         /* names the call in logs; never 0 */
    int64_t deadline_ms; /* time allowed, in milliseconds counted from the start of the call;
                            0 = no limit. Once it has passed, `cancelled` says so by itself. */
    void* ctx;           /* the host's */

    /* STSYNC_OK = go on; STSYNC_CANCELLED or STSYNC_TIMEOUT = undo what was begun and return that
     * status, within a second. Cheap and lock-free: ask at every block or file. [any] */
    stsync_status(STSYNC_CALL* cancelled)(const struct stsync_op* op) STSYNC_NOEXCEPT;

    /* Tells how far the call is. done <= total; total 0 = unknown; unit = STSYNC_UNIT_*; text is
     * one short phrase or empty. The host limits the rate: call it as often as convenient. [any] */
    stsync_status(STSYNC_CALL* progress)(const struct stsync_op* op, uint64_t done, uint64_t total,
                                         uint32_t unit, stsync_str text) STSYNC_NOEXCEPT;

    /* Says why the call is about to fail: `code` is the status that will be returned, `text` one
     * sentence for the operator with cause and remedy and without secrets; retry_after_ms 0 = the
     * host decides. The last call counts; ignored when the call returns STSYNC_OK. Every status but
     * CANCELLED, TIMEOUT and STOPPED_BY_SINK must be explained so. [any] */
    stsync_status(STSYNC_CALL* fail)(const struct stsync_op* op, stsync_status code,
                                     uint64_t retry_after_ms, stsync_str text) STSYNC_NOEXCEPT;

    /* The point of no return of apply. STSYNC_OK: from now on `cancelled` stays STSYNC_OK until the
     * call returns, which must be soon. STSYNC_CANCELLED or STSYNC_TIMEOUT: too late, undo and
     * return that status. Calls after the first do nothing and answer the same. [any] */
    stsync_status(STSYNC_CALL* begin_commit)(const struct stsync_op* op) STSYNC_NOEXCEPT;
} stsync_op;

#if defined(__cplusplus)
} /* extern "C" */
#endif
