/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions as values: memory, selectors, and the words for what is wrong with one. Running a
 * question is run.c's.
 */
#include "query/query.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
oi_query_release(struct oi_query *query)
{
    for (size_t i = 0; i < query->selectors.count; i++) {
        oi_vector_release(&query->selectors.items[i].exchanges);
        oi_vector_release(&query->selectors.items[i].kinds);
    }
    oi_vector_release(&query->selectors);
    oi_vector_release(&query->entities);
    oi_arena_release(&query->arena);
    *query = OI_QUERY_EMPTY;
}

struct oi_selector *
oi_query_select(struct oi_query *query, enum oi_symbology symbology)
{
    struct oi_selector *selector = oi_vector_add(&query->selectors);

    selector->symbology = symbology;
    return selector;
}

/* Copy what fits, whole characters only; what is no UTF-8 becomes a question mark, because the
 * text goes out inside an answer. */
static void
copy_cut(char *to, size_t size, struct oi_slice text)
{
    size_t used = 0;

    while (text.size > 0) {
        uint32_t character;
        size_t width = oi_utf8_decode(text, &character);
        size_t taken = width > 0 ? width : 1;

        if (used + taken >= size)
            break;
        if (width > 0)
            memcpy(to + used, text.data, width);
        else
            to[used] = '?';
        used += taken;
        text.data += taken;
        text.size -= taken;
    }
    to[used] = '\0';
}

enum oi_status
oi_problem_set(struct oi_problem *problem, enum oi_problem_kind kind, const char *parameter,
               struct oi_slice value, const char *format, ...)
{
    char message[2 * sizeof(problem->message)];
    va_list arguments;

    *problem = (struct oi_problem){ .kind = kind };
    copy_cut(problem->parameter, sizeof(problem->parameter), oi_slice_of(parameter));
    copy_cut(problem->value, sizeof(problem->value), value);
    va_start(arguments, format);
    (void) vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    copy_cut(problem->message, sizeof(problem->message), oi_slice_of(message));
    return OI_E_INVALID;
}
