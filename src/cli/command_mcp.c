/* SPDX-License-Identifier: Apache-2.0 */
/* The Model Context Protocol over stdin and stdout, for assistants that start programs: each line
 * goes where POST /mcp goes, of a folder or of a server. */
/* no unit test: a whole command; tests/system/mcp.test.mjs runs it */
#include "base/json.h"
#include "cli/asker.h"
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>

static const struct oi_option options_table[] = {
    { .name = "url",
      .argument = "URL",
      .help = "ask this server (http://127.0.0.1:8080) instead of the data folder" },
    { .name = "key", .argument = "KEY", .help = "the key for that server", .is_secret = true },
    OI_OPTION_STORE,
};

/* The server could not be asked: the assistant is told, not the terminal. */
static void
write_failure(struct oi_slice line, const struct oi_error *failure, struct oi_buffer *out)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *id = NULL;
    struct oi_json_writer writer = { .out = out };

    if (oi_json_open(line, &json, NULL) == OI_OK)
        id = oi_json_member(oi_json_root(json), "id");
    if (json && !id)
        return; /* a notification has no answer */
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "jsonrpc");
    oi_json_add_text(&writer, "2.0");
    oi_json_add_name(&writer, "id");
    if (!id || !oi_json_add_scalar(&writer, id))
        oi_json_add_null(&writer);
    oi_json_add_name(&writer, "error");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "code");
    oi_json_add_int(&writer, -32603);
    oi_json_add_name(&writer, "message");
    oi_json_add_text(&writer, failure->message);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
}

static enum oi_status
answer(struct oi_asker *asker, struct oi_slice line, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    const struct oi_question_bytes question = { .target = "/mcp", .body = line };
    struct oi_error failure = {};
    int status = 0;

    if (oi_asker_ask(asker, &question, &out, &status, &failure) != OI_OK) {
        oi_buffer_clear(&out);
        write_failure(line, &failure, &out);
    }
    if (out.size == 0)
        return OI_OK;
    oi_buffer_add_char(&out, '\n');
    if (fwrite(out.data, 1, out.size, stdout) != out.size || fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    return OI_OK;
}

static enum oi_status
serve_lines(struct oi_asker *asker, struct oi_error *error)
{
    enum oi_status status = OI_OK;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    while (status == OI_OK && (size = getline(&line, &room, stdin)) >= 0) {
        struct oi_slice text = oi_slice_trim((struct oi_slice){ line, (size_t) size });

        if (text.size > 0)
            status = answer(asker, text, error);
    }
    free(line);
    return status;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_asker_close) struct oi_asker *asker = NULL;
    const char *url = oi_options_text(options, "url");

    if (url)
        OI_TRY(oi_asker_open_url(url, oi_options_text(options, "key"), &asker, error));
    else
        OI_TRY(oi_asker_open_store(options, &asker, error));
    return serve_lines(asker, error);
}

const struct oi_command oi_command_mcp = {
    .name = "mcp",
    .summary = "Answer an assistant (Model Context Protocol) on stdin and stdout",
    .description =
        "One JSON message a line, as an assistant sends them that starts programs. A\n"
        "server answers the same over HTTP, at /mcp; docs/dialects/mcp.md lists the tools.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
