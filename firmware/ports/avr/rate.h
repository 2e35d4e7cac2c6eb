/* rate.h: F_CPU (Hz) and BAUD, the two numbers that build.toml defines, as the registers take them.
 *
 * Data sheet of the ATmega328P (DS40002061), "Asynchronous Operational Range": with 8 data bits the receiver bears 3.9 %
 * between both ends at double speed (U2X, 8 samples a bit), 4.5 % at normal speed, and recommends that neither end be off by
 * more than 1.5 %. What that leaves is 2.4 %: so a rate is refused by which the other end would have less than its share.
 * "Examples of Baud Rate Setting" calls less than 0.5 % good: there normal speed is taken, whose samples bear more noise. */
#ifndef PORT_RATE_H
#define PORT_RATE_H

#define BAUD_DIVISOR_OF(samples) ((F_CPU + (samples) / 2U * BAUD) / ((samples) * BAUD))
/* What that gives, in ten-thousandths of BAUD. For the preprocessor alone, which counts in 64 bits. */
#define BAUD_REACHED(samples) (F_CPU * 10000U / ((samples) * BAUD_DIVISOR_OF(samples) * BAUD))

#if BAUD * 8U > F_CPU
#error "BAUD is more than an eighth of F_CPU, all that the UART can do"
#elif BAUD_REACHED(16U) > 9950U && BAUD_REACHED(16U) < 10050U
#define BAUD_SPEED 0U
#define BAUD_DIVISOR BAUD_DIVISOR_OF(16U)
#elif BAUD_REACHED(8U) >= 9760U && BAUD_REACHED(8U) <= 10240U
#define BAUD_SPEED (1U << U2X0)
#define BAUD_DIVISOR BAUD_DIVISOR_OF(8U)
#else
#error "F_CPU does not divide to BAUD within 2.4 %: take another rate (at 8 MHz 57600 or 250000 in place of 115200)"
#endif
#if BAUD_DIVISOR > 4096U
#error "BAUD is too slow for F_CPU: the divisor has 12 bits"
#endif

/* Two bytes, what the sender may still hold, in loops of 4 cycles. */
#define TWO_BYTES_LOOPS ((20U * F_CPU + 4U * BAUD - 1U) / (4U * BAUD))
#if TWO_BYTES_LOOPS > 0xFFFFU
#error "BAUD is too slow for F_CPU: the wait for the last byte has 16 bits"
#endif

/* The clock: F_CPU / 1024 is 125 ticks in 8 ms at 16 MHz, in 16 ms at 8 MHz. */
#define CLOCK_TICKS 125U
#define CLOCK_TICKS_MS (1024UL * 1000UL * CLOCK_TICKS / F_CPU) /* UL: C counts in 16 bits */
#if CLOCK_TICKS_MS * F_CPU != 1024UL * 1000UL * CLOCK_TICKS || CLOCK_TICKS_MS > 128U
#error "F_CPU must be 16 MHz divided by a power of two, 1 MHz at least: 125 ticks of the clock are whole milliseconds there"
#endif

#endif
