/* start.S of the nRF51822: vectors, start-up, hand-over, and the four functions that a compiler calls by itself
 * (newlib's take 490 bytes). */
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

/* The chip has one vector table, at 0, for loader and application. Whom an interrupt is for is told by what it
 * interrupted: code of the loader in thread mode (return address below the slot, EXC_RETURN 0xFFFFFFF9) is the loader at
 * work. An application is never in thread mode down there; where it is caught in these very lines it is in handler mode. */
    .thumb_func
any_interrupt:
    ldr     r0, [sp, #24]
    ldr     r1, =0x2000
    cmp     r0, r1
    bhs     to_application
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

    .section .text.memcpy, "ax"
    .thumb_func
    .global memcpy
memcpy:
    movs    r3, #0
    push    {r4, lr}
1:  cmp     r3, r2
    beq     2f
    ldrb    r4, [r1, r3]
    strb    r4, [r0, r3]
    adds    r3, #1
    b       1b
2:  pop     {r4, pc}

    .section .text.memmove, "ax"
    .thumb_func
    .global memmove
memmove:
    cmp     r0, r1
    bls     memcpy
    push    {r4, lr}
1:  subs    r2, #1
    bmi     2f
    ldrb    r4, [r1, r2]
    strb    r4, [r0, r2]
    b       1b
2:  pop     {r4, pc}

    .section .text.memset, "ax"
    .thumb_func
    .global memset
memset:
    b       2f
1:  strb    r1, [r0, r2]
2:  subs    r2, #1
    bpl     1b
    bx      lr

    .section .text.memcmp, "ax"
    .thumb_func
    .global memcmp
memcmp:
    push    {r4, r5, lr}
    movs    r3, #0
1:  cmp     r3, r2
    beq     2f
    ldrb    r4, [r0, r3]
    ldrb    r5, [r1, r3]
    adds    r3, #1
    subs    r4, r4, r5
    beq     1b
    movs    r0, r4
    pop     {r4, r5, pc}
2:  movs    r0, #0
    pop     {r4, r5, pc}
