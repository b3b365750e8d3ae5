/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever arrives, every exchange's judge and readers leave sane outputs behind. The first line
 * names the exchange, the byte behind it the endpoint (with 0x40 in it: the stream), the rest is
 * the reply. */
#include "exchanges/exchange.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct oi_harvest *harvest)
{
    for (size_t i = 0; i < harvest->rows.count; i++) {
        const struct oi_harvest_row *row = &harvest->rows.items[i];

        if (!row->symbol[0] || oi_decimal_sign(&row->reading.open_interest) < 0 ||
            oi_decimal_sign(&row->reading.value_usd) < 0 ||
            oi_decimal_sign(&row->reading.mark_price) < 0)
            abort();
    }
    for (size_t i = 0; i < harvest->instruments.count; i++) {
        const struct oi_instrument *instrument = &harvest->instruments.items[i];

        if (instrument->kind == OI_KIND_UNKNOWN || !instrument->base[0] ||
            instrument->base_factor < 1 || oi_decimal_sign(&instrument->contract_size) < 0)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_harvest harvest = {};
    const struct oi_endpoint *endpoint;
    const struct oi_exchange *exchange;
    struct oi_reply_head head = { .now = INT64_C(1'790'000'000) * OI_SECOND };
    struct oi_task task = { .now = head.now };
    struct oi_verdict verdict;
    struct oi_slice rest = { (const char *) data, size };
    struct oi_slice name = {};
    unsigned char choice;

    /* By name, so that one more exchange leaves the kept inputs as they are. */
    if (size == 0 || !oi_slice_next_part(&rest, '\n', &name) || rest.size == 0)
        return 0;
    exchange = oi_exchange_find(name);
    if (!exchange || exchange->endpoint_count == 0)
        return 0;
    choice = (unsigned char) rest.data[0];
    head.body = (struct oi_slice){ rest.data + 1, rest.size - 1 };
    if (choice & 0x40 && exchange->stream_count > 0) {
        const struct oi_exchange_stream *stream =
            &exchange->streams[choice % exchange->stream_count];
        struct oi_stream_event event = {};

        if (stream->read(stream, head.body, &harvest, &event, NULL) == OI_OK)
            check(&harvest);
        oi_harvest_release(&harvest);
        return 0;
    }
    endpoint = &exchange->endpoints[choice % exchange->endpoint_count];
    task.kind = endpoint->kind;
    task.product = endpoint->product;
    task.span = (struct oi_span){ head.now - OI_DAY, head.now };
    if (endpoint->scope == OI_SCOPE_SYMBOL)
        task.symbol = "BTCUSDT";
    if (endpoint->scope == OI_SCOPE_FAMILY)
        task.family = "xyz";
    head.status = choice & 0x80 ? 400 : 200;
    exchange->judge(&head, &verdict);
    if (endpoint->read(&task, head.body, &harvest, NULL) == OI_OK)
        check(&harvest);
    oi_harvest_release(&harvest);
    return 0;
}
