/*  tsan_zmq.c - tells ThreadSanitizer what libzmq orders between threads

    libzmq is not instrumented, so what it hands from thread to thread looks
    unordered: a message is sent before it is received, and done with before
    its content is freed. These take the place of functions of libzmq, and are
    in the library only when it is built with --enable-sanitizers=thread.   */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>
#include <zmq.h>

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static int (*s_send) (zmq_msg_t *message, void *socket, int flags);
static int (*s_receive) (zmq_msg_t *message, void *socket, int flags);
static int (*s_close) (zmq_msg_t *message);
static int (*s_init_data) (zmq_msg_t *message, void *data, size_t size, zmq_free_fn *release,
                           void *hint);

static void
s_find (void)
{
    *(void **) &s_send = dlsym (RTLD_NEXT, "zmq_msg_send");
    *(void **) &s_receive = dlsym (RTLD_NEXT, "zmq_msg_recv");
    *(void **) &s_close = dlsym (RTLD_NEXT, "zmq_msg_close");
    *(void **) &s_init_data = dlsym (RTLD_NEXT, "zmq_msg_init_data");
}

/*  What stays in this process stays in its place, so the address of a
    message's content is what orders the two sides.                         */
int
zmq_msg_send (zmq_msg_t *message, void *socket, int flags)
{
    pthread_once (&s_once, s_find);
    __tsan_release (zmq_msg_data (message));
    return s_send (message, socket, flags);
}

int
zmq_msg_recv (zmq_msg_t *message, void *socket, int flags)
{
    pthread_once (&s_once, s_find);
    int size = s_receive (message, socket, flags);
    if (size >= 0)
        __tsan_acquire (zmq_msg_data (message));
    return size;
}

int
zmq_msg_close (zmq_msg_t *message)
{
    pthread_once (&s_once, s_find);
    __tsan_release (zmq_msg_data (message));
    return s_close (message);
}

/*  What the content is freed with, by a thread of libzmq's.                */
typedef struct {
    zmq_free_fn *release;
    void *hint;
} released_t;

static void
s_release (void *data, void *hint)
{
    __tsan_acquire (data);
    released_t released = *(released_t *) hint;
    free (hint);
    released.release (data, released.hint);
}

int
zmq_msg_init_data (zmq_msg_t *message, void *data, size_t size, zmq_free_fn *release,
                   void *hint)
{
    pthread_once (&s_once, s_find);
    released_t *released = release ? malloc (sizeof *released) : NULL;
    if (release && !released) {
        errno = ENOMEM;
        return -1;
    }
    if (released)
        *released = (released_t){ release, hint };
    int rc = s_init_data (message, data, size, released ? s_release : NULL, released);
    if (rc)
        free (released);
    return rc;
}
