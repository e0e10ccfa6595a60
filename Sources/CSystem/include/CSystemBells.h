#pragma once

#include <stdint.h>

// Bells: by them the ranks of one host wake each other, through memory that they share, where the transport offers no
// way to wait for a message asleep. Ringing makes a system call only where the other rank sleeps.

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

/// The bells of all ranks; those of ranks on other hosts are never rung.
struct dlp_bells;

/// Where a process of the same host finds the bells that another one has made.
struct dlp_bells_address {
    int64_t process;
    int32_t descriptor;
    uint32_t count;
    /// Random, drawn by the maker: another host has other memory in the same place.
    uint64_t nonce[2];
};

/// Makes bells for `count` ranks that only this process has; NULL where the system has no memory.
struct dlp_bells *_Nullable dlp_bells_make(uint32_t count);

/// Makes bells for `count` ranks, and opens the descriptor by which others find them; NULL where the system has no
/// memory. Where the system does not share memory the descriptor is negative, and no other process finds them.
struct dlp_bells *_Nullable dlp_bells_make_shared(uint32_t count, struct dlp_bells_address *address);

/// The bells that lie at `address`; NULL where that is on another host, or out of reach. The maker learns how many have
/// found them.
struct dlp_bells *_Nullable dlp_bells_find(const struct dlp_bells_address *address);

/// Unmaps the memory of `count` bells from this process; the descriptor stays open.
void dlp_bells_close(struct dlp_bells *bells, uint32_t count);

/// How often the bells have been found.
uint32_t dlp_bells_finders(const struct dlp_bells *bells);

/// How often the bell of `rank` has been rung, modulo 2^32.
uint32_t dlp_bell_rings(const struct dlp_bells *bells, uint32_t rank);

/// Rings the bell of `rank`.
void dlp_bell_ring(struct dlp_bells *bells, uint32_t rank);

/// Rings the bell of `rank` for a message, and counts that.
void dlp_bell_announce(struct dlp_bells *bells, uint32_t rank);

/// How many messages to `rank` have been announced, modulo 2^32.
uint32_t dlp_bell_announced(const struct dlp_bells *bells, uint32_t rank);

/// Sleeps until the bell of `rank`, which is the caller's own, has been rung more than `heard` times, at most
/// `nanoseconds`. Returns whether it has. Now and then it returns early although it has not.
int dlp_bell_wait(struct dlp_bells *bells, uint32_t rank, uint32_t heard, uint64_t nanoseconds);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
