#include "session.h"

#include <string.h>

#include "bits.h"
#include "boot.h"
#include "encoding.h"
#include "frame.h"
#include "gaps.h"
#include "image.h"
#include "offer.h"
#include "record.h"
#include "scheme.h"
#include "stage.h"

/* A handler gets the body and its length and returns the length of the reply's body, or one of these. */
#define NO_REPLY 0xFFFFU
#define REFUSE(reason) ((uint16_t)(0xFE00U | (reason)))

#define ENTERS_AFTER_MS 3000U /* of an application, from its start */

/* What a reply's body may hold. */
static uint16_t room_of(const struct ota *ota)
{
    return (uint16_t)(ota->reply_bytes - OTA_HEADER_BYTES - OTA_CRC_BYTES);
}

/* True if the request names the session that the offer here belongs to. */
OTA_CALLED static bool is_own(const struct ota *ota)
{
    return get_u16(ota->frame + OTA_HEADER_SESSION) == ota->session;
}

static bool in_session(const struct ota *ota)
{
    return ota->transfer >= OTA_TRANSFER_STATE_RECEIVING && is_own(ota);
}

/* The host has spoken to this device on purpose: the longer window begins anew. */
OTA_CALLED static void stay(struct ota *ota)
{
    ota->stays = true;
    ota->since_ms = port_millis();
}

/* True if `target` is this device's unique id, or zero. */
static bool is_target(struct ota *ota, const uint8_t *target, bool zero_too)
{
    uint8_t other = 0;
    uint8_t any = 0;

    port_identity(ota->scratch);
    for (uint8_t i = 0; i < OTA_UID_BYTES; i++) {
        other |= target[i] ^ ota->scratch[OTA_INFO_UID + i];
        any |= target[i];
    }
    return other == 0U || (zero_too && any == 0U);
}

void session_info(struct ota *ota, uint8_t *info)
{
    memset(info, 0, OTA_INFO_BYTES);
    port_identity(info);
    info[OTA_INFO_MODE] = ota->mode;
    info[OTA_INFO_BOOT_STATE] = ota->boot;
    copy_u32(info + OTA_INFO_COUNTER, ota->record + RECORD_COUNTER);
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        info[OTA_INFO_TRIALS_USED] = ota->trials;
        if (get_u16(ota->record + RECORD_OLD) != 0U) {
            copy_u32(info + OTA_INFO_WAY_BACK_CRC, ota->record + RECORD_OLD + IMAGE_CRC);
        }
    }
    if (boot_runs(ota)) {
        image_trailer(get_u16(boot_running(ota)), OTA_TRAILER_IMAGE_BYTES, info + OTA_INFO_IMAGE_BYTES,
                      OTA_TRAILER_BYTES - OTA_TRAILER_IMAGE_BYTES);
    }
}

static uint16_t on_inspect(struct ota *ota, uint8_t *body)
{
    uint16_t most = get_u16(body + OTA_INSPECT_REQ_FRAME_BYTES);
    uint8_t offset = body[OTA_INSPECT_REQ_OFFSET];
    uint8_t *part = body + OTA_INSPECT_REP_PART;
    uint16_t count;

    if (!is_target(ota, body + OTA_INSPECT_REQ_TARGET, true)) {
        return NO_REPLY;
    }
    most = most < OTA_FRAME_LEAST ? OTA_FRAME_LEAST : most;
    ota->reply_bytes = most < OTA_FRAME_BYTES ? most : OTA_FRAME_BYTES;
    offset = offset < OTA_INFO_BYTES ? offset : OTA_INFO_BYTES;
    session_info(ota, part);
    count = (uint16_t)(OTA_INFO_BYTES - offset);
    most = (uint16_t)(room_of(ota) - OTA_INSPECT_REP_BYTES);
    count = count < most ? count : most;
    memmove(part, part + offset, count);
    body[OTA_INSPECT_REP_TOTAL] = OTA_INFO_BYTES;
    body[OTA_INSPECT_REP_OFFSET] = offset;
    return (uint16_t)(OTA_INSPECT_REP_BYTES + count);
}

/* Enter and Reboot. */
static uint16_t on_restart(struct ota *ota, uint8_t *body, bool enter)
{
    if (!is_target(ota, body, false)) {
        return NO_REPLY;
    }
    if (!enter) {
        ota->after = AFTER_RESTART;
    } else if (ota->mode != OTA_MODE_LOADER) {
        /* Its own work first, however often a host asks: on trial it has to have a time in which to confirm itself. (And for
         * as long again whenever the clock has come round: a host asks until it is answered.) */
        if ((uint16_t)(port_millis() - ota->since_ms) < ENTERS_AFTER_MS) {
            return NO_REPLY;
        }
        ota->after = AFTER_STAY;
    } else {
        stay(ota);
    }
    body[0] = OTA_REASON_OK;
    return 1;
}

static uint16_t on_offer(struct ota *ota, uint8_t *body, uint16_t count)
{
    if (ota->mode == OTA_MODE_APPLICATION) {
        return REFUSE(OTA_REASON_IN_APPLICATION);
    }
    body[OTA_OFFER_REP_REASON] = offer_take(ota, get_u16(body + OTA_OFFER_REQ_OFFSET), body + OTA_OFFER_REQ_PART,
                                            (uint16_t)(count - OTA_OFFER_REQ_BYTES));
    if (body[OTA_OFFER_REP_REASON] == OTA_REASON_OK) {
        stay(ota);
    }
    put_u16(body + OTA_OFFER_REP_NEXT, is_own(ota) ? ota->offer_next : 0U);
    put_u16(body + OTA_OFFER_REP_LIMIT, in_session(ota) ? stage_limit(ota) : 0U);
    return OTA_OFFER_REP_BYTES;
}

static uint16_t report(struct ota *ota, uint8_t *body, uint16_t start)
{
    uint16_t room = (uint16_t)(room_of(ota) - OTA_REPORT_REP_BYTES);
    uint16_t used;
    bool more;

    used = gaps_write(ota, start, body + OTA_REPORT_REP_GAPS, room, &more);
    body[OTA_REPORT_REP_LAST_SERIAL] = ota->last_serial;
    body[OTA_REPORT_REP_STATE] = (uint8_t)(ota->transfer | (more ? OTA_REPORT_MORE : 0U));
    put_u16(body + OTA_REPORT_REP_LIMIT, stage_limit(ota));
    put_u16(body + OTA_REPORT_REP_HASHED, ota->hashed);
    put_u16(body + OTA_REPORT_REP_START, start);
    return (uint16_t)(OTA_REPORT_REP_BYTES + used);
}

/* Blocks are never refused: what cannot be used is missing in the next report. */
static uint16_t on_block(struct ota *ota, uint8_t kind, uint8_t *body, uint16_t count)
{
    if (count < OTA_BLOCK_REQ_BYTES || !in_session(ota)) {
        return NO_REPLY;
    }
    stay(ota);
    ota->last_serial = ota->frame[OTA_HEADER_SERIAL];
    if (kind >= OTA_KIND_BLOCK_REPORT) {
        stage_extend(ota); /* a block beyond the credit, sent alone: the host asks for more */
    }
    if ((kind & OTA_KIND_ENCODING_MASK) == OTA_ENCODING_RAW) {
        encoding_raw(ota, get_u16(body + OTA_BLOCK_REQ_PLACE), body + OTA_BLOCK_REQ_DATA,
                     (uint16_t)(count - OTA_BLOCK_REQ_BYTES));
    }
    if (kind < OTA_KIND_BLOCK_REPORT) {
        return NO_REPLY;
    }
    stage_extend(ota);
    ota->frame[OTA_HEADER_KIND] = OTA_KIND_REPORT;
    return report(ota, body, 0);
}

/* Eight pages a request, which keeps the time that one takes within stall_ms. */
static uint16_t on_survey(struct ota *ota, uint8_t *body, uint16_t count)
{
    uint16_t page = get_u16(body + OTA_SURVEY_REQ_PAGE);
    uint8_t *digest = body + OTA_SURVEY_REQ_DIGESTS;
    uint8_t agree = 0;
    uint16_t left = (uint16_t)((count - OTA_SURVEY_REQ_BYTES) / OTA_TABLE_DIGEST_BYTES);

    stage_flush(ota);
    for (uint8_t bit = 1; bit != 0U && left > 0U && page < get_u16(ota->manifest + OTA_MANIFEST_PAGES); left--) {
        if (stage_survey(ota, page++, digest)) {
            agree |= bit;
        }
        digest += OTA_TABLE_DIGEST_BYTES;
        bit = (uint8_t)(bit << 1);
    }
    if (ota->transfer != OTA_TRANSFER_STATE_FAILED) {
        stage_continue(ota);
    }
    memmove(body + OTA_SURVEY_REP_PAGE, body + OTA_SURVEY_REQ_PAGE, 2);
    body[OTA_SURVEY_REP_REASON] = OTA_REASON_OK;
    body[OTA_SURVEY_REP_AGREE] = agree;
    return OTA_SURVEY_REP_BYTES + 1U;
}

static uint8_t apply(struct ota *ota)
{
    if (ota->transfer == OTA_TRANSFER_STATE_DAMAGED) {
        return OTA_REASON_DIGEST_MISMATCH;
    }
    if (ota->transfer != OTA_TRANSFER_STATE_VERIFIED && ota->transfer != OTA_TRANSFER_STATE_FAILED) {
        return OTA_REASON_NOT_VERIFIED;
    }
    if (ota->transfer == OTA_TRANSFER_STATE_FAILED || boot_apply(ota) != OTA_OK) {
        return OTA_REASON_FLASH_FAILED;
    }
    ota->after = AFTER_SWAP;
    ota->transfer = OTA_TRANSFER_STATE_NONE;
    ota->map_valid = false;
    return OTA_REASON_OK;
}

static uint16_t on_apply(struct ota *ota, uint8_t *body)
{
    uint32_t wait_ms;

    body[OTA_APPLY_REP_REASON] = apply(ota);
    wait_ms = (uint32_t)boot_walk_pages(ota) * OTA_SWAP_PAGE_MS;
    put_u16(body + OTA_APPLY_REP_WAIT_MS, wait_ms < 0xFFFFU ? (uint16_t)wait_ms : 0xFFFFU);
    return OTA_APPLY_REP_BYTES;
}

static uint8_t confirm(struct ota *ota, bool named)
{
    if (!boot_runs(ota) || !named) {
        return OTA_REASON_WRONG_IMAGE;
    }
    if (ota->boot == OTA_BOOT_STATE_TRIAL && boot_confirm(ota) != OTA_OK) {
        return ota->boot == OTA_BOOT_STATE_SWAPPING ? OTA_REASON_FLASH_FAILED : OTA_REASON_WRONG_IMAGE;
    }
    return OTA_REASON_OK;
}

static uint8_t revert(struct ota *ota, const uint8_t *crc, bool named)
{
    if (ota->boot != OTA_BOOT_STATE_TRIAL) {
        if (named) {
            return OTA_REASON_ALREADY_CONFIRMED;
        }
        return ota->record[RECORD_KIND] == RECORD_REVERT && memcmp(crc, ota->record + RECORD_NEW + IMAGE_CRC, 4) == 0
                   ? OTA_REASON_OK
                   : OTA_REASON_NO_TRIAL;
    }
    if (!named) {
        return OTA_REASON_WRONG_IMAGE;
    }
    if (boot_revert(ota) != OTA_OK) {
        return OTA_REASON_FLASH_FAILED;
    }
    ota->after = AFTER_REVERT;
    return OTA_REASON_OK;
}

static uint16_t on_decision(struct ota *ota, uint8_t kind, uint8_t *body)
{
    bool named = memcmp(body, boot_running(ota) + IMAGE_CRC, 4) == 0;

    body[0] = kind == OTA_KIND_CONFIRM ? confirm(ota, named) : revert(ota, body, named);
    return 1;
}

static uint16_t on_abort(struct ota *ota, uint8_t *body)
{
    if (in_session(ota)) {
        stage_flush(ota);
        ota->transfer = OTA_TRANSFER_STATE_NONE;
        ota->offer_next = 0;
    }
    body[0] = OTA_REASON_OK;
    return 1;
}

#define AT_LEAST 0x80U

/* By kind: the length that a body must have; with AT_LEAST that or more. */
static OTA_ROM uint8_t lengths[] = {
    OTA_INSPECT_REQ_BYTES,
    OTA_ENTER_REQ_BYTES,
    OTA_OFFER_REQ_BYTES | AT_LEAST,
    OTA_REPORT_REQ_BYTES,
    OTA_SURVEY_REQ_BYTES | AT_LEAST,
    OTA_APPLY_REQ_BYTES,
    OTA_CONFIRM_REQ_BYTES,
    OTA_REVERT_REQ_BYTES,
    OTA_REBOOT_REQ_BYTES,
    OTA_ABORT_REQ_BYTES,
};

static uint8_t gate(struct ota *ota, uint8_t kind, uint16_t count)
{
    uint8_t length;

    if (kind < OTA_KIND_INSPECT || kind > OTA_KIND_ABORT) {
        return OTA_REASON_UNKNOWN_MESSAGE;
    }
    length = OTA_ROM_U8(&lengths[kind - OTA_KIND_INSPECT]);
    if ((length & AT_LEAST) != 0U ? count < (length & (uint8_t)~AT_LEAST) : count != length) {
        return OTA_REASON_BAD_LENGTH;
    }
    if (kind < OTA_KIND_REPORT || kind > OTA_KIND_APPLY) {
        return OTA_REASON_OK;
    }
    if (ota->mode == OTA_MODE_APPLICATION) {
        return OTA_REASON_IN_APPLICATION;
    }
    if (!in_session(ota)) {
        return OTA_REASON_NO_SESSION;
    }
    stay(ota);
    return OTA_REASON_OK;
}

static uint16_t dispatch(struct ota *ota, uint8_t kind, uint8_t *body, uint16_t count)
{
    uint8_t why;

    if (kind >= OTA_KIND_BLOCK && kind <= (OTA_KIND_BLOCK_REPORT | OTA_KIND_ENCODING_MASK)) {
        return on_block(ota, kind, body, count);
    }
    if ((kind & OTA_KIND_REPLY) != 0U) {
        return NO_REPLY; /* a reply heard on a shared channel; answering it would never end */
    }
    why = gate(ota, kind, count);
    if (why != OTA_REASON_OK) {
        return REFUSE(why);
    }
    switch (kind) {
    case OTA_KIND_INSPECT: return on_inspect(ota, body);
    case OTA_KIND_OFFER: return on_offer(ota, body, count);
    case OTA_KIND_REPORT: return report(ota, body, get_u16(body + OTA_REPORT_REQ_START));
    case OTA_KIND_SURVEY: return on_survey(ota, body, count);
    case OTA_KIND_APPLY: return on_apply(ota, body);
    case OTA_KIND_CONFIRM:
    case OTA_KIND_REVERT: return on_decision(ota, kind, body);
    case OTA_KIND_ABORT: return on_abort(ota, body);
    default: return on_restart(ota, body, kind == OTA_KIND_ENTER);
    }
}

void session_serve(struct ota *ota)
{
    uint8_t kind = ota->frame[OTA_HEADER_KIND];
    uint8_t *body = ota->frame + OTA_HEADER_BYTES;
    uint16_t count = (uint16_t)(ota->frame_count - OTA_HEADER_BYTES - OTA_CRC_BYTES);

    count = dispatch(ota, kind, body, count);
    if (count == NO_REPLY) {
        return;
    }
    if (count >= REFUSE(0)) {
        body[OTA_REFUSED_REP_REQUEST] = kind;
        body[OTA_REFUSED_REP_REASON] = (uint8_t)count;
        ota->frame[OTA_HEADER_KIND] = OTA_KIND_REFUSED;
        count = OTA_REFUSED_REP_BYTES;
    }
    ota->frame[OTA_HEADER_KIND] |= OTA_KIND_REPLY;
    frame_send(ota, (uint16_t)(OTA_HEADER_BYTES + count));
}
