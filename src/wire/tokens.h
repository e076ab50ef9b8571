/*  tokens.h - who was given a token of their own: the named admission pairs
    of a cluster, and the file that keeps them

    A cluster's keys have one admission pair, which the token has that its head
    prints. Further pairs have a name each, so that what joined by one can be
    shut out without the others. The file has public keys and cookies only: a
    token is shown once, when it is made.                                   */

#ifndef TROUPE_WIRE_TOKENS_H
#define TROUPE_WIRE_TOKENS_H

#include "wire/identity.h"
#include "wire/keys.h"

/*  The name of the cluster's own admission pair.                           */
#define TOKEN_DEFAULT "default"

#define TOKEN_NAME_MAX 63
#define TOKENS_MAX 4096

typedef struct {
    char name [TOKEN_NAME_MAX + 1];
    uint8_t key [KEY_SIZE];
    uint8_t cookie [COOKIE_SIZE];
} admission_t;

/*  Zeroed is empty.                                                        */
typedef struct {
    char *path;                 /*  of the file; NULL: kept in memory only  */
    admission_t *list;
    size_t count;
    bool default_revoked;
} tokens_t;

/*  What everybody who knows the secret of an admission pair can show.      */
void token_cookie (const key_pair_t *admission, uint8_t cookie [COOKIE_SIZE]);

/*  Reads the file, if there is one. Returns 0, or -1 with the fault set.   */
int tokens_open (tokens_t *self, const char *path, fault_t *fault);

/*  Makes a pair and notes it under the name: letters, digits, "._-". Returns
    0, or -1 with the fault set: the name is taken or malformed, there are too
    many, or the file cannot be written; then all is as before.             */
int tokens_add (tokens_t *self, const char *name, key_pair_t *pair, fault_t *fault);

/*  Forgets a pair, after which it is to be let in no more; of the default one,
    notes that. Returns 0, or -1 with the fault set, as above.              */
int tokens_revoke (tokens_t *self, const char *name, fault_t *fault);

/*  NULL if there is none of the name.                                      */
const admission_t *tokens_find (const tokens_t *self, const char *name);

void tokens_release (tokens_t *self);

#endif
