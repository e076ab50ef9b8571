/*  keys.h - the keys of a cluster, the file that holds them, and the token
    that lets somebody in

    All keys are CURVE keys of 32 bytes. A cluster has two pairs: the head's,
    by which clients know that it is the head, and the admission pair, which
    everybody uses who was given the token. Functions return 0, or -1 with the
    fault set, and whatever they fill is wiped if they fail.                */

#ifndef TROUPE_WIRE_KEYS_H
#define TROUPE_WIRE_KEYS_H

#include "core/error.h"

#define KEY_SIZE 32
#define CLUSTER_ID_SIZE 8

/*  Room for a key in Z85, and for the id of a cluster in hexadecimal.      */
#define KEY_TEXT_SIZE 41
#define CLUSTER_TEXT_SIZE (2 * CLUSTER_ID_SIZE + 1)

/*  The longest host name of DNS, and room for any token with its NUL.      */
#define HOST_MAX 253
#define TOKEN_TEXT_SIZE 512

typedef struct {
    uint8_t public_key [KEY_SIZE];
    uint8_t secret_key [KEY_SIZE];
} key_pair_t;

typedef struct {
    uint8_t cluster [CLUSTER_ID_SIZE];
    key_pair_t head;
    key_pair_t admission;
} cluster_keys_t;

/*  What a token says: where the head is, by which key to know it, and the
    pair that it lets in. The token itself has the secret key alone.        */
typedef struct {
    char host [HOST_MAX + 1];       /*  IPv6 without its brackets           */
    uint16_t port;
    uint8_t cluster [CLUSTER_ID_SIZE];
    uint8_t head_key [KEY_SIZE];
    key_pair_t admission;
} join_token_t;

/*  Fails, saying so, if this libzmq was built without CURVE.               */
int keys_available (fault_t *fault);

/*  A fresh pair, for a process of the cluster.                             */
int key_pair_new (key_pair_t *pair, fault_t *fault);

/*  Memory that held a secret.                                              */
void key_pair_wipe (key_pair_t *pair);
void cluster_keys_wipe (cluster_keys_t *keys);
void token_wipe (join_token_t *token);

/*  For people to read. Public keys only.                                   */
const char *key_text (const uint8_t key [KEY_SIZE], char text [KEY_TEXT_SIZE]);
const char *cluster_text (const uint8_t cluster [CLUSTER_ID_SIZE],
                          char text [CLUSTER_TEXT_SIZE]);

/*  A new cluster's keys and id.                                            */
int cluster_keys_new (cluster_keys_t *keys, fault_t *fault);

/*  Writes the file (0600) through a temporary one beside it, so that it is
    whole or as it was; makes its folder (0700) if it is not there, but not
    the folders above it.                                                   */
int cluster_keys_save (const cluster_keys_t *keys, const char *path, fault_t *fault);

/*  Reads the file. Refuses, saying why, one that is not a plain file, is not
    ours, that others may read or write, or whose folder others may write to;
    and one that is damaged.                                                */
int cluster_keys_load (cluster_keys_t *keys, const char *path, fault_t *fault);

/*  Reads the file, or if there is none makes keys and saves them. Of several
    processes that do so at once, all end with the same keys.               */
int cluster_keys_open (cluster_keys_t *keys, const char *path, fault_t *fault);

/*  A new admission pair: tokens given so far let nobody in any more.       */
int cluster_keys_renew_admission (cluster_keys_t *keys, fault_t *fault);

/*  Fills what a token says, for a head at this host and port.              */
int token_make (join_token_t *token, const cluster_keys_t *keys, const char *host, uint16_t port,
                fault_t *fault);

#define TOKEN_PREFIX "troupe1:"

/*  The token as one line, "troupe1:HOST:PORT:...", without a line end. The
    text is a secret: wipe it (sodium_memzero) after use.                   */
int token_write (const join_token_t *token, char text [TOKEN_TEXT_SIZE], fault_t *fault);

/*  Reads a token; spaces and line ends around it do not matter. A typo in any
    part of it is an error that says so.                                    */
int token_read (join_token_t *token, const char *text, fault_t *fault);

/*  Reads a token out of a file, which must be as private as that of the keys
    (its folder need not be).                                               */
int token_read_file (join_token_t *token, const char *path, fault_t *fault);

/*  Finds a token: the argument, which is a token or the path of a file with
    one; if it is NULL the environment's TROUPE_TOKEN, the same; if there is
    none, fails with TROUPE_ENAME.                                          */
int token_find (join_token_t *token, const char *argument, fault_t *fault);

#endif
