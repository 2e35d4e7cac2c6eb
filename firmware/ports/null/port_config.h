/* port_config.h of no chip: constants of the size that a small chip has, so that the core can be compiled, and its
 * warnings read, by any cross compiler. Nothing links it. */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <stdint.h>

#define OTA_BOARD ((const uint8_t *)"null\0\0\0\0\0\0\0\0\0\0\0\0")
#define OTA_UID ((const uint8_t *)"\1\2\3\4\5\6\7\10")
#define OTA_SLOT_BASE 0UL
#define OTA_PAGE_BYTES 128U
#define OTA_SLOT_PAGES ((uint16_t)111)
#define OTA_RECORD_PAGES ((uint16_t)1)
#define OTA_WRITE_BYTES ((uint16_t)2)
#define OTA_MARK_BYTES ((uint16_t)2)
#define OTA_BLOCK_BYTES ((uint16_t)32)
#define OTA_CHUNK_BYTES ((uint16_t)128)
#define OTA_FRAME_BYTES ((uint16_t)256)
#define OTA_WINDOW_BYTES ((uint16_t)256)
#define OTA_STALL_MS ((uint16_t)10)
#define OTA_ENTRY_WINDOW_MS ((uint16_t)1000)
#define OTA_STAY_MS ((uint16_t)15000)
#define OTA_SWAP_PAGE_MS ((uint16_t)20)
#define OTA_TRIALS ((uint8_t)3)
#define OTA_ERASE_STALLS 0
#define OTA_ERASE_AHEAD 1
#define OTA_SINGLE_SLOT 0

#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))

#define OTA_PAGE_BYTES_MAX 128
#define OTA_CHUNK_BYTES_MAX 128
#define OTA_FRAME_BYTES_MAX 256
#define OTA_PLACES_MAX 512
#define OTA_PAGES_MAX 111

#define OTA_ROM const
#define OTA_ROM_U32(at) (*(at))

#define OTA_CHARGE_CRC(bytes) ((void)(bytes))
#define OTA_CHARGE_SHA(blocks) ((void)(blocks))

#endif
