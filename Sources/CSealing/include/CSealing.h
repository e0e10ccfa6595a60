#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { dlp_key_length = 32, dlp_nonce_length = 12, dlp_tag_length = 16 };

/// A key of AES-256-GCM, made ready for use. Several threads may use it at a time.
struct dlp_key;

/// NULL where memory is short.
struct dlp_key *dlp_key_new(const void *bytes);
void dlp_key_free(struct dlp_key *key);

/// What a record needs besides its key: a nonce, and a header that is authenticated with it and not encrypted.
struct dlp_record {
    uint8_t nonce[dlp_nonce_length];
    const void *header;
    size_t header_length;
};

/// Encrypts `count` bytes at `from`, and writes these and the tag behind them to `to`; false where the library refuses.
bool dlp_seal(const struct dlp_key *key, const struct dlp_record *record, const void *from, size_t count, void *to);

/// Decrypts `count` bytes at `from`, which their tag follows, and writes them to `to`. Returns false where they are not
/// what was encrypted; then `to` has nothing of them.
bool dlp_open(const struct dlp_key *key, const struct dlp_record *record, const void *from, size_t count, void *to);

/// Writes to `key` what scrypt (RFC 7914) makes of a secret and a salt, with N = 32,768, r = 8, p = 1: this takes a tenth of
/// a second and 32 MB. False where there is no memory.
bool dlp_stretch(
    const void *secret, size_t length, const void *salt, size_t salt_length, void *key, size_t key_length);
