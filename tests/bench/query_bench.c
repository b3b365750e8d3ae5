/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions asked inside the process, as a user of the library asks them:
 *
 *     query_bench STORE WORK render|drain|parquet|table COUNT TARGETS
 *
 * TARGETS is a file with a request target of the native API a line, the same that are asked over
 * HTTP. Parsing, finding the markets, reading and (render) writing the answer are all in the time.
 * `parquet` is of metrics, `table` the Parquet file of the question itself.
 */
#include "bench/bench.h"

#include "base/alloc.h"
#include "cli/workspace.h"
#include "dialects/dialect.h"
#include "lake/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_SIZE_MAX ((size_t) 64 << 10)
/* Asked before the clock counts, where more than one is asked for. */
#define WARM_UP 3

struct question {
    const struct oi_source *source;
    const char *how;
    struct oi_buffer answer; /* the memory is kept, as a server keeps it */
    size_t items, bytes;     /* of the question at hand */
};

static enum oi_status
drain(struct question *question, struct oi_result *result, struct oi_error *error)
{
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            return OI_OK;
        question->items += block->count;
    }
}

static enum oi_status
render(struct question *question, const struct oi_route *route, struct oi_rendering *rendering,
       struct oi_error *error)
{
    bool is_last = false;

    while (!is_last) {
        OI_TRY(route->render(rendering, &question->answer, &is_last, error));
        rendering->step++;
        question->bytes += question->answer.size;
        oi_buffer_clear(&question->answer); /* as if a socket had taken it */
    }
    question->items += rendering->result->row_count;
    return OI_OK;
}

/* The answer as a Parquet file, as the server makes it. */
static enum oi_status
tabulate(struct question *question, const struct oi_route *route, struct oi_rendering *rendering,
         struct oi_error *error)
{
    OI_CLEANUP(oi_cells_release) struct oi_cells cells = {};
    bool is_last = false;

    while (!is_last)
        OI_TRY(route->tabulate(rendering, &cells, &is_last, error));
    OI_TRY(oi_export_table(&cells, &question->answer, error));
    question->items += cells.row_count;
    question->bytes = question->answer.size;
    return OI_OK;
}

static enum oi_status
answer(struct question *question, const struct oi_route *route, struct oi_rendering *rendering,
       struct oi_query *query, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;

    if (strcmp(question->how, "parquet") == 0) {
        query->kind = OI_QUERY_BARS; /* the question is one of candles of the same interval */
        OI_TRY(
            oi_export_bars(question->source, query, &question->answer, rendering->problem, error));
        question->bytes = question->answer.size;
        return OI_OK;
    }
    OI_TRY(oi_query_run(question->source, query, &result, rendering->problem, error));
    if (strcmp(question->how, "drain") == 0)
        return drain(question, result, error);
    rendering->result = result;
    if (strcmp(question->how, "table") == 0)
        return tabulate(question, route, rendering, error);
    return render(question, route, rendering, error);
}

/* One question from its text to its answer. */
static enum oi_status
ask(struct question *question, const char *target, struct oi_error *error)
{
    struct oi_call call = { .request_id = "11111111-2222-4333-8444-555555555555",
                            .now = oi_clock_system.wall_ns(&oi_clock_system),
                            .public_url = OI_SLICE("http://127.0.0.1") };
    struct oi_http_request request = {};
    struct oi_http_reply reply = { .status = 200 };
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_rendering rendering = {
        .call = &call, .request = &request, .query = &query, .reply = &reply, .problem = &problem
    };
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    enum oi_status status;

    oi_buffer_clear(&question->answer);
    OI_TRY(oi_http_parse_target(oi_slice_of(target), &request, error));
    route = oi_dialects_route(&request, &dialect, &call.mount);
    if (!route)
        return oi_fail(error, OI_E_INVALID, "nobody answers %.80s", target);
    status = route->parse(&call, &request, &query, &problem);
    if (status == OI_OK)
        status = answer(question, route, &rendering, &query, error);
    if (status != OI_OK && problem.kind != OI_PROBLEM_NONE)
        status =
            oi_fail(error, status, "%s %s: %s", problem.parameter, problem.value, problem.message);
    oi_query_release(&query);
    oi_http_request_release(&request);
    oi_http_reply_release(&reply);
    return status;
}

struct targets {
    OI_VECTOR(char *) lines;
};

static void
read_targets(const char *path, struct targets *targets)
{
    FILE *file = fopen(path, "re");
    char *line = oi_alloc(TARGET_SIZE_MAX);

    if (!file)
        bench_die("the targets cannot be read");
    while (fgets(line, (int) TARGET_SIZE_MAX, file)) {
        line[strcspn(line, "\n")] = '\0';
        oi_vector_push(&targets->lines, oi_alloc(strlen(line) + 1));
        memcpy(targets->lines.items[targets->lines.count - 1], line, strlen(line) + 1);
    }
    (void) fclose(file);
    oi_free(line);
    if (targets->lines.count == 0)
        bench_die("there are no targets");
}

int
main(int argc, char **argv)
{
    struct bench_samples samples = {};
    struct question question = {};
    struct oi_workspace *workspace = NULL;
    struct targets targets = {};
    struct oi_error error = {};
    uint64_t count, warm_up;

    if (argc != 6)
        bench_die("query_bench STORE WORK render|drain|parquet|table COUNT TARGETS");
    bench_keep_memory();
    count = bench_number(argv[4]);
    warm_up = count > 1 ? WARM_UP : 0;
    read_targets(argv[5], &targets);
    bench_check(oi_workspace_open(NULL, argv[1], OI_STORE_READ, &workspace, &error), &error);
    question.source = &workspace->source;
    question.how = argv[3];
    for (uint64_t i = 0; i < warm_up + count; i++) {
        int64_t from = bench_now_ns();

        question.items = question.bytes = 0;
        bench_check(ask(&question, targets.lines.items[i % targets.lines.count], &error), &error);
        if (i < warm_up)
            continue;
        oi_vector_push(&samples.ns, bench_now_ns() - from);
        samples.bytes += question.bytes;
        samples.items += question.items;
    }
    bench_report(argv[2], &samples);
    for (size_t i = 0; i < targets.lines.count; i++)
        oi_free(targets.lines.items[i]);
    oi_vector_release(&targets.lines);
    oi_buffer_release(&question.answer);
    oi_workspace_close(&workspace);
    return 0;
}
