#include "CSealing.h"

#include <CCryptoBoringSSL_aead.h>
#include <CCryptoBoringSSL_evp.h>

// AES-256-GCM of the BoringSSL inside swift-crypto. Swift-crypto's own functions prepare the key anew for each record,
// and copy each record three times into new memory, which takes longer than encrypting it.

struct dlp_key *dlp_key_new(const void *bytes) {
    return (struct dlp_key *)EVP_AEAD_CTX_new(EVP_aead_aes_256_gcm(), bytes, dlp_key_length, dlp_tag_length);
}

void dlp_key_free(struct dlp_key *key) { EVP_AEAD_CTX_free((EVP_AEAD_CTX *)key); }

bool dlp_seal(const struct dlp_key *key, const struct dlp_record *record, const void *from, size_t count, void *to) {
    size_t tag_length;
    return EVP_AEAD_CTX_seal_scatter(
               (const EVP_AEAD_CTX *)key, to, (uint8_t *)to + count, &tag_length, dlp_tag_length, record->nonce,
               dlp_nonce_length, from, count, NULL, 0, record->header, record->header_length)
        == 1;
}

bool dlp_open(const struct dlp_key *key, const struct dlp_record *record, const void *from, size_t count, void *to) {
    return EVP_AEAD_CTX_open_gather(
               (const EVP_AEAD_CTX *)key, to, record->nonce, dlp_nonce_length, from, count, (const uint8_t *)from + count,
               dlp_tag_length, record->header, record->header_length)
        == 1;
}

bool dlp_stretch(
    const void *secret, size_t length, const void *salt, size_t salt_length, void *key, size_t key_length) {
    // The memory that it needs is a little more than 128 bytes times N times r.
    static const uint64_t n = 1 << 15, r = 8, p = 1;
    return EVP_PBE_scrypt(secret, length, salt, salt_length, n, r, p, 64 << 20, key, key_length) == 1;
}
