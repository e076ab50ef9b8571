/*  zipf.c - writes text whose words follow Zipf's law, the same for the same
    seed on every machine

    All arithmetic is on integers, so that no floating-point unit or library
    has a say. Words are drawn with Walker's alias method, as Vose builds it
    (IEEE Transactions on Software Engineering 17(9), 1991): one random number
    and one look-up a word.                                                  */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 24             /*  bytes of a word with what surrounds it  */
#define WORDS_MAX 1000000
#define LINE 72

__extension__ typedef unsigned __int128 uint128_t;

typedef struct {
    uint64_t bytes;
    uint64_t words;
    uint64_t seed;
    uint64_t exponent;          /*  fixed point, 32 bits of fraction        */
} options_t;

/*  A column of the alias table: its own word if a random number is below
    limit, else another.                                                    */
typedef struct {
    uint32_t limit;
    uint32_t other;
} column_t;

typedef struct {
    char text [WORD_MAX - 1];
    uint8_t length;
} word_t;

typedef struct {
    uint64_t state;
    column_t *columns;
    word_t *words;
    uint64_t count;
    unsigned line;              /*  bytes in the line so far                */
    unsigned sentence;          /*  words until the sentence ends           */
    bool start;                 /*  the next word starts a sentence         */
} zipf_t;

/* ------------------------------------------------------------------------
   Numbers                                                                  */

/*  SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).                        */
static uint64_t
s_random (uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/*  The binary logarithm, 32 bits of fraction: each squaring of a number
    between 1 and 2 yields one bit.                                         */
static uint64_t
s_log2 (uint64_t x)
{
    unsigned whole = 63 - (unsigned) __builtin_clzll (x);
    uint64_t result = whole;
    x <<= 63 - whole;
    for (unsigned bit = 0; bit < 32; bit++) {
        uint128_t square = (uint128_t) x * x;
        bool two = square >> 127;
        x = (uint64_t) (square >> (two ? 64 : 63));
        result = result << 1 | two;
    }
    return result;
}

static uint64_t
s_root (uint128_t x)
{
    uint128_t root = 0;
    for (unsigned bit = 64; bit-- > 0;) {
        uint128_t next = root | (uint128_t) 1 << bit;
        if (next * next <= x)
            root = next;
    }
    return (uint64_t) root;
}

/*  2 to the power of -x, x with 32 bits of fraction, the result with 62.   */
static uint64_t
s_exp2_minus (uint64_t x)
{
    uint64_t factor = (uint64_t) 1 << 61;           /*  one half            */
    uint64_t result = (uint64_t) 1 << 62;
    if (x >> 32 > 62)
        return 0;
    for (unsigned bit = 32; bit-- > 0;) {
        factor = s_root ((uint128_t) factor << 62);
        if (x >> bit & 1)
            result = (uint64_t) ((uint128_t) result * factor >> 62);
    }
    return result >> (x >> 32);
}

/* ------------------------------------------------------------------------
   Words                                                                    */

static const char *const s_common [] = {
    "the", "of", "and", "to", "a", "in", "that", "he", "was", "it", "his", "is", "with", "as",
    "I", "had", "for", "at", "on", "by", "not", "be", "but", "you", "from", "or", "her",
    "which", "she", "all", "this", "an", "my", "they", "him", "one", "so", "no"
};

#define COMMON (sizeof (s_common) / sizeof (s_common [0]))

/*  The word of a rank: a common one, or syllables that spell its number and
    a last letter or two that vary the length.                              */
static void
s_make_word (word_t *word, uint64_t rank)
{
    static const char *const endings [] = { "", "", "n", "r", "st", "ng", "x", "th",
                                            "l", "\xc3\xa9", "", "d", "ss", "m", "\xc3\xbc", "t" };
    char text [WORD_MAX] = "";
    if (rank < COMMON)
        strcpy (text, s_common [rank]);
    else {
        uint64_t number = rank - COMMON + 100;
        size_t length = 0;
        for (; number; number /= 100) {
            text [length++] = "bcdfghjklmnprstvwyzk" [number % 100 / 5];
            text [length++] = "aeiou" [number % 5];
        }
        uint64_t state = rank;
        strcpy (text + length, endings [s_random (&state) % 16]);
    }
    word->length = (uint8_t) strlen (text);
    memcpy (word->text, text, word->length);
}

/*  The weights of all words, 40 bits for the first, times their number, so
    that a full column of the alias table weighs exactly the total of the
    weights, which is returned.                                             */
static uint64_t
s_weigh (uint64_t *weights, uint64_t count, uint64_t exponent)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint128_t power = (uint128_t) s_log2 (i + 1) * exponent >> 32;
        uint64_t weight = (power >> 38 ? 0 : s_exp2_minus ((uint64_t) power) >> 22) + 1;
        total += weight;
        weights [i] = weight * count;
    }
    return total;
}

/*  Fills each column with the weight of its own word and, up to the full
    height, some weight of a heavier one. The stack holds the light words at
    its bottom and the heavy ones at its top.                               */
static void
s_fill_columns (zipf_t *self, uint64_t *weights, uint64_t *stack, uint64_t full)
{
    uint64_t light = 0, heavy = self->count;
    for (uint64_t i = 0; i < self->count; i++) {
        self->columns [i] = (column_t){ UINT32_MAX, (uint32_t) i };
        if (weights [i] < full)
            stack [light++] = i;
        else
            stack [--heavy] = i;
    }
    while (light && heavy < self->count) {
        uint64_t less = stack [--light], more = stack [heavy];
        self->columns [less].limit = (uint32_t) (((uint128_t) weights [less] << 32) / full);
        self->columns [less].other = (uint32_t) more;
        weights [more] -= full - weights [less];
        if (weights [more] < full) {
            heavy++;
            stack [light++] = more;
        }
    }
}

static void
s_release (zipf_t *self)
{
    free (self->columns);
    free (self->words);
}

static int
s_prepare (zipf_t *self, const options_t *options)
{
    uint64_t count = options->words;
    *self = (zipf_t){ .state = options->seed, .count = count, .start = true };
    self->columns = calloc (count, sizeof (column_t));
    self->words = calloc (count, sizeof (word_t));
    uint64_t *weights = calloc (count, sizeof (uint64_t));
    uint64_t *stack = calloc (count, sizeof (uint64_t));
    int status = self->columns && self->words && weights && stack ? 0 : -1;
    if (status == 0) {
        for (uint64_t i = 0; i < count; i++)
            s_make_word (&self->words [i], i);
        s_fill_columns (self, weights, stack, s_weigh (weights, count, options->exponent));
    }
    free (weights);
    free (stack);
    return status;
}

static const word_t *
s_draw (zipf_t *self)
{
    uint64_t random = s_random (&self->state);
    uint64_t column = (uint64_t) ((uint128_t) random * self->count >> 64);
    bool own = (uint32_t) random < self->columns [column].limit;
    return &self->words [own ? column : self->columns [column].other];
}

/* ------------------------------------------------------------------------
   Text                                                                     */

/*  What follows a word: nothing mostly, now and then a mark.               */
static const char *
s_mark (zipf_t *self, uint64_t random)
{
    static const char *const marks [] = { ",", ";", ":", " -", ")", "\"", "'", "\xe2\x80\x94",
                                          "\xe2\x80\x99", "\xe2\x80\x9d", "--", "_", "*", "]" };
    static const char *const stops [] = { ".", ".", ".", "!", "?", ".\"", "?!" };
    if (--self->sentence == 0)
        return stops [random % 7];
    if (random >> 32 & 7)
        return "";
    return random & 3 ? "," : marks [(random >> 2) % 14];
}

/*  Writes a word, what surrounds it, and a blank; returns its bytes.       */
static size_t
s_write_word (zipf_t *self, char *out)
{
    const word_t *word = s_draw (self);
    uint64_t random = s_random (&self->state);
    char *at = out;
    if (self->start)
        self->sentence = 5 + (unsigned) (random >> 40) % 20;
    if ((random >> 36 & 63) == 0)
        *at++ = "\"'(["[random >> 50 & 3];
    memcpy (at, word->text, WORD_MAX - 1);
    if (self->start && *at >= 'a' && *at <= 'z')
        *at = (char) (*at - 32);
    at += word->length;
    const char *mark = s_mark (self, random);
    while (*mark)
        *at++ = *mark++;
    self->start = self->sentence == 0;
    size_t length = (size_t) (at - out) + 1;
    self->line = self->line + length > LINE ? 0 : self->line + (unsigned) length;
    *at = self->line ? ' ' : '\n';
    return length;
}

/*  Writes the text: whole words, then line ends up to the number of bytes
    asked for.                                                              */
static int
s_write_text (zipf_t *self, uint64_t bytes, FILE *output)
{
    char buffer [65536];
    while (bytes) {
        size_t used = 0;
        while (used < bytes && used < sizeof (buffer) - 2 * WORD_MAX)
            used += s_write_word (self, buffer + used);
        if (used >= bytes) {
            used = (size_t) bytes;
            for (size_t i = used; i-- > 0 && buffer [i] != ' ' && buffer [i] != '\n';)
                buffer [i] = '\n';
            buffer [used - 1] = '\n';
        }
        if (fwrite (buffer, 1, used, output) != used)
            return -1;
        bytes -= used;
    }
    return fflush (output);
}

/* ------------------------------------------------------------------------
   The command                                                              */

static const char s_usage [] =
    "usage: zipf [--bytes N] [--words N] [--exponent X] [--seed N]\n"
    "Writes text whose words follow Zipf's law.\n"
    "  --bytes N      length of the text; K, M and G count thousands (1M)\n"
    "  --words N      different words to choose from (100000)\n"
    "  --exponent X   how steep the law is, 0 to 8 (1.0)\n"
    "  --seed N       the same seed gives the same text (1)\n";

/*  A number between low and high, with a K, M or G behind it if that is
    allowed.                                                                */
static int
s_number (const char *text, bool unit, uint64_t low, uint64_t high, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull (text, &end, 10);
    if (*text < '0' || *text > '9' || errno)
        return -1;
    uint64_t scale = 1;
    if (unit && *end)
        switch (*end++) {
        case 'G': scale *= 1000; /*  fall through  */
        case 'M': scale *= 1000; /*  fall through  */
        case 'K': scale *= 1000; break;
        default: return -1;
        }
    if (*end || value > high / scale || value * scale < low)
        return -1;
    *number = value * scale;
    return 0;
}

static int
s_exponent (const char *text, uint64_t *exponent)
{
    char *end;
    double value = strtod (text, &end);
    if (end == text || *end || !(value >= 0 && value <= 8))
        return -1;
    *exponent = (uint64_t) (value * 4294967296.0);
    return 0;
}

/*  Reads the options. Returns 0, 1 after help, or -1 after a message.      */
static int
s_options (int argc, char *argv [], options_t *options)
{
    static const struct option names [] = {
        { "bytes", required_argument, NULL, 'b' }, { "words", required_argument, NULL, 'w' },
        { "exponent", required_argument, NULL, 'e' }, { "seed", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
    };
    int letter, bad = 0, which = 0;
    *options = (options_t){ 1000000, 100000, 1, (uint64_t) 1 << 32 };
    while (!bad && (letter = getopt_long (argc, argv, "h", names, &which)) != -1)
        switch (letter) {
        case 'b': bad = s_number (optarg, true, 1, INT64_MAX, &options->bytes); break;
        case 'w': bad = s_number (optarg, true, 1, WORDS_MAX, &options->words); break;
        case 's': bad = s_number (optarg, false, 0, UINT64_MAX, &options->seed); break;
        case 'e': bad = s_exponent (optarg, &options->exponent); break;
        case 'h': return fputs (s_usage, stdout) < 0 ? -1 : 1;
        default: return -1;
        }
    if (bad)
        fprintf (stderr, "zipf: --%s cannot be %s\n", names [which].name, optarg);
    else if (optind < argc)
        fprintf (stderr, "zipf: unexpected argument %s\n", argv [optind]);
    return bad || optind < argc ? -1 : 0;
}

int
main (int argc, char *argv [])
{
    options_t options;
    zipf_t zipf;
    int status = s_options (argc, argv, &options);
    if (status)
        return status < 0 ? 2 : 0;
    status = s_prepare (&zipf, &options);
    if (status)
        fputs ("zipf: out of memory\n", stderr);
    else {
        status = s_write_text (&zipf, options.bytes, stdout);
        if (status)
            fprintf (stderr, "zipf: cannot write: %s\n", strerror (errno));
    }
    s_release (&zipf);
    return status ? 1 : 0;
}
