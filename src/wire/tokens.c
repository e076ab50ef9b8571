/*  tokens.c - the named admission pairs of a cluster, and their file       */

#include "wire/tokens.h"

#include "core/bytes.h"
#include "wire/private_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*  A line: name, public key and cookie in hexadecimal.                     */
#define LINE_MAX_SIZE 256
#define FILE_ROOM ((size_t) TOKENS_MAX * LINE_MAX_SIZE)
#define REVOKED "!" TOKEN_DEFAULT

void
token_cookie (const key_pair_t *admission, uint8_t cookie [COOKIE_SIZE])
{
    static const char purpose [] = "troupe cookie";
    crypto_generichash (cookie, COOKIE_SIZE, admission->secret_key, KEY_SIZE,
                        (const unsigned char *) purpose, sizeof purpose - 1);
}

/*  --- the file ---------------------------------------------------------  */

static int
s_write_line (bytes_t *text, const admission_t *admission)
{
    char line [LINE_MAX_SIZE], key [2 * KEY_SIZE + 1], cookie [2 * COOKIE_SIZE + 1];
    sodium_bin2hex (key, sizeof key, admission->key, KEY_SIZE);
    sodium_bin2hex (cookie, sizeof cookie, admission->cookie, COOKIE_SIZE);
    int length = snprintf (line, sizeof line, "%s %s %s\n", admission->name, key, cookie);
    return bytes_append (text, line, (size_t) length);
}

static int
s_save (const tokens_t *self, fault_t *fault)
{
    static const char head [] = "# Tokens of a Troupe cluster: name, public key, cookie.\n";
    bytes_t text = { 0 };
    if (!self->path)
        return 0;
    bytes_append (&text, head, sizeof head - 1);
    if (self->default_revoked)
        bytes_append (&text, REVOKED "\n", sizeof REVOKED);
    for (size_t index = 0; index < self->count; index++)
        s_write_line (&text, &self->list [index]);
    bytes_append (&text, "", 1);
    int rc = text.failed ? fault_set (fault, TROUPE_ENOMEM, "no memory for the tokens")
                         : private_file_write (self->path, (const char *) text.data, false,
                                               fault);
    bytes_release (&text);
    return rc;
}

static bool
s_is_name (const char *name)
{
    static const char letters [] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789._-";
    size_t length = strlen (name);
    return length && length <= TOKEN_NAME_MAX && strspn (name, letters) == length;
}

static int
s_append (tokens_t *self, const admission_t *admission)
{
    admission_t *grown = realloc (self->list, (self->count + 1) * sizeof *grown);
    if (!grown)
        return -1;
    self->list = grown;
    self->list [self->count++] = *admission;
    return 0;
}

/*  Returns 0, or -1: malformed.                                            */
static int
s_parse_line (tokens_t *self, char *line)
{
    admission_t admission = { .name = "" };
    size_t key = 0, cookie = 0;
    char *save = NULL;
    const char *name = strtok_r (line, " ", &save), *first = strtok_r (NULL, " ", &save);
    const char *second = strtok_r (NULL, " ", &save);
    if (!name || strcmp (name, REVOKED) == 0) {
        self->default_revoked = self->default_revoked || name;
        return 0;
    }
    if (!second || !s_is_name (name) || tokens_find (self, name) || self->count >= TOKENS_MAX
        || sodium_hex2bin (admission.key, KEY_SIZE, first, strlen (first), NULL, &key, NULL)
        || sodium_hex2bin (admission.cookie, COOKIE_SIZE, second, strlen (second), NULL, &cookie,
                           NULL)
        || key != KEY_SIZE || cookie != COOKIE_SIZE)
        return -1;
    memcpy (admission.name, name, strlen (name) + 1);
    return s_append (self, &admission);
}

int
tokens_open (tokens_t *self, const char *path, fault_t *fault)
{
    char *text = malloc (FILE_ROOM), *save = NULL;
    self->path = strdup (path);
    if (!text || !self->path) {
        free (text);
        return fault_set (fault, TROUPE_ENOMEM, "no memory for the tokens");
    }
    int rc = private_file_read (path, text, FILE_ROOM, fault);
    if (rc && fault->code == TROUPE_ENAME) {
        free (text);
        return 0;
    }
    unsigned number = 0;
    for (char *line = rc ? NULL : strtok_r (text, "\n", &save); line;
         line = strtok_r (NULL, "\n", &save)) {
        number++;
        if (*line != '#' && s_parse_line (self, line)) {
            rc = fault_set (fault, TROUPE_EINVAL, "%s, line %u, is damaged", path, number);
            break;
        }
    }
    free (text);
    return rc;
}

/*  --- changes ----------------------------------------------------------  */

const admission_t *
tokens_find (const tokens_t *self, const char *name)
{
    for (size_t index = 0; index < self->count; index++)
        if (strcmp (self->list [index].name, name) == 0)
            return &self->list [index];
    return NULL;
}

int
tokens_add (tokens_t *self, const char *name, key_pair_t *pair, fault_t *fault)
{
    admission_t admission = { .name = "" };
    if (!s_is_name (name) || strcmp (name, TOKEN_DEFAULT) == 0)
        return fault_set (fault, TROUPE_EINVAL,
                          "'%.64s' is no name for a token: wanted letters, digits, . _ -, and "
                          "not \"" TOKEN_DEFAULT "\"",
                          name);
    if (tokens_find (self, name))
        return fault_set (fault, TROUPE_EEXISTS, "there is a token named '%s' already", name);
    if (self->count >= TOKENS_MAX)
        return fault_set (fault, TROUPE_ELIMIT, "there are %d tokens already", TOKENS_MAX);
    if (key_pair_new (pair, fault))
        return -1;
    memcpy (admission.name, name, strlen (name) + 1);
    memcpy (admission.key, pair->public_key, KEY_SIZE);
    token_cookie (pair, admission.cookie);
    int rc = s_append (self, &admission)
                 ? fault_set (fault, TROUPE_ENOMEM, "no memory for a token")
                 : 0;
    if (rc == 0 && s_save (self, fault)) {
        self->count--;
        rc = -1;
    }
    if (rc)
        key_pair_wipe (pair);
    return rc;
}

static int
s_revoke_default (tokens_t *self, fault_t *fault)
{
    if (self->default_revoked)
        return fault_set (fault, TROUPE_EEXISTS, "the default token is revoked already");
    self->default_revoked = true;
    if (s_save (self, fault) == 0)
        return 0;
    self->default_revoked = false;
    return -1;
}

int
tokens_revoke (tokens_t *self, const char *name, fault_t *fault)
{
    if (strcmp (name, TOKEN_DEFAULT) == 0)
        return s_revoke_default (self, fault);
    const admission_t *found = tokens_find (self, name);
    if (!found)
        return fault_set (fault, TROUPE_ENAME, "there is no token named '%.64s'", name);
    size_t place = (size_t) (found - self->list);
    admission_t gone = *found;
    self->list [place] = self->list [--self->count];
    if (s_save (self, fault) == 0)
        return 0;
    self->list [self->count++] = self->list [place];
    self->list [place] = gone;
    return -1;
}

void
tokens_release (tokens_t *self)
{
    free (self->path);
    free (self->list);
    *self = (tokens_t){ 0 };
}
