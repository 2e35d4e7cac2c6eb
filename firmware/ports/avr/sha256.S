/* sha256.S: SHA-256 (FIPS 180-4) for AVRs with a multiplier, in place of core/sha256.c: a third fewer bytes, and seven times as fast.
 *
 * A rotation by n to the left is four multiplications by 2^n, whose halves are XORed where they belong; whole bytes of it are
 * register names. So spin adds one rotation of a word to a sum, and a sigma is two or three calls of it.
 *
 * The eight working words lie in memory, low byte first, a at Y to h at Y + 28. A round writes the new a below the old one and moves
 * Y there, so that nothing else moves; after 16 rounds they go back up. The 16 words of the message are made anew in their places.
 *
 * Calling convention of avr-gcc: arguments in r24, r22, r20, r18; r2 to r17 and Y are the caller's; r1 is zero. The stack takes 182
 * bytes with the return address, sha256_end 68 more. An interrupt may come at any time, if it does not take r1 for zero.
 */

#include <avr/io.h>

#define ROOM 64         /* for the new words of 16 rounds, below the eight working words */
#define WORDS 96        /* where the 16 words of the message begin */
#define FRAME 160

#define s0 r2           /* a sigma */
#define s1 r3
#define s2 r4
#define s3 r5
#define base_lo r12     /* &w[0] */
#define base_hi r13
#define state r14       /* pair */
#define power r16       /* 2^n for spin */
#define round r17       /* 4 * round */
#define t0 r18          /* the sum of a round, or of the message's next word */
#define t1 r19
#define t2 r20
#define t3 r21
#define x0 r22          /* the word that is looked at */
#define x1 r23
#define x2 r24
#define x3 r25

    .section .progmem.data.sha256,"a",@progbits
round_constants:
    .long 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
    .long 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
    .long 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
    .long 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
    .long 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
    .long 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
    .long 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
    .long 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
first_state:
    .long 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19

/* Constants may lie beyond the 64 KiB that LPM reaches. */
#ifdef __AVR_HAVE_ELPMX__
#define LOAD_CONSTANT elpm
    .macro point_to constants
    ldi r30, hh8(\constants)
    out _SFR_IO_ADDR(RAMPZ), r30
    ldi r30, lo8(\constants)
    ldi r31, hi8(\constants)
    .endm
#else
#define LOAD_CONSTANT lpm
    .macro point_to constants
    ldi r30, lo8(\constants)
    ldi r31, hi8(\constants)
    .endm
#endif

    .section .text.sha256,"ax",@progbits

/* void sha256_start(uint32_t state[8]) */
    .global sha256_start
sha256_start:
    movw r26, r24
    point_to first_state
    ldi r18, 32
1:  LOAD_CONSTANT r0, Z+
    st X+, r0
    dec r18
    brne 1b
    ret

/* x = w[(round + r26 / 4) % 16]; X stands behind it. */
fetch:
    add r26, round
    andi r26, 60
    mov r27, base_hi
    clr r1
    add r26, base_lo
    adc r27, r1
    ld x0, X+
    ld x1, X+
    ld x2, X+
    ld x3, X+
    ret

/* s = rotl(x, n) */
spin_first:
    clr s0
    clr s1
    clr s2
    clr s3
    rjmp spin

/* s = rotl(s, 8) ^ rotl(x, n) */
spin_next:
    mov r0, s3
    mov s3, s2
    mov s2, s1
    mov s1, s0
    mov s0, r0

/* s ^= rotl(x, n) */
spin:
    mul x0, power
    eor s0, r0
    eor s1, r1
    mul x1, power
    eor s1, r0
    eor s2, r1
    mul x2, power
    eor s2, r0
    eor s3, r1
    mul x3, power
    eor s3, r0
    eor s0, r1
    ret

/* s = rotl(s, 16) */
    .macro turn_half
    movw r0, s0
    movw s0, s2
    movw s2, r0
    .endm

/* t += x */
add_x:
    add t0, x0
    adc t1, x1
    adc t2, x2
    adc t3, x3
    ret

/* A byte of h + constant, of g ^ (e & (f ^ g)), of d + t, of (a & b) | (c & (a | b)) = b ^ ((a ^ b) & (b ^ c)); neither ldd, std, eor,
 * and nor lpm touches the carry. */
    .macro choose at, t, e, add
    ldd r0, Y + 20 + \at
    ldd r1, Y + 24 + \at
    eor r0, r1
    and r0, \e
    eor r0, r1
    \add \t, r0
    .endm

    .macro add_to_d at, t, add
    ldd r0, Y + 12 + \at
    \add r0, \t
    std Y + 12 + \at, r0
    .endm

    .macro majority at, t, a, add
    ldd r0, Y + 4 + \at
    ldd r1, Y + 8 + \at
    eor r1, r0
    eor \a, r0
    and \a, r1
    eor \a, r0
    \add \t, \a
    .endm

/* void sha256_block(uint32_t state[8], const uint8_t block[64]) */
    .global sha256_block
sha256_block:
    ldi r26, lo8(FRAME)
    ldi r27, hi8(FRAME)
    ldi r30, pm_lo8(1f)
    ldi r31, pm_hi8(1f)
    jmp __prologue_saves__      ; libgcc: pushes r2 to r17 and Y, makes a frame of X bytes below Y, and goes to Z
1:  movw state, r24
    adiw r28, ROOM - 31         ; ROOM + 1: Y stands below the frame
    adiw r28, 32
    movw r30, r24               ; the working words begin as the state
    movw r26, r28
    ldi r18, 32
1:  ld r0, Z+
    st X+, r0
    dec r18
    brne 1b
    movw base_lo, r26           ; the message behind them, high byte first, into words with the low byte first
    movw r30, r22
    ldi r18, 16
1:  ld x3, Z+
    ld x2, Z+
    ld x1, Z+
    ld x0, Z+
    st X+, x0
    st X+, x1
    st X+, x2
    st X+, x3
    dec r18
    brne 1b
    clr round
    point_to round_constants

rounds:
    ldi r26, 0                  ; t = w[round] + constant + h
    rcall fetch
    LOAD_CONSTANT t0, Z+
    LOAD_CONSTANT t1, Z+
    LOAD_CONSTANT t2, Z+
    LOAD_CONSTANT t3, Z+
    rcall add_x
    ldd x0, Y + 28
    ldd x1, Y + 29
    ldd x2, Y + 30
    ldd x3, Y + 31
    rcall add_x
    ldd x0, Y + 16              ; t += sigma1(e) = rotl(e,26) ^ rotl(e,21) ^ rotl(e,7)
    ldd x1, Y + 17
    ldd x2, Y + 18
    ldd x3, Y + 19
    ldi power, 4
    rcall spin_first
    ldi power, 32
    rcall spin_next
    turn_half
    ldi power, 128
    rcall spin
    add t0, s0
    adc t1, s1
    adc t2, s2
    adc t3, s3
    choose 0, t0, x0, add
    choose 1, t1, x1, adc
    choose 2, t2, x2, adc
    choose 3, t3, x3, adc
    add_to_d 0, t0, add
    add_to_d 1, t1, adc
    add_to_d 2, t2, adc
    add_to_d 3, t3, adc
    ldd x0, Y + 0               ; t += sigma0(a) = rotl(a,30) ^ rotl(a,19) ^ rotl(a,10)
    ldd x1, Y + 1
    ldd x2, Y + 2
    ldd x3, Y + 3
    ldi power, 64
    rcall spin_first
    ldi power, 8
    rcall spin_next
    ldi power, 4
    rcall spin_next
    add t0, s3
    adc t1, s0
    adc t2, s1
    adc t3, s2
    majority 0, t0, x0, add
    majority 1, t1, x1, adc
    majority 2, t2, x2, adc
    majority 3, t3, x3, adc
    st -Y, t3                   ; the new a; b to h are the words above it
    st -Y, t2
    st -Y, t1
    st -Y, t0

    cpi round, 4 * 48           ; what the last 16 rounds would prepare is never used
    brsh prepared
    ldi r26, 4                  ; t = rotl(x,25) ^ rotl(x,14) ^ (x >> 3) of w[round + 1]
    rcall fetch
    ldi power, 2
    rcall spin_first
    ldi power, 32               ; x >> 3 is rotl(x,29) without what comes round
    rcall spin
    mul x0, power
    eor s0, r0
    turn_half
    ldi power, 64
    rcall spin
    mov t0, s3
    mov t1, s0
    mov t2, s1
    mov t3, s2
    ldi r26, 4 * 14             ; t += rotl(x,15) ^ rotl(x,13) ^ (x >> 10) of w[round + 14]
    rcall fetch
    ldi power, 128
    rcall spin_first
    ldi power, 32
    rcall spin
    ldi power, 64
    mul x1, power
    eor s3, r1
    mul x2, power
    eor s3, r0
    eor s0, r1
    mul x3, power
    eor s0, r0
    eor s1, r1
    add t0, s3
    adc t1, s0
    adc t2, s1
    adc t3, s2
    ldi r26, 4 * 9              ; t += w[round + 9]
    rcall fetch
    rcall add_x
    ldi r26, 0                  ; w[round] += t: the message's word of 16 rounds later
    rcall fetch
    rcall add_x
    st -X, t3
    st -X, t2
    st -X, t1
    st -X, t0

prepared:
    subi round, -4
    mov r18, round
    andi r18, 60
    brne again
    movw r26, r28               ; the working words go back up
    adiw r26, 32
    adiw r28, 63
    adiw r28, ROOM + 32 - 63
    ldi r18, 32
1:  ld r0, -X
    st -Y, r0
    dec r18
    brne 1b
    tst round
    brne again

    movw r26, state             ; state += the working words
    ldi r18, 8
1:  ldi r19, 4
    clc
2:  ld r0, X
    ld r1, Y+
    adc r0, r1
    st X+, r0
    dec r19
    brne 2b
    dec r18
    brne 1b
    clr r1
    subi r28, lo8(-(FRAME - ROOM - 32 - 1)) ; Y stands behind the working words: below the saved registers again
    sbci r29, hi8(-(FRAME - ROOM - 32 - 1))
    ldi r30, 18
    jmp __epilogue_restores__
again:
    rjmp rounds
/* void sha256_end(uint32_t state[8], uint32_t blocks, uint8_t digest[32]): blocks of 64 bytes before the padding */
    .global sha256_end
sha256_end:
    push r14
    push r15
    push r16
    push r17
    movw r14, r24               ; state
    movw r16, r18               ; digest
    lsl r20                     ; bits = 512 * blocks; 23 bits of blocks are more than any AVR holds
    rol r21
    rol r22
    push r1                     ; the last block, from its end: bits, zeros, 0x80
    push r20
    push r21
    push r22
    ldi r18, 59
1:  push r1
    dec r18
    brne 1b
    ldi r18, 0x80
    push r18
    in r22, _SFR_IO_ADDR(SPL)
    in r23, _SFR_IO_ADDR(SPH)
    subi r22, -1
    sbci r23, -1
    rcall sha256_block
    ldi r18, 64
2:  pop r0
    dec r18
    brne 2b
    movw r26, r16               ; words with the low byte first, into bytes with the high byte first
3:  ldi r19, 3
    eor r19, r18
    movw r30, r14
    add r30, r19
    adc r31, r1
    ld r0, Z
    st X+, r0
    inc r18
    sbrs r18, 5
    rjmp 3b
    pop r17
    pop r16
    pop r15
    pop r14
    ret
