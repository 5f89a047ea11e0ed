/* "stsync.provider.selftest/1": findings about the surroundings, for `stationsync doctor`. */
#pragma once

#include "module.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define STSYNC_PROVIDER_SELFTEST_V1 "stsync.provider.selftest/1"

/* stsync_finding.severity */
#define STSYNC_FINDING_OK 1      /* looked at and in order */
#define STSYNC_FINDING_WARNING 2 /* works, with a risk or a cost */
#define STSYNC_FINDING_ERROR 3   /* synchronization cannot work */

typedef struct stsync_finding {
    uint32_t size;
    uint32_t severity; /* STSYNC_FINDING_* */
    stsync_str code;   /* stable, e.g. "filesync.root_missing" */
    stsync_str text;   /* one sentence */
    stsync_str remedy; /* what to do; may be empty when severity is OK */
} stsync_finding;

/* Receives findings; see stsync_text_sink. */
typedef struct stsync_finding_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* ctx;
    stsync_status(STSYNC_CALL* emit)(void* ctx, const stsync_finding* finding) STSYNC_NOEXCEPT;
} stsync_finding_sink;

typedef struct stsync_provider_selftest_v1 {
    uint32_t size; /* of this table */
    uint32_t reserved;

    /* Looks at everything that the provider depends on and emits a finding for each. Changes no
     * live data. May be called before recover and after it failed. OK also with bad findings.
     * [worker] */
    stsync_status(STSYNC_CALL* run)(const stsync_instance* instance, const stsync_op* op,
                                    const stsync_finding_sink* sink) STSYNC_NOEXCEPT;
} stsync_provider_selftest_v1;

#if defined(__cplusplus)
} /* extern "C" */
#endif
