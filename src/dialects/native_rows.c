/* SPDX-License-Identifier: Apache-2.0 */
/* Writer and reader of one thing stand together, and a property test holds them equal. */
#include "dialects/native_rows.h"

#include "base/crypto.h"
#include "core/symbology.h"
#include "dialects/text.h"

#include <string.h>

static void
add_decimal(struct oi_json_writer *writer, const char *name, const struct oi_decimal *value)
{
    if (oi_decimal_is_none(value))
        return;
    oi_json_add_name(writer, name);
    oi_text_json_decimal(writer, value);
}

static void
add_time(struct oi_json_writer *writer, const char *name, oi_time time)
{
    if (time != OI_TIME_NONE)
        oi_text_json_time(writer, name, time, oi_time_fraction_digits(time));
}

static void
add_int(struct oi_json_writer *writer, const char *name, int64_t value)
{
    oi_json_add_name(writer, name);
    oi_json_add_int(writer, value);
}

void
oi_native_write_definition(const struct oi_instrument *instrument, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };
    struct oi_buffer bytes = {}, text = {};
    char name[OI_MARKET_NAME_SIZE];

    oi_instrument_encode(instrument, &bytes);
    oi_base64(oi_buffer_slice(&bytes), &text);
    oi_native_name(instrument, name);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "definition");
    oi_json_add_string(&writer, oi_buffer_slice(&text));
    add_int(&writer, "id", instrument->id);
    oi_text_json_text(&writer, "market", name);
    oi_json_end_object(&writer);
    oi_buffer_release(&bytes);
    oi_buffer_release(&text);
}

void
oi_native_write_feed(const struct oi_native_feed *feed, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "feed_facts", feed->name);
    oi_text_json_text(&writer, "unit", feed->unit);
    add_int(&writer, "sides", feed->sides);
    add_int(&writer, "cadence_ns", feed->cadence_ns);
    oi_json_add_name(&writer, "restates");
    oi_json_add_bool(&writer, feed->restates);
    oi_json_add_name(&writer, "is_daily");
    oi_json_add_bool(&writer, feed->is_daily);
    oi_json_end_object(&writer);
}

void
oi_native_write_row(const struct oi_instrument *instrument, const char *feed,
                    const struct oi_observation *reading, uint64_t batch, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };
    char name[OI_MARKET_NAME_SIZE];

    oi_native_name(instrument, name);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "market", name);
    add_int(&writer, "id", instrument->id);
    oi_text_json_text(&writer, "feed", feed);
    add_int(&writer, "batch", (int64_t) batch);
    add_time(&writer, "time", reading->time);
    add_time(&writer, "exchange_time", reading->exchange_time);
    add_time(&writer, "known_time", reading->known_time);
    add_decimal(&writer, "open_interest", &reading->open_interest);
    add_decimal(&writer, "value_usd", &reading->value_usd);
    add_decimal(&writer, "mark_price", &reading->mark_price);
    add_decimal(&writer, "index_price", &reading->index_price);
    add_decimal(&writer, "last_price", &reading->last_price);
    add_int(&writer, "flags", reading->flags);
    oi_json_end_object(&writer);
}

void
oi_native_write_position(uint64_t batch, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    add_int(&writer, "position", (int64_t) batch);
    oi_json_end_object(&writer);
}

/* A whole number up to `max`; absent: UPSTREAM. */
static enum oi_status
read_int(const struct oi_json_node *object, const char *name, uint64_t max, uint64_t *ret_value,
         struct oi_error *error)
{
    struct oi_slice text = oi_json_text(oi_json_member(object, name));
    uint64_t value = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t) (unsigned char) text.data[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return oi_fail(error, OI_E_UPSTREAM, "%s is no whole number", name);
        value = value * 10 + digit;
    }
    if (text.size == 0 || value > max)
        return oi_fail(error, OI_E_UPSTREAM, "%s is absent or out of range", name);
    *ret_value = value;
    return OI_OK;
}

static enum oi_status
read_name(const struct oi_json_node *object, const char *name, size_t size, char *field,
          struct oi_error *error)
{
    enum oi_status status =
        oi_name_set(field, size, oi_json_text(oi_json_member(object, name)), error);

    return status == OI_OK ? OI_OK : oi_fail(error, OI_E_UPSTREAM, "%s is no name", name);
}

static enum oi_status
read_definition(const struct oi_json_node *object, struct oi_native_message *message,
                struct oi_error *error)
{
    struct oi_buffer bytes = {};
    uint64_t id = 0;
    enum oi_status status =
        oi_unbase64(oi_json_text(oi_json_member(object, "definition")), &bytes, error);

    if (status == OI_OK)
        status = oi_instrument_decode(oi_buffer_slice(&bytes), &message->instrument, error);
    oi_buffer_release(&bytes);
    if (status != OI_OK)
        return oi_fail(error, OI_E_UPSTREAM, "a definition does not decode");
    OI_TRY(read_int(object, "id", UINT32_MAX, &id, error));
    if (id == 0)
        return oi_fail(error, OI_E_UPSTREAM, "a definition without a number");
    message->instrument.id = (uint32_t) id;
    return OI_OK;
}

static enum oi_status
read_feed(const struct oi_json_node *object, struct oi_native_feed *feed, struct oi_error *error)
{
    uint64_t sides = 0, cadence = 0;

    OI_TRY(read_name(object, "feed_facts", sizeof(feed->name), feed->name, error));
    if (oi_json_text(oi_json_member(object, "unit")).size > 0)
        OI_TRY(read_name(object, "unit", sizeof(feed->unit), feed->unit, error));
    OI_TRY(read_int(object, "sides", 2, &sides, error));
    OI_TRY(read_int(object, "cadence_ns", INT64_MAX, &cadence, error));
    feed->sides = (int) sides;
    feed->cadence_ns = (int64_t) cadence;
    feed->restates = oi_json_kind(oi_json_member(object, "restates")) == OI_JSON_TRUE;
    feed->is_daily = oi_json_kind(oi_json_member(object, "is_daily")) == OI_JSON_TRUE;
    return OI_OK;
}

static enum oi_status
read_time(const struct oi_json_node *object, const char *name, oi_time *ret_time,
          struct oi_error *error)
{
    struct oi_slice text = oi_json_text(oi_json_member(object, name));

    if (text.size > 0 && oi_time_parse_utc(text, ret_time, error) != OI_OK)
        return oi_fail(error, OI_E_UPSTREAM, "%s is no time", name);
    return OI_OK;
}

static enum oi_status
read_decimal(const struct oi_json_node *object, const char *name, struct oi_decimal *ret_value,
             struct oi_error *error)
{
    struct oi_slice text = oi_json_text(oi_json_member(object, name));

    if (text.size > 0 && oi_decimal_parse(text, ret_value, error) != OI_OK)
        return oi_fail(error, OI_E_UPSTREAM, "%s is no number", name);
    return OI_OK;
}

static enum oi_status
read_reading(const struct oi_json_node *object, struct oi_observation *reading,
             struct oi_error *error)
{
    uint64_t flags = 0;

    *reading = OI_OBSERVATION_NONE;
    OI_TRY(read_time(object, "time", &reading->time, error));
    OI_TRY(read_time(object, "exchange_time", &reading->exchange_time, error));
    OI_TRY(read_time(object, "known_time", &reading->known_time, error));
    OI_TRY(read_decimal(object, "open_interest", &reading->open_interest, error));
    OI_TRY(read_decimal(object, "value_usd", &reading->value_usd, error));
    OI_TRY(read_decimal(object, "mark_price", &reading->mark_price, error));
    OI_TRY(read_decimal(object, "index_price", &reading->index_price, error));
    OI_TRY(read_decimal(object, "last_price", &reading->last_price, error));
    OI_TRY(read_int(object, "flags", UINT16_MAX, &flags, error));
    reading->flags = (uint16_t) flags;
    if (reading->time == OI_TIME_NONE || oi_decimal_is_none(&reading->open_interest))
        return oi_fail(error, OI_E_UPSTREAM, "a row without a time or a figure");
    return OI_OK;
}

static enum oi_status
read_row(const struct oi_json_node *object, struct oi_native_message *message,
         struct oi_error *error)
{
    uint64_t id = 0;

    OI_TRY(read_int(object, "id", UINT32_MAX, &id, error));
    message->market = (uint32_t) id;
    OI_TRY(read_int(object, "batch", INT64_MAX, &message->batch, error));
    OI_TRY(read_name(object, "feed", sizeof(message->feed.name), message->feed.name, error));
    return read_reading(object, &message->reading, error);
}

static enum oi_status
read_object(const struct oi_json_node *object, struct oi_native_message *message,
            struct oi_error *error)
{
    if (oi_json_member(object, "definition")) {
        message->kind = OI_NATIVE_DEFINITION;
        return read_definition(object, message, error);
    }
    if (oi_json_member(object, "feed_facts")) {
        message->kind = OI_NATIVE_FEED;
        return read_feed(object, &message->feed, error);
    }
    if (oi_json_member(object, "position")) {
        message->kind = OI_NATIVE_POSITION;
        return read_int(object, "position", INT64_MAX, &message->batch, error);
    }
    message->kind = OI_NATIVE_ROW;
    return read_row(object, message, error);
}

enum oi_status
oi_native_read_message(struct oi_slice text, struct oi_native_message *ret_message,
                       struct oi_error *error)
{
    struct oi_json *json = NULL;
    struct oi_native_message message = {};
    enum oi_status status;

    OI_TRY(oi_json_open(text, &json, error));
    status = oi_json_kind(oi_json_root(json)) == OI_JSON_OBJECT
                 ? read_object(oi_json_root(json), &message, error)
                 : oi_fail(error, OI_E_UPSTREAM, "a message that is no object");
    oi_json_close(&json);
    if (status == OI_OK)
        *ret_message = message;
    return status;
}
