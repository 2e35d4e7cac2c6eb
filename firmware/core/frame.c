#include "frame.h"

#include <string.h>

#include "crc32.h"

#define COBS_RUN 0xFFU

/* True if the next frame is taken while the one before is at work. */
static bool is_ahead(const struct ota *ota)
{
    return OTA_MEANWHILE != 0U && ota->mode == OTA_MODE_LOADER;
}

static uint8_t *coming(struct ota *ota)
{
    return is_ahead(ota) ? ota->coming : ota->frame;
}

static void frame_put(struct ota *ota, uint8_t byte)
{
    if (ota->frame_fill < OTA_FRAME_BYTES) {
        coming(ota)[ota->frame_fill] = byte;
    }
    if (ota->frame_fill <= OTA_FRAME_BYTES) {
        ota->frame_fill++; /* one past the limit: overlong, dropped at its end */
    }
}

static bool frame_whole(struct ota *ota, uint16_t count)
{
    if (count < OTA_HEADER_BYTES + OTA_CRC_BYTES || count > OTA_FRAME_BYTES || ota->cobs_left != 0U) {
        return false;
    }
    return crc32_right(coming(ota), count);
}

/* A byte of COBS (Cheshire and Baker 1999): a code byte says how many bytes follow up to the next zero. */
static void cobs_take(struct ota *ota, uint8_t byte)
{
    bool put = true;

    if (ota->cobs_left != 0U) {
        ota->cobs_left--;
    } else {
        put = ota->cobs_zero;
        ota->cobs_left = (uint8_t)(byte - 1U);
        ota->cobs_zero = byte != COBS_RUN;
        byte = 0;
    }
    if (put) {
        frame_put(ota, byte);
    }
}

void frame_take(struct ota *ota, uint8_t byte)
{
    if (byte != 0U) {
        cobs_take(ota, byte);
        return;
    }
    ota->waits = frame_whole(ota, ota->frame_fill);
    ota->frame_count = ota->frame_fill;
    ota->frame_fill = 0;
    ota->cobs_left = 0;
    ota->cobs_zero = false;
}

bool frame_listen(struct ota *ota)
{
    int16_t byte = ota->waits ? -1 : port_receive();

    if (byte < 0) {
        return false;
    }
    frame_take(ota, (uint8_t)byte);
    return true;
}

bool frame_next(struct ota *ota)
{
    if (!ota->waits) {
        return false;
    }
    ota->waits = false;
    if (is_ahead(ota)) {
        memcpy(ota->frame, ota->coming, ota->frame_count);
    }
    return true;
}

/* Sends up to 254 bytes behind their code byte; returns how many bytes of the frame that used up. */
static uint16_t cobs_send_run(const uint8_t *bytes, uint16_t count)
{
    uint8_t run = 0;

    while (run < COBS_RUN - 1U && run < count && bytes[run] != 0U) {
        run++;
    }
    port_send((uint8_t)(run + 1U));
    for (uint8_t i = 0; i < run; i++) {
        port_send(bytes[i]);
    }
    return run < COBS_RUN - 1U ? (uint16_t)(run + 1U) : run;
}

void frame_send(struct ota *ota, uint16_t count)
{
    uint16_t at = 0;

    crc32_append(ota->frame, count);
    count = (uint16_t)(count + OTA_CRC_BYTES);
    /* A run that ends the frame stands for a zero that is not there: that of the frame's end. */
    while (at <= count) {
        at = (uint16_t)(at + cobs_send_run(ota->frame + at, (uint16_t)(count - at)));
    }
    port_send(0);
}
