/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a function says that it failed: a code for the machine, a sentence for the human.
 *
 * The list below yields each code, its name and its text, so that they cannot drift apart. A code
 * exists only where some caller acts on it; whether to retry follows from the code alone.
 */
#pragma once

#include "base/compiler.h"

/* X(name, text) */
#define OI_STATUS_LIST(X)                                                                          \
    X(INVALID, "invalid")     /* the caller's mistake: tell the caller */                          \
    X(NOT_FOUND, "not found") /* nothing of that name */                                           \
    X(DENIED, "denied")       /* no right, or our region is blocked: stop asking */                \
    X(UPSTREAM, "upstream")   /* an exchange sent nonsense: keep the bytes, retry later */         \
    X(BUSY, "busy")           /* pause, then retry */                                              \
    X(CORRUPT, "corrupt")     /* our own bytes are damaged: stop using the file */                 \
    X(IO, "input/output")     /* the operating system refused */                                   \
    X(FULL, "full")           /* no room left: pause writing until there is */                     \
    X(CANCELLED, "cancelled") /* asked to stop */

/* Every forgotten result warns, because the type itself must not be discarded. */
enum [[nodiscard]] oi_status{ OI_OK = 0,
#define OI_STATUS_CODE(name, text) OI_E_##name,
                              OI_STATUS_LIST(OI_STATUS_CODE)
#undef OI_STATUS_CODE
};

/* Longest sentence kept; longer ones are cut with "...". Two lines of a terminal are enough. */
#define OI_ERROR_SIZE 256

/* What went wrong. Untouched on success. */
struct oi_error {
    enum oi_status status;
    char message[OI_ERROR_SIZE];
};

/* Write the sentence (if `error` is not NULL) and return `status`, so that an origin reads
 * `return oi_fail(error, OI_E_INVALID, "a second decimal point");`. */
enum oi_status oi_fail(struct oi_error *error, enum oi_status status, const char *format, ...)
    OI_PRINTF(3, 4);

/* Put a prefix before the message that is already there ("binance BTCUSDT: " + what went wrong)
 * and return its status; what the caller adds is where, never what. */
enum oi_status oi_fail_in(struct oi_error *error, enum oi_status status, const char *format, ...)
    OI_PRINTF(3, 4);

#ifdef __clang_analyzer__
/* The static analyzer sees one file at a time: show it that what failed is not OI_OK. */
#define oi_fail(error, status, ...) ((void) (oi_fail) ((error), (status), __VA_ARGS__), (status))
#endif

/* "INVALID" and the like, for logs and tests. */
const char *oi_status_name(enum oi_status status);
/* "invalid" and the like, for people. */
const char *oi_status_text(enum oi_status status);

/* Return from the calling function when `call` failed. The only macro that returns. */
#define OI_TRY(call)                                                                               \
    do {                                                                                           \
        enum oi_status oi_try_status = (call);                                                     \
        if (oi_try_status != OI_OK)                                                                \
            return oi_try_status;                                                                  \
    } while (0)

/* For our own mistakes: on in release builds too, one condition each; prints and aborts. */
#define oi_assert(condition)                                                                       \
    ((condition) ? (void) 0 : oi_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void oi_assert_failed(const char *condition, const char *file, int line);
