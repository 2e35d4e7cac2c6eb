/* Scheme 0: no signature. For benches, and for builders who say so. */
#include "scheme.h"

#define SCHEME_NONE 0U

bool scheme_accepts(uint8_t scheme)
{
    return scheme == SCHEME_NONE;
}

enum ota_result scheme_start(struct ota *ota)
{
    return get_u16(ota->manifest + OTA_MANIFEST_SIGNATURE_BYTES) == 0U ? OTA_OK : OTA_FAILED;
}

void scheme_take(struct ota *ota, const uint8_t *bytes, uint16_t count)
{
    (void)ota;
    (void)bytes;
    (void)count;
}

enum ota_result scheme_end(struct ota *ota)
{
    (void)ota;
    return OTA_OK;
}
