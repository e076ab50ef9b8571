/*  keys.c - the keys of a cluster, the file that holds them, and tokens    */

#include "wire/keys.h"

#include "wire/private_file.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define FILE_PREFIX "troupe-keys1:"

/*  A cluster's id and two keys, which are what both a token and a file hold,
    with a checksum over them and the text before them.                     */
#define CHECKSUM_SIZE 6
#define PAYLOAD_SIZE (CLUSTER_ID_SIZE + 2 * KEY_SIZE)
#define SEALED_SIZE (PAYLOAD_SIZE + CHECKSUM_SIZE)
#define SEALED_TEXT_SIZE (4 * SEALED_SIZE / 3 + 1)
_Static_assert (SEALED_SIZE % 3 == 0, "base64 has no partial group at the end");

/*  Larger than any file or environment variable with a token.              */
#define FILE_SIZE_MAX 4096

static const int s_variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

/*  --- keys -------------------------------------------------------------  */

static int
s_sodium (fault_t *fault)
{
    if (sodium_init () < 0)
        return fault_set (fault, TROUPE_ESYSTEM, "libsodium finds no source of randomness");
    return 0;
}

int
keys_available (fault_t *fault)
{
    if (!zmq_has ("curve"))
        return fault_set (fault, TROUPE_ESYSTEM,
                          "this libzmq was built without CURVE, so nothing can be encrypted: "
                          "install one that was built with libsodium");
    return s_sodium (fault);
}

int
key_pair_new (key_pair_t *pair, fault_t *fault)
{
    if (s_sodium (fault))
        return -1;
    crypto_box_keypair (pair->public_key, pair->secret_key);
    return 0;
}

/*  Sets the public key that belongs to the secret one.                     */
static int
s_complete (key_pair_t *pair)
{
    return crypto_scalarmult_base (pair->public_key, pair->secret_key);
}

void
key_pair_wipe (key_pair_t *pair)
{
    sodium_memzero (pair, sizeof *pair);
}

void
cluster_keys_wipe (cluster_keys_t *keys)
{
    sodium_memzero (keys, sizeof *keys);
}

void
token_wipe (join_token_t *token)
{
    sodium_memzero (token, sizeof *token);
}

const char *
key_text (const uint8_t key [KEY_SIZE], char text [KEY_TEXT_SIZE])
{
    return zmq_z85_encode (text, key, KEY_SIZE);
}

const char *
cluster_text (const uint8_t cluster [CLUSTER_ID_SIZE], char text [CLUSTER_TEXT_SIZE])
{
    return sodium_bin2hex (text, CLUSTER_TEXT_SIZE, cluster, CLUSTER_ID_SIZE);
}

int
cluster_keys_new (cluster_keys_t *keys, fault_t *fault)
{
    if (key_pair_new (&keys->head, fault) || key_pair_new (&keys->admission, fault))
        return -1;
    randombytes_buf (keys->cluster, sizeof keys->cluster);
    return 0;
}

int
cluster_keys_renew_admission (cluster_keys_t *keys, fault_t *fault)
{
    return key_pair_new (&keys->admission, fault);
}

/*  --- sealed payloads --------------------------------------------------  */

static void
s_checksum (uint8_t *sum, const char *before, size_t length, const uint8_t *payload)
{
    uint8_t hash [crypto_generichash_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init (&state, NULL, 0, sizeof hash);
    crypto_generichash_update (&state, (const uint8_t *) before, length);
    crypto_generichash_update (&state, payload, PAYLOAD_SIZE);
    crypto_generichash_final (&state, hash, sizeof hash);
    memcpy (sum, hash, CHECKSUM_SIZE);
    sodium_memzero (&state, sizeof state);
    sodium_memzero (hash, sizeof hash);
}

/*  Puts the payload behind the text that is in text already.               */
static int
s_seal (char *text, size_t size, const uint8_t payload [PAYLOAD_SIZE], fault_t *fault)
{
    size_t length = strlen (text);
    if (s_sodium (fault))
        return -1;
    if (length + SEALED_TEXT_SIZE > size)
        return fault_set (fault, TROUPE_EINVAL, "the token gets too long");
    uint8_t sealed [SEALED_SIZE];
    memcpy (sealed, payload, PAYLOAD_SIZE);
    s_checksum (sealed + PAYLOAD_SIZE, text, length, payload);
    sodium_bin2base64 (text + length, size - length, sealed, sizeof sealed, s_variant);
    sodium_memzero (sealed, sizeof sealed);
    return 0;
}

/*  Takes the payload out of length bytes of text, from `start` on.         */
static int
s_unseal (uint8_t payload [PAYLOAD_SIZE], const char *text, size_t start, size_t length,
          const char *what, fault_t *fault)
{
    uint8_t sealed [SEALED_SIZE], sum [CHECKSUM_SIZE];
    size_t size = 0;
    const char *end = NULL;
    if (s_sodium (fault))
        return -1;
    int rc = 0;
    if (sodium_base642bin (sealed, sizeof sealed, text + start, length - start, NULL, &size,
                           &end, s_variant)
        || end != text + length || size != SEALED_SIZE)
        rc = fault_set (fault, TROUPE_EINVAL, "%s is incomplete or damaged: it should end in "
                                             "%d letters, digits, - and _, and has %zu there",
                        what, SEALED_TEXT_SIZE - 1, length - start);
    if (!rc) {
        s_checksum (sum, text, start, sealed);
        if (sodium_memcmp (sum, sealed + PAYLOAD_SIZE, CHECKSUM_SIZE))
            rc = fault_set (fault, TROUPE_EINVAL, "%s has a mistake in it: its checksum is wrong",
                            what);
    }
    if (!rc)
        memcpy (payload, sealed, PAYLOAD_SIZE);
    sodium_memzero (sealed, sizeof sealed);
    return rc;
}

/*  --- the file ---------------------------------------------------------  */

static int
s_save (const cluster_keys_t *keys, const char *path, bool only_new, fault_t *fault)
{
    uint8_t payload [PAYLOAD_SIZE];
    char line [sizeof FILE_PREFIX + 2 * SEALED_SIZE] = FILE_PREFIX;
    char text [FILE_SIZE_MAX];
    memcpy (payload, keys->cluster, CLUSTER_ID_SIZE);
    memcpy (payload + CLUSTER_ID_SIZE, keys->head.secret_key, KEY_SIZE);
    memcpy (payload + CLUSTER_ID_SIZE + KEY_SIZE, keys->admission.secret_key, KEY_SIZE);
    int rc = s_seal (line, sizeof line, payload, fault);
    if (!rc) {
        snprintf (text, sizeof text,
                  "# The keys of a Troupe cluster. Who has this file controls the cluster.\n%s\n",
                  line);
        rc = private_file_write (path, text, only_new, fault);
    }
    sodium_memzero (payload, sizeof payload);
    sodium_memzero (line, sizeof line);
    sodium_memzero (text, sizeof text);
    return rc;
}

int
cluster_keys_save (const cluster_keys_t *keys, const char *path, fault_t *fault)
{
    return s_save (keys, path, false, fault);
}

/*  The first line that is not a comment, without spaces around it.         */
static const char *
s_line (const char *text, size_t *length)
{
    while (isspace ((unsigned char) *text) || *text == '#') {
        if (*text == '#')
            text += strcspn (text, "\n");
        else
            text++;
    }
    *length = strcspn (text, "\n");
    while (*length && isspace ((unsigned char) text [*length - 1]))
        --*length;
    return text;
}

/*  The keys that a line holds.                                             */
static int
s_parse_keys (cluster_keys_t *keys, const char *line, size_t length, const char *path,
              fault_t *fault)
{
    size_t start = strlen (FILE_PREFIX);
    if (length < start || memcmp (line, FILE_PREFIX, start))
        return fault_set (fault, TROUPE_EINVAL, "%s does not hold the keys of a cluster", path);
    uint8_t payload [PAYLOAD_SIZE];
    if (s_unseal (payload, line, start, length, path, fault))
        return -1;
    memcpy (keys->cluster, payload, CLUSTER_ID_SIZE);
    memcpy (keys->head.secret_key, payload + CLUSTER_ID_SIZE, KEY_SIZE);
    memcpy (keys->admission.secret_key, payload + CLUSTER_ID_SIZE + KEY_SIZE, KEY_SIZE);
    sodium_memzero (payload, sizeof payload);
    if (s_complete (&keys->head) || s_complete (&keys->admission))
        return fault_set (fault, TROUPE_EINVAL, "%s holds no valid keys", path);
    return 0;
}

int
cluster_keys_load (cluster_keys_t *keys, const char *path, fault_t *fault)
{
    char text [FILE_SIZE_MAX];
    int rc = private_file_read (path, text, sizeof text, fault);
    if (!rc)
        rc = private_file_check_folder (path, fault);
    if (!rc) {
        size_t length;
        const char *line = s_line (text, &length);
        rc = s_parse_keys (keys, line, length, path, fault);
    }
    sodium_memzero (text, sizeof text);
    if (rc)
        cluster_keys_wipe (keys);
    return rc;
}

int
cluster_keys_open (cluster_keys_t *keys, const char *path, fault_t *fault)
{
    int rc = cluster_keys_load (keys, path, fault);
    if (!rc || fault->code != TROUPE_ENAME)
        return rc;
    rc = cluster_keys_new (keys, fault);
    if (!rc)
        rc = s_save (keys, path, true, fault);
    /*  Another process was faster: its keys are the ones.                  */
    if (rc && fault->code == TROUPE_EEXISTS)
        rc = cluster_keys_load (keys, path, fault);
    if (rc)
        cluster_keys_wipe (keys);
    return rc;
}

/*  --- tokens -----------------------------------------------------------  */

static bool
s_host_valid (const char *host, size_t length)
{
    for (size_t index = 0; index < length; index++) {
        unsigned char c = (unsigned char) host [index];
        if (c >= 0x80 || (!isalnum (c) && !strchr (".-_:%", c)))
            return false;
    }
    return length > 0 && length <= HOST_MAX;
}

int
token_make (join_token_t *token, const cluster_keys_t *keys, const char *host, uint16_t port,
            fault_t *fault)
{
    size_t length = strlen (host);
    *token = (join_token_t){ .port = port, .admission = keys->admission };
    if (length > 2 && host [0] == '[' && host [length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (!s_host_valid (host, length) || !port) {
        token_wipe (token);
        return fault_set (fault, TROUPE_EINVAL, "'%.60s' port %u is no address for a token", host,
                          port);
    }
    memcpy (token->host, host, length);
    memcpy (token->cluster, keys->cluster, CLUSTER_ID_SIZE);
    memcpy (token->head_key, keys->head.public_key, KEY_SIZE);
    return 0;
}

int
token_write (const join_token_t *token, char text [TOKEN_TEXT_SIZE], fault_t *fault)
{
    uint8_t payload [PAYLOAD_SIZE];
    bool brackets = strchr (token->host, ':') != NULL;
    snprintf (text, TOKEN_TEXT_SIZE, TOKEN_PREFIX "%s%s%s:%u:", brackets ? "[" : "", token->host,
              brackets ? "]" : "", token->port);
    memcpy (payload, token->cluster, CLUSTER_ID_SIZE);
    memcpy (payload + CLUSTER_ID_SIZE, token->head_key, KEY_SIZE);
    memcpy (payload + CLUSTER_ID_SIZE + KEY_SIZE, token->admission.secret_key, KEY_SIZE);
    int rc = s_seal (text, TOKEN_TEXT_SIZE, payload, fault);
    sodium_memzero (payload, sizeof payload);
    if (rc)
        sodium_memzero (text, TOKEN_TEXT_SIZE);
    return rc;
}

/*  Reads HOST:PORT: and moves *place behind it.                            */
static int
s_read_address (join_token_t *token, const char **place, const char *end)
{
    const char *host = *place;
    const char *host_end;
    if (host < end && *host == '[') {
        host++;
        host_end = memchr (host, ']', (size_t) (end - host));
        *place = host_end ? host_end + 1 : end;
    } else
        *place = host_end = memchr (host, ':', (size_t) (end - host));
    if (!host_end || *place >= end || **place != ':'
        || !s_host_valid (host, (size_t) (host_end - host)))
        return -1;
    memcpy (token->host, host, (size_t) (host_end - host));
    unsigned port = 0;
    const char *digit = *place + 1;
    for (; digit < end && isdigit ((unsigned char) *digit) && port <= UINT16_MAX; digit++)
        port = port * 10 + (unsigned) (*digit - '0');
    if (digit >= end || *digit != ':' || port == 0 || port > UINT16_MAX)
        return -1;
    token->port = (uint16_t) port;
    *place = digit + 1;
    return 0;
}

static int
s_parse_token (join_token_t *token, const char *line, size_t length, fault_t *fault)
{
    size_t prefix = strlen (TOKEN_PREFIX);
    if (length < prefix || memcmp (line, TOKEN_PREFIX, prefix))
        return fault_set (fault, TROUPE_EINVAL, "this is no token: one begins with '%s'",
                          TOKEN_PREFIX);
    if (length >= TOKEN_TEXT_SIZE)
        return fault_set (fault, TROUPE_EINVAL, "this is no token: it is too long");
    const char *place = line + prefix;
    if (s_read_address (token, &place, line + length))
        return fault_set (fault, TROUPE_EINVAL, "the token has a mistake in its address: it should "
                                               "be like '%sHOST:PORT:...'", TOKEN_PREFIX);
    uint8_t payload [PAYLOAD_SIZE];
    if (s_unseal (payload, line, (size_t) (place - line), length, "the token", fault))
        return -1;
    memcpy (token->cluster, payload, CLUSTER_ID_SIZE);
    memcpy (token->head_key, payload + CLUSTER_ID_SIZE, KEY_SIZE);
    memcpy (token->admission.secret_key, payload + CLUSTER_ID_SIZE + KEY_SIZE, KEY_SIZE);
    sodium_memzero (payload, sizeof payload);
    if (s_complete (&token->admission))
        return fault_set (fault, TROUPE_EINVAL, "the token holds no valid keys");
    return 0;
}

int
token_read (join_token_t *token, const char *text, fault_t *fault)
{
    size_t length;
    const char *line = s_line (text, &length);
    *token = (join_token_t){ .port = 0 };
    int rc = s_parse_token (token, line, length, fault);
    if (rc)
        token_wipe (token);
    return rc;
}

int
token_read_file (join_token_t *token, const char *path, fault_t *fault)
{
    char text [FILE_SIZE_MAX];
    int rc = private_file_read (path, text, sizeof text, fault);
    if (!rc && token_read (token, text, fault))
        rc = fault_prefix (fault, "%s", path);
    sodium_memzero (text, sizeof text);
    if (rc)
        token_wipe (token);
    return rc;
}

int
token_find (join_token_t *token, const char *argument, fault_t *fault)
{
    const char *variable = getenv ("TROUPE_TOKEN");
    const char *text = argument ? argument : variable;
    token_wipe (token);
    if (!text || !*text)
        return fault_set (fault, TROUPE_ENAME, "no token: give the one that 'troupe start --head' "
                                               "printed, or set TROUPE_TOKEN to it or to a file "
                                               "with it");
    while (isspace ((unsigned char) *text))
        text++;
    bool is_token = strncmp (text, TOKEN_PREFIX, strlen (TOKEN_PREFIX)) == 0;
    int rc = is_token ? token_read (token, text, fault) : token_read_file (token, text, fault);
    if (rc && !is_token && fault->code == TROUPE_ENAME)
        fault_set (
            fault, TROUPE_ENAME,
            "'%.100s' is no token, which begins with '%s', and there is no file of that name",
            text, TOKEN_PREFIX);
    if (rc && !argument)
        fault_prefix (fault, "TROUPE_TOKEN");
    return rc;
}
