/*  book.h - the text of some files, and how it is cut into sublists         */

#ifndef EXAMPLES_BOOK_H
#define EXAMPLES_BOOK_H

#include "examples/slice.h"

typedef struct book book_t;

/*  Opens the files. Regular files stay where they are; if there is another
    kind among them, a pipe say, all text is read into memory. Returns NULL
    after writing what is wrong, a missing or empty file for example, into
    the error of `room` bytes. The caller owns the book.                    */
book_t *book_new (char *const paths [], size_t count, char *error, size_t room);
void book_destroy (book_t **self_p);

/*  Cuts the text into so many slices of about equal length, between words;
    some are empty if there are not enough words. The book keeps the slices,
    until the next cut. Returns them, or NULL with errno set.               */
const slice_t *book_cut (book_t *self, size_t count);

uint64_t book_size (const book_t *self);

#endif
