/* state.h: all state of the core in one struct, passed first to every function. RAM only; what outlives a cut is in the
 * boot record (record.h) and in the slots. */
#ifndef OTA_STATE_H
#define OTA_STATE_H

#include <stddef.h>

#include "bits.h"
#include "messages.h"
#include "ota.h"

/* An image by name, 6 bytes as in the boot record: pages u16 (0: none), CRC u32. */
#define IMAGE_PAGES 0
#define IMAGE_CRC 2
#define IMAGE_BYTES 6

#define RECORD_BODY_BYTES 32

/* The part of the info record that a port knows when it is built. */
#define OTA_IDENTITY_BYTES OTA_INFO_MODE
#define OTA_UID_BYTES 8

/* A block of SHA-256, a piece of an image, an identity, a record or a trailer. */
#define OTA_SCRATCH_BYTES 64U

/* RAM of an application that answers and takes no update. */
#define OTA_ANSWERING_BYTES offsetof(struct ota, manifest)

/* RAM of an application that takes one. */
#define OTA_STAGING_BYTES offsetof(struct ota, coming)

/* What is left to do once the reply is on its way. */
enum ota_after { AFTER_NOTHING = 0, AFTER_RESTART, AFTER_STAY, AFTER_SWAP, AFTER_REVERT };

/* The info record is put together in the buffer of the frame, whatever part of it the reply then carries. */
#if OTA_FRAME_BYTES_MAX < OTA_HEADER_BYTES + OTA_INSPECT_REP_BYTES + OTA_INFO_BYTES + OTA_CRC_BYTES
#error "OTA_FRAME_BYTES_MAX must hold a whole info record, also where OTA_FRAME_BYTES is less"
#endif

/* Four bytes from one place to another, bytes.c: a call is shorter than the copy. */
void copy_u32(uint8_t *to, const uint8_t *from);

struct ota {
    /* Bytes first, then 16 bits, then arrays, the short ones first: an instruction of a Cortex-M0 reaches bytes 32 bytes
     * from where it points, 16 bits 64, words 128; one of an AVR 64. */

    /* line */
    uint8_t cobs_left; /* bytes to come before the next code byte */
    bool cobs_zero;    /* a zero stands before the next code byte */
    bool waits;        /* a frame is whole, and not served yet */

    /* boot */
    uint8_t record_unit; /* the unit that `record` stands in */
    uint8_t boot;        /* enum ota_boot_state */
    uint8_t trials;      /* trial marks set */
    uint8_t after;       /* enum ota_after */
    uint8_t mode;        /* enum ota_mode: the loader, or linked into an application, which walks no swap */
    bool stays;          /* a host has spoken: the longer window holds */

    /* session */
    uint8_t transfer; /* enum ota_transfer_state */
    uint8_t last_serial;
    uint8_t voided;   /* pages voided in this session */
    bool superseded;  /* single slot: the record was written in this boot, and has no mark that could be weak */
    bool map_valid;   /* held and blank speak of the manifest in `manifest`, as far as it has come */

    /* line */
    uint16_t frame_fill;  /* bytes decoded so far; past OTA_FRAME_BYTES: overlong */
    uint16_t frame_count; /* bytes of the frame that is whole, CRC included */
    uint16_t reply_bytes; /* largest frame that the host takes */

    /* boot */
    uint16_t since_ms; /* when the window began */

    /* session */
    uint16_t session;
    uint16_t offer_next;   /* bytes of manifest and signature that are here */
    uint16_t hashed;       /* pages digested */
    uint16_t hashed_bytes; /* of the page that is being digested */
    uint16_t front;        /* first missing place */
    uint16_t places;       /* of the image offered */
    uint16_t chunk_page;   /* page of the image that `chunk` belongs to */
    uint16_t chunk_offset;
    uint16_t chunk_filled; /* bytes in `chunk` that blocks have set; 0: not in use */
    uint16_t ahead;        /* bytes from `ahead_at` on that are digested while flash is busy */
    uint16_t vouched;      /* single slot: pages from the first on that were whole before any cut, by the record's marks */

    uint8_t record[RECORD_BODY_BYTES]; /* the decision that stands, as in flash */
    uint8_t scratch[OTA_SCRATCH_BYTES]; /* of one function at a time, none of whose callers or callees keeps anything in it */
    const uint8_t *ahead_at; /* in `chunk` or in `scratch` */
    uint32_t digest[8];
    uint8_t frame[OTA_FRAME_BYTES_MAX];

    /* What only an update needs: an application that takes none gives no RAM for it. */
    uint8_t manifest[OTA_MANIFEST_BYTES];
    uint8_t chunk[OTA_CHUNK_BYTES_MAX];
    uint8_t held[(OTA_PLACES_MAX + 7) / 8]; /* one bit a place */
    uint8_t blank[(OTA_PAGES_MAX + 7) / 8]; /* one bit a page: erased in this session, or found right */

    /* What only a loader has: */
    uint8_t coming[OTA_COMING_BYTES_MAX]; /* the frame that is taken, with OTA_MEANWHILE; elsewhere that is `frame` */
};

#endif
