/* SPDX-License-Identifier: Apache-2.0 */
/* Reading scripts of misbehaviour, and finding what applies. */
#include "simulator/moods.h"

/* Nobody counts or waits longer; keeps the arithmetic in range. */
#define NUMBER_MAX INT64_C(1'000'000'000)

static enum oi_status
parse_number(struct oi_slice text, int64_t *ret_value, struct oi_error *error)
{
    int64_t value = 0;

    if (text.size == 0)
        return oi_fail(error, OI_E_INVALID, "a number is missing");
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return oi_fail(error, OI_E_INVALID, "%.*s is no number", OI_SLICE_ARGS(text));
        value = value * 10 + (text.data[i] - '0');
        if (value > NUMBER_MAX)
            return oi_fail(error, OI_E_INVALID, "%.*s is too large", OI_SLICE_ARGS(text));
    }
    *ret_value = value;
    return OI_OK;
}

/* "10..20" or "10s..20s" */
static enum oi_status
parse_when(struct oi_slice text, struct oi_mood *mood, struct oi_error *error)
{
    const char *dots = memmem(text.data, text.size, "..", 2);
    struct oi_slice from = text;
    struct oi_slice to = text;

    if (!dots)
        return oi_fail(error, OI_E_INVALID, "@%.*s is no FROM..TO", OI_SLICE_ARGS(text));
    from.size = (size_t) (dots - text.data);
    to.data = dots + 2;
    to.size = text.size - from.size - 2;
    mood->is_timed = oi_slice_ends_with(from, "s");
    if (mood->is_timed != oi_slice_ends_with(to, "s"))
        return oi_fail(error, OI_E_INVALID, "@%.*s mixes requests and seconds",
                       OI_SLICE_ARGS(text));
    from.size -= mood->is_timed;
    to.size -= mood->is_timed;
    OI_TRY(parse_number(from, &mood->from, error));
    OI_TRY(parse_number(to, &mood->to, error));
    if (mood->to < mood->from)
        return oi_fail(error, OI_E_INVALID, "@%.*s ends before it begins", OI_SLICE_ARGS(text));
    if (mood->is_timed) {
        mood->from *= OI_SECOND;
        mood->to *= OI_SECOND;
    }
    return OI_OK;
}

/* "418" or "418:120" */
static enum oi_status
parse_status(struct oi_slice text, struct oi_mood *mood, struct oi_error *error)
{
    struct oi_slice part;
    int64_t status;

    (void) oi_slice_next_part(&text, ':', &part);
    OI_TRY(parse_number(part, &status, error));
    if (status < 200 || status > 599)
        return oi_fail(error, OI_E_INVALID, "%.*s is no status", OI_SLICE_ARGS(part));
    mood->kind = OI_MOOD_STATUS;
    mood->status = (int) status;
    return text.data ? parse_number(text, &mood->retry_after_s, error) : OI_OK;
}

/* "SYMBOL", "OLD>NEW", "SYMBOL>10", "30" and "-30" behind the mood's name. Symbols have colons of
 * their own. */
static enum oi_status
parse_told(struct oi_slice text, struct oi_mood *mood, struct oi_error *error)
{
    struct oi_slice first;

    if (mood->kind == OI_MOOD_SKEW) {
        bool is_behind = oi_slice_starts_with(text, "-");

        text.data += is_behind;
        text.size -= is_behind;
        OI_TRY(parse_number(text, &mood->number, error));
        mood->number = is_behind ? -mood->number : mood->number;
        return OI_OK;
    }
    (void) oi_slice_next_part(&text, '>', &first);
    OI_TRY(OI_NAME_SET(mood->symbol, first, error));
    if (mood->kind == OI_MOOD_RENAME || mood->kind == OI_MOOD_RESIZE) {
        if (!text.data)
            return oi_fail(error, OI_E_INVALID, "%s: what it becomes is missing", mood->symbol);
        return mood->kind == OI_MOOD_RENAME ? OI_NAME_SET(mood->other, text, error)
                                            : parse_number(text, &mood->number, error);
    }
    return text.data ? oi_fail(error, OI_E_INVALID, "%s becomes nothing else", mood->symbol)
                     : OI_OK;
}

static enum oi_status
parse_mood(struct oi_slice text, struct oi_mood *mood, struct oi_error *error)
{
    static const struct {
        const char *name;
        enum oi_mood_kind kind;
    } told[] = {
        { "drop", OI_MOOD_DROP },
        { "delist", OI_MOOD_DELIST },
        { "rename", OI_MOOD_RENAME },
        { "resize", OI_MOOD_RESIZE },
        { "skew", OI_MOOD_SKEW },
    }, words[] = {
        { "ok", OI_MOOD_FINE },
        { "hang", OI_MOOD_HANG },
        { "html", OI_MOOD_HTML },
        { "truncate", OI_MOOD_TRUNCATE },
        { "shuffle", OI_MOOD_SHUFFLE },
        { "digits", OI_MOOD_DIGITS },
        { "stream-cut", OI_MOOD_CUT },
        { "stream-mute", OI_MOOD_MUTE },
        { "stream-repeat", OI_MOOD_REPEAT },
        { "stream-swap", OI_MOOD_SWAP },
        { "stream-garble", OI_MOOD_GARBLE },
    };

    struct oi_slice rest = text;
    struct oi_slice word;

    for (size_t i = 0; i < OI_COUNT(words); i++) {
        if (!oi_slice_is(text, words[i].name))
            continue;
        mood->kind = words[i].kind;
        return OI_OK;
    }
    (void) oi_slice_next_part(&rest, ':', &word);
    for (size_t i = 0; rest.data && i < OI_COUNT(told); i++) {
        if (!oi_slice_is(word, told[i].name))
            continue;
        mood->kind = told[i].kind;
        return parse_told(rest, mood, error);
    }
    return parse_status(text, mood, error);
}

static bool
is_of_stream(const struct oi_mood *mood)
{
    return mood->kind >= OI_MOOD_CUT;
}

static enum oi_status
parse_entry(struct oi_slice text, struct oi_mood *ret_mood, struct oi_error *error)
{
    struct oi_mood mood = { .to = INT64_MAX };
    struct oi_slice rest = text;
    struct oi_slice name;
    struct oi_slice what;

    (void) oi_slice_next_part(&rest, '=', &name);
    if (!rest.data)
        return oi_fail(error, OI_E_INVALID, "%.*s is no EXCHANGE=MOOD", OI_SLICE_ARGS(text));
    if (!oi_venue_find(name, &mood.venue))
        return oi_fail(error, OI_E_INVALID, "%.*s is no exchange", OI_SLICE_ARGS(name));
    (void) oi_slice_next_part(&rest, '@', &what);
    OI_TRY(parse_mood(what, &mood, error));
    if (rest.data)
        OI_TRY(parse_when(rest, &mood, error));
    if (rest.data && is_of_stream(&mood) && !mood.is_timed)
        return oi_fail(error, OI_E_INVALID, "%.*s goes by seconds", OI_SLICE_ARGS(what));
    *ret_mood = mood;
    return OI_OK;
}

enum oi_status
oi_moods_parse(struct oi_slice text, struct oi_moods *ret_moods, struct oi_error *error)
{
    struct oi_moods moods = {};
    struct oi_slice part;

    text = oi_slice_trim(text);
    while (text.size > 0 && oi_slice_next_part(&text, ',', &part)) {
        struct oi_mood mood;
        enum oi_status status = parse_entry(oi_slice_trim(part), &mood, error);

        if (status != OI_OK) {
            oi_moods_release(&moods);
            return status;
        }
        oi_vector_push(&moods.items, mood);
    }
    *ret_moods = moods;
    return OI_OK;
}

void
oi_moods_release(struct oi_moods *moods)
{
    oi_vector_release(&moods->items);
}

static bool
applies(const struct oi_mood *mood, uint64_t number, int64_t elapsed_ns)
{
    int64_t place = mood->is_timed ? elapsed_ns : (int64_t) number;

    return place >= mood->from && place <= mood->to;
}

/* Those of which one applies to a reply. */
static bool
is_of_replies(enum oi_mood_kind kind)
{
    return kind <= OI_MOOD_TRUNCATE || kind == OI_MOOD_SHUFFLE || kind == OI_MOOD_DIGITS;
}

int64_t
oi_moods_skew(const struct oi_moods *moods, enum oi_venue venue, uint64_t number,
              int64_t elapsed_ns)
{
    for (size_t i = 0; i < moods->items.count; i++) {
        const struct oi_mood *mood = &moods->items.items[i];

        if (mood->venue == venue && mood->kind == OI_MOOD_SKEW && applies(mood, number, elapsed_ns))
            return mood->number;
    }
    return 0;
}

static void
alter_market(const struct oi_mood *mood, struct oi_market *market)
{
    const struct oi_decimal times = oi_decimal_from(mood->number > 0 ? mood->number : 1, 0);

    if (mood->kind == OI_MOOD_RENAME)
        memcpy(market->symbol, mood->other, sizeof(market->symbol));
    if (mood->kind == OI_MOOD_RESIZE)
        (void) oi_decimal_multiply(&market->contract, &times, &market->contract, NULL);
}

void
oi_moods_alter(const struct oi_moods *moods, struct oi_catalogue *catalogue)
{
    for (size_t i = 0; i < moods->items.count; i++) {
        const struct oi_mood *mood = &moods->items.items[i];
        size_t kept = 0;

        if (mood->kind < OI_MOOD_DELIST || is_of_stream(mood))
            continue;
        for (size_t place = 0; place < catalogue->markets.count; place++) {
            struct oi_market *market = &catalogue->markets.items[place];
            bool is_meant =
                market->venue == mood->venue && strcmp(market->symbol, mood->symbol) == 0;

            if (is_meant && mood->kind == OI_MOOD_DELIST)
                continue;
            if (is_meant)
                alter_market(mood, market);
            catalogue->markets.items[kept++] = *market;
        }
        catalogue->markets.count = kept;
    }
}

const struct oi_mood *
oi_moods_find(const struct oi_moods *moods, enum oi_venue venue, uint64_t number,
              int64_t elapsed_ns)
{
    for (size_t i = 0; i < moods->items.count; i++) {
        const struct oi_mood *mood = &moods->items.items[i];

        if (mood->venue == venue && is_of_replies(mood->kind) && applies(mood, number, elapsed_ns))
            return mood;
    }
    return NULL;
}

const struct oi_mood *
oi_moods_find_stream(const struct oi_moods *moods, enum oi_venue venue, int64_t elapsed_ns)
{
    for (size_t i = 0; i < moods->items.count; i++) {
        const struct oi_mood *mood = &moods->items.items[i];

        if (mood->venue == venue && is_of_stream(mood) && applies(mood, 0, elapsed_ns))
            return mood;
    }
    return NULL;
}

bool
oi_moods_drop(const struct oi_moods *moods, enum oi_venue venue, uint64_t number,
              int64_t elapsed_ns, const char *symbol)
{
    for (size_t i = 0; i < moods->items.count; i++) {
        const struct oi_mood *mood = &moods->items.items[i];

        if (mood->venue == venue && mood->kind == OI_MOOD_DROP &&
            applies(mood, number, elapsed_ns) && strcmp(mood->symbol, symbol) == 0)
            return true;
    }
    return false;
}
