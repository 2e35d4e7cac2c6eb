/* port_config.h of no chip, with the sizes of an STM32F103 with the least of everything: frames of 20 bytes, half-words, two slots only:
 * the core is compiled against it for its warnings (tools/ccheck), and never linked. */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <stdint.h>

#define OTA_PAGE_BYTES 1024U
#define OTA_SLOT_PAGES ((uint16_t)58)
#define OTA_RECORD_PAGES ((uint16_t)1)
#define OTA_WRITE_BYTES ((uint16_t)2)
#define OTA_MARK_BYTES ((uint16_t)2)
#define OTA_BLOCK_BYTES ((uint16_t)8)
#define OTA_CHUNK_BYTES ((uint16_t)64)
#define OTA_FRAME_BYTES ((uint16_t)20)
#define OTA_ENTRY_WINDOW_MS ((uint16_t)1000)
#define OTA_STAY_MS ((uint16_t)15000)
#define OTA_SWAP_PAGE_MS ((uint16_t)150)
#define OTA_TRIALS ((uint8_t)3)
#define OTA_ERASE_AHEAD 0U
#define OTA_APP_ERASE_AHEAD 1U /* the same while an application runs, which every erase halts */
#define OTA_MEANWHILE 0U
#define OTA_SINGLE_SLOT 0

#ifndef OTA_SCHEME
#define OTA_SCHEME none
#endif

#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))

#define OTA_PAGE_BYTES_MAX 1024
#define OTA_CHUNK_BYTES_MAX 128 /* more than a chunk: LMS verifies in it */
#define OTA_FRAME_BYTES_MAX 98
#define OTA_COMING_BYTES_MAX 1
#define OTA_PLACES_MAX 7424
#define OTA_PAGES_MAX 58

#define OTA_ROM const
#define OTA_ROM_U32(at) (*(at))
#define OTA_ROM_U8(at) (*(at))

#define OTA_CHARGE_CRC(bytes) ((void)(bytes))
#define OTA_CHARGE_SHA(blocks) ((void)(blocks))

#endif
