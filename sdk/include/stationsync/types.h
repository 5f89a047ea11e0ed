/* Basic types of the plugin ABI: status codes, text views, marks, digests, times.
 *
 * Rules that hold for every function of the ABI:
 *  - Text is UTF-8, given as pointer and length, without a terminating zero. Interface ids alone
 * are zero-terminated ASCII.
 *  - A view (stsync_str, pointer to a struct or array) is valid until the called function returns;
 *    who needs it longer copies it. Exceptions say so.
 *  - Nothing is allocated on one side and freed on the other.
 *  - No exception leaves a function: in C++17 all function pointers are noexcept.
 *  - When a status other than STSYNC_OK is returned, the out-parameters are ignored.
 *  - A table of functions never changes once published; more functions are a new id.
 *  - A struct that starts with `size` may grow at its end: who fills it sets size = sizeof, who
 *    reads it takes the smaller of both sizes; a field that is not there counts as zero.
 *  - stsync_str, stsync_mark, stsync_digest, stsync_apply_id, stsync_pair are frozen for ever.
 *  - Unknown values of an enumeration and unknown flags are ignored, except the upper 8 bits of a
 *    flags field: whoever does not know one of those answers STSYNC_UNSUPPORTED.
 *
 * Thread tags:
 *  [control]  never two at a time for one instance; may block for a moment
 *  [worker]   may block; at most `max_parallel` at a time per instance, never two for one key
 *  [any]      any thread, at any time between create and destroy; does not block
 */
#pragma once

#include <stdint.h>

#if defined(_WIN32)
#define STSYNC_CALL __cdecl
#define STSYNC_EXPORT __declspec(dllexport)
#else
#define STSYNC_CALL
#define STSYNC_EXPORT __attribute__((visibility("default")))
#endif

#if defined(__cplusplus)
#define STSYNC_NOEXCEPT noexcept
#else
#define STSYNC_NOEXCEPT
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/* Result of every call. The retry class, in parentheses, is what the host does:
 *  done        nothing more
 *  again       asked again soon, with growing pauses (or after retry_after_ms of stsync_op.fail)
 *  rescan      the view of the object was stale: it is scanned, decided and tried again at once
 *  blocked     tried again when something changed: configuration, compatibility, space, or the
 *              operator asks; until then slowly, every few minutes; an operator message is shown
 *  never       not tried again with the same input
 * An unknown code counts as STSYNC_INTERNAL. */
typedef int32_t stsync_status;

#define STSYNC_OK 0           /* (done) */
#define STSYNC_CANCELLED 1    /* (done) the host asked for it by stsync_op.cancelled */
#define STSYNC_TIMEOUT 2      /* (again) the deadline of the call has passed */
#define STSYNC_NOT_FOUND 3    /* (rescan) the object, key or value does not exist */
#define STSYNC_CONFLICT 4     /* (rescan) the live data is not what the caller expected */
#define STSYNC_INCOMPATIBLE 5 /* (blocked) versions that do not go together */
#define STSYNC_CORRUPT 6      /* (never) a package that is damaged: another one is fetched */
#define STSYNC_NO_SPACE 7     /* (blocked) disk or quota full */
#define STSYNC_DENIED 8       /* (blocked) rights or a missing root marker */
#define STSYNC_BUSY 9         /* (again) in use at the moment */
#define STSYNC_UNSUPPORTED 10 /* (never) not something that this plugin can do */
#define STSYNC_INVALID_ARG 11 /* (never) an argument, key or configuration that is not allowed */
#define STSYNC_STOPPED_BY_SINK 12 /* (done) a sink answered that; the call ended early */
#define STSYNC_INTERNAL 100       /* (again) everything else */
/* 1000 and above are made by the host only and never returned by a plugin. */
#define STSYNC_PLUGIN_CRASHED 1000 /* (again, after recover) */
#define STSYNC_PLUGIN_HUNG 1001    /* (blocked) */
#define STSYNC_HOST_GONE 1002      /* (done) */

/* A view of UTF-8 text or of bytes. data may be NULL only when size is 0. Frozen. */
typedef struct stsync_str {
    const char* data;
    uint64_t size; /* bytes */
} stsync_str;

/* Names one state of an object's live data. Opaque and local to one provider instance: the same
 * mark means the same content. len 0 = absent (no live data). Compared as bytes. Frozen. */
#define STSYNC_MARK_MAX 63
typedef struct stsync_mark {
    uint8_t len; /* 0..63; bytes beyond it are zero */
    uint8_t bytes[STSYNC_MARK_MAX];
} stsync_mark;

/* SHA-256 of an object's canonical content, the same on every station; len 0 = none. Frozen. */
typedef struct stsync_digest {
    uint32_t len; /* 0 or 32 */
    uint8_t bytes[32];
} stsync_digest;

/* Names one attempt to bring an object into a state; repeated with the same value after a crash.
 * Frozen. */
typedef struct stsync_apply_id {
    uint8_t bytes[16];
} stsync_apply_id;

/* A name with a value. Frozen. */
typedef struct stsync_pair {
    stsync_str name;
    stsync_str value;
} stsync_pair;

/* Microseconds since 1970-01-01 00:00 UTC, leap seconds not counted. */
typedef int64_t stsync_time;
#define STSYNC_TIME_NONE INT64_MIN /* not known */

/* Receives text or bytes, once or once per element as the called function says.
 * emit: [the thread of the call that the sink was passed to]. The view is valid during emit.
 * Answers STSYNC_OK, or anything else to stop: the called function then returns
 * STSYNC_STOPPED_BY_SINK. The struct is valid during the call it was passed to. */
typedef struct stsync_text_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* ctx;         /* first argument of emit */
    stsync_status(STSYNC_CALL* emit)(void* ctx, stsync_str text) STSYNC_NOEXCEPT;
} stsync_text_sink;

#if defined(__cplusplus)
} /* extern "C" */
#endif
