/* crc32_end.c: the CRC that stands at the end of a frame or of a record. */
#include "crc32.h"
#include "messages.h"

bool crc32_right(const uint8_t *bytes, uint16_t count)
{
    return crc32_add(crc32_start(), bytes, count) == CRC32_RIGHT;
}

void crc32_append(uint8_t *bytes, uint16_t count)
{
    put_u32(bytes + count, crc32_end(crc32_add(crc32_start(), bytes, count)));
}
