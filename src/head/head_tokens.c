/*  head_tokens.c - the head's shell: by which token processes come, tokens
    made, and those who have one shut out                                    */

#include "head/head_shell.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/*  In constant time.                                                       */
static bool
s_is_cookie (const uint8_t *cookie, const record_t *record)
{
    uint8_t difference = 0;
    for (size_t index = 0; index < COOKIE_SIZE; index++)
        difference |= (uint8_t) (record->body [index] ^ cookie [index]);
    return difference == 0;
}

/*  Who came by a token of its own shows the cookie that this one has, or that
    of the cluster, which it was told when it first joined.                 */
bool
head_may_join (head_t *self, const record_t *record, zmq_msg_t *message,
               char name [TOKEN_NAME_MAX + 1])
{
    const char *shown = self->tokens ? peer_name_of (message) : NULL;
    snprintf (name, TOKEN_NAME_MAX + 1, "%s", shown ? shown : "");
    if (record->type != RECORD_HELLO || record->body_size < COOKIE_SIZE)
        return false;
    if (!*name)
        return s_is_cookie (self->cookie, record);
    if (strcmp (name, TOKEN_DEFAULT) == 0)
        return !self->tokens->default_revoked && s_is_cookie (self->cookie, record);
    const admission_t *admission = tokens_find (self->tokens, name);
    return admission
           && (s_is_cookie (admission->cookie, record) || s_is_cookie (self->cookie, record));
}

/*  --- orders -----------------------------------------------------------  */

static void
s_answer_text (head_t *self, peer_t *peer, tid_t id, const char *text)
{
    bytes_t value = { 0 };
    value_put_string (&value, text, strlen (text));
    record_t result = { .type = RECORD_RESULT,
                        .id = id,
                        .body = value.data,
                        .body_size = (uint32_t) value.size };
    if (value.failed)
        head_answer_fault (self, peer, id, TROUPE_ENOMEM, "the head has no memory left");
    else
        head_send (self, peer, &result);
    if (value.data)
        sodium_memzero (value.data, value.size);
    bytes_release (&value);
}

/*  Tokens are for who could read the keys' file anyway.                    */
static int
s_check (head_t *self, const peer_t *peer, fault_t *fault)
{
    if (!self->tokens)
        return fault_set (fault, TROUPE_EREFUSED, "an insecure cluster has no tokens");
    if (peer->far)
        return fault_set (fault, TROUPE_EREFUSED,
                          "tokens are made and revoked on the machine of the head only");
    return 0;
}

static int
s_token_text (head_t *self, const key_pair_t *pair, char text [TOKEN_TEXT_SIZE], fault_t *fault)
{
    join_token_t token;
    cluster_keys_t keys = *self->cluster;
    const char *colon = strrchr (self->address, ':');
    char host [HOST_MAX + 1];
    snprintf (host, sizeof host, "%.*s", colon ? (int) (colon - self->address) : 0,
              self->address);
    keys.admission = *pair;
    int rc = token_make (&token, &keys, host, (uint16_t) (colon ? atoi (colon + 1) : 0), fault);
    if (rc == 0)
        rc = token_write (&token, text, fault);
    token_wipe (&token);
    cluster_keys_wipe (&keys);
    return rc;
}

void
head_token_new (head_t *self, peer_t *peer, tid_t id, const char *name)
{
    fault_t fault, second;
    key_pair_t pair;
    char text [TOKEN_TEXT_SIZE] = "";
    int rc = s_check (self, peer, &fault) || tokens_add (self->tokens, name, &pair, &fault);
    if (rc == 0) {
        rc = s_token_text (self, &pair, text, &fault)
             || gate_allow (self->network->gate, DOMAIN_HEAD, pair.public_key, name, &fault);
        key_pair_wipe (&pair);
        if (rc)
            tokens_revoke (self->tokens, name, &second);
    }
    if (rc)
        head_answer_fault (self, peer, id, fault.code, fault.text);
    else {
        head_log (self, "token '%s' was made", name);
        s_answer_text (self, peer, id, text);
    }
    sodium_memzero (text, sizeof text);
}

/*  --- shutting out -----------------------------------------------------  */

/*  For REFUSED to arrive first.                                            */
#define CUT_AFTER (1000 * CLOCK_MS)

typedef struct {
    peer_link_t link;
    int64_t due;
} cut_t;

int64_t
head_cut (head_t *self, int64_t now)
{
    cut_t *cuts = (cut_t *) (void *) self->cuts.data;
    size_t count = self->cuts.size / sizeof *cuts, left = 0;
    if (!count)
        return CLOCK_NEVER;
    for (size_t index = 0; index < count; index++)
        if (cuts [index].due <= now)
            peer_cut (&cuts [index].link);
        else
            cuts [left++] = cuts [index];
    bytes_truncate (&self->cuts, left * sizeof *cuts);
    return left ? cuts [0].due : CLOCK_NEVER;
}

/*  One that came by the token, or NULL.                                    */
static peer_t *
s_find (head_t *self, const char *name)
{
    size_t cursor = 0;
    for (peer_t *peer; (peer = id_table_next (&self->peers, &cursor));)
        if (strcmp (peer->token, name) == 0)
            return peer;
    return NULL;
}

/*  Nobody listens to them any more, and their connections are cut.         */
static unsigned
s_shut_out (head_t *self, const char *name)
{
    unsigned count = 0;
    char cause [TOKEN_NAME_MAX + 64];
    snprintf (cause, sizeof cause, "the token '%s' was revoked", name);
    record_t refused = { .type = RECORD_REFUSED,
                         .number = TROUPE_EREFUSED,
                         .body = (const uint8_t *) cause,
                         .body_size = (uint32_t) strlen (cause) };
    for (peer_t *peer; (peer = s_find (self, name)); count++) {
        cut_t cut = { peer->link, clock_now () + CUT_AFTER };
        peer->shut_out = true;
        head_send (self, peer, &refused);
        head_flush (self, peer);
        head_lose (self, peer->process, cause, NULL);
        if (bytes_append (&self->cuts, &cut, sizeof cut))
            peer_cut (&cut.link);
    }
    return count;
}

void
head_token_revoke (head_t *self, peer_t *peer, tid_t id, const char *name)
{
    fault_t fault;
    char text [64];
    const admission_t *found = self->tokens ? tokens_find (self->tokens, name) : NULL;
    uint8_t key [KEY_SIZE];
    memcpy (key, found ? found->key : self->cluster->admission.public_key, KEY_SIZE);
    if (s_check (self, peer, &fault) || tokens_revoke (self->tokens, name, &fault)) {
        head_answer_fault (self, peer, id, fault.code, fault.text);
        return;
    }
    gate_revoke (self->network->gate, DOMAIN_HEAD, key);
    head_log (self, "token '%s' was revoked", name);
    snprintf (text, sizeof text, "%u", s_shut_out (self, name));
    s_answer_text (self, peer, id, text);
}
