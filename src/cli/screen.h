/*  screen.h - text for a person: colours, columns, what fits the terminal  */

#ifndef TROUPE_CLI_SCREEN_H
#define TROUPE_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*  What standard output can show.                                          */
typedef struct {
    bool terminal;
    bool colour;                    /*  NO_COLOR and TERM=dumb are heard    */
    bool unicode;
    size_t width;                   /*  of a terminal; else as good as none */
    size_t height;
} screen_t;

/*  Once, first: text is UTF-8 from here on, whatever the terminal shows.   */
void screen_prepare (void);

/*  Looks at standard output, as it is now.                                 */
screen_t screen_look (void);

typedef enum { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD } style_t;

/*  Prints in a style, if there are colours.                                */
void screen_print (const screen_t *self, FILE *file, style_t style, const char *text);

/*  The style of the state of a node, worker, actor or task.                */
style_t style_of_state (const char *state);

/*  A bar of ten cells of which a share from 0 to 1 is filled.              */
void screen_bar (const screen_t *self, FILE *file, double share);

/*  A copy that a terminal shows as it is: what is no character, or steers
    the terminal, becomes a question mark. To be freed; NULL: no memory.    */
char *text_clean (const char *text);

/*  The columns that a text takes on a terminal.                            */
size_t text_width (const char *text);

#endif
