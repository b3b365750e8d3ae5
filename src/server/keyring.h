/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys in force, as hashes, and finding one without telling anything by the time it takes:
 * every hash is compared whole, every time. Immutable once built, so any thread may look.
 */
#pragma once

#include "base/crypto.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct oi_keyring;

#define OI_KEYRING_NONE SIZE_MAX

struct oi_keyring *oi_keyring_new(const uint8_t (*hashes)[OI_SHA256_SIZE], size_t count);
void oi_keyring_free(struct oi_keyring **keyring);
size_t oi_keyring_count(const struct oi_keyring *keyring);
/* The place of the hash that equals, or OI_KEYRING_NONE; of two equal ones the last. */
size_t oi_keyring_find(const struct oi_keyring *keyring, const uint8_t hash[OI_SHA256_SIZE]);
