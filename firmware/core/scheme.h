/* scheme.h: the seam for signature schemes: one scheme_<name>.c each. A build has exactly one, which its port_config.h
 * names: `#define OTA_SCHEME lms` makes scheme_start of lms_start. A port may bring one of its own, as the host does.
 * The signature is streamed, since it may be larger than the RAM; the manifest is in ota->manifest when it starts.
 *
 * The public key lies in the key page, the logical page behind the record units. Only a programmer writes it (otaflash
 * factory); the core reads it and no more, and a port refuses to erase or program it. A scheme without its key there
 * takes nothing. */
#ifndef OTA_SCHEME_H
#define OTA_SCHEME_H

#include "state.h"

#ifndef OTA_SCHEME
#error "port_config.h must say which scheme is linked: none, lms or ed25519"
#endif

#define OTA_KEY_PAGE ((uint16_t)(OTA_RECORD_PAGE + 2U * OTA_RECORD_PAGES))

/* Places in the key page: the number of the scheme (0xFF: no key), three bytes of 0xFF, the public key. */
#define KEY_SCHEME 0U
#define KEY_PUBLIC 4U

#define SCHEME_JOINED(left, right) left##_##right
#define SCHEME_JOIN(left, right) SCHEME_JOINED(left, right)
#define scheme_accepts SCHEME_JOIN(OTA_SCHEME, accepts)
#define scheme_start SCHEME_JOIN(OTA_SCHEME, start)
#define scheme_take SCHEME_JOIN(OTA_SCHEME, take)
#define scheme_end SCHEME_JOIN(OTA_SCHEME, end)

/* Bit n set: scheme n is accepted; for port_identity. */
#define OTA_SCHEMES SCHEME_JOIN(SCHEMES, OTA_SCHEME)
#define SCHEMES_none (1U << OTA_SCHEME_NONE)
#define SCHEMES_lms (1U << OTA_SCHEME_LMS)

/* What a scheme has, each function with the scheme's name before it:
 *
 *   accepts  true if manifests of this scheme are taken
 *   start    begins to verify; OTA_FAILED: signature_bytes is not what the manifest's scheme has. Up to the end `chunk`,
 *            `digest`, `hashed_bytes` and `scratch` are the scheme's: no block is taken meanwhile
 *   take     takes the next bytes of the signature
 *   end      after the last byte: OTA_OK if the signature fits the manifest */
#define SCHEME_FUNCTIONS(name)                                                   \
    bool name##_accepts(uint8_t scheme);                                         \
    enum ota_result name##_start(struct ota *ota);                               \
    void name##_take(struct ota *ota, const uint8_t *bytes, uint16_t count);     \
    enum ota_result name##_end(struct ota *ota);
#define SCHEME_DECLARE(name) SCHEME_FUNCTIONS(name)
SCHEME_DECLARE(OTA_SCHEME)

#endif
