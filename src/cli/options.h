/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: one table says their names, words and defaults; from it come parsing, `--help`, the
 * environment and the configuration file. What is nearer to the user wins: a flag, then OI_*, then
 * the file, then the default. Values are texts until a command reads them as something.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest value taken from anywhere: a path fits. */
#define OI_OPTION_VALUE_SIZE_MAX 4096
/* More values of one option are refused. */
#define OI_OPTION_VALUES_MAX 10'000

struct oi_option {
    const char *name;     /* "data", given as --data DIR or --data=DIR */
    const char *also;     /* a second name that is understood and not listed; NULL: none */
    const char *argument; /* "DIR"; NULL: a switch, --name or --no-name */
    const char *help;     /* a few words; what happens, in the present tense */
    const char *words; /* the values it may have, apart by spaces, for completion; NULL: others */
    const char *fallback; /* the value where nothing says otherwise; NULL: none, or off */
    const char *setting;  /* its key in oi.conf and, in upper case with OI_ before it, in the
                             environment; NULL: a flag only */
    bool is_repeatable;   /* in file and environment: a list separated by commas */
    bool is_line;         /* repeatable, and commas are the value's own: one line is one value */
    bool is_secret;       /* `oi config` counts its values instead of printing them */
};

/* What every command that uses a store has. */
#define OI_OPTION_CONFIG                                                                           \
    {                                                                                              \
        .name = "config", .argument = "FILE",                                                      \
        .help = "read settings from FILE instead of oi.conf in the data folder",                   \
        .setting = "config"                                                                        \
    }
#define OI_OPTION_DATA                                                                             \
    {                                                                                              \
        .name = "data", .argument = "DIR", .help = "the folder with the readings",                 \
        .fallback = "data", .setting = "data"                                                      \
    }
#define OI_OPTION_PLACE                                                                            \
    {                                                                                              \
        .name = "store", .argument = "URL",                                                        \
        .help = "readings in ClickHouse: clickhouse://user:password@host:8123/database",           \
        .setting = "store", .is_secret = true                                                      \
    }
#define OI_OPTION_STORE OI_OPTION_DATA, OI_OPTION_PLACE, OI_OPTION_CONFIG
/* For what is in the data folder wherever the readings are. */
#define OI_OPTION_FOLDER OI_OPTION_DATA, OI_OPTION_CONFIG

/* Plans beside the built-in ones (server/plans.h). */
#define OI_OPTION_PLANS                                                                            \
    {                                                                                              \
        .name = "plan-rules", .argument = "RULES",                                                 \
        .help = "a further plan: NAME rate=10/1s calls=5000", .setting = "plans",                  \
        .is_repeatable = true                                                                      \
    }

enum oi_origin {
    OI_ORIGIN_DEFAULT = 0,
    OI_ORIGIN_FILE,
    OI_ORIGIN_ENVIRONMENT,
    OI_ORIGIN_FLAG,
};

struct oi_options;

/* Every option at its default. The table is borrowed. */
struct oi_options *oi_options_new(const struct oi_option *table, size_t count);
void oi_options_free(struct oi_options **options);
size_t oi_options_table(const struct oi_options *options, const struct oi_option **ret_table);

/* Read the arguments that follow the command's name. Options and operands may mix; behind "--"
 * everything is an operand. INVALID with a sentence that names the argument. */
enum oi_status oi_options_read_flags(struct oi_options *options, int count, char **arguments,
                                     struct oi_error *error);
/* The arguments that oi_options_read_flags was given, to read the same again; borrowed. */
int oi_options_arguments(const struct oi_options *options, char ***ret_arguments);
/* Was --help (or -h) among them? */
bool oi_options_wants_help(const struct oi_options *options);

/* Give an option the value of a setting; without effect where something nearer has set it. `place`
 * says where it stands ("line 3 of data/oi.conf"), for messages. NOT_FOUND where no option of the
 * table has that setting. */
enum oi_status oi_options_set(struct oi_options *options, struct oi_slice setting,
                              struct oi_slice value, enum oi_origin origin, const char *place,
                              struct oi_error *error);
/* Read OI_* variables ("NAME=value", NULL-terminated). Those of no option are left alone: others
 * may use the prefix. */
enum oi_status oi_options_read_environment(struct oi_options *options, char **environment,
                                           struct oi_error *error);

/*
 * Reading. Asking for an option that the table does not have is a mistake of ours and asserts.
 */

/* The value, or NULL. Texts live as long as the options. */
const char *oi_options_text(const struct oi_options *options, const char *name);
bool oi_options_switch(const struct oi_options *options, const char *name);
/* The values of a repeatable option. */
size_t oi_options_values(const struct oi_options *options, const char *name,
                         const char *const **ret_values);
/* Where one of them comes from: a file's lines are told apart. */
const char *oi_options_value_place(const struct oi_options *options, const char *name,
                                   size_t index);
enum oi_origin oi_options_origin(const struct oi_options *options, const char *name);
/* "--data", "OI_DATA", "line 3 of data/oi.conf", "default": where the value comes from. */
const char *oi_options_place(const struct oi_options *options, const char *name);
size_t oi_options_operands(const struct oi_options *options, const char *const **ret_operands);

/* The value as a whole number from `least` to `most`. INVALID otherwise, naming the place; the
 * output keeps its value where the option has none. */
struct oi_range {
    int64_t least, most;
};
enum oi_status oi_options_integer(const struct oi_options *options, const char *name,
                                  struct oi_range range, int64_t *ret_value,
                                  struct oi_error *error);
/* As an ISO 8601 time, in UTC where it names no zone. */
enum oi_status oi_options_time(const struct oi_options *options, const char *name,
                               oi_time *ret_time, struct oi_error *error);
/* As an interval: 1m, 1h, 1d. */
enum oi_status oi_options_interval(const struct oi_options *options, const char *name,
                                   int64_t *ret_interval_ns, struct oi_error *error);
/* As one of the words; its place in the NULL-terminated list. */
enum oi_status oi_options_word(const struct oi_options *options, const char *name,
                               const char *const *words, size_t *ret_index, struct oi_error *error);
/* INVALID with "--name must be …, not VALUE", naming where the value comes from. */
enum oi_status oi_options_refuse(const struct oi_options *options, const char *name,
                                 const char *what, struct oi_error *error);

/* What stands before an option's name where it is listed: "--", or "--no-" for a switch that is on
 * unless it is turned off. */
const char *oi_option_dashes(const struct oi_option *option);
/* Append the list of options for `--help`. */
struct oi_buffer;
void oi_options_describe(const struct oi_option *table, size_t count, struct oi_buffer *out);
