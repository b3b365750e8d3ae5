/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oi define: instruments from saved replies of an exchange, without the network. A market that was
 * imported before it was known gets its definition, and with it its other units and names.
 */
/* no unit test: a whole command; tests/system/define.test.mjs runs it */
#include "cli/command.h"

#include "cli/saved_reply.h"
#include "cli/workspace.h"
#include "exchanges/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The largest list of instruments we know is about 10 MB. */
#define REPLY_SIZE_MAX ((size_t) 256 << 20)
/* So many skipped markets of a file are named. */
#define SKIPS_SHOWN ((size_t) 20)

static const struct oi_option options_table[] = {
    OI_OPTION_STORE,
    { .name = "product",
      .argument = "NAME",
      .help = "which list it is, where an exchange has several: usdm, swap" },
};

/* The list that `product` names, or the only one there is. */
static enum oi_status
find_endpoint(const struct oi_exchange *exchange, const char *product,
              const struct oi_endpoint **ret_endpoint, struct oi_error *error)
{
    const struct oi_endpoint *found = NULL;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer products = {};
    size_t count = 0;

    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];

        if (endpoint->kind != OI_TASK_INSTRUMENTS)
            continue;
        oi_buffer_add_format(&products, "%s%s", count > 0 ? " or " : "",
                             endpoint->product ? endpoint->product : "none");
        if (product && endpoint->product && strcmp(product, endpoint->product) != 0)
            continue;
        found = endpoint;
        count++;
    }
    oi_buffer_add_char(&products, '\0');
    if (count == 1) {
        *ret_endpoint = found;
        return OI_OK;
    }
    if (product)
        return oi_fail(error, OI_E_INVALID, "--product: %s has no list \"%.40s\"", exchange->name,
                       product);
    return oi_fail(error, OI_E_INVALID, "%s has several lists: say --product %s", exchange->name,
                   products.data);
}

static enum oi_status
store_instruments(struct oi_store *store, const struct oi_harvest *harvest, size_t *ret_new,
                  size_t *ret_changed, struct oi_error *error)
{
    const struct oi_catalog *catalog = oi_store_catalog(store);
    size_t before = catalog->instrument_count, after, written = 0;

    oi_catalog_unref(&catalog);
    OI_TRY(oi_store_define(store, harvest->instruments.items, harvest->instruments.count, NULL,
                           &written, error));
    catalog = oi_store_catalog(store);
    after = catalog->instrument_count;
    oi_catalog_unref(&catalog);
    *ret_new = after - before;
    *ret_changed = written - *ret_new;
    return OI_OK;
}

static void
show_skips(const char *path, const struct oi_harvest *harvest)
{
    for (size_t i = 0; i < harvest->skips.count && i < SKIPS_SHOWN; i++) {
        const struct oi_harvest_skip *skip = &harvest->skips.items[i];

        (void) fprintf(stderr, "%s: %s%s%s\n", path, skip->symbol, skip->symbol[0] ? ": " : "",
                       skip->reason);
    }
    if (harvest->skips.count > SKIPS_SHOWN)
        (void) fprintf(stderr, "%s: %zu more skipped\n", path, harvest->skips.count - SKIPS_SHOWN);
}

static enum oi_status
define_file(const struct oi_exchange *exchange, const struct oi_endpoint *endpoint,
            struct oi_store *store, const char *path, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer reply = { .size_max = REPLY_SIZE_MAX };
    OI_CLEANUP(oi_harvest_release) struct oi_harvest harvest = {};
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = endpoint->product };
    size_t new = 0, changed = 0;

    OI_TRY(oi_saved_reply_read(path, &reply, error));
    OI_TRY(oi_saved_reply_judge(exchange, oi_buffer_slice(&reply), error));
    OI_TRY(endpoint->read(&task, oi_buffer_slice(&reply), &harvest, error));
    OI_TRY(store_instruments(store, &harvest, &new, &changed, error));
    show_skips(path, &harvest);
    (void) fprintf(stderr, "%s: %zu markets: %zu new, %zu changed, %zu known, %zu skipped\n", path,
                   harvest.instruments.count + harvest.skips.count, new, changed,
                   harvest.instruments.count - new - changed, harvest.skips.count);
    if (harvest.next_page)
        (void) fprintf(stderr, "%s: the list goes on in another reply\n", path);
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    const struct oi_endpoint *endpoint = NULL;
    const struct oi_exchange *exchange;
    const char *const *operands;
    size_t count = oi_options_operands(options, &operands), failures = 0;

    exchange = oi_exchange_find(oi_slice_of(operands[0]));
    if (!exchange)
        return oi_fail(error, OI_E_INVALID, "there is no exchange \"%.40s\"", operands[0]);
    OI_TRY(find_endpoint(exchange, oi_options_text(options, "product"), &endpoint, error));
    OI_TRY(oi_workspace_open(options, oi_options_text(options, "data"), OI_STORE_WRITE, &workspace,
                             error));
    for (size_t i = 1; i < count; i++) {
        struct oi_error trouble = {};

        if (define_file(exchange, endpoint, workspace->store, operands[i], &trouble) == OI_OK)
            continue;
        (void) fprintf(stderr, "%s: %s\n", operands[i], trouble.message);
        failures++;
    }
    if (failures > 0)
        return oi_fail(error, OI_E_IO, "%zu of %zu files could not be read", failures, count - 1);
    return OI_OK;
}

const struct oi_command oi_command_define = {
    .name = "define",
    .summary = "Define markets from an exchange's saved lists",
    .operands = "EXCHANGE FILE ...",
    .operands_min = 2,
    .operands_max = SIZE_MAX,
    .description =
        "A FILE is a reply as the exchange sent it, plain, gzip or zstd: Binance's exchangeInfo,\n"
        "Bybit's instruments-info, Deribit's get_instruments, Hyperliquid's allPerpMetas, OKX's\n"
        "public/instruments, and so on. A market imported before it was known becomes the one in "
        "the list;\n"
        "the same list twice changes nothing, and what it does not name is left as it is.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
