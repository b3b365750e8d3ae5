/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must outlive the server about keys: their hashes with names and plans, and what each has
 * used of its month, in a small environment of its own (`usage/` in the data folder). `oi keys`
 * and any number of servers share it. A key itself is never here.
 */
#pragma once

#include "base/crypto.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/vector.h"
#include "core/time.h"

#include <stdbool.h>
#include <stdint.h>

#define OI_KEY_NAME_SIZE 64
#define OI_KEY_PLAN_SIZE 32
/* A key's id: the first bytes of its hash, in hexadecimal. */
#define OI_KEY_ID_SIZE 17
#define OI_KEY_TEXT_SIZE 96

struct oi_usage;

struct oi_key_record {
    uint8_t hash[OI_SHA256_SIZE];
    char name[OI_KEY_NAME_SIZE];
    char plan[OI_KEY_PLAN_SIZE];
    bool is_operator; /* may read /metrics */
    oi_time created;
    oi_time revoked; /* OI_TIME_NONE: in force */
};
struct oi_key_records {
    OI_VECTOR(struct oi_key_record) items;
};

void oi_key_id(const uint8_t hash[OI_SHA256_SIZE], char ret_id[OI_KEY_ID_SIZE]);

enum oi_usage_state {
    OI_USAGE_OPEN,
    OI_USAGE_READ_ONLY,  /* it cannot be written: keys are in force, no amount is given out */
    OI_USAGE_NEVER_MADE, /* the disk is full and there never was one: no keys, and none are made */
    OI_USAGE_LOST,       /* it was read only and cannot be opened any more: every call fails */
};

/* Open `folder`/usage, making it. Where the disk has no room for that it is opened as well as it
 * can be, which oi_usage_state tells. Any thread may call what follows. */
enum oi_status oi_usage_open(const char *folder, struct oi_usage **ret_usage,
                             struct oi_error *error);
void oi_usage_close(struct oi_usage **usage);
/* *reason (or NULL) is set to why, where it is not open. */
enum oi_usage_state oi_usage_state(struct oi_usage *usage, struct oi_error *reason);
/* Where it is not open, and at most once a second: try again. Has it been opened now? */
bool oi_usage_retry(struct oi_usage *usage, int64_t monotonic_ns);
/* Changes with every commit of any process. */
uint64_t oi_usage_version(struct oi_usage *usage);

/* Make a key of 160 random bits behind `prefix` (letters, digits, "-", "_", at most 32), keep its
 * hash with what `record` says, and hand the key out: this is the only time it is seen. */
enum oi_status oi_usage_add_key(struct oi_usage *usage, const char *prefix,
                                struct oi_key_record *record, char ret_key[OI_KEY_TEXT_SIZE],
                                struct oi_error *error);
/* All records, revoked ones too, oldest first. */
enum oi_status oi_usage_list_keys(struct oi_usage *usage, struct oi_key_records *records,
                                  struct oi_error *error);
/* Put a changed record in the place of that with its hash. */
enum oi_status oi_usage_put_key(struct oi_usage *usage, const struct oi_key_record *record,
                                struct oi_error *error);
enum oi_status oi_usage_forget_key(struct oi_usage *usage, const struct oi_key_record *record,
                                   struct oi_error *error);

/* An amount and its limit, of a key in a month (202603). */
struct oi_usage_account {
    uint8_t hash[OI_SHA256_SIZE];
    uint32_t month;
};
/* How much of the month is reserved; 0 where nothing is. */
enum oi_status oi_usage_reserved(struct oi_usage *usage, const struct oi_usage_account *account,
                                 uint64_t *ret_reserved, struct oi_error *error);
/* Reserve durably what `missing` needs, in blocks (quota.h). NOT_FOUND when the limit has no room
 * for it. *ret_reserved is the whole month's. */
struct oi_usage_wish {
    uint64_t limit, missing, block;
};
enum oi_status oi_usage_reserve(struct oi_usage *usage, const struct oi_usage_account *account,
                                const struct oi_usage_wish *wish, uint64_t *ret_more,
                                uint64_t *ret_reserved, struct oi_error *error);
/* Give back what was reserved and not used, when a server ends in peace. */
enum oi_status oi_usage_give_back(struct oi_usage *usage, const struct oi_usage_account *account,
                                  uint64_t amount, struct oi_error *error);
uint32_t oi_usage_month(oi_time now);
/* When the next month begins. */
oi_time oi_usage_month_end(oi_time now);
