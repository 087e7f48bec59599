#include "base/seal.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16, FILE_MAX = 200, PLACE_MAX = 512 };
#define PREFIX   STR("sealed:v1:")
#define VARIABLE "PLATEN_SECRET_KEY"

struct Seal {
    unsigned char key[KEY_BYTES];
};

void seal_wipe(void *bytes, size_t size)
{
    OPENSSL_cleanse(bytes, size);
}

/* ---- base64 ---- */

static size_t encoded_len(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* -1: it is no base64, or not the way the same bytes are written here. `out` has room for
 * len / 4 * 3 bytes. */
static int decode(Str text, unsigned char *out)
{
    unsigned char last[5];
    int pad = 0;
    if (text.len == 0 || text.len % 4 != 0 || text.len > INT32_MAX)
        return -1;
    while (pad < 2 && text.ptr[text.len - 1 - (size_t)pad] == '=')
        pad++;
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.ptr, (int)text.len);
    if (n < 3)
        return -1;
    EVP_EncodeBlock(last, out + n - 3, 3 - pad);
    return memcmp(last, text.ptr + text.len - 4, 4) == 0 ? n - pad : -1;
}

/* ---- the key ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_hex(Str text, unsigned char key[KEY_BYTES])
{
    if (text.len != (size_t)2 * KEY_BYTES)
        return false;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = hex_digit(text.ptr[2 * i]), low = hex_digit(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static bool read_key(Str text, unsigned char key[KEY_BYTES])
{
    unsigned char raw[FILE_MAX];
    text = str_trim(text);
    if (read_hex(text, key))
        return true;
    bool ok = text.len < FILE_MAX && decode(text, raw) == KEY_BYTES;
    if (ok)
        memcpy(key, raw, KEY_BYTES);
    seal_wipe(raw, sizeof raw);
    return ok;
}

static ErrCode random_bytes(void *to, size_t n, Err *err)
{
    if (fault_hit("seal.random") || getrandom(to, n, 0) != (ssize_t)n)
        return err_set(err, ERR_INTERNAL, "no random bytes for a key");
    return OK;
}

static ErrCode write_part(const char *part, const unsigned char key[KEY_BYTES], Err *err)
{
    unsigned char text[64];
    int n = EVP_EncodeBlock(text, key, KEY_BYTES);
    text[n++] = '\n';
    unlink(part);
    CLEANUP(fd_close) int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ErrCode rc = fd >= 0 ? fd_write_all(fd, text, (size_t)n, err)
                         : err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", part);
    if (rc == OK && fsync(fd) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not sync \"%s\"", part);
    seal_wipe(text, sizeof text);
    return rc;
}

static void sync_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) : 1,
             slash != NULL ? path : ".");
    CLEANUP(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

/* On disk before anything is sealed with it: there whole, or not at all. */
static ErrCode make_key(const char *path, unsigned char key[KEY_BYTES], Err *err)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return err_set(err, ERR_IO, "the data folder's name is too long");
    ErrCode rc = random_bytes(key, KEY_BYTES, err);
    if (rc == OK)
        rc = write_part(part, key, err);
    if (rc == OK && rename(part, path) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", path);
    if (rc == OK)
        sync_folder(path);
    return rc;
}

static ErrCode load_key(const char *path, unsigned char key[KEY_BYTES], Err *err)
{
    char text[FILE_MAX];
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return make_key(path, key, err);
    ssize_t n = fd >= 0 ? pread(fd, text, sizeof text, 0) : -1;
    if (n < 0)
        return err_set_errno(err, ERR_IO, errno, "could not read \"%s\"", path);
    bool ok = read_key((Str){text, (size_t)n}, key);
    seal_wipe(text, sizeof text);
    return ok ? OK : err_set(err, ERR_SECRET_KEY, "there is no key in \"%s\"", path);
}

ErrCode seal_open(const char *path, Seal **out, Err *err)
{
    const char *variable = getenv(VARIABLE);
    Seal *s = fault_hit("seal.memory") ? NULL : calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a key");
    ErrCode rc = OK;
    if (variable != NULL && variable[0] != 0)
        rc = read_key(str_from_c(variable), s->key)
                 ? OK
                 : err_set(err, ERR_SECRET_KEY,
                           VARIABLE " is not a key: 64 hex digits, or 32 bytes in base64");
    else
        rc = path != NULL ? load_key(path, s->key, err) : random_bytes(s->key, KEY_BYTES, err);
    *out = s;
    if (rc != OK)
        seal_close(out);
    return rc;
}

void seal_close(Seal **s)
{
    if (*s != NULL)
        seal_wipe(*s, sizeof **s);
    free(*s);
    *s = NULL;
}

/* ---- texts ---- */

static void context_done(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

static int place_text(const SealPlace *p, char out[PLACE_MAX])
{
    int n = snprintf(out, PLACE_MAX, "platen/v1/%" PRId64 "/%s/%" PRId64 "/" STR_FMT, p->project,
                     p->kind, p->owner, STR_ARG(p->name));
    return n < PLACE_MAX ? n : PLACE_MAX - 1;
}

static bool encrypt(const Seal *s, const SealPlace *where, Str clear, unsigned char *raw)
{
    char place[PLACE_MAX];
    int n = 0, end = 0, place_len = place_text(where, place);
    CLEANUP(context_done) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char *text = raw + NONCE_BYTES;
    return c != NULL && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, s->key, raw) == 1 &&
           EVP_EncryptUpdate(c, NULL, &n, (const unsigned char *)place, place_len) == 1 &&
           EVP_EncryptUpdate(c, text, &n, (const unsigned char *)clear.ptr, (int)clear.len) == 1 &&
           EVP_EncryptFinal_ex(c, text + n, &end) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + clear.len) == 1;
}

static bool decrypt(const Seal *s, const SealPlace *where, unsigned char *raw, size_t len,
                    unsigned char *out)
{
    char place[PLACE_MAX];
    int n = 0, end = 0, place_len = place_text(where, place);
    CLEANUP(context_done) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    size_t text_len = len - NONCE_BYTES - TAG_BYTES;
    unsigned char *text = raw + NONCE_BYTES;
    return c != NULL && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, s->key, raw) == 1 &&
           EVP_DecryptUpdate(c, NULL, &n, (const unsigned char *)place, place_len) == 1 &&
           EVP_DecryptUpdate(c, out, &n, text, (int)text_len) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, text + text_len) == 1 &&
           EVP_DecryptFinal_ex(c, out + n, &end) == 1;
}

bool seal_is(Str text)
{
    return str_starts(text, PREFIX);
}

static ErrCode no_key(Err *err)
{
    return err_set(err, ERR_SECRET_KEY, "no key was opened");
}

ErrCode seal_text(const Seal *s, const SealPlace *where, Str clear, Arena *a, Str *out, Err *err)
{
    if (s == NULL)
        return no_key(err);
    if (clear.len > SEAL_CLEAR_MAX)
        return err_set(err, ERR_INPUT_TOO_LARGE, "%zu bytes to be sealed, the limit is %d",
                       clear.len, SEAL_CLEAR_MAX);
    size_t raw_len = NONCE_BYTES + clear.len + TAG_BYTES;
    size_t len = PREFIX.len + encoded_len(raw_len);
    unsigned char *raw = arena_alloc_raw(a, raw_len);
    char *text = arena_alloc_raw(a, len + 1);
    if (raw == NULL || text == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a sealed text");
    ErrCode rc = random_bytes(raw, NONCE_BYTES, err);
    if (rc != OK)
        return rc;
    if (fault_hit("seal.cipher") || !encrypt(s, where, clear, raw))
        return err_set(err, ERR_INTERNAL, "could not seal a text");
    memcpy(text, PREFIX.ptr, PREFIX.len);
    EVP_EncodeBlock((unsigned char *)text + PREFIX.len, raw, (int)raw_len);
    *out = (Str){text, len};
    return OK;
}

ErrCode seal_read(const Seal *s, const SealPlace *where, Str sealed, Arena *a, Str *out, Err *err)
{
    if (s == NULL)
        return no_key(err);
    Str text = str_slice(sealed, PREFIX.len, sealed.len);
    unsigned char *raw = arena_alloc_raw(a, text.len / 4 * 3 + 1);
    char *clear = arena_alloc_raw(a, text.len / 4 * 3 + 1);
    if (raw == NULL || clear == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a sealed text");
    int len = seal_is(sealed) ? decode(text, raw) : -1;
    if (len < NONCE_BYTES + TAG_BYTES || fault_hit("seal.cipher") ||
        !decrypt(s, where, raw, (size_t)len, (unsigned char *)clear))
        return err_set(err, ERR_SECRET_KEY, "a sealed %s does not open with this key", where->kind);
    *out = (Str){clear, (size_t)len - NONCE_BYTES - TAG_BYTES};
    return OK;
}
