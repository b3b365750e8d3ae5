/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a store in a process of its own, because damage to the engine's own pages can kill
 * whoever reads them.
 */
#pragma once

#include "base/status.h"

/* Check the store in `folder`; faults and the count of what was checked go to stdout, progress to
 * stderr. Call before any thread is started. CORRUPT where anything is wrong. */
enum oi_status oi_verify_in_child(const char *folder, struct oi_error *error);
