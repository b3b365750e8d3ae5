/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes by name, and the sentences that go with a failure. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copy `text` of `length` (as vsnprintf counts) into the message; a cut one ends in "...", never in
 * half a character. */
static void
keep_message(struct oi_error *error, const char *text, size_t length)
{
    size_t cut = OI_ERROR_SIZE - 4;

    if (length < OI_ERROR_SIZE) {
        memcpy(error->message, text, length + 1);
        return;
    }
    while (cut > 0 && ((unsigned char) text[cut] & 0xC0) == 0x80)
        cut--;
    memcpy(error->message, text, cut);
    memcpy(error->message + cut, "...", 4);
}

#undef oi_fail /* what the analyzer sees instead */
enum oi_status
oi_fail(struct oi_error *error, enum oi_status status, const char *format, ...)
{
    /* Not straight into the message, which may be one of the arguments. */
    char text[OI_ERROR_SIZE];
    va_list arguments;
    int length;

    if (!error)
        return status;
    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0)
        text[length = 0] = '\0';
    error->status = status;
    keep_message(error, text, (size_t) length);
    return status;
}

enum oi_status
oi_fail_in(struct oi_error *error, enum oi_status status, const char *format, ...)
{
    char text[2 * OI_ERROR_SIZE];
    va_list arguments;
    int length;
    size_t prefix;

    if (!error)
        return status;
    va_start(arguments, format);
    length = vsnprintf(text, OI_ERROR_SIZE, format, arguments);
    va_end(arguments);
    prefix = length < 0 ? 0 : (size_t) length;
    if (prefix >= OI_ERROR_SIZE)
        prefix = OI_ERROR_SIZE - 1;
    memcpy(text + prefix, error->message, strlen(error->message) + 1);
    error->status = status;
    keep_message(error, text, strlen(text));
    return status;
}

const char *
oi_status_name(enum oi_status status)
{
    switch (status) {
    case OI_OK:
        return "OK";
#define NAME_CASE(name, text)                                                                      \
    case OI_E_##name:                                                                              \
        return #name;
        OI_STATUS_LIST(NAME_CASE)
#undef NAME_CASE
    }
    return "UNKNOWN";
}

const char *
oi_status_text(enum oi_status status)
{
    switch (status) {
    case OI_OK:
        return "ok";
#define TEXT_CASE(name, text)                                                                      \
    case OI_E_##name:                                                                              \
        return text;
        OI_STATUS_LIST(TEXT_CASE)
#undef TEXT_CASE
    }
    return "unknown";
}

_Noreturn void
oi_assert_failed(const char *condition, const char *file, int line)
{
    (void) fprintf(stderr, "%s:%d: this must hold and does not: %s\n", file, line, condition);
    abort();
}
