/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/page.test.mjs opens the page */
/* The page's files, as the program carries them. */
#include "server/server_internal.h"

#include "server/assets.h"

bool
assets_handle(const struct oi_http_request *request, struct oi_http_reply *reply)
{
    const struct oi_asset *asset = oi_asset_find(request->path);
    const struct oi_slice *known = oi_http_header(request, "if-none-match");

    if (oi_slice_is(request->path, "/docs")) {
        /* The documents' links are relative to their folder, and so is the way there. */
        oi_http_reply_header_text(reply, "Location", "docs/");
        router_refuse_plainly(reply, 308, "the documents are at docs/");
        return true;
    }
    if (!asset)
        return false;
    if (request->method != OI_HTTP_GET && request->method != OI_HTTP_HEAD) {
        oi_http_reply_header_text(reply, "Allow", "GET, HEAD");
        router_refuse_plainly(reply, 405, "this page can only be read");
        return true;
    }
    oi_http_reply_type(reply, asset->content_type);
    oi_http_reply_header_text(reply, "ETag", asset->etag);
    oi_http_reply_header_text(reply, "Cache-Control", "no-cache");
    oi_http_reply_header_text(reply, "X-Content-Type-Options", "nosniff");
    oi_http_reply_header_text(reply, "Content-Security-Policy",
                              "default-src 'self'; frame-ancestors 'none'");
    if (known && oi_slice_is(*known, asset->etag)) {
        reply->status = 304;
        return true;
    }
    oi_buffer_add_slice(&reply->body, asset->body);
    return true;
}
