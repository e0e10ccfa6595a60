#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Socket calls that Swift cannot make by itself: their structures end in flexible paths, live behind _GNU_SOURCE, or
// are packed. Every function that can fail returns -errno; descriptors come back non-blocking and close-on-exec.

/// Listens on the abstract Unix-domain socket `name`.
int dlp_local_listen(const void *name, size_t length, int backlog);
/// Connects to the abstract Unix-domain socket `name`; -EAGAIN where its backlog is full.
int dlp_local_connect(const void *name, size_t length);

/// Takes the next connection from a listener.
int dlp_accept(int listener);
/// Whether `descriptor` is a socket that listens.
int dlp_is_listening(int descriptor);
/// Whether `descriptor` is a Unix-domain socket.
int dlp_is_local(int descriptor);
/// The user that connected a Unix-domain socket, or -errno.
int64_t dlp_peer_user(int descriptor);

/// No delay for small messages, and keepalive probes that find a dead host within 20 seconds.
int dlp_tcp_tune(int descriptor);
/// Whether a socket is connected with itself.
int dlp_tcp_is_own_peer(int descriptor);
/// How many bytes the peer has not acknowledged.
int dlp_tcp_unacknowledged(int descriptor);

/// What a peer owes on a TCP connection.
struct dlp_owed {
    /// How many bytes it has acknowledged so far.
    uint64_t acknowledged;
    /// How many times it was asked in vain for the next acknowledgement; 0: it owes none.
    uint32_t tries;
    /// For how many milliseconds no acknowledgement of any data has come.
    uint32_t silence;
};

/// Whether the peer has closed a TCP connection in good order, and we have not: 1, else 0.
int dlp_tcp_is_closed_by_peer(int descriptor);
/// What the peer owes; nothing where that cannot be known.
struct dlp_owed dlp_tcp_owed(int descriptor);

/// Makes the connection end by a reset, which the peer learns at once. Otherwise the end would wait behind data that
/// cannot be delivered.
void dlp_reset_when_closed(int descriptor);

/// Sends `head` and then `body` by one call, without SIGPIPE; returns how many bytes went.
ssize_t dlp_send(int descriptor, const void *head, size_t head_count, const void *body, size_t body_count);

/// Sends `count` bytes, without SIGPIPE, and with the first of them a descriptor to a process of this host.
ssize_t dlp_send_passing(int descriptor, const void *bytes, size_t count, int passed);

/// What `dlp_receive_passed` says in place of a descriptor: that none came, or that there was no room for it.
enum { dlp_passed_nothing = -1, dlp_passed_in_vain = -2 };

/// Receives at most `count` bytes, and a descriptor where one came with them. Of several that came at once all but one are
/// closed.
ssize_t dlp_receive_passed(int descriptor, void *buffer, size_t count, int *passed);

/// An eventfd.
int dlp_event(void);
/// Waits at most `nanoseconds`, whatever signals come, until `descriptor` can be read: 1 where it can, 0 where not.
int dlp_wait_readable(int descriptor, uint64_t nanoseconds);

enum {
    dlp_readable = 1,
    dlp_writable = 2,
};

/// A descriptor on which something can be done.
struct dlp_ready {
    uint64_t token;
    /// `dlp_readable` (an end or an error counts: reading finds it), `dlp_writable`.
    uint32_t events;
};

/// An epoll descriptor.
int dlp_poller(void);
/// Begins to watch `descriptor` for `events`.
int dlp_poller_add(int poller, int descriptor, uint64_t token, uint32_t events);
/// Watches `descriptor` for other `events`.
int dlp_poller_change(int poller, int descriptor, uint64_t token, uint32_t events);
/// Stops watching `descriptor`.
int dlp_poller_remove(int poller, int descriptor);
/// Waits at most `milliseconds` (-1: for ever) and returns how many of `ready` it filled.
int dlp_poller_wait(int poller, struct dlp_ready *ready, int capacity, int milliseconds);

/// Waits at most `milliseconds`: 1 where the peer of `descriptor` has gone, 2 where `stop` became readable, else 0.
int dlp_wait_hangup(int descriptor, int stop, int milliseconds);
