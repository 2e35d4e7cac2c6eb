/* Scheme 0: no signature. For benches, and for builders who say so. */
#include "scheme.h"

SCHEME_FUNCTIONS(none)

bool none_accepts(uint8_t scheme)
{
    return scheme == OTA_SCHEME_NONE;
}

enum ota_result none_start(struct ota *ota)
{
    return get_u16(ota->manifest + OTA_MANIFEST_SIGNATURE_BYTES) == 0U ? OTA_OK : OTA_FAILED;
}

void none_take(struct ota *ota, const uint8_t *bytes, uint16_t count)
{
    (void)ota;
    (void)bytes;
    (void)count;
}

enum ota_result none_end(struct ota *ota)
{
    (void)ota;
    return OTA_OK;
}
