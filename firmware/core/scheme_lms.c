/* Scheme 1: LMS (RFC 8554, one tree). The signature is verified as it comes: the RAM holds one hash of it at a time, and
 * the hash that is open. Its parts, in order: leaf number q and one-time type; C, with which the message is hashed; a value
 * for each digit of that hash and of its checksum, from which a chain leads to its public end; the type of the tree; the
 * path from the leaf to the root. */
#include "scheme_lms.h"

#include <string.h>

#include "scheme.h"
#include "sha256.h"

/* In `chunk`, which holds no blocks meanwhile. */
#define AT_NODE 0U  /* q, then the number of the node: big-endian */
#define AT_INDEX 4U /* number of the part */
#define AT_FILL 5U  /* bytes of it that are here */
#define AT_WRONG 6U /* not 0: something does not fit */
#define AT_HASH 7U  /* hash of the message and its checksum; then the node that was reached */
#define AT_PART (AT_HASH + LMS_N + 2U) /* the part of the signature that is coming in */
#define AT_OPEN (AT_PART + LMS_N)      /* the block of the open hash that is being filled */
#define LMS_RAM_BYTES (AT_OPEN + 64U)

#if OTA_CHUNK_BYTES_MAX < LMS_RAM_BYTES
#error "OTA_CHUNK_BYTES_MAX must hold what verifying LMS keeps"
#endif

#define ROOT_NODE 0x01000000UL /* number 1, as it lies in AT_NODE */

/* Parts by number. */
#define PART_HEAD 0U
#define PART_C 1U
#define PART_CHAIN 2U
#define PART_TREE (PART_CHAIN + LMS_CHAINS)

/* What a hash is of; in the prefix of its input. */
#define D_CHAINS 0x8080U
#define D_MESSAGE 0x8181U
#define D_LEAF 0x8282U
#define D_NODE 0x8383U

/* Identifier of the tree, number of leaf or node, and what the hash is of: the beginning of every input. */
#define PREFIX_BYTES 22U
#define IDENTIFIER_BYTES 16U
#define CHAIN_BYTES (PREFIX_BYTES + 1U + LMS_N)

/* The public key: types of the tree and of its leaves, identifier, root. */
#define KEY_TREE_TYPE KEY_PUBLIC
#define KEY_LEAF_TYPE (KEY_PUBLIC + 4U)
#define KEY_IDENTIFIER (KEY_PUBLIC + 8U)
#define KEY_ROOT (KEY_IDENTIFIER + IDENTIFIER_BYTES)

SCHEME_FUNCTIONS(lms)

/* --- hashes ---------------------------------------------------------------------------------------------------------- */

static void put_byte(struct ota *ota, uint8_t byte)
{
    uint8_t at = (uint8_t)(ota->hashed_bytes++ % SHA256_BLOCK_BYTES);

    ota->chunk[AT_OPEN + at] = byte;
    if (at == SHA256_BLOCK_BYTES - 1U) {
        sha256_block(ota->digest, ota->chunk + AT_OPEN);
    }
}

static void put_bytes(struct ota *ota, const uint8_t *bytes, uint8_t count)
{
    for (; count > 0U; count--) {
        put_byte(ota, *bytes++);
    }
}

OTA_CALLED static void put_prefix(struct ota *ota, uint8_t *to, uint16_t of)
{
    port_read(OTA_KEY_PAGE, KEY_IDENTIFIER, to, IDENTIFIER_BYTES);
    copy_u32(to + IDENTIFIER_BYTES, ota->chunk + AT_NODE);
    to[IDENTIFIER_BYTES + 4U] = (uint8_t)(of >> 8);
    to[IDENTIFIER_BYTES + 5U] = (uint8_t)of;
}

static void hash_open(struct ota *ota, uint16_t of)
{
    sha256_start(ota->digest);
    ota->hashed_bytes = 0;
    put_prefix(ota, ota->scratch, of);
    put_bytes(ota, ota->scratch, PREFIX_BYTES);
}

static void copy_hash(uint8_t *to, const uint32_t state[8])
{
    for (uint8_t i = 0; i < LMS_N; i++) {
        to[i] = sha256_byte(state, i);
    }
}

/* All inputs here end at 46 or 54 bytes of their last block, or at 6 or 22: the length has room behind them. */
static void hash_close(struct ota *ota, uint8_t *to)
{
    uint16_t bits = (uint16_t)(ota->hashed_bytes << 3);

    put_byte(ota, 0x80);
    while (ota->hashed_bytes % SHA256_BLOCK_BYTES != SHA256_BLOCK_BYTES - 2U) {
        put_byte(ota, 0);
    }
    put_byte(ota, (uint8_t)(bits >> 8));
    put_byte(ota, (uint8_t)bits);
    copy_hash(to, ota->digest);
}

/* --- parts ----------------------------------------------------------------------------------------------------------- */

/* Levels of the tree, by the type in the key; 0: there is no key, or not one that this build verifies. */
static uint8_t height(void)
{
    uint8_t key[KEY_IDENTIFIER];
    uint8_t taller;

    port_read(OTA_KEY_PAGE, 0, key, sizeof key);
    taller = (uint8_t)(key[KEY_TREE_TYPE + 3U] - LMS_TYPE_BEFORE);
    return key[KEY_SCHEME] == OTA_SCHEME_LMS && key[KEY_LEAF_TYPE + 3U] == LMOTS_TYPE && taller <= LMS_HEIGHTS
               ? (uint8_t)(5U * taller)
               : 0U;
}

/* A field of the key page that must be what the signature has. */
static void compare(struct ota *ota, uint16_t field, const uint8_t *bytes, uint8_t count)
{
    port_read(OTA_KEY_PAGE, field, ota->scratch, count);
    while (count-- > 0U) {
        ota->chunk[AT_WRONG] |= (uint8_t)(ota->scratch[count] ^ bytes[count]);
    }
}

static uint8_t digit(const struct ota *ota, uint8_t i)
{
    const uint8_t *hash = ota->chunk + AT_HASH;

    if (LMS_W == 8U) {
        return hash[i];
    }
    return (i & 1U) != 0U ? hash[i >> 1] & 15U : hash[i >> 1] >> 4;
}

static void take_head(struct ota *ota, const uint8_t *part)
{
    copy_u32(ota->chunk + AT_NODE, part);
    compare(ota, KEY_LEAF_TYPE, part + 4, 4);
    hash_open(ota, D_MESSAGE);
}

/* The message is hashed with C; the sum of what is left of its digits' chains guards against shorter ones. */
static void take_c(struct ota *ota, const uint8_t *part)
{
    uint8_t *hash = ota->chunk + AT_HASH;
    uint16_t sum = 0;

    put_bytes(ota, part, LMS_N);
    put_bytes(ota, ota->manifest, OTA_MANIFEST_BYTES);
    hash_close(ota, hash);
    for (uint8_t i = 0; i < LMS_DIGITS; i++) {
        sum = (uint16_t)(sum + LMS_LAST - digit(ota, i));
    }
    sum = (uint16_t)(sum << LMS_CHECK_SHIFT);
    hash[LMS_N] = (uint8_t)(sum >> 8);
    hash[LMS_N + 1U] = (uint8_t)sum;
    hash_open(ota, D_CHAINS);
}

/* From the value that the signature has, on to the end of the chain: each step is one block. */
static void take_chain(struct ota *ota, uint8_t chain, const uint8_t *part)
{
    uint8_t *block = ota->scratch;
    uint8_t *value = block + PREFIX_BYTES + 1U;
    uint32_t state[8];

    port_feed();
    memset(block, 0, SHA256_BLOCK_BYTES);
    put_prefix(ota, block, chain);
    memcpy(value, part, LMS_N);
    value[LMS_N] = 0x80;
    block[SHA256_BLOCK_BYTES - 2U] = (uint8_t)(8U * CHAIN_BYTES >> 8);
    block[SHA256_BLOCK_BYTES - 1U] = (uint8_t)(8U * CHAIN_BYTES);
    for (uint8_t step = digit(ota, chain); step != LMS_LAST; step++) {
        block[PREFIX_BYTES] = step;
        sha256_start(state);
        sha256_block(state, block);
        copy_hash(value, state);
    }
    put_bytes(ota, value, LMS_N);
}

/* The ends of all chains are the public key of the leaf. A leaf number past the last leaf leaves, as a number of a node,
 * another root than 1. */
static void take_leaf(struct ota *ota, uint8_t *part)
{
    uint8_t levels = height();

    hash_close(ota, part);
    ota->chunk[AT_NODE + 3U - (levels >> 3)] ^= bit_mask(levels);
    hash_open(ota, D_LEAF);
    put_bytes(ota, part, LMS_N);
    hash_close(ota, ota->chunk + AT_HASH);
}

/* One level up: the node reached, and beside it the one that the signature has. The bit that falls out of the number says
 * which of them is the right one. */
static void take_path(struct ota *ota, const uint8_t *part)
{
    uint8_t *reached = ota->chunk + AT_HASH;
    uint8_t carry = 0;

    for (uint8_t i = 0; i < 4U; i++) {
        uint8_t byte = ota->chunk[AT_NODE + i];

        ota->chunk[AT_NODE + i] = (uint8_t)(byte >> 1 | carry);
        carry = (uint8_t)(byte << 7);
    }
    hash_open(ota, D_NODE);
    put_bytes(ota, carry != 0U ? part : reached, LMS_N);
    put_bytes(ota, carry != 0U ? reached : part, LMS_N);
    hash_close(ota, reached);
}

static void take_part(struct ota *ota, uint8_t index)
{
    uint8_t *part = ota->chunk + AT_PART;

    if (index == PART_HEAD) {
        take_head(ota, part);
    } else if (index == PART_C) {
        take_c(ota, part);
    } else if (index < PART_TREE) {
        take_chain(ota, (uint8_t)(index - PART_CHAIN), part);
        if (index == PART_TREE - 1U) {
            take_leaf(ota, part);
        }
    } else if (index == PART_TREE) {
        compare(ota, KEY_TREE_TYPE, part, 4);
    } else {
        take_path(ota, part);
    }
}

static uint8_t part_bytes(uint8_t index)
{
    if (index == PART_TREE) {
        return 4;
    }
    return index == PART_HEAD ? 8U : (uint8_t)LMS_N;
}

/* --- the seam -------------------------------------------------------------------------------------------------------- */

bool lms_accepts(uint8_t scheme)
{
    return scheme == OTA_SCHEME_LMS;
}

enum ota_result lms_start(struct ota *ota)
{
    uint8_t levels = height();

    if (ota->chunk_filled != 0U) { /* of the session before, not yet in flash: sent again after a survey */
        ota->chunk_filled = 0;
        ota->map_valid = false;
    }
    memset(ota->chunk, 0, AT_HASH);
    return levels != 0U && get_u16(ota->manifest + OTA_MANIFEST_SIGNATURE_BYTES) == LMS_SIGNATURE_BYTES + LMS_N * levels
               ? OTA_OK
               : OTA_FAILED;
}

void lms_take(struct ota *ota, const uint8_t *bytes, uint16_t count)
{
    uint8_t *state = ota->chunk;

    for (; count > 0U; count--) {
        state[AT_PART + state[AT_FILL]++] = *bytes++;
        if (state[AT_FILL] == part_bytes(state[AT_INDEX])) {
            state[AT_FILL] = 0;
            take_part(ota, state[AT_INDEX]++);
        }
    }
}

enum ota_result lms_end(struct ota *ota)
{
    compare(ota, KEY_ROOT, ota->chunk + AT_HASH, LMS_N);
    return ota->chunk[AT_WRONG] == 0U && get_u32(ota->chunk + AT_NODE) == ROOT_NODE ? OTA_OK : OTA_FAILED;
}
