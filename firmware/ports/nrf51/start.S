/* start.S of the nRF51822: vectors and hand-over of the loader. */
    .syntax unified
    .cpu cortex-m0
    .thumb

    .section .vectors, "a"
    .word   ram_end
    .word   reset
    .rept   46
    .word   any_interrupt
    .endr

    .section .text.start, "ax"

/* The chip has one vector table, at 0, for loader and application. Whom an interrupt is for is told by what it
 * interrupted: code of the loader in thread mode (return address below the slot, EXC_RETURN 0xFFFFFFF9) is the loader at
 * work. An application is never in thread mode down there; where it is caught in these very lines it is in handler mode. */
    .thumb_func
any_interrupt:
    ldr     r0, [sp, #24]
    ldr     r1, =0x2000
    cmp     r0, r1
#ifdef PORT_LMS
    blo     ours
    ldr     r2, =0x3F800 /* and the 2 KiB from here on (link-lms.ld) */
    subs    r0, r0, r2
    lsrs    r0, r0, #11
    bne     to_application
ours:
#else
    bhs     to_application
#endif
    mov     r0, lr
    adds    r0, #7
    bne     to_application
    ldr     r0, =interrupt
    bx      r0
to_application:
    mrs     r0, ipsr
    lsls    r0, r0, #2
    ldr     r0, [r0, r1]
    bx      r0

/* void start_image(uint32_t vectors): stack pointer and start address as a reset would take them. */
    .thumb_func
    .global start_image
start_image:
    ldr     r1, [r0]
    ldr     r0, [r0, #4]
    mov     sp, r1
    bx      r0
    .pool
