/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole bodies as gzip by libdeflate (about twice as fast as zlib), streams by zlib, which alone
 * can stop in the middle; zstd for both; zip archives by libzip.
 */
#include "base/compress.h"

#include "base/alloc.h"

#include <libdeflate.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

/* What is asked of the output buffer at a time when the size to come is unknown. */
#define STEP_SIZE ((size_t) 64 << 10)
/* A gzip member's last four bytes are its size modulo 2^32; it has at least 18 bytes. */
#define GZIP_SIZE_MIN 18

/* How much may still be appended: what the caller allows and what the buffer takes. */
static size_t
room_left(const struct oi_buffer *out, size_t start, size_t size_max)
{
    size_t ceiling = out->size_max > 0 ? out->size_max : OI_BUFFER_SIZE_MAX;
    size_t allowed = size_max - (out->size - start);
    size_t fits = ceiling > out->size && !out->overflowed ? ceiling - out->size : 0;

    return allowed < fits ? allowed : fits;
}

void
oi_gzip(struct oi_slice body, int level, struct oi_buffer *out)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    size_t bound;
    char *room;

    oi_assert(compressor);
    bound = libdeflate_gzip_compress_bound(compressor, body.size);
    room = oi_buffer_reserve(out, bound);
    if (room)
        out->size += libdeflate_gzip_compress(compressor, body.data, body.size, room, bound);
    libdeflate_free_compressor(compressor);
}

/* A first guess at what a gzip body holds, from its trailer; never more than `left`. */
static size_t
guess_size(struct oi_slice body, size_t left)
{
    struct oi_cursor trailer = oi_cursor_over(body);
    size_t guess;

    (void) oi_cursor_bytes(&trailer, body.size - 4);
    guess = oi_cursor_u32(&trailer);
    /* Deflate never gains more than a factor of 1032: a larger claim is damage or a lie. */
    if (guess / 1032 > body.size)
        guess = body.size;
    return guess < left ? guess : left;
}

/* Unpack the member at the front of `body`, trying larger rooms until it fits or must not. */
static enum oi_status
gunzip_member(struct libdeflate_decompressor *decompressor, struct oi_slice *body, size_t left,
              struct oi_buffer *out, struct oi_error *error)
{
    size_t room_size = guess_size(*body, left);

    for (;;) {
        char *room = oi_buffer_reserve(out, room_size);
        enum libdeflate_result result;
        size_t taken;
        size_t given;

        if (!room)
            return oi_fail(error, OI_E_FULL, "a gzip body larger than allowed");
        result = libdeflate_gzip_decompress_ex(decompressor, body->data, body->size, room,
                                               room_size, &taken, &given);
        switch (result) {
        case LIBDEFLATE_SUCCESS:
            out->size += given;
            body->data += taken;
            body->size -= taken;
            return OI_OK;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            if (room_size == left)
                return oi_fail(error, OI_E_FULL, "a gzip body larger than allowed");
            room_size = room_size < left / 2 ? room_size * 2 : left;
            if (room_size < STEP_SIZE)
                room_size = left < STEP_SIZE ? left : STEP_SIZE;
            break;
        case LIBDEFLATE_BAD_DATA:
        case LIBDEFLATE_SHORT_OUTPUT:
            return oi_fail(error, OI_E_CORRUPT, "a damaged gzip body");
        }
    }
}

enum oi_status
oi_gunzip(struct oi_slice body, size_t size_max, struct oi_buffer *out, struct oi_error *error)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    size_t start = out->size;
    enum oi_status status = OI_OK;

    oi_assert(decompressor);
    do {
        size_t left = room_left(out, start, size_max);

        if (body.size < GZIP_SIZE_MIN)
            status = oi_fail(error, OI_E_CORRUPT, "a gzip body that is cut off");
        else
            status = gunzip_member(decompressor, &body, left, out, error);
    } while (status == OI_OK && body.size > 0);
    libdeflate_free_decompressor(decompressor);
    return status;
}

void
oi_zstd(struct oi_slice body, int level, struct oi_buffer *out)
{
    size_t bound = ZSTD_compressBound(body.size);
    char *room = oi_buffer_reserve(out, bound);
    size_t size;

    if (!room)
        return;
    size = ZSTD_compress(room, bound, body.data, body.size, level);
    oi_assert(!ZSTD_isError(size));
    out->size += size;
}

struct oi_zstd_packer {
    ZSTD_CCtx *context;
};

struct oi_zstd_packer *
oi_zstd_packer_new(void)
{
    struct oi_zstd_packer *packer = oi_alloc(sizeof(*packer));

    packer->context = ZSTD_createCCtx();
    oi_assert(packer->context);
    return packer;
}

void
oi_zstd_packer_add(struct oi_zstd_packer *packer, struct oi_slice body, int level, int match_min,
                   struct oi_buffer *out)
{
    size_t bound = ZSTD_compressBound(body.size);
    char *room = oi_buffer_reserve(out, bound);
    size_t size;

    if (!room)
        return;
    size = ZSTD_CCtx_setParameter(packer->context, ZSTD_c_compressionLevel, level);
    oi_assert(!ZSTD_isError(size));
    size = ZSTD_CCtx_setParameter(packer->context, ZSTD_c_minMatch, match_min);
    oi_assert(!ZSTD_isError(size));
    size = ZSTD_compress2(packer->context, room, bound, body.data, body.size);
    oi_assert(!ZSTD_isError(size));
    out->size += size;
}

void
oi_zstd_packer_free(struct oi_zstd_packer **packer)
{
    if (!*packer)
        return;
    ZSTD_freeCCtx((*packer)->context);
    oi_free(*packer);
    *packer = NULL;
}

/* How much room to ask for: all of a frame whose header tells, which the library then unpacks in
 * one pass; a step else. */
static size_t
zstd_room(ZSTD_inBuffer input, size_t left)
{
    const char *at = (const char *) input.src + input.pos;
    unsigned long long size = ZSTD_getFrameContentSize(at, input.size - input.pos);

    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size < STEP_SIZE)
        return left < STEP_SIZE ? left : STEP_SIZE;
    return size < left ? (size_t) size : left;
}

enum oi_status
oi_unzstd(struct oi_slice body, size_t size_max, struct oi_buffer *out, struct oi_error *error)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer input = { body.data, body.size, 0 };
    size_t start = out->size;
    size_t hint = 0; /* 0: between frames */
    enum oi_status status = OI_OK;

    oi_assert(context);
    if (body.size == 0)
        status = oi_fail(error, OI_E_CORRUPT, "a zstd body that is cut off");
    while (status == OI_OK && (input.pos < input.size || hint > 0)) {
        size_t left = room_left(out, start, size_max);
        size_t before = input.pos;
        char one_too_many; /* tells a body that just fits from one that does not */
        ZSTD_outBuffer output = { &one_too_many, 1, 0 };

        if (left > 0) {
            output.size = hint == 0 ? zstd_room(input, left) : STEP_SIZE;
            output.size = output.size < left ? output.size : left;
            output.dst = oi_buffer_reserve(out, output.size);
        }
        hint = ZSTD_decompressStream(context, &output, &input);
        if (ZSTD_isError(hint))
            status =
                oi_fail(error, OI_E_CORRUPT, "a damaged zstd body: %s", ZSTD_getErrorName(hint));
        else if (output.pos > left)
            status = oi_fail(error, OI_E_FULL, "a zstd body larger than allowed");
        else if (hint > 0 && input.pos == before && output.pos == 0)
            status = oi_fail(error, OI_E_CORRUPT, "a zstd body that is cut off");
        else
            out->size += output.pos;
    }
    ZSTD_freeDCtx(context);
    return status;
}

static voidpf
zlib_alloc(voidpf, uInt count, uInt size)
{
    return oi_alloc_zero(count, size);
}

static void
zlib_free(voidpf, voidpf memory)
{
    oi_free(memory);
}

struct oi_gzip_stream {
    z_stream zlib;
};

/* windowBits: the largest window, with a gzip header and trailer around it. */
#define GZIP_WINDOW_BITS (15 + 16)

struct oi_gzip_stream *
oi_gzip_stream_new(int level)
{
    struct oi_gzip_stream *stream = oi_alloc_zero(1, sizeof(*stream));
    int failed;

    stream->zlib.zalloc = zlib_alloc;
    stream->zlib.zfree = zlib_free;
    failed = deflateInit2(&stream->zlib, level > 9 ? 9 : level, Z_DEFLATED, GZIP_WINDOW_BITS, 8,
                          Z_DEFAULT_STRATEGY);
    oi_assert(failed == Z_OK);
    return stream;
}

void
oi_gzip_stream_add(struct oi_gzip_stream *stream, struct oi_slice piece, bool is_last,
                   struct oi_buffer *out)
{
    z_stream *zlib = &stream->zlib;

    oi_assert(piece.size <= UINT32_MAX);
    zlib->next_in = (z_const Bytef *) piece.data;
    zlib->avail_in = (uInt) piece.size;
    do {
        size_t room_size = deflateBound(zlib, zlib->avail_in);
        int result;

        if (room_size > STEP_SIZE)
            room_size = STEP_SIZE;
        zlib->next_out = (Bytef *) oi_buffer_reserve(out, room_size);
        if (!zlib->next_out)
            return; /* the buffer says so itself */
        zlib->avail_out = (uInt) room_size;
        result = deflate(zlib, is_last ? Z_FINISH : Z_SYNC_FLUSH);
        oi_assert(result != Z_STREAM_ERROR);
        out->size += room_size - zlib->avail_out;
    } while (zlib->avail_out == 0);
}

void
oi_gzip_stream_free(struct oi_gzip_stream **stream)
{
    if (!*stream)
        return;
    (void) deflateEnd(&(*stream)->zlib);
    oi_free(*stream);
    *stream = NULL;
}

enum packing {
    PACKING_UNKNOWN,
    PACKING_NONE,
    PACKING_GZIP,
    PACKING_ZSTD,
};

/* Enough to tell: the magic number of zstd has four bytes. */
#define MAGIC_SIZE 4

struct oi_unpacker {
    enum packing packing;
    char head[MAGIC_SIZE]; /* the first bytes, while they do not tell yet */
    size_t head_size;
    uint64_t yielded;      /* bytes appended so far */
    bool is_between_parts; /* the last gzip member or zstd frame is complete */
    enum oi_status status; /* of the first failure, which lasts */
    z_stream zlib;
    ZSTD_DCtx *zstd;
};

struct oi_unpacker *
oi_unpacker_new(void)
{
    return oi_alloc_zero(1, sizeof(struct oi_unpacker));
}

void
oi_unpacker_free(struct oi_unpacker **unpacker)
{
    if (!*unpacker)
        return;
    if ((*unpacker)->packing == PACKING_GZIP)
        (void) inflateEnd(&(*unpacker)->zlib);
    ZSTD_freeDCtx((*unpacker)->zstd);
    oi_free(*unpacker);
    *unpacker = NULL;
}

static enum packing
packing_of(struct oi_slice head)
{
    struct oi_cursor cursor = oi_cursor_over(head);
    uint32_t magic = oi_cursor_u32(&cursor);

    if (head.size >= 2 && memcmp(head.data, "\x1F\x8B", 2) == 0)
        return PACKING_GZIP;
    if (magic == ZSTD_MAGICNUMBER ||
        (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START)
        return PACKING_ZSTD;
    return PACKING_NONE;
}

static void
begin_unpacking(struct oi_unpacker *unpacker, enum packing packing)
{
    int failed = Z_OK;

    unpacker->packing = packing;
    unpacker->is_between_parts = false;
    if (packing == PACKING_GZIP) {
        unpacker->zlib.zalloc = zlib_alloc;
        unpacker->zlib.zfree = zlib_free;
        failed = inflateInit2(&unpacker->zlib, GZIP_WINDOW_BITS);
        oi_assert(failed == Z_OK);
    } else if (packing == PACKING_ZSTD) {
        unpacker->zstd = ZSTD_createDCtx();
        oi_assert(unpacker->zstd);
    }
}

static enum oi_status
fail_unpacking(struct oi_unpacker *unpacker, enum oi_status status, const char *what,
               struct oi_error *error)
{
    unpacker->status = status;
    return oi_fail(error, status, "%s after %llu unpacked bytes", what,
                   (unsigned long long) unpacker->yielded);
}

static enum oi_status
add_plain(struct oi_unpacker *unpacker, struct oi_slice piece, struct oi_buffer *out,
          struct oi_error *error)
{
    if (piece.size > 0 && !oi_buffer_reserve(out, piece.size))
        return fail_unpacking(unpacker, OI_E_FULL, "no room", error);
    oi_buffer_add_slice(out, piece);
    unpacker->yielded += piece.size;
    return OI_OK;
}

/* Take the next step of a gzip file: one room's worth, or to the end of a member. */
static enum oi_status
step_gzip(struct oi_unpacker *unpacker, struct oi_buffer *out, struct oi_error *error)
{
    z_stream *zlib = &unpacker->zlib;
    size_t room_size;
    int result;

    if (unpacker->is_between_parts) {
        /* Some writers pad the file with zeros; gzip itself ignores them too. */
        while (zlib->avail_in > 0 && *zlib->next_in == 0) {
            zlib->next_in++;
            zlib->avail_in--;
        }
        if (zlib->avail_in == 0)
            return OI_OK;
        (void) inflateReset(zlib);
        unpacker->is_between_parts = false;
    }
    room_size = room_left(out, 0, STEP_SIZE + out->size);
    if (room_size == 0)
        return fail_unpacking(unpacker, OI_E_FULL, "no room", error);
    zlib->next_out = (Bytef *) oi_buffer_reserve(out, room_size);
    zlib->avail_out = (uInt) room_size;
    result = inflate(zlib, Z_NO_FLUSH);
    out->size += room_size - zlib->avail_out;
    unpacker->yielded += room_size - zlib->avail_out;
    if (result == Z_STREAM_END) {
        unpacker->is_between_parts = true;
        return OI_OK;
    }
    if (result != Z_OK && result != Z_BUF_ERROR)
        return fail_unpacking(unpacker, OI_E_CORRUPT, "a damaged gzip file", error);
    return OI_OK;
}

static enum oi_status
add_gzip(struct oi_unpacker *unpacker, struct oi_slice piece, struct oi_buffer *out,
         struct oi_error *error)
{
    z_stream *zlib = &unpacker->zlib;

    zlib->next_in = (z_const Bytef *) piece.data;
    zlib->avail_in = (uInt) piece.size;
    zlib->avail_out = 0;
    /* A full room may mean that there is more behind it. */
    while (zlib->avail_in > 0 || (zlib->avail_out == 0 && !unpacker->is_between_parts))
        OI_TRY(step_gzip(unpacker, out, error));
    return OI_OK;
}

static enum oi_status
add_zstd(struct oi_unpacker *unpacker, struct oi_slice piece, struct oi_buffer *out,
         struct oi_error *error)
{
    ZSTD_inBuffer input = { piece.data, piece.size, 0 };
    ZSTD_outBuffer output = {};

    while (input.pos < input.size || (output.pos == output.size && !unpacker->is_between_parts)) {
        size_t room_size = room_left(out, 0, STEP_SIZE + out->size);
        size_t hint;

        if (room_size == 0)
            return fail_unpacking(unpacker, OI_E_FULL, "no room", error);
        output = (ZSTD_outBuffer){ oi_buffer_reserve(out, room_size), room_size, 0 };
        hint = ZSTD_decompressStream(unpacker->zstd, &output, &input);
        out->size += output.pos;
        unpacker->yielded += output.pos;
        if (ZSTD_isError(hint))
            return fail_unpacking(unpacker, OI_E_CORRUPT, "a damaged zstd file", error);
        unpacker->is_between_parts = hint == 0;
    }
    return OI_OK;
}

static enum oi_status
unpack(struct oi_unpacker *unpacker, struct oi_slice piece, struct oi_buffer *out,
       struct oi_error *error)
{
    if (piece.size == 0)
        return OI_OK;
    switch (unpacker->packing) {
    case PACKING_GZIP:
        return add_gzip(unpacker, piece, out, error);
    case PACKING_ZSTD:
        return add_zstd(unpacker, piece, out, error);
    case PACKING_NONE:
    case PACKING_UNKNOWN:
        break;
    }
    return add_plain(unpacker, piece, out, error);
}

enum oi_status
oi_unpacker_add(struct oi_unpacker *unpacker, struct oi_slice piece, bool is_last,
                struct oi_buffer *out, struct oi_error *error)
{
    oi_assert(piece.size <= UINT32_MAX);
    if (unpacker->status != OI_OK)
        return fail_unpacking(unpacker, unpacker->status, "nothing more", error);
    if (unpacker->packing == PACKING_UNKNOWN) {
        while (unpacker->head_size < MAGIC_SIZE && piece.size > 0) {
            unpacker->head[unpacker->head_size++] = *piece.data++;
            piece.size--;
        }
        if (unpacker->head_size < MAGIC_SIZE && !is_last)
            return OI_OK;
        struct oi_slice head = { unpacker->head, unpacker->head_size };

        begin_unpacking(unpacker, packing_of(head));
        OI_TRY(unpack(unpacker, head, out, error));
    }
    OI_TRY(unpack(unpacker, piece, out, error));
    if (is_last && unpacker->packing != PACKING_NONE && !unpacker->is_between_parts)
        return fail_unpacking(unpacker, OI_E_CORRUPT, "the file is cut off", error);
    return OI_OK;
}

bool
oi_is_zip(struct oi_slice bytes)
{
    /* A file's local header, or the end record of an empty archive. */
    return bytes.size >= 4 &&
           (memcmp(bytes.data, "PK\x03\x04", 4) == 0 || memcmp(bytes.data, "PK\x05\x06", 4) == 0);
}

static void
close_zip(zip_t **archive)
{
    if (*archive)
        zip_discard(*archive);
}

static void
close_zip_file(zip_file_t **file)
{
    if (*file)
        (void) zip_fclose(*file);
}

static enum oi_status
open_zip(struct oi_slice bytes, zip_t **ret_archive, struct oi_error *error)
{
    zip_error_t why;
    zip_source_t *source;
    zip_t *archive = NULL;

    zip_error_init(&why);
    source = zip_source_buffer_create(bytes.data, bytes.size, 0, &why);
    if (source) {
        archive = zip_open_from_source(source, ZIP_RDONLY, &why);
        if (!archive)
            zip_source_free(source);
    }
    if (!archive)
        (void) oi_fail(error, OI_E_CORRUPT, "not a readable zip archive: %s",
                       zip_error_strerror(&why));
    zip_error_fini(&why);
    if (!archive)
        return OI_E_CORRUPT;
    *ret_archive = archive;
    return OI_OK;
}

/* The whole of one entry; what its header claims is only a hint. */
static enum oi_status
read_zip_entry(zip_t *archive, zip_uint64_t index, struct oi_buffer *content,
               struct oi_error *error)
{
    OI_CLEANUP(close_zip_file) zip_file_t *file = zip_fopen_index(archive, index, 0);
    zip_int64_t got;

    if (!file)
        return oi_fail(error, OI_E_CORRUPT, "cannot be unpacked: %s", zip_strerror(archive));
    do {
        size_t left = content->size_max - content->size;
        size_t room_size = left < STEP_SIZE ? left : STEP_SIZE;
        char *room = oi_buffer_reserve(content, room_size);

        oi_assert(room);
        got = zip_fread(file, room, room_size);
        if (got < 0)
            return oi_fail(error, OI_E_CORRUPT, "damaged: %s", zip_file_strerror(file));
        content->size += (size_t) got;
        /* The ceiling is one above what is allowed, so reaching it is too much. */
        if (content->size == content->size_max)
            return oi_fail(error, OI_E_FULL, "larger than allowed");
    } while (got > 0);
    return OI_OK;
}

enum oi_status
oi_zip_each(struct oi_slice archive_bytes, size_t size_max,
            enum oi_status (*each)(void *context, const char *name, struct oi_slice content,
                                   struct oi_error *error),
            void *context, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer content = { .size_max = size_max + 1 };
    OI_CLEANUP(close_zip) zip_t *archive = NULL;
    zip_int64_t count;

    oi_assert(size_max < OI_BUFFER_SIZE_MAX);
    OI_TRY(open_zip(archive_bytes, &archive, error));
    count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(archive, (zip_uint64_t) i, 0);
        enum oi_status status;

        if (!name)
            return oi_fail(error, OI_E_CORRUPT, "a zip entry without a name");
        if (oi_slice_ends_with(oi_slice_of(name), "/"))
            continue;
        oi_buffer_clear(&content);
        status = read_zip_entry(archive, (zip_uint64_t) i, &content, error);
        if (status != OI_OK)
            return oi_fail_in(error, status, "%s in the zip archive: ", name);
        OI_TRY(each(context, name, oi_buffer_slice(&content), error));
    }
    return OI_OK;
}
