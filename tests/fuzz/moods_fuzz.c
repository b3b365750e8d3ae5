/* SPDX-License-Identifier: Apache-2.0 */
/* Any script of moods: what parses has sound limits, and can be asked for any request. */
#include "simulator/moods.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice text = { (const char *) data, size };
    struct oi_error error = {};
    struct oi_moods moods;

    if (oi_moods_parse(text, &moods, &error) != OI_OK) {
        oi_assert(error.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < moods.items.count; i++) {
        const struct oi_mood *mood = &moods.items.items[i];
        uint64_t number = mood->is_timed ? 1 : (uint64_t) mood->from;

        oi_assert(mood->from >= 0 && mood->from <= mood->to);
        oi_assert(mood->kind != OI_MOOD_STATUS || (mood->status >= 200 && mood->status <= 599));
        if (mood->kind == OI_MOOD_DROP)
            oi_assert(oi_moods_drop(&moods, mood->venue, number, mood->from, mood->symbol));
        else if (mood->kind >= OI_MOOD_CUT)
            oi_assert(oi_moods_find_stream(&moods, mood->venue, mood->from) != NULL);
        else if (mood->kind < OI_MOOD_SKEW) /* those behind are of no single reply */
            oi_assert(oi_moods_find(&moods, mood->venue, number, mood->from) != NULL);
    }
    oi_moods_release(&moods);
    return 0;
}
