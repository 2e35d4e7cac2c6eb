/* start.S of the nRF52832: vectors and hand-over of the loader. */
    .syntax unified
    .thumb

    .section .vectors, "a"
    .word   ram_end
    .word   reset
    .rept   17 /* the system's and those of the first three peripherals: UART0 is the third, and the only one enabled */
    .word   interrupt
    .endr

    .section .text.start, "ax"

/* void start_image(uint32_t vectors): SCB VTOR, then stack pointer and start address as a reset would take them. A reset
 * of any kind brings the table at 0 back. */
    .thumb_func
    .global start_image
start_image:
    ldr     r1, =0xE000ED08
    str     r0, [r1]
    ldr     r1, [r0]
    ldr     r0, [r0, #4]
    mov     sp, r1
    bx      r0
    .pool
