/* schemes.c: the scheme of a simulated board is that of the key it was made with: one build serves every board. A board
 * without a key is one whose builder chose scheme none. */
#include "scheme.h"
#include "simulated.h"

SCHEME_FUNCTIONS(none)
SCHEME_FUNCTIONS(lms)

static bool has_key(void)
{
    return port_geometry->key[KEY_SCHEME] == OTA_SCHEME_LMS;
}

uint16_t schemes_here(void)
{
    return has_key() ? SCHEMES_lms : SCHEMES_none;
}

bool host_accepts(uint8_t scheme)
{
    return has_key() ? lms_accepts(scheme) : none_accepts(scheme);
}

enum ota_result host_start(struct ota *ota)
{
    return has_key() ? lms_start(ota) : none_start(ota);
}

void host_take(struct ota *ota, const uint8_t *bytes, uint16_t count)
{
    if (has_key())
        lms_take(ota, bytes, count);
    else
        none_take(ota, bytes, count);
}

enum ota_result host_end(struct ota *ota)
{
    return has_key() ? lms_end(ota) : none_end(ota);
}
