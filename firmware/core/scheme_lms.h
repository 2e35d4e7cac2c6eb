/* scheme_lms.h: the set of LMS parameters that a build verifies, and what follows from it. */
#ifndef OTA_SCHEME_LMS_H
#define OTA_SCHEME_LMS_H

/* RFC 9858 and NIST SP 800-208: SHA-256 cut to 24 bytes, digits of 4 bits. Tests build the sets of RFC 8554, too. */
#ifndef LMS_N
#define LMS_N 24U /* bytes of a hash: 24 or 32 */
#define LMS_W 4U  /* bits of a digit: 4 or 8 */
#endif

#define LMS_CHECKS (LMS_W == 4U ? 3U : 2U) /* digits of the checksum */
#define LMS_DIGITS (8U * LMS_N / LMS_W)    /* digits of the hash of the message */
#define LMS_CHAINS (LMS_DIGITS + LMS_CHECKS)
#define LMS_LAST ((1U << LMS_W) - 1U) /* steps of a whole chain */
#define LMS_CHECK_SHIFT (LMS_W == 4U ? 4U : 0U)

#define LMOTS_TYPE ((LMS_N == 32U ? 0U : 4U) + (LMS_W == 4U ? 3U : 4U))
#define LMS_TYPE_BEFORE (LMS_N == 32U ? 4U : 9U) /* then 5 levels more with each type, up to 25 */
#define LMS_HEIGHTS 5U

/* Leaf number, one-time type, C, a value for each chain, tree type; then a node for each level. */
#define LMS_SIGNATURE_BYTES (4U + 4U + LMS_N + LMS_N * LMS_CHAINS + 4U)

#endif
