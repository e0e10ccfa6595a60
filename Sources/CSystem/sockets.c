#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int local_socket(const void *name, size_t length, struct sockaddr_un *address, socklen_t *address_length) {
    // sun_path begins with the NUL that makes the name abstract; the name itself is not terminated.
    if (length > sizeof address->sun_path - 1) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, name, length);
    *address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return descriptor < 0 ? -errno : descriptor;
}

/// Closes `descriptor` and returns -errno of the call that failed before.
static int failed(int descriptor) {
    int error = errno;
    close(descriptor);
    return -error;
}

int dlp_local_listen(const void *name, size_t length, int backlog) {
    struct sockaddr_un address;
    socklen_t address_length;
    int descriptor = local_socket(name, length, &address, &address_length);
    if (descriptor < 0) return descriptor;
    if (bind(descriptor, (struct sockaddr *)&address, address_length) || listen(descriptor, backlog))
        return failed(descriptor);
    return descriptor;
}

int dlp_local_connect(const void *name, size_t length) {
    struct sockaddr_un address;
    socklen_t address_length;
    int descriptor = local_socket(name, length, &address, &address_length);
    if (descriptor < 0) return descriptor;
    if (connect(descriptor, (struct sockaddr *)&address, address_length)) return failed(descriptor);
    return descriptor;
}

int dlp_accept(int listener) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

static int option(int descriptor, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) ? -errno : value;
}

int dlp_is_listening(int descriptor) { return option(descriptor, SO_ACCEPTCONN) > 0; }

int dlp_is_local(int descriptor) { return option(descriptor, SO_DOMAIN) == AF_UNIX; }

int64_t dlp_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) ? -errno : (int64_t)peer.uid;
}

static int set(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value) ? -errno : 0;
}

int dlp_tcp_tune(int descriptor) {
    int error = set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!error) error = set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (!error) error = set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 10);
    if (!error) error = set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 3);
    if (!error) error = set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
    return error;
}

int dlp_tcp_is_own_peer(int descriptor) {
    struct sockaddr_storage own, peer;
    socklen_t own_length = sizeof own, peer_length = sizeof peer;
    return !getsockname(descriptor, (struct sockaddr *)&own, &own_length)
        && !getpeername(descriptor, (struct sockaddr *)&peer, &peer_length) && own_length == peer_length
        && !memcmp(&own, &peer, own_length);
}

int dlp_tcp_unacknowledged(int descriptor) {
    int count = 0;
    return ioctl(descriptor, TIOCOUTQ, &count) ? -errno : count;
}

int dlp_tcp_is_closed_by_peer(int descriptor) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    return !getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) && info.tcpi_state == TCP_CLOSE_WAIT;
}

struct dlp_owed dlp_tcp_owed(int descriptor) {
    // The C library knows only the beginning of what Linux reports.
    struct {
        struct tcp_info info;
        uint64_t pacing_rate, most_pacing_rate, bytes_acknowledged;
    } said = {0};
    socklen_t length = sizeof said;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &said, &length)) return (struct dlp_owed){0};
    // Retransmissions count where data is under way. Where the peer has no room for data, which is no fault, the system
    // probes it, and an answer sets the count of probes to 0.
    return (struct dlp_owed){
        // Where a kernel does not report this, only the silence counts.
        .acknowledged = length == sizeof said ? said.bytes_acknowledged : dlp_now(),
        .tries = said.info.tcpi_retransmits + said.info.tcpi_probes,
        .silence = said.info.tcpi_last_ack_recv,
    };
}

void dlp_reset_when_closed(int descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

ssize_t dlp_send(int descriptor, const void *head, size_t head_count, const void *body, size_t body_count) {
    struct iovec parts[2] = {{(void *)head, head_count}, {(void *)body, body_count}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t count = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    return count < 0 ? -errno : count;
}

/// Room for the control message that carries one descriptor, and no more: the system closes descriptors that do not
/// fit.
union carrier {
    char bytes[CMSG_LEN(sizeof(int))];
    struct cmsghdr head;
};

ssize_t dlp_send_passing(int descriptor, const void *bytes, size_t count, int passed) {
    union carrier carrier = {.head = {
        .cmsg_len = CMSG_LEN(sizeof passed), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&carrier.head), &passed, sizeof passed);
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &carrier, .msg_controllen = CMSG_LEN(sizeof passed)};
    ssize_t sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

ssize_t dlp_receive_passed(int descriptor, void *buffer, size_t count, int *passed) {
    union carrier carrier;
    struct iovec part = {buffer, count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &carrier, .msg_controllen = CMSG_LEN(sizeof *passed)};
    ssize_t received = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    *passed = message.msg_flags & MSG_CTRUNC ? dlp_passed_in_vain : dlp_passed_nothing;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS
        && head->cmsg_len == CMSG_LEN(sizeof *passed))
        memcpy(passed, CMSG_DATA(head), sizeof *passed);
    return received;
}

int dlp_event(void) {
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int dlp_wait_readable(int descriptor, uint64_t nanoseconds) {
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};
    uint64_t begin = dlp_now(), passed = 0;
    int found;
    do {
        uint64_t left = nanoseconds > passed ? nanoseconds - passed : 0;
        struct timespec limit = {.tv_sec = left / 1000000000u, .tv_nsec = left % 1000000000u};
        found = ppoll(&watched, 1, &limit, NULL);
        passed = dlp_now() - begin;
        // Out of memory ppoll fails at once: the sleep avoids a busy wait.
        if (found < 0 && errno != EINTR) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    } while (found < 0 && passed < nanoseconds);
    return found > 0;
}

int dlp_poller(void) {
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

static int control(int poller, int operation, int descriptor, uint64_t token, uint32_t events) {
    struct epoll_event event = {.data.u64 = token};
    if (events & dlp_readable) event.events |= EPOLLIN | EPOLLRDHUP;
    if (events & dlp_writable) event.events |= EPOLLOUT;
    return epoll_ctl(poller, operation, descriptor, &event) ? -errno : 0;
}

int dlp_poller_add(int poller, int descriptor, uint64_t token, uint32_t events) {
    return control(poller, EPOLL_CTL_ADD, descriptor, token, events);
}

int dlp_poller_change(int poller, int descriptor, uint64_t token, uint32_t events) {
    return control(poller, EPOLL_CTL_MOD, descriptor, token, events);
}

int dlp_poller_remove(int poller, int descriptor) { return control(poller, EPOLL_CTL_DEL, descriptor, 0, 0); }

int dlp_poller_wait(int poller, struct dlp_ready *ready, int capacity, int milliseconds) {
    enum { most = 128 };
    struct epoll_event events[most];
    int count = epoll_wait(poller, events, capacity < most ? capacity : most, milliseconds);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        ready[i].token = events[i].data.u64;
        ready[i].events = (events[i].events & ~(uint32_t)EPOLLOUT ? dlp_readable : 0)
            | (events[i].events & EPOLLOUT ? dlp_writable : 0);
    }
    return count;
}

int dlp_wait_hangup(int descriptor, int stop, int milliseconds) {
    struct pollfd watched[2] = {{.fd = descriptor, .events = POLLRDHUP}, {.fd = stop, .events = POLLIN}};
    int found = poll(watched, 2, milliseconds);
    if (found < 0 && errno != EINTR) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    if (found <= 0) return 0;
    // A descriptor that other code has closed counts as an end.
    return watched[1].revents & POLLIN ? 2 : 1;
}
