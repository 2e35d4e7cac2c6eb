/* start.S: what runs first after a reset, at the start of the boot section (BOOTRST), and the two vectors in use there.
 * A table of our own: start-up takes the place of the vectors that are never enabled. */
#include "chip.h"

#ifdef RAMPZ /* more than 64 KiB: the loader lies in the upper half */
#define lpm elpm
#endif

    .section .start, "ax", @progbits
    .global port_reset
port_reset:
    clr r1 /* not zero after a reset; compiled code takes it for zero */
    cli
    in r2, _SFR_IO_ADDR(MCUSR) /* what caused the reset: kept, and cleared, or the watchdog could not be stopped */
    out _SFR_IO_ADDR(MCUSR), r1
    wdr
    ldi r24, (1 << WDCE) | (1 << WDE)
    sts WDTCSR, r24
    sts WDTCSR, r1
    ldi r28, lo8(RAMEND)
    ldi r29, hi8(RAMEND)
    out _SFR_IO_ADDR(SPH), r29
    out _SFR_IO_ADDR(SPL), r28
    ldi r26, lo8(__data_start)
    ldi r27, hi8(__data_start)
    rjmp port_start

    .org USART_RX_vect_num * 4
    jmp line_received
    .org USART_UDRE_vect_num * 4
    jmp line_ready

/* .data is copied and .bss, right behind it, is cleared in one run upwards. */
port_start:
    ldi r30, lo8(__data_load_start)
    ldi r31, hi8(__data_load_start)
    ldi r25, hi8(__data_end)
#ifdef RAMPZ
    ldi r24, 1
    out _SFR_IO_ADDR(RAMPZ), r24
#endif
    rjmp 2f
1:  lpm r24, Z+
    st X+, r24
2:  cpi r26, lo8(__data_end)
    cpc r27, r25
    brne 1b
    ldi r25, hi8(__bss_end)
    rjmp 4f
3:  st X+, r1
4:  cpi r26, lo8(__bss_end)
    cpc r27, r25
    brne 3b
    sts port_reset_cause, r2
    ldi r24, (1 << IVCE) /* vectors in the boot section: they must be readable while the rest is being written */
    out _SFR_IO_ADDR(MCUCR), r24
    ldi r24, (1 << IVSEL)
    out _SFR_IO_ADDR(MCUCR), r24
    jmp main

/* Leaves for the program at address 0 as after a reset: r1 zero, stack empty; r2 says what caused the reset. */
    .global port_leave
port_leave:
    lds r2, port_reset_cause
    clr r1
#ifdef RAMPZ
    out _SFR_IO_ADDR(RAMPZ), r1
#endif
    ldi r28, lo8(RAMEND)
    ldi r29, hi8(RAMEND)
    out _SFR_IO_ADDR(SPH), r29
    out _SFR_IO_ADDR(SPL), r28
    jmp 0

/* The compiler asks for libgcc's loops where there is .data or .bss; the loops above do their work. */
    .global __do_copy_data
    .global __do_clear_bss
    .set __do_copy_data, port_start
    .set __do_clear_bss, port_start
