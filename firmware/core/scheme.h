/* scheme.h: the seam for signature schemes. A build links exactly one scheme_<name>.c.
 * The signature is streamed, since it may be larger than the RAM; the manifest is in ota->manifest when it starts. */
#ifndef OTA_SCHEME_H
#define OTA_SCHEME_H

#include "state.h"

/* True if manifests of this scheme are taken. */
bool scheme_accepts(uint8_t scheme);

/* Begins to verify; OTA_FAILED: signature_bytes is not what the manifest's scheme has. */
enum ota_result scheme_start(struct ota *ota);

/* Takes the next bytes of the signature. */
void scheme_take(struct ota *ota, const uint8_t *bytes, uint16_t count);

/* After the last byte: OTA_OK if the signature fits the manifest. */
enum ota_result scheme_end(struct ota *ota);

#endif
