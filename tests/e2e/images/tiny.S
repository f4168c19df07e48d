# The tiny guest: one boot sector that needs next to no memory and starts in milliseconds.
#
# It prints "tiny guest UUID" on the first serial port, with the UUID that SMBIOS gives this
# machine, then waits. What it reads there it echoes; but at Enter it greets again, and at "#" it
# prints 64 KiB of "x". It powers off when ACPI's power button is pressed or when "q" is typed on
# the keyboard. (Debian's own kernels do not start in 64 MiB: they are unpacked at 16 MiB and take
# 51 MiB more.)
        .intel_syntax noprefix
        .code16
        .globl  start

        .set    SERIAL, 0x3f8
        .set    TABLE, 0x8000            # where the SMBIOS structures are copied to
        .set    PM1_STATUS, 0x600        # SeaBIOS puts ACPI's registers here, on q35 and i440fx
        .set    PM1_ENABLE, 0x602
        .set    PM1_CONTROL, 0x604
        .set    POWER_BUTTON, 0x0100
        .set    SLEEP_S5, 0x2000

start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cld
        sti

# The entry point lies on a 16-byte boundary between 0xF0000 and 0xFFFFF.
        mov     ax, 0xf000
        mov     es, ax
        xor     di, di
1:      cmp     dword ptr es:[di], 0x5f4d535f    # "_SM_"
        je      found
        add     di, 16
        jnz     1b
        mov     si, offset no_smbios
        call    print
        jmp     wait_for_end

# The structures may lie above 1 MiB: the BIOS copies them down.
found:  mov     eax, es:[di + 0x18]
        mov     source_low, eax
        shr     eax, 24
        mov     source_high, al
        mov     byte ptr source_low + 3, 0x93
        mov     cx, es:[di + 0x16]
        inc     cx
        shr     cx, 1
        xor     ax, ax
        mov     es, ax
        mov     si, offset descriptors
        mov     ah, 0x87
        int     0x15

# A structure: type, length of the fixed part, fixed part, strings, two zero bytes. Type 1 has the
# UUID.
        mov     si, TABLE
next:   cmp     byte ptr [si], 1
        je      system
        movzx   ax, byte ptr [si + 1]
        add     si, ax
2:      inc     si
        cmp     word ptr [si - 1], 0
        jne     2b
        inc     si
        jmp     next

system: lea     bp, [si + 8]
greet:  mov     si, offset greeting
        call    print
        mov     di, offset order
3:      movzx   bx, byte ptr [di]
        inc     di
        cmp     bl, 0xff
        je      end_of_line
        cmp     bl, '-'
        je      dash
        add     bx, bp
        mov     dl, ds:[bx]
        mov     al, dl
        shr     al, 4
        call    digit
        mov     al, dl
        and     al, 15
        call    digit
        jmp     3b
dash:   mov     al, bl
        call    put
        jmp     3b
end_of_line:
        mov     si, offset line_end
        call    print

# Without the enable bit QEMU ignores the button. Nobody handles its interrupt, so it is masked.
wait_for_end:
        in      al, 0xa1
        or      al, 0x02
        out     0xa1, al
        mov     dx, PM1_ENABLE
        mov     ax, POWER_BUTTON
        out     dx, ax
4:      hlt                              # until the next tick of the timer
heard:  mov     dx, SERIAL + 5
        in      al, dx
        test    al, 1
        jz      silent
        mov     dx, SERIAL
        in      al, dx
        cmp     al, 13
        je      greet
        cmp     al, '#'
        je      flood
        call    put
        jmp     heard
flood:  xor     cx, cx
        mov     al, 'x'
8:      call    put
        loop    8b
        jmp     heard
silent: mov     dx, PM1_STATUS
        in      ax, dx
        test    ax, POWER_BUTTON
        jnz     off
        mov     ah, 1
        int     0x16
        jz      4b
        xor     ah, ah
        int     0x16
        cmp     al, 'q'
        jne     4b
off:    mov     dx, PM1_CONTROL
        mov     ax, SLEEP_S5
        out     dx, ax
        jmp     4b

digit:  add     al, '0'
        cmp     al, '9'
        jbe     put
        add     al, 'a' - '9' - 1
put:    push    dx
        push    ax
        mov     dx, SERIAL + 5
5:      in      al, dx
        test    al, 0x20
        jz      5b
        pop     ax
        mov     dx, SERIAL
        out     dx, al
        pop     dx
        ret

print:  lodsb
        test    al, al
        jz      6f
        call    put
        jmp     print
6:      ret

greeting:  .asciz "\r\ntiny guest "
no_smbios: .asciz "\r\ntiny guest without SMBIOS"
line_end:  .asciz "\r\n"
# The first three fields are little-endian (SMBIOS 2.6, 7.2.1).
order:  .byte   3, 2, 1, 0, '-', 5, 4, '-', 7, 6, '-', 8, 9, '-', 10, 11, 12, 13, 14, 15, 0xff

# For int 0x15, ah=0x87: two descriptors for the BIOS, source, target, two more for the BIOS.
descriptors:
        .fill   16, 1, 0
        .word   0xffff
source_low:                              # base bits 0-23, then access rights
        .long   0
        .byte   0
source_high:
        .byte   0
        .word   0xffff
        .word   TABLE
        .byte   0, 0x93, 0, 0
        .fill   16, 1, 0

        .org    510
        .word   0xaa55
