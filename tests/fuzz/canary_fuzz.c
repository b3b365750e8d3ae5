/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target with a fault on purpose: it reads behind its input when that begins with "oi!".
 * If the fuzzer does not find it, the fuzzer or the sanitizer does not work; tools/fuzz.sh looks.
 */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile uint8_t behind = 0;

    if (size >= 3 && data[0] == 'o' && data[1] == 'i' && data[2] == '!')
        behind = data[size];
    return behind == 0 ? 0 : 0;
}
