/* Verifies one LMS signature with scheme_lms.c built for a set of parameters and a length of the message, as in
 * -DLMS_N=32U -DLMS_W=8U -DMESSAGE_BYTES=162U. Reads key page, message and signature as binary from standard input, the
 * signature in pieces of PIECE_BYTES; the exit code is 0 if it fits, 1 if not. */
#include "messages.h"
#undef OTA_MANIFEST_BYTES
#define OTA_MANIFEST_BYTES MESSAGE_BYTES

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheme_lms.c"

#define KEY_BYTES 64U

static uint8_t key[KEY_BYTES];
static struct ota ota;

void port_read(uint16_t page, uint16_t offset, uint8_t *to, uint16_t count)
{
    if (page != OTA_KEY_PAGE || offset + count > KEY_BYTES) {
        abort();
    }
    memcpy(to, key + offset, count);
}

void port_feed(void)
{
}

int main(void)
{
    static uint8_t signature[8192];
    size_t bytes;
    size_t at;

    if (fread(key, 1, KEY_BYTES, stdin) != KEY_BYTES || fread(ota.manifest, 1, MESSAGE_BYTES, stdin) != MESSAGE_BYTES) {
        return 2;
    }
    bytes = fread(signature, 1, sizeof signature, stdin);
    /* The length stands in the manifest, whose bytes are the message here: it is checked by hand. */
    memset(ota.chunk, 0xA5, sizeof ota.chunk);
    (void)lms_start(&ota);
    if (bytes != LMS_SIGNATURE_BYTES + LMS_N * height()) {
        return 1;
    }
    for (at = 0; at < bytes; at += PIECE_BYTES) {
        size_t left = bytes - at;

        lms_take(&ota, signature + at, (uint16_t)(left < PIECE_BYTES ? left : PIECE_BYTES));
    }
    return lms_end(&ota) == OTA_OK ? 0 : 1;
}
