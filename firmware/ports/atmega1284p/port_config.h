/* port_config.h of the ATmega1284P: 512 pages of 256 B, of which the loader takes the uppermost 64 (link.ld). */
#ifndef OTA_PORT_CONFIG_H
#define OTA_PORT_CONFIG_H

#include <avr/pgmspace.h>
#include <stdint.h>

#define OTA_PAGE_BYTES 256U
#define OTA_RECORD_PAGES ((uint16_t)2) /* 48 + 1 + 2 * 221 + 16 bytes */
#define OTA_WRITE_BYTES ((uint16_t)2)
#define OTA_MARK_BYTES ((uint16_t)1) /* a page write ANDs: a mark is one byte in a page of ones */
#define OTA_BLOCK_BYTES ((uint16_t)8)
#define OTA_CHUNK_BYTES ((uint16_t)256)
#define OTA_FRAME_BYTES ((uint16_t)1056)
#define OTA_ENTRY_WINDOW_MS ((uint16_t)1000)
#define OTA_STAY_MS ((uint16_t)15000)
#define OTA_SWAP_PAGE_MS ((uint16_t)(18U + PORT_CPU_MS(12U))) /* two pages: four times SPM, reading and comparing */
#define OTA_TRIALS ((uint8_t)3)
#define OTA_ERASE_AHEAD 0U /* the receiver runs on during SPM: its code lies in the boot section */
#define OTA_APP_ERASE_AHEAD 1U /* the same while an application runs, which every erase halts */
#define OTA_MEANWHILE 1U /* SHA-256 is made, and the next frame taken, in the waits for SPM */
#define OTA_SINGLE_SLOT 1

#define OTA_SCHEME none
#define OTA_SLOT_PAGES ((uint16_t)221)

/* Logical pages are the pages of the flash, from address 0. */
#define OTA_PRIMARY_PAGE ((uint16_t)0)
#define OTA_SECONDARY_PAGE OTA_SLOT_PAGES
#define OTA_RECORD_PAGE ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))
#define PORT_PAGES ((uint16_t)(2U * OTA_SLOT_PAGES + 1U + 2U * OTA_RECORD_PAGES))

#define PORT_BOARD 'a', 't', 'm', 'e', 'g', 'a', '1', '2', '8', '4', 'p', 0, 0, 0, 0, 0
#define PORT_RING_BYTES 4096U
#define PORT_STALL_MS (9U + PORT_CPU_MS(51U)) /* erases and writes of pages, the digest brought up before, a frame's CRC */
#define PORT_CPU_MS(at_16_mhz) ((at_16_mhz) * 16000000UL / F_CPU)
#define PORT_KEEPS_UP (BAUD <= 120000UL && F_CPU / BAUD >= 130U)

#define OTA_PAGE_BYTES_MAX 256
#define OTA_CHUNK_BYTES_MAX 256
#define OTA_FRAME_BYTES_MAX 1056
#define OTA_COMING_BYTES_MAX OTA_FRAME_BYTES_MAX
#define OTA_PLACES_MAX 14176 /* single slot: 443 pages of 32 blocks */
#define OTA_PAGES_MAX 443

/* 64 KiB lie behind each value of RAMPZ. Constants stay in flash, in the upper half, where all of the loader lies. */
#define PORT_FAR_PAGE(page) (RAMPZ = (uint8_t)((page) >> 8))
#define PORT_FLASH_BYTE(at) port_flash_byte(at)
#define OTA_ROM const PROGMEM
#define OTA_ROM_U32(at) pgm_read_dword_far(0x10000UL + (uint16_t)(at))
#define OTA_ROM_U8(at) pgm_read_byte_far(0x10000UL + (uint16_t)(at))

/* What lies at Z, behind RAMPZ as it stands. */
static inline uint8_t port_flash_byte(uint16_t at)
{
    uint8_t byte;

    __asm__ volatile("elpm %0, Z" : "=r"(byte) : "z"(at) : "memory");
    return byte;
}

#define OTA_CHARGE_CRC(bytes) ((void)(bytes))
#define OTA_CHARGE_SHA(blocks) ((void)(blocks))

#endif
