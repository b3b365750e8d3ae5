/* SPDX-License-Identifier: Apache-2.0 */
/* A handshake's answer from arbitrary bytes: what is taken whole is waited for at every cut. */
#include "net/websocket_handshake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice bytes = { (const char *) data, size };
    struct oi_websocket_place place;
    size_t head;
    int http_status;

    (void) oi_websocket_place(bytes, &place, NULL);
    if (oi_websocket_response(bytes, KEY, &head, &http_status, NULL) != OI_OK || head == 0)
        return 0;
    oi_assert(head <= size && http_status == 101);
    for (size_t cut = 0; cut < head; cut++) {
        size_t part;

        bytes.size = cut;
        oi_assert(oi_websocket_response(bytes, KEY, &part, &http_status, NULL) == OI_OK);
        oi_assert(part == 0);
    }
    return 0;
}
