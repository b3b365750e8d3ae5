/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask, how fast and how much. Keys are known by their hashes alone: those of the
 * configuration, and those that `oi keys` makes, which are picked up while the server runs. Each
 * key has a plan; what it has used of its month outlives the server in blocks (usage.h).
 *
 * While there are no keys, any key or none passes, and only Host names that are this machine's own
 * are answered, so that a web page elsewhere cannot reach the server through a name of its own (DNS
 * rebinding). Once there was a key, a revoked one too, the door stays locked.
 *
 * Any thread may call everything but new and free.
 */
#pragma once

#include "base/crypto.h"
#include "base/slice.h"
#include "base/status.h"
#include "core/time.h"
#include "server/plans.h"
#include "server/usage.h"

#include <stdbool.h>
#include <stddef.h>

struct oi_access;

enum oi_key_verdict {
    OI_KEY_FINE,
    OI_KEY_MISSING,
    OI_KEY_WRONG,
    OI_KEY_TOO_FAST,   /* the plan's rate */
    OI_KEY_USED_UP,    /* the plan's month */
    OI_KEY_DENIED,     /* the plan does not cover it */
    OI_KEY_UNKNOWABLE, /* what it has used cannot be read or written: nothing is given away */
};

/* What a configuration says; texts are copied. */
struct oi_access_rules {
    const char *const *keys; /* the operator's own */
    size_t key_count;
    const char *const *plans; /* further plans (plans.h) */
    size_t plan_count;
    const char *key_plan;   /* of these keys; NULL: unlimited */
    const char *guest_plan; /* of each address without a key. NULL: they are let in while there are
                               no keys, and limited as "guest" off a loopback address */
};

struct oi_clock;
struct oi_sharing;

struct oi_access_options {
    struct oi_access_rules rules;
    const char *const *host_names;
    size_t host_name_count;
    const char *address;       /* listened on: its own name is fine too */
    bool is_open;              /* any Host */
    struct oi_usage *usage;    /* borrowed; NULL: the configuration's keys alone, nothing durable */
    struct oi_sharing *shared; /* borrowed; NULL: this server counts alone */
};

/* INVALID when a plan cannot be read or is not there. */
enum oi_status oi_access_new(const struct oi_access_options *options, struct oi_access **ret_access,
                             struct oi_error *error);
/* Go on telling a Redis that is there again what this server has taken; cheap when there is nothing
 * to tell. One thread at a time. */
void oi_access_tell(struct oi_access *access, const struct oi_clock *clock);
/* Gives back what was reserved and not used. */
void oi_access_free(struct oi_access **access);
/* Take other rules; on failure the old ones stay. What a key has used stays with it. */
enum oi_status oi_access_set_rules(struct oi_access *access, const struct oi_access_rules *rules,
                                   struct oi_error *error);
/* Look whether `oi keys` changed anything: cheap, to be called a few times a second. */
enum oi_status oi_access_refresh(struct oi_access *access, struct oi_error *error);

bool oi_access_has_keys(const struct oi_access *access);
/* Is this a key in force (or are there none)? Nothing is counted. */
enum oi_key_verdict oi_access_check_key(const struct oi_access *access, struct oi_slice key);
/* The same of a key's hash, for a session. */
bool oi_access_knows(const struct oi_access *access, const uint8_t hash[OI_SHA256_SIZE]);
/* Is it an operator's key? False while there are none. */
bool oi_access_is_operator(const struct oi_access *access, struct oi_slice key);

/* One request that asks to be let in. */
struct oi_visit {
    struct oi_slice key;  /* empty: none came */
    const uint8_t *hash;  /* of a session's key, checked; NULL: none */
    struct oi_slice peer; /* "127.0.0.1" */
    enum oi_cost cost;    /* in what its dialect prices answers */
    oi_time now;
    int64_t monotonic_ns;
};

/* What a visit was given; `{}` is nothing. Belongs to the answer, lives as long. */
struct oi_grant {
    struct oi_account *account; /* NULL: a guest, or nothing is counted */
    struct oi_plan plan;
    enum oi_cost cost;
    uint64_t taken;      /* of the month */
    uint64_t rate_taken; /* of the rates */
    uint32_t month;
};

/* Let it in: count it against its plan and say what is left. The allowance's texts live as long as
 * the grant. *ret_retry_after_s is set for TOO_FAST and USED_UP. */
enum oi_key_verdict oi_access_admit(struct oi_access *access, const struct oi_visit *visit,
                                    struct oi_grant *grant, struct oi_allowance *allowance,
                                    unsigned *ret_retry_after_s);
/* The answer's price is known, and nothing is sent yet: take it, or refuse. */
enum oi_key_verdict oi_access_settle(struct oi_access *access, const struct oi_visit *visit,
                                     struct oi_grant *grant, uint64_t price,
                                     unsigned *ret_retry_after_s);
/* The rows of an answer that had no price of its own have been sent. */
void oi_access_charge_rows(struct oi_access *access, struct oi_grant *grant, uint64_t rows);
/* There was no answer: give the month's part back, though not the rate's. */
void oi_access_refund(struct oi_access *access, struct oi_grant *grant);

/*
 * Streams. A key's stream counts against its plan while it is open. TOO_FAST: it has as many as the
 * plan allows; DENIED: the plan has none. *ret_account, NULL where nothing is counted, is handed
 * back to close.
 */
enum oi_key_verdict oi_access_open_stream(struct oi_access *access,
                                          const uint8_t hash[OI_SHA256_SIZE],
                                          struct oi_account **ret_account);
void oi_access_close_stream(struct oi_account **account);
/* Changes whenever keys or rules do: time to look whether the keys of open streams still hold. */
uint64_t oi_access_generation(const struct oi_access *access);

/* May this Host header be answered? An absent one (HTTP/1.0) may. */
bool oi_access_check_host(const struct oi_access *access, const struct oi_slice *host);
/* Is it an address that only this machine can reach? */
bool oi_address_is_loopback(const char *address);
