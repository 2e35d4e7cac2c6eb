/* reset.S of nRF51 and nRF52: from the reset to main. */
    .syntax unified
    .thumb

    .section .text.start, "ax"

    .thumb_func
    .global reset
reset:
    ldr     r0, =data_start
    ldr     r1, =data_from
    ldr     r2, =data_bytes
    bl      memcpy
    ldr     r0, =bss_start
    movs    r1, #0
    ldr     r2, =bss_bytes
    bl      memset
    bl      main
    .pool
