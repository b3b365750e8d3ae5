/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fresh folder on disk for each test: the setup makes it and hands its path over as the test's
 * state, the teardown removes it with everything in it, also after a failed assertion.
 */
#pragma once

int test_folder_setup(void **state);
int test_folder_teardown(void **state);
