#include "session.h"

#include "bits.h"
#include "boot.h"
#include "encoding.h"
#include "frame.h"
#include "image.h"
#include "offer.h"
#include "record.h"
#include "scheme.h"
#include "stage.h"

#define REPLY_LEAST OTA_FRAME_LEAST
#define REPORT_MORE 0x80U
#define DIGEST_BYTES 4U

/* A handler gets the body and its length and returns the length of the reply's body, or one of these. */
#define NO_REPLY 0xFFFFU
#define REFUSE(reason) ((uint16_t)(0xFE00U | (reason)))

static uint8_t *body_of(struct ota *ota)
{
    return ota->frame + OTA_HEADER_BYTES;
}

/* What a reply's body may hold. */
static uint16_t room_of(const struct ota *ota)
{
    return (uint16_t)(ota->reply_bytes - OTA_HEADER_BYTES - OTA_CRC_BYTES);
}

static uint16_t reason(struct ota *ota, uint8_t why)
{
    body_of(ota)[0] = why;
    return 1;
}

static bool in_session(const struct ota *ota)
{
    return ota->transfer >= OTA_TRANSFER_STATE_RECEIVING &&
           get_u16(ota->frame + OTA_HEADER_SESSION) == ota->session;
}

/* The host has spoken to this device on purpose: the longer window begins anew. */
static void stay(struct ota *ota)
{
    ota->stays = true;
    ota->since_ms = port_millis();
}

static bool is_uid(const uint8_t *target)
{
    for (uint8_t i = 0; i < OTA_UID_BYTES; i++) {
        if (target[i] != OTA_UID[i]) {
            return false;
        }
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, uint8_t count)
{
    for (; count > 0U; count--) {
        if (*bytes++ != 0U) {
            return false;
        }
    }
    return true;
}

static void copy(uint8_t *to, const uint8_t *from, uint16_t count)
{
    for (; count > 0U; count--) {
        *to++ = *from++;
    }
}

static void info_of_port(uint8_t *info)
{
    info[OTA_INFO_PROTOCOL_MIN] = OTA_PROTOCOL_VERSION;
    info[OTA_INFO_PROTOCOL_MAX] = OTA_PROTOCOL_VERSION;
    copy(info + OTA_INFO_BOARD, OTA_BOARD, OTA_BOARD_BYTES);
    copy(info + OTA_INFO_UID, OTA_UID, OTA_UID_BYTES);
    put_u16(info + OTA_INFO_PAGE_BYTES, OTA_PAGE_BYTES);
    put_u16(info + OTA_INFO_BLOCK_BYTES, OTA_BLOCK_BYTES);
    put_u16(info + OTA_INFO_SLOT_PAGES, OTA_SLOT_PAGES);
    put_u16(info + OTA_INFO_SINGLE_PAGES, OTA_SINGLE_SLOT ? OTA_SINGLE_PAGES : 0U);
    put_u16(info + OTA_INFO_FRAME_BYTES, OTA_FRAME_BYTES);
    put_u16(info + OTA_INFO_WINDOW_BYTES, OTA_WINDOW_BYTES);
    put_u16(info + OTA_INFO_STALL_MS, OTA_STALL_MS);
    put_u32(info + OTA_INFO_SLOT_BASE, OTA_SLOT_BASE);
    put_u16(info + OTA_INFO_ENCODINGS, OTA_ENCODINGS);
    put_u16(info + OTA_INFO_SCHEMES, scheme_bits());
    info[OTA_INFO_TRIALS_MAX] = OTA_TRIALS;
}

static void info_of_state(const struct ota *ota, uint8_t *info)
{
    uint8_t trailer[OTA_TRAILER_BYTES];

    info[OTA_INFO_BOOT_STATE] = ota->boot;
    info[OTA_INFO_MODE] = ota->application ? 1U : 0U;
    put_u32(info + OTA_INFO_COUNTER, ota->record.counter);
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        info[OTA_INFO_TRIALS_USED] = ota->trials;
        put_u32(info + OTA_INFO_WAY_BACK_CRC, ota->record.old_image.crc);
    }
    if (boot_runs(ota) && image_trailer(OTA_PRIMARY_PAGE, ota->running.pages, trailer)) {
        copy(info + OTA_INFO_IMAGE_BYTES, trailer + OTA_TRAILER_IMAGE_BYTES, OTA_TRAILER_BYTES - OTA_TRAILER_IMAGE_BYTES);
    }
}

static uint16_t on_inspect(struct ota *ota, uint8_t *body)
{
    uint16_t most = get_u16(body + OTA_INSPECT_REQ_FRAME_BYTES);
    uint8_t offset = body[OTA_INSPECT_REQ_OFFSET];
    uint8_t *part = body + OTA_INSPECT_REP_PART;
    uint16_t count;

    if (!is_zero(body + OTA_INSPECT_REQ_TARGET, OTA_UID_BYTES) && !is_uid(body + OTA_INSPECT_REQ_TARGET)) {
        return NO_REPLY;
    }
    most = most < REPLY_LEAST ? REPLY_LEAST : most;
    ota->reply_bytes = most < OTA_FRAME_BYTES ? most : OTA_FRAME_BYTES;
    offset = offset < OTA_INFO_BYTES ? offset : OTA_INFO_BYTES;
    for (uint8_t i = 0; i < OTA_INFO_BYTES; i++) {
        part[i] = 0;
    }
    info_of_port(part);
    info_of_state(ota, part);
    count = (uint16_t)(OTA_INFO_BYTES - offset);
    most = (uint16_t)(room_of(ota) - OTA_INSPECT_REP_BYTES);
    count = count < most ? count : most;
    copy(part, part + offset, count);
    body[OTA_INSPECT_REP_TOTAL] = OTA_INFO_BYTES;
    body[OTA_INSPECT_REP_OFFSET] = offset;
    return (uint16_t)(OTA_INSPECT_REP_BYTES + count);
}

static uint16_t on_enter(struct ota *ota, uint8_t *body)
{
    if (!is_uid(body + OTA_ENTER_REQ_TARGET)) {
        return NO_REPLY;
    }
    stay(ota);
    if (ota->application) {
        ota->after = AFTER_STAY;
    }
    return reason(ota, OTA_REASON_OK);
}

static uint16_t on_reboot(struct ota *ota, uint8_t *body)
{
    if (!is_uid(body + OTA_REBOOT_REQ_TARGET)) {
        return NO_REPLY;
    }
    ota->after = AFTER_RESTART;
    return reason(ota, OTA_REASON_OK);
}

static uint16_t on_offer(struct ota *ota, uint8_t *body, uint16_t count)
{
    uint8_t why;

    if (ota->application) {
        return REFUSE(OTA_REASON_IN_APPLICATION);
    }
    why = offer_take(ota, get_u16(body + OTA_OFFER_REQ_OFFSET), body + OTA_OFFER_REQ_PART,
                     (uint16_t)(count - OTA_OFFER_REQ_BYTES));
    if (why == OTA_REASON_OK) {
        stay(ota);
    }
    body[OTA_OFFER_REP_REASON] = why;
    put_u16(body + OTA_OFFER_REP_NEXT, ota->offer_next);
    put_u16(body + OTA_OFFER_REP_LIMIT, ota->transfer >= OTA_TRANSFER_STATE_RECEIVING ? stage_limit(ota) : 0U);
    return OTA_OFFER_REP_BYTES;
}

static uint16_t report(struct ota *ota, uint8_t *body, uint16_t start)
{
    uint16_t used;
    bool more;

    stage_extend(ota);
    more = stage_gaps(ota, start, body + OTA_REPORT_REP_GAPS, (uint16_t)(room_of(ota) - OTA_REPORT_REP_BYTES), &used);
    body[OTA_REPORT_REP_LAST_SERIAL] = ota->last_serial;
    body[OTA_REPORT_REP_STATE] = (uint8_t)(ota->transfer | (more ? REPORT_MORE : 0U));
    put_u16(body + OTA_REPORT_REP_LIMIT, stage_limit(ota));
    put_u16(body + OTA_REPORT_REP_HASHED, ota->hashed);
    put_u16(body + OTA_REPORT_REP_START, start);
    return (uint16_t)(OTA_REPORT_REP_BYTES + used);
}

/* Blocks are never refused: what cannot be used is left out of the next report. */
static uint16_t on_block(struct ota *ota, uint8_t *body, uint16_t count)
{
    uint8_t kind = ota->frame[OTA_HEADER_KIND];
    uint16_t place = get_u16(body + OTA_BLOCK_REQ_PLACE);

    if (count < OTA_BLOCK_REQ_BYTES || !in_session(ota)) {
        return NO_REPLY;
    }
    stay(ota);
    ota->last_serial = ota->frame[OTA_HEADER_SERIAL];
    if ((kind & OTA_KIND_ENCODING_MASK) == OTA_ENCODING_RAW) {
        encoding_raw(ota, place, body + OTA_BLOCK_REQ_DATA, (uint16_t)(count - OTA_BLOCK_REQ_BYTES));
    }
    if ((kind & (uint8_t)~OTA_KIND_ENCODING_MASK) == OTA_KIND_BLOCK) {
        return NO_REPLY;
    }
    ota->frame[OTA_HEADER_KIND] = OTA_KIND_REPORT;
    return report(ota, body, 0);
}

static uint16_t on_report(struct ota *ota, uint8_t *body)
{
    stay(ota);
    return report(ota, body, get_u16(body + OTA_REPORT_REQ_START));
}

static uint16_t on_survey(struct ota *ota, uint8_t *body, uint16_t count)
{
    uint16_t page = get_u16(body + OTA_SURVEY_REQ_PAGE);
    uint16_t pages = (uint16_t)((count - OTA_SURVEY_REQ_BYTES) / DIGEST_BYTES);
    uint8_t *digests = body + OTA_SURVEY_REQ_DIGESTS;
    uint8_t bits = 0;

    stay(ota);
    stage_flush(ota);
    if (ota->transfer == OTA_TRANSFER_STATE_DAMAGED) {
        stage_continue(ota);
    }
    /* The bits are written behind where the digests are read: the reply's part lies one byte above the request's. */
    for (uint16_t i = 0; i < pages; i++) {
        if (stage_survey(ota, (uint16_t)(page + i), digests + DIGEST_BYTES * i)) {
            bits |= bit_mask(i);
        }
        if ((i & 7U) == 7U || i + 1U == pages) {
            body[OTA_SURVEY_REP_AGREE + (i >> 3)] = bits;
            bits = 0;
        }
    }
    body[OTA_SURVEY_REP_REASON] = OTA_REASON_OK;
    put_u16(body + OTA_SURVEY_REP_PAGE, page);
    return (uint16_t)(OTA_SURVEY_REP_BYTES + ((pages + 7U) >> 3));
}

static uint8_t apply_gate(const struct ota *ota)
{
    if (ota->transfer == OTA_TRANSFER_STATE_DAMAGED) {
        return OTA_REASON_DIGEST_MISMATCH;
    }
    if (ota->transfer == OTA_TRANSFER_STATE_FAILED) {
        return OTA_REASON_FLASH_FAILED;
    }
    return ota->transfer == OTA_TRANSFER_STATE_VERIFIED ? OTA_REASON_OK : OTA_REASON_NOT_VERIFIED;
}

static uint16_t on_apply(struct ota *ota, uint8_t *body)
{
    struct ota_image image = {get_u16(ota->manifest + OTA_MANIFEST_PAGES),
                              get_u32(ota->manifest + OTA_MANIFEST_IMAGE_CRC)};
    uint32_t wait_ms = (uint32_t)image.pages * OTA_SWAP_PAGE_MS;
    uint8_t why = apply_gate(ota);

    stay(ota);
    if (why == OTA_REASON_OK && boot_apply(ota, image, stage_single(ota)) != OTA_OK) {
        why = OTA_REASON_FLASH_FAILED;
    }
    if (why == OTA_REASON_OK) {
        ota->after = AFTER_SWAP;
        ota->transfer = OTA_TRANSFER_STATE_NONE;
        ota->map_valid = false;
    }
    body[OTA_APPLY_REP_REASON] = why;
    put_u16(body + OTA_APPLY_REP_WAIT_MS, wait_ms < 0xFFFFU ? (uint16_t)wait_ms : 0xFFFFU);
    return OTA_APPLY_REP_BYTES;
}

static uint16_t on_confirm(struct ota *ota, uint8_t *body)
{
    if (!boot_runs(ota) || get_u32(body) != ota->running.crc) {
        return reason(ota, OTA_REASON_WRONG_IMAGE);
    }
    if (ota->boot == OTA_BOOT_STATE_TRIAL && boot_confirm(ota) != OTA_OK) {
        return reason(ota, OTA_REASON_FLASH_FAILED);
    }
    return reason(ota, OTA_REASON_OK);
}

static uint8_t revert_gate(const struct ota *ota, uint32_t crc)
{
    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        return crc == ota->running.crc ? OTA_REASON_OK : OTA_REASON_WRONG_IMAGE;
    }
    if (crc == ota->running.crc) {
        return OTA_REASON_ALREADY_CONFIRMED;
    }
    if (ota->record.kind == RECORD_REVERT && crc == ota->record.new_image.crc) {
        return OTA_REASON_OK;
    }
    return OTA_REASON_NO_TRIAL;
}

static uint16_t on_revert(struct ota *ota, uint8_t *body)
{
    uint8_t why = revert_gate(ota, get_u32(body));

    if (why == OTA_REASON_OK && ota->boot == OTA_BOOT_STATE_TRIAL) {
        if (boot_revert(ota) != OTA_OK) {
            return reason(ota, OTA_REASON_FLASH_FAILED);
        }
        ota->after = ota->application ? AFTER_RESTART : AFTER_REVERT;
    }
    return reason(ota, why);
}

static uint16_t on_abort(struct ota *ota)
{
    if (in_session(ota)) {
        stage_flush(ota);
        ota->transfer = OTA_TRANSFER_STATE_NONE;
        ota->offer_next = 0;
    }
    return reason(ota, OTA_REASON_OK);
}

#define AT_LEAST 0x8000U
#define NO_SUCH_KIND 0x7FFFU

/* Length a body must have: exactly, or with AT_LEAST that or more. */
static uint16_t length_of(uint8_t kind)
{
    switch (kind) {
    case OTA_KIND_INSPECT: return OTA_INSPECT_REQ_BYTES;
    case OTA_KIND_ENTER:
    case OTA_KIND_REBOOT: return OTA_ENTER_REQ_BYTES;
    case OTA_KIND_OFFER: return OTA_OFFER_REQ_BYTES | AT_LEAST;
    case OTA_KIND_REPORT: return OTA_REPORT_REQ_BYTES;
    case OTA_KIND_SURVEY: return OTA_SURVEY_REQ_BYTES | AT_LEAST;
    case OTA_KIND_CONFIRM:
    case OTA_KIND_REVERT: return OTA_CONFIRM_REQ_BYTES;
    case OTA_KIND_APPLY:
    case OTA_KIND_ABORT: return 0;
    default: return NO_SUCH_KIND;
    }
}

static uint8_t length_gate(uint8_t kind, uint16_t count)
{
    uint16_t length = length_of(kind);

    if (length == NO_SUCH_KIND) {
        return OTA_REASON_UNKNOWN_MESSAGE;
    }
    if ((length & AT_LEAST) != 0U ? count < (length & (uint16_t)~AT_LEAST) : count != length) {
        return OTA_REASON_BAD_LENGTH;
    }
    return OTA_REASON_OK;
}

/* Report, Survey and Apply: in the loader, in a session. */
static uint8_t session_gate(const struct ota *ota)
{
    if (ota->application) {
        return OTA_REASON_IN_APPLICATION;
    }
    return in_session(ota) ? OTA_REASON_OK : OTA_REASON_NO_SESSION;
}

static uint16_t in_session_only(struct ota *ota, uint8_t kind, uint8_t *body, uint16_t count)
{
    uint8_t why = session_gate(ota);

    if (why != OTA_REASON_OK) {
        return REFUSE(why);
    }
    if (kind == OTA_KIND_REPORT) {
        return on_report(ota, body);
    }
    return kind == OTA_KIND_SURVEY ? on_survey(ota, body, count) : on_apply(ota, body);
}

static uint16_t dispatch(struct ota *ota, uint8_t kind, uint8_t *body, uint16_t count)
{
    uint8_t why;

    if (kind >= OTA_KIND_BLOCK && kind < OTA_KIND_BLOCK_REPORT + 16U) {
        return on_block(ota, body, count);
    }
    if ((kind & OTA_KIND_REPLY) != 0U) {
        return NO_REPLY; /* a reply heard on a shared channel; answering it would never end */
    }
    why = length_gate(kind, count);
    if (why != OTA_REASON_OK) {
        return REFUSE(why);
    }
    switch (kind) {
    case OTA_KIND_INSPECT: return on_inspect(ota, body);
    case OTA_KIND_ENTER: return on_enter(ota, body);
    case OTA_KIND_OFFER: return on_offer(ota, body, count);
    case OTA_KIND_CONFIRM: return on_confirm(ota, body);
    case OTA_KIND_REVERT: return on_revert(ota, body);
    case OTA_KIND_REBOOT: return on_reboot(ota, body);
    case OTA_KIND_ABORT: return on_abort(ota);
    default: return in_session_only(ota, kind, body, count);
    }
}

void session_serve(struct ota *ota)
{
    uint8_t kind = ota->frame[OTA_HEADER_KIND];
    uint8_t *body = body_of(ota);
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
