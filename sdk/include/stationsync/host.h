/* Services that the host offers to an instance, asked for by id with stsync_host.query.
 *
 * All are [any]: thread-safe, also from threads of the plugin, from create until destroy returns,
 * and never waiting for plugin work. Each function takes the stsync_host given to create. A plugin
 * must expect any of them to be missing (NULL); the host of this release offers all. */
#pragma once

#include "module.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define STSYNC_HOST_LOG_V1 "stsync.host.log/1"
#define STSYNC_HOST_CONFIG_V1 "stsync.host.config/1"
#define STSYNC_HOST_SECRETS_V1 "stsync.host.secrets/1"
#define STSYNC_HOST_STAGING_V1 "stsync.host.staging/1"
#define STSYNC_HOST_CLOCK_V1 "stsync.host.clock/1"
#define STSYNC_HOST_KV_V1 "stsync.host.kv/1"

/* level of stsync_host_log_v1.write */
#define STSYNC_LOG_DEBUG 1
#define STSYNC_LOG_INFO 2
#define STSYNC_LOG_WARNING 3
#define STSYNC_LOG_ERROR 4
#define STSYNC_LOG_HOST_MISUSE 5 /* the host broke a rule of this ABI */

typedef struct stsync_host_log_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;
    /* Writes one line. code: stable and short, "filesync.symlink"; key: the object, or empty; text:
     * one sentence without secrets. Never fails for the caller's purposes. */
    stsync_status(STSYNC_CALL* write)(const stsync_host* host, uint32_t level, stsync_str code,
                                      stsync_str key, stsync_str text) STSYNC_NOEXCEPT;
} stsync_host_log_v1;

/* The instance's own keys of the configuration. Values are fixed from create to destroy: a change
 * of configuration makes a new instance. Text as written, integers in decimal, booleans "true" or
 * "false"; keys of an inline table as "table.key".
 * Keys that the host adds:
 *  @instance      id of the provider instance, the same on every start of this station
 *  @name          name of the provider or discovery in the project, "recipes"
 *  @project       name of the project
 *  @first_enable  "1" when the instance is enabled for the first time: a root without a marker gets
 *                 one; else "0"
 *  @accept_root   "1" when a person has accepted the present root; else "0"
 *  @packages      directory that packages lie below, both those that are exported and those that
 *                 were fetched; the latter in a directory @project, in it @name. Kept for ever, so
 *                 the rights that it hands down are those of all packages. Before the first start a
 *                 self-test may find none */
typedef struct stsync_host_config_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;
    /* Emits the value once. NOT_FOUND: not configured; INVALID_ARG: it is a list; DENIED: it is a
     * secret, see stsync_host_secrets_v1. */
    stsync_status(STSYNC_CALL* get)(const stsync_host* host, stsync_str name,
                                    const stsync_text_sink* sink) STSYNC_NOEXCEPT;
    /* Emits each element of a list in order; a single value counts as a list of one. NOT_FOUND: not
     * configured. */
    stsync_status(STSYNC_CALL* list)(const stsync_host* host, stsync_str name,
                                     const stsync_text_sink* sink) STSYNC_NOEXCEPT;
} stsync_host_config_v1;

typedef struct stsync_host_secrets_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;
    /* Emits the secret that the operator granted to the configuration key `name` by writing
     * name = { secret = "NAME" }. Wipe it after use, never log it. NOT_FOUND: the key is not
     * configured or the secret is not set; INVALID_ARG: the value is not a secret. */
    stsync_status(STSYNC_CALL* get)(const stsync_host* host, stsync_str name,
                                    const stsync_text_sink* sink) STSYNC_NOEXCEPT;
} stsync_host_secrets_v1;

typedef struct stsync_host_staging_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;
    /* Emits the path of an existing directory for temporary files of this instance, on the volume
     * of `near_path` if the host has one there (the caller compares if it matters); empty near_path
     * = anywhere. Emptied by the host before each create. */
    stsync_status(STSYNC_CALL* scratch)(const stsync_host* host, stsync_str near_path,
                                        const stsync_text_sink* sink) STSYNC_NOEXCEPT;
    /* Emits the path of an existing directory for caches of this instance: kept over restarts,
     * never synchronized, may be deleted by anyone while no instance runs. */
    stsync_status(STSYNC_CALL* cache)(const stsync_host* host,
                                      const stsync_text_sink* sink) STSYNC_NOEXCEPT;
    /* Bytes that may still be written on the volume of `path`, which need not exist yet. */
    stsync_status(STSYNC_CALL* free_space)(const stsync_host* host, stsync_str path,
                                           uint64_t* bytes) STSYNC_NOEXCEPT;
} stsync_host_staging_v1;

typedef struct stsync_host_clock_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;
    /* The station's wall clock; it may step. */
    stsync_status(STSYNC_CALL* utc_now)(const stsync_host* host, stsync_time* out) STSYNC_NOEXCEPT;
    /* Microseconds since some moment, never falling. */
    stsync_status(STSYNC_CALL* monotonic)(const stsync_host* host, int64_t* out) STSYNC_NOEXCEPT;
} stsync_host_clock_v1;

/* A few durable values of the instance: keys to 256 bytes, values to 64 KiB, 1 MiB in all. */
typedef struct stsync_host_kv_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;
    /* Emits the bytes. NOT_FOUND: never put, or removed. */
    stsync_status(STSYNC_CALL* get)(const stsync_host* host, stsync_str key,
                                    const stsync_text_sink* sink) STSYNC_NOEXCEPT;
    /* Stores all pairs or none, durable when it returns OK. A value whose data is NULL removes its
     * key; an empty value has non-NULL data. */
    stsync_status(STSYNC_CALL* put)(const stsync_host* host, const stsync_pair* pairs,
                                    uint32_t count) STSYNC_NOEXCEPT;
} stsync_host_kv_v1;

#if defined(__cplusplus)
} /* extern "C" */
#endif
