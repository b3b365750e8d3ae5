/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector did, in Prometheus' text format: one family of lines for each measure, one
 * line for each exchange. */
#include "collector/collector_internal.h"

static int64_t
seconds_of_last_success(const struct oi_poll_stats *stats)
{
    return stats->last_success == OI_TIME_NONE ? 0 : oi_time_to_s(stats->last_success);
}

static int64_t
read_measure(const struct oi_poll_stats *stats, size_t measure)
{
    const uint64_t values[] = {
        stats->minutes,
        stats->asks,
        stats->rows,
        stats->duplicates,
        stats->skips,
        stats->unknown,
        stats->holes,
        stats->commit_failures,
        stats->expected,
        stats->missing,
        stats->frozen,
        (uint64_t) seconds_of_last_success(stats),
        (uint64_t) (stats->lag_ns / OI_MILLISECOND),
        stats->used_permille,
        stats->shut == OI_OK ? 0 : 1,
        (uint64_t) (stats->skew_ns / OI_MILLISECOND),
    };

    return (int64_t) values[measure];
}

static const struct {
    const char *name, *type, *help;
} measures[] = {
    { "polls_total", "counter", "Minutes polled." },
    { "requests_total", "counter", "Requests sent." },
    { "rows_total", "counter", "Rows stored." },
    { "duplicates_total", "counter", "Rows of a minute that was read already." },
    { "skips_total", "counter", "Rows that were not understood." },
    { "unknown_total", "counter", "Rows of markets that are not in the catalogue." },
    { "holes_total", "counter", "Typed holes stored." },
    { "commit_failures_total", "counter", "Times the store refused." },
    { "markets", "gauge", "Markets due in the last minute." },
    { "markets_missing", "gauge", "Of those, how many did not come." },
    { "markets_frozen", "gauge", "Whose figure stands still while their price moves." },
    { "last_success_timestamp_seconds", "gauge", "The last minute that brought a row." },
    { "lag_milliseconds", "gauge", "From the minute to its last commit." },
    { "budget_used_permille", "gauge", "Of the fullest published limit." },
    { "shut", "gauge", "1 while the exchange is left alone." },
    { "clock_skew_milliseconds", "gauge", "How far the exchange's clock is ahead of ours." },
};

static void
write_errors(const struct oi_collector *collector, const struct oi_poll_stats *stats,
             struct oi_buffer *out)
{
    static const struct {
        enum oi_status status;
        const char *kind;
    } kinds[] = {
        { OI_E_BUSY, "busy" },         { OI_E_DENIED, "denied" },  { OI_E_NOT_FOUND, "not_found" },
        { OI_E_UPSTREAM, "nonsense" }, { OI_E_IO, "unreachable" },
    };

    oi_buffer_add_text(out, "# HELP oi_collector_errors_total Answers that were none, by kind.\n"
                            "# TYPE oi_collector_errors_total counter\n");
    for (size_t i = 0; i < collector->count; i++)
        for (size_t kind = 0; kind < OI_COUNT(kinds); kind++)
            oi_buffer_add_format(out,
                                 "oi_collector_errors_total{exchange=\"%s\",kind=\"%s\"} %llu\n",
                                 collector->exchanges[i].poll.exchange->name, kinds[kind].kind,
                                 (unsigned long long) stats[i].errors[kinds[kind].status]);
}

static int64_t
read_stream_measure(const struct oi_streams_stats *stats, size_t measure)
{
    const uint64_t values[] = {
        stats->of.messages,
        stats->of.rows,
        stats->of.skips,
        stats->of.unknown,
        stats->of.late,
        stats->of.faults,
        stats->of.refused,
        stats->connects,
        stats->markets,
        stats->links,
        stats->open,
        stats->last_row == OI_TIME_NONE ? 0 : (uint64_t) oi_time_to_s(stats->last_row),
    };

    return (int64_t) values[measure];
}

static const struct {
    const char *name, *type, *help;
} stream_measures[] = {
    { "messages_total", "counter", "Messages that came." },
    { "rows_total", "counter", "Changes that became rows." },
    { "skips_total", "counter", "Rows that were not understood." },
    { "unknown_total", "counter", "Rows of markets that are not in the catalogue." },
    { "late_total", "counter", "Rows that were older than what was told before." },
    { "faults_total", "counter", "Messages that were not understood." },
    { "refused_total", "counter", "Subscriptions to markets that are not there." },
    { "connects_total", "counter", "Connections begun." },
    { "markets", "gauge", "Markets that the streams have." },
    { "links", "gauge", "Connections wanted." },
    { "links_open", "gauge", "Connections that have all their subscriptions." },
    { "last_row_timestamp_seconds", "gauge", "The last change." },
};

/* One line for each exchange that pushes open interest; none where streams are off. */
static void
write_streams(const struct oi_collector *collector, const struct oi_streams_stats *stats,
              struct oi_buffer *out)
{
    for (size_t measure = 0; collector->streams && measure < OI_COUNT(stream_measures); measure++) {
        oi_buffer_add_format(out, "# HELP oi_stream_%s %s\n# TYPE oi_stream_%s %s\n",
                             stream_measures[measure].name, stream_measures[measure].help,
                             stream_measures[measure].name, stream_measures[measure].type);
        for (size_t i = 0; i < collector->count; i++)
            if (collector->exchanges[i].poll.exchange->stream_count > 0)
                oi_buffer_add_format(out, "oi_stream_%s{exchange=\"%s\"} %lld\n",
                                     stream_measures[measure].name,
                                     collector->exchanges[i].poll.exchange->name,
                                     (long long) read_stream_measure(&stats[i], measure));
    }
}

void
oi_collector_write_metrics(void *context, struct oi_buffer *out)
{
    struct oi_collector *collector = context;
    struct oi_poll_stats *stats = oi_alloc_zero(collector->count + 1, sizeof(*stats));
    struct oi_streams_stats *streams = oi_alloc_zero(collector->count + 1, sizeof(*streams));

    (void) pthread_mutex_lock(&collector->stats_lock);
    memcpy(stats, collector->stats, collector->count * sizeof(*stats));
    memcpy(streams, collector->stream_stats, collector->count * sizeof(*streams));
    (void) pthread_mutex_unlock(&collector->stats_lock);
    for (size_t measure = 0; measure < OI_COUNT(measures); measure++) {
        oi_buffer_add_format(out, "# HELP oi_collector_%s %s\n# TYPE oi_collector_%s %s\n",
                             measures[measure].name, measures[measure].help, measures[measure].name,
                             measures[measure].type);
        for (size_t i = 0; i < collector->count; i++)
            oi_buffer_add_format(out, "oi_collector_%s{exchange=\"%s\"} %lld\n",
                                 measures[measure].name,
                                 collector->exchanges[i].poll.exchange->name,
                                 (long long) read_measure(&stats[i], measure));
    }
    write_errors(collector, stats, out);
    write_streams(collector, streams, out);
    oi_free(stats);
    oi_free(streams);
}
