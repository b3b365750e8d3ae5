/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions from words, and the secrets that sign. A secret stands in a file or in the environment,
 * never in the configuration itself, which people copy and show.
 */
/* no unit test: alert_rule_test.c reads actions too */
#include "alerts/alert_rule.h"
#include "alerts/alert_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET_SIZE_MAX 1024
#define ARGUMENTS_MAX 32
#define TIMEOUT_MAX (5 * OI_MINUTE)

static enum oi_status
refuse(const char *place, const struct oi_alert_target *target, const char *key, const char *what,
       struct oi_error *error)
{
    return oi_fail(error, OI_E_INVALID, "%s: alert_action %s: %s %s", place, target->name, key,
                   what);
}

/* The words of a command line, apart by blanks; there is no shell and so no quoting. */
static bool
split_command(const char *value, struct oi_arena *arena, struct oi_alert_target *target)
{
    const char **arguments = oi_arena_alloc_zero(arena, ARGUMENTS_MAX + 1, sizeof(*arguments));
    struct oi_slice rest = oi_slice_of(value), part;
    size_t count = 0;

    while (oi_slice_next_part(&rest, ' ', &part)) {
        if (part.size == 0)
            continue;
        if (count == ARGUMENTS_MAX)
            return false;
        arguments[count++] = oi_arena_copy(arena, part);
    }
    target->arguments = arguments;
    return count > 0 && arguments[0][0] == '/';
}

static bool
is_url(const char *value)
{
    struct oi_slice text = oi_slice_of(value);

    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    return (oi_slice_starts_with(text, "https://") && text.size > strlen("https://")) ||
           (oi_slice_starts_with(text, "http://") && text.size > strlen("http://"));
}

static enum oi_status
take_word(struct oi_alert_target *target, const struct oi_alert_word *word, struct oi_arena *arena,
          const char *place, struct oi_error *error)
{
    const char *key = word->key, *value = word->value;

    if (strcmp(key, "url") == 0) {
        target->url = value;
        return is_url(value) ? OI_OK
                             : refuse(place, target, key, "must be an http(s) address", error);
    }
    if (strcmp(key, "command") == 0)
        return split_command(value, arena, target)
                   ? OI_OK
                   : refuse(place, target, key,
                            "must be the absolute path of a program and its arguments", error);
    if (strcmp(key, "timeout") == 0)
        return oi_interval_parse(oi_slice_of(value), &target->timeout_ns, NULL) == OI_OK &&
                       target->timeout_ns <= TIMEOUT_MAX
                   ? OI_OK
                   : refuse(place, target, key, "must be a span like 10s, at most 5m", error);
    if (strcmp(key, "give_up") == 0)
        return oi_interval_parse(oi_slice_of(value), &target->give_up_ns, NULL) == OI_OK
                   ? OI_OK
                   : refuse(place, target, key, "must be a span like 1h", error);
    if (!*value)
        return refuse(place, target, key, "has no value", error);
    if (strcmp(key, "secret_file") == 0)
        target->secret_file = value;
    else if (strcmp(key, "secret_env") == 0)
        target->secret_variable = value;
    else if (strcmp(key, "ca_file") == 0)
        target->authority = value;
    else
        return refuse(place, target, key,
                      "is none of url, command, secret_file, secret_env, ca_file, timeout, give_up",
                      error);
    return OI_OK;
}

static enum oi_status
check(const struct oi_alert_target *target, const char *place, struct oi_error *error)
{
    bool signs = target->secret_file || target->secret_variable;

    if (!target->url == !target->arguments)
        return refuse(place, target, "url or command", "must be there, one of them", error);
    if (target->arguments && (signs || target->authority))
        return refuse(place, target, "secret_file, secret_env and ca_file",
                      "mean nothing to a command", error);
    if (target->secret_file && target->secret_variable)
        return refuse(place, target, "secret_file and secret_env", "are one too many", error);
    return OI_OK;
}

enum oi_status
oi_alert_rules_add_target(struct oi_alert_rules *rules, struct oi_slice line, const char *place,
                          struct oi_error *error)
{
    struct oi_alert_words words;
    struct oi_alert_target target = { .timeout_ns = 10 * OI_SECOND, .give_up_ns = OI_DAY };

    OI_TRY(oi_alert_words_read(line, place, &rules->arena, &words, error));
    target.name = words.name;
    if (oi_alert_rules_target(rules, target.name))
        return oi_fail(error, OI_E_INVALID, "%s: there is another alert_action %s", place,
                       target.name);
    if (rules->targets.count == OI_ALERT_RULES_MAX)
        return oi_fail(error, OI_E_INVALID, "%s: there are more than %d actions", place,
                       OI_ALERT_RULES_MAX);
    for (size_t i = 0; i < words.count; i++)
        OI_TRY(take_word(&target, &words.items[i], &rules->arena, place, error));
    OI_TRY(check(&target, place, error));
    oi_vector_push(&rules->targets, target);
    return OI_OK;
}

static enum oi_status
read_secret_file(const struct oi_alert_target *target, struct oi_buffer *secret,
                 struct oi_error *error)
{
    int file = open(target->secret_file, O_RDONLY | O_CLOEXEC);
    char *room = oi_buffer_reserve(secret, SECRET_SIZE_MAX);
    ssize_t size;

    if (file < 0)
        return oi_fail(error, OI_E_INVALID, "alert_action %s: cannot read %s: %s", target->name,
                       target->secret_file, strerror(errno));
    do {
        size = room ? read(file, room, SECRET_SIZE_MAX) : -1;
    } while (size < 0 && errno == EINTR);
    (void) close(file);
    if (size < 0)
        return oi_fail(error, OI_E_INVALID, "alert_action %s: cannot read %s: %s", target->name,
                       target->secret_file, strerror(errno));
    secret->size = (size_t) size;
    return OI_OK;
}

static enum oi_status
load_secret(struct oi_alert_target *target, struct oi_arena *arena, struct oi_error *error)
{
    struct oi_buffer bytes = {};
    struct oi_slice secret = {};
    enum oi_status status = OI_OK;

    if (target->secret_file)
        status = read_secret_file(target, &bytes, error);
    secret = oi_buffer_slice(&bytes);
    if (target->secret_variable)
        secret = oi_slice_of(getenv(target->secret_variable));
    secret = oi_slice_trim(secret);
    if (status == OI_OK && secret.size == 0)
        status = oi_fail(error, OI_E_INVALID, "alert_action %s: %s holds no secret", target->name,
                         target->secret_file ? target->secret_file : target->secret_variable);
    if (status == OI_OK)
        target->secret = oi_arena_copy(arena, secret);
    if (bytes.size > 0)
        explicit_bzero(bytes.data, bytes.size);
    oi_buffer_release(&bytes);
    return status;
}

enum oi_status
oi_alert_rules_load_secrets(struct oi_alert_rules *rules, struct oi_error *error)
{
    for (size_t i = 0; i < rules->targets.count; i++) {
        struct oi_alert_target *target = &rules->targets.items[i];

        if (target->secret_file || target->secret_variable)
            OI_TRY(load_secret(target, &rules->arena, error));
    }
    return OI_OK;
}
