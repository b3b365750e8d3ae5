/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page's session. The page asks for a key once and posts it here; what the browser keeps is no
 * key but the key's hash with a date, signed, in a cookie that no script can read and that no other
 * site's request carries. It ends with the key. Only our own API takes it.
 */
/* no unit test: it is what requests see; tests/system/keys.test.mjs asks over real sockets */
#include "server/server_internal.h"

#include "base/crypto.h"

#include <string.h>

#define COOKIE "oi_session"
#define LIFE_S 2'592'000 /* 30 days */
#define HASH_HEX ((size_t) 2 * OI_SHA256_SIZE)

/* `links` sign targets, which begin with "/"; this never does. */
static void
sign(const struct oi_server *server, struct oi_slice claim, struct oi_buffer *out)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    uint8_t digest[OI_SHA256_SIZE];

    oi_buffer_add_text(&text, "session ");
    oi_buffer_add_slice(&text, claim);
    oi_hmac_sha256((struct oi_slice){ (const char *) server->links.secret, OI_SHA256_SIZE },
                   oi_buffer_slice(&text), digest);
    oi_hex((struct oi_slice){ (const char *) digest, sizeof(digest) }, out);
}

static int64_t
now_s(const struct oi_server *server)
{
    const struct oi_clock *clock = server->source->clock;

    return oi_time_to_s(clock->wall_ns(clock));
}

/* HASH.END.SIGNATURE */
static void
write_token(const struct oi_server *server, struct oi_slice key, struct oi_buffer *out)
{
    uint8_t hash[OI_SHA256_SIZE];
    size_t begin = out->size;
    long long end_s = now_s(server) + LIFE_S;

    oi_sha256(key, hash);
    oi_hex((struct oi_slice){ (const char *) hash, sizeof(hash) }, out);
    oi_buffer_add_format(out, ".%lld.", end_s);
    sign(server, (struct oi_slice){ out->data + begin, out->size - begin }, out);
}

static bool
read_token(const struct oi_server *server, struct oi_slice token, uint8_t ret_hash[OI_SHA256_SIZE])
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer wanted = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer hash = {};
    size_t claim = token.size > HASH_HEX ? token.size - HASH_HEX : 0;
    int64_t end = 0;

    if (claim < HASH_HEX + 3 || token.size > 256)
        return false;
    sign(server, (struct oi_slice){ token.data, claim }, &wanted);
    if (!oi_equal_in_constant_time((struct oi_slice){ token.data + claim, HASH_HEX },
                                   oi_buffer_slice(&wanted)))
        return false;
    /* From here on it is our own writing. */
    for (size_t i = HASH_HEX + 1; i + 1 < claim; i++)
        end = end * 10 + (token.data[i] - '0');
    if (end < now_s(server) ||
        oi_unhex((struct oi_slice){ token.data, HASH_HEX }, &hash, NULL) != OI_OK)
        return false;
    memcpy(ret_hash, hash.data, OI_SHA256_SIZE);
    return true;
}

bool
session_find(const struct oi_server *server, const struct oi_http_request *request,
             uint8_t ret_hash[OI_SHA256_SIZE])
{
    const struct oi_slice *header = oi_http_header(request, "cookie");
    struct oi_slice rest = header ? *header : (struct oi_slice){}, part;

    while (header && oi_slice_next_part(&rest, ';', &part)) {
        part = oi_slice_trim(part);
        if (!oi_slice_starts_with(part, COOKIE "="))
            continue;
        part = (struct oi_slice){ part.data + sizeof(COOKIE), part.size - sizeof(COOKIE) };
        return read_token(server, part, ret_hash) && oi_access_knows(server->access, ret_hash);
    }
    return false;
}

static void
set_cookie(const struct oi_server *server, struct oi_slice value, unsigned life_s,
           struct oi_http_reply *reply)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    bool is_secure =
        server->options.certificate ||
        (server->options.public_url && strncmp(server->options.public_url, "https:", 6) == 0);

    oi_buffer_add_text(&text, COOKIE "=");
    oi_buffer_add_slice(&text, value);
    oi_buffer_add_format(&text, "; Path=/oi/v1; Max-Age=%u; HttpOnly; SameSite=Strict%s", life_s,
                         is_secure ? "; Secure" : "");
    oi_http_reply_header(reply, "Set-Cookie", oi_buffer_slice(&text));
    oi_http_reply_header_text(reply, "Cache-Control", "no-store");
}

static void
refuse(struct oi_http_reply *reply, int status, const char *sentence)
{
    reply->status = status;
    oi_http_reply_type(reply, "text/plain; charset=utf-8");
    oi_buffer_add_text(&reply->body, sentence);
}

bool
session_handle(struct oi_server *server, const struct oi_http_request *request,
               struct oi_http_reply *reply)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer token = {};
    struct oi_slice key = oi_slice_trim(request->body);

    if (!oi_slice_is(request->path, "/session"))
        return false;
    if (request->method != OI_HTTP_POST && request->method != OI_HTTP_DELETE) {
        oi_http_reply_header_text(reply, "Allow", "POST, DELETE");
        refuse(reply, 405, "POST a key to begin a session, DELETE ends it\n");
    } else if (!oi_cors_is_own(request)) {
        /* Another site must not sign anybody in. */
        refuse(reply, 403, "a session begins on this server's own page\n");
    } else if (request->method == OI_HTTP_DELETE) {
        reply->status = 204;
        set_cookie(server, (struct oi_slice){}, 0, reply);
    } else if (oi_access_check_key(server->access, key) != OI_KEY_FINE) {
        refuse(reply, 401, "this key is not valid here\n");
    } else {
        reply->status = 204;
        write_token(server, key, &token);
        set_cookie(server, oi_buffer_slice(&token), LIFE_S, reply);
    }
    return true;
}
