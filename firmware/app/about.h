/* What a program says of itself, for otaflash to read from its ELF file:
 *
 *     OTAFLASH_ABOUT("version", "1.2.0+4");
 *     OTAFLASH_ABOUT("board", "greenhouse-2");
 *
 * at file scope, in any source file. `version` is the one of the manifest when none is given on the command line; for
 * another `board` than this one the program is refused. Both are string literals, so a build may pass them in:
 * -DVERSION='"1.2.0"'.
 *
 * They stand in a section that is not loaded: they take no flash, and a HEX or BIN made of the ELF does not have them. */

#ifndef OTAFLASH_ABOUT_H
#define OTAFLASH_ABOUT_H

#define OTAFLASH_ABOUT(key, value) \
    __asm__(".pushsection .otaflash,\"\"\n\t.ascii \"" key "=" value "\\n\"\n\t.popsection")

#endif
