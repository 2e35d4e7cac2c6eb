#include "encoding.h"

#include "stage.h"

void encoding_raw(struct ota *ota, uint16_t place, const uint8_t *data, uint16_t count)
{
    uint16_t blocks = (uint16_t)(count / OTA_BLOCK_BYTES);

    if (count % OTA_BLOCK_BYTES != 0U || place > ota->places || blocks > ota->places - place) {
        return;
    }
    for (; blocks > 0U; blocks--, place++, data += OTA_BLOCK_BYTES) {
        stage_block(ota, place, data);
    }
}
