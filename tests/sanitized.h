/*  sanitized.h - is this program built with a sanitizer that slows it down?  */

#ifndef TROUPE_TESTS_SANITIZED_H
#define TROUPE_TESTS_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/*  By ThreadSanitizer, which sees one process only: there workers are threads,
    and each page of memory costs several more.                             */
#if defined(__SANITIZE_THREAD__)
#define SANITIZED_THREADS true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED_THREADS true
#endif
#endif
#ifndef SANITIZED_THREADS
#define SANITIZED_THREADS false
#endif

#endif
