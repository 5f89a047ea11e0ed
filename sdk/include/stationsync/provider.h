/* "stsync.provider/1": what a plugin does so that its data is synchronized.
 *
 * An object is the unit of "last change wins", named by its key: 1..4096 bytes of valid UTF-8
 * without a zero byte, compared as bytes. The live data is the object as its users work with it; a
 * package is a regular file that carries one state of it between stations. Absence is never a
 * change: there is no remove.
 *
 * Every function takes the instance and the running call first and blocks until it is done. When it
 * fails, stsync_op.fail says why. Paths that the host hands out are absolute, valid UTF-8 and
 * shorter than 200 characters. */
#pragma once

#include "module.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define STSYNC_PROVIDER_V1 "stsync.provider/1"

/* stsync_object.flags */
#define STSYNC_OBJECT_RESTORED 0x1u       /* evidence that an old state was put back on purpose */
#define STSYNC_OBJECT_TIME_UNCERTAIN 0x2u /* changed_at is a guess */
#define STSYNC_OBJECT_READ_ONLY 0x4u      /* apply would be refused at present */

/* One object as it is now. */
typedef struct stsync_object {
    uint32_t size;
    uint32_t flags; /* STSYNC_OBJECT_* */
    stsync_str key;
    stsync_mark mark;               /* never empty: what is absent is not emitted */
    uint64_t byte_count;            /* size of the content, for people and planning */
    stsync_time changed_at;         /* when the content last changed, or STSYNC_TIME_NONE */
    stsync_time changed_not_before; /* start of the interval in which that happened, or NONE */
    stsync_digest content_digest;   /* as export_object gives it, if it costs nothing; or none */
    uint32_t reserved;              /* 0 */
    stsync_str display_name;        /* for people; empty = the key */
} stsync_object;

/* stsync_fault.flags */
/* Nothing is known of any key that starts with `key`: they are not absent. `key` then ends in '/',
 * or is empty for all. */
#define STSYNC_FAULT_SUBTREE 0x1u

/* Something that is there and is not emitted: it counts as neither present nor absent, keeps its
 * last state and shows `text` as its reason. */
typedef struct stsync_fault {
    uint32_t size;
    uint32_t flags; /* STSYNC_FAULT_* */
    stsync_str key;
    stsync_status code;      /* e.g. BUSY being written, DENIED unreadable, UNSUPPORTED symbolic
                                link; the retry class says when the host looks again */
    uint32_t reserved;       /* 0 */
    uint64_t retry_after_ms; /* 0 = the host decides */
    stsync_str text;         /* one sentence with cause and remedy */
} stsync_fault;

/* Receives the objects of a scan. Valid during the call; used from its thread only.
 * Both answer STSYNC_OK, or anything else to stop: scan then returns STSYNC_STOPPED_BY_SINK. */
typedef struct stsync_object_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* ctx;
    stsync_status(STSYNC_CALL* object)(void* ctx, const stsync_object* object) STSYNC_NOEXCEPT;
    stsync_status(STSYNC_CALL* fault)(void* ctx, const stsync_fault* fault) STSYNC_NOEXCEPT;
} stsync_object_sink;

/* stsync_scan_scope.kind */
#define STSYNC_SCOPE_ALL 0
#define STSYNC_SCOPE_KEYS 1
/* stsync_scan_scope.flags */
#define STSYNC_SCAN_REREAD 0x1u /* read all content again, trust no cache */

/* What to scan. */
typedef struct stsync_scan_scope {
    uint32_t size;
    uint32_t kind;          /* STSYNC_SCOPE_* */
    uint32_t flags;         /* STSYNC_SCAN_* */
    uint32_t reserved;      /* 0 */
    const stsync_str* keys; /* for STSYNC_SCOPE_KEYS */
    uint64_t key_count;
} stsync_scan_scope;

/* stsync_token.kind */
#define STSYNC_TOKEN_EXACT 1 /* must be equal on both stations */
/* The other station's EXACT or INFO token of this name must be at least this, compared as dotted
 * numbers. */
#define STSYNC_TOKEN_MIN 2
#define STSYNC_TOKEN_INFO 3 /* shown, judged only by a MIN token */

/* One fact about the back end, e.g. sqlserver.version = 16.0.4105 exact. */
typedef struct stsync_token {
    uint32_t size;
    uint32_t kind; /* STSYNC_TOKEN_* */
    stsync_str name;
    stsync_str value;
} stsync_token;

/* Receives tokens; see stsync_text_sink. */
typedef struct stsync_token_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* ctx;
    stsync_status(STSYNC_CALL* emit)(void* ctx, const stsync_token* token) STSYNC_NOEXCEPT;
} stsync_token_sink;

/* Filled by export_object. The host sets size and zeroes the rest before the call. */
typedef struct stsync_export_result {
    uint32_t size;
    uint32_t reserved;            /* 0 */
    stsync_mark mark;             /* the state that the package carries */
    uint64_t byte_count;          /* size of the content, as in stsync_object */
    stsync_digest content_digest; /* canonical, equal on all stations for equal content; or none */
    uint32_t reserved2;           /* 0 */
} stsync_export_result;

/* Filled by verify. The host sets size and zeroes the rest before the call. */
typedef struct stsync_verify_result {
    uint32_t size;
    uint32_t reserved;            /* 0 */
    stsync_digest content_digest; /* of the content in the package; or none */
    uint32_t reserved2;           /* 0 */
} stsync_verify_result;

/* What an apply is bound to. */
typedef struct stsync_apply_info {
    uint32_t size;
    uint32_t flags; /* 0 */
    stsync_apply_id apply_id;
    stsync_mark expected;   /* mark that the live data must have; len 0 = must be absent */
    stsync_time changed_at; /* of the revision at its origin, UTC */
} stsync_apply_info;

/* Filled by apply. The host sets size and zeroes the rest before the call. */
typedef struct stsync_apply_result {
    uint32_t size;
    uint32_t reserved;      /* 0 */
    stsync_mark mark;       /* exactly what a scan reports from now on: no echo */
    stsync_time changed_at; /* what a scan reports from now on, or STSYNC_TIME_NONE */
} stsync_apply_result;

typedef struct stsync_provider_v1 {
    uint32_t size; /* of this table: sizeof(stsync_provider_v1), for checks only */
    uint32_t reserved;

    /* First call after every create, before any other. Finishes or undoes what a killed apply left
     * and removes its temporary files: afterwards every object is wholly old or wholly new.
     * Idempotent. A failure keeps the whole provider in fault (DENIED: the root is missing or a
     * foreign one). [control] */
    stsync_status(STSYNC_CALL* recover)(const stsync_instance* instance,
                                        const stsync_op* op) STSYNC_NOEXCEPT;

    /* Emits the tokens of the back end; none is fine. BUSY: not known yet (a server is down), which
     * suspends this provider on the links. Asked at start and again when the host sees reason.
     * [worker] */
    stsync_status(STSYNC_CALL* compat)(const stsync_instance* instance, const stsync_op* op,
                                       const stsync_token_sink* sink) STSYNC_NOEXCEPT;

    /* Judges another station's tokens against one's own: OK, or INCOMPATIBLE with one sentence per
     * obstacle emitted to `reasons`, naming both sides' values. Must give the same verdict on both
     * stations. tokens: `count` structs, each `stride` bytes after the one before. [worker] */
    stsync_status(STSYNC_CALL* check_compat)(const stsync_instance* instance, const stsync_op* op,
                                             const stsync_token* tokens, uint32_t count,
                                             uint32_t stride,
                                             const stsync_text_sink* reasons) STSYNC_NOEXCEPT;

    /* Emits every object in scope, in any order, no key twice; a fault for what is there and cannot
     * be told. After OK, a key in scope that was neither emitted nor covered by a fault is absent.
     * Any other status says nothing about absence. Reads only. [worker] */
    stsync_status(STSYNC_CALL* scan)(const stsync_instance* instance, const stsync_op* op,
                                     const stsync_scan_scope* scope,
                                     const stsync_object_sink* sink) STSYNC_NOEXCEPT;

    /* Writes the present state of `key` as one regular file at `package_path`, which does not exist
     * and lies in a directory of the host; its modification time is part of the package. Read mark,
     * content, mark: when they differ return BUSY, and the host asks again. Leaves no file behind
     * on failure. NOT_FOUND: the object is absent. NO_SPACE, BUSY, DENIED. The host makes the file
     * durable. [worker] */
    stsync_status(STSYNC_CALL* export_object)(const stsync_instance* instance, const stsync_op* op,
                                              stsync_str key, stsync_str package_path,
                                              stsync_export_result* out) STSYNC_NOEXCEPT;

    /* Checks a package that came from elsewhere, hostile until proved otherwise, without touching
     * live data or package. CORRUPT: damaged or not one of this provider; INCOMPATIBLE: sound, but
     * not for this back end; INVALID_ARG: the key is not acceptable. [worker] */
    stsync_status(STSYNC_CALL* verify)(const stsync_instance* instance, const stsync_op* op,
                                       stsync_str key, stsync_str package_path,
                                       stsync_verify_result* out) STSYNC_NOEXCEPT;

    /* Brings the object into the state of the package, all or nothing even if power fails, durable
     * when it returns OK; the package is not modified. Compares `expected` with the live data as
     * late as it can: a mismatch is CONFLICT and changes nothing, unless the live data already
     * equals the package: OK. The same apply_id twice has one effect. Calls stsync_op.begin_commit
     * before the first step that cannot be undone. NO_SPACE, BUSY, DENIED, INVALID_ARG (key),
     * CORRUPT leave the old state. [worker] */
    stsync_status(STSYNC_CALL* apply)(const stsync_instance* instance, const stsync_op* op,
                                      stsync_str key, stsync_str package_path,
                                      const stsync_apply_info* info,
                                      stsync_apply_result* out) STSYNC_NOEXCEPT;
} stsync_provider_v1;

#if defined(__cplusplus)
} /* extern "C" */
#endif
