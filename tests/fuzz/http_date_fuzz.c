/* SPDX-License-Identifier: Apache-2.0 */
/* A date that is read is written as it was; nothing else is read. */
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[OI_HTTP_DATE_SIZE];
    int64_t second;

    if (!oi_http_date_read((struct oi_slice){ (const char *) data, size }, &second))
        return 0;
    oi_http_date_write(second, text);
    if (strlen(text) != size || memcmp(text, data, size) != 0)
        abort();
    return 0;
}
