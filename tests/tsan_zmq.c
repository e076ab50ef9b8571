/*  tsan_zmq.c - tells ThreadSanitizer that a message sent happens before it is
    received

    libzmq is not instrumented, so what it hands from thread to thread looks
    unordered. These take the place of two of its functions, and are part of
    the library only when it is built with --enable-sanitizers=thread.      */

#include <dlfcn.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <zmq.h>

typedef int transfer_t (zmq_msg_t *message, void *socket, int flags);

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static transfer_t *s_send;
static transfer_t *s_receive;

static void
s_find (void)
{
    *(void **) &s_send = dlsym (RTLD_NEXT, "zmq_msg_send");
    *(void **) &s_receive = dlsym (RTLD_NEXT, "zmq_msg_recv");
}

/*  The content of a message that stays in this process stays in its place,
    so that its address is what orders the two.                             */
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
