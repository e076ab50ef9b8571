/*  screen.c - text for a person: colours, and what a terminal can show     */

#include "cli/screen.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

static const char *const s_styles [] = { "", "\033[1m", "\033[2m", "\033[32m", "\033[33m",
                                         "\033[31m" };

/*  Whether the terminal is said to show UTF-8.                             */
static bool s_unicode;

void
screen_prepare (void)
{
    setlocale (LC_CTYPE, "");
    s_unicode = MB_CUR_MAX > 1;
    if (!s_unicode)
        setlocale (LC_CTYPE, "C.UTF-8");
}

screen_t
screen_look (void)
{
    screen_t self = { .width = SIZE_MAX, .height = SIZE_MAX };
    const char *term = getenv ("TERM");
    self.terminal = isatty (STDOUT_FILENO);
    const char *refusal = getenv ("NO_COLOR");
    self.colour = self.terminal && !(refusal && *refusal) && term && strcmp (term, "dumb") != 0;
    self.unicode = s_unicode;
    struct winsize size;
    if (self.terminal) {
        self.width = 80;
        self.height = 24;
        if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
            && size.ws_row > 0) {
            self.width = size.ws_col;
            self.height = size.ws_row;
        }
    }
    return self;
}

void
screen_print (const screen_t *self, FILE *file, style_t style, const char *text)
{
    if (self->colour && style != STYLE_PLAIN)
        fprintf (file, "%s%s\033[0m", s_styles [style], text);
    else
        fputs (text, file);
}

style_t
style_of_state (const char *state)
{
    static const struct { const char *state; style_t style; } table [] = {
        { "alive", STYLE_GOOD }, { "running", STYLE_GOOD }, { "busy", STYLE_GOOD },
        { "suspect", STYLE_WARN }, { "draining", STYLE_WARN }, { "starting", STYLE_WARN },
        { "waiting", STYLE_WARN }, { "pending", STYLE_WARN }, { "restarting", STYLE_WARN },
        { "dead", STYLE_BAD }, { "failed", STYLE_BAD }, { "lost", STYLE_BAD }
    };
    for (size_t i = 0; i < sizeof table / sizeof table [0]; i++)
        if (strcmp (state, table [i].state) == 0)
            return table [i].style;
    return STYLE_PLAIN;
}

void
screen_bar (const screen_t *self, FILE *file, double share)
{
    int filled = share > 0 ? (int) (share * 10 + 0.5) : 0;
    if (share > 0 && filled == 0)
        filled = 1;
    style_t style = share < 0.7 ? STYLE_GOOD : share < 0.95 ? STYLE_WARN : STYLE_BAD;
    for (int cell = 0; cell < 10; cell++)
        screen_print (self, file, cell < filled ? style : STYLE_DIM,
                      cell < filled ? (self->unicode ? "█" : "#") : self->unicode ? "░" : ".");
}

/*  Takes a character off the text. Returns its bytes; *width is -1 if it
    cannot be shown.                                                        */
static size_t
s_character (const char *text, mbstate_t *state, int *width)
{
    wchar_t character;
    size_t bytes = mbrtowc (&character, text, strlen (text), state);
    if (bytes == (size_t) -1 || bytes == (size_t) -2 || bytes == 0) {
        memset (state, 0, sizeof *state);
        *width = -1;
        return 1;
    }
    *width = iswprint ((wint_t) character) ? wcwidth (character) : -1;
    return bytes;
}

char *
text_clean (const char *text)
{
    char *clean = malloc (strlen (text) + 1);
    size_t size = 0;
    mbstate_t state = { 0 };
    while (clean && *text) {
        int width;
        size_t bytes = s_character (text, &state, &width);
        if (width < 0)
            clean [size++] = *text == '\t' ? ' ' : '?';
        else {
            memcpy (clean + size, text, bytes);
            size += bytes;
        }
        text += bytes;
    }
    if (clean)
        clean [size] = 0;
    return clean;
}

size_t
text_width (const char *text)
{
    size_t total = 0;
    mbstate_t state = { 0 };
    while (*text) {
        int width;
        text += s_character (text, &state, &width);
        total += width < 0 ? 1 : (size_t) width;
    }
    return total;
}
