/* memory.S: the four functions that a compiler calls by itself; newlib's take 490 bytes. */
    .syntax unified
    .thumb

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
