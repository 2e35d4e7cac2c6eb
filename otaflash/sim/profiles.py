"""Board profiles: what each simulated board is made of and what its work costs. Data only; knows no core and no clock.

Flash times are the longest that the data sheet allows, so that a figure of the simulator does not flatter the chip. CPU
costs are cycles over the chip's clock: measured on the AVR (README of the port), estimated from instruction counts on
the Cortex-M parts, where they are small beside flash and line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from otaflash.errors import TargetError

TRIALS_MAX = 16
MARKS_OFFSET = 48
"""Where the seal stands in a record unit; step and trial marks follow it (firmware/core/record.h)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of board. Units end the names, sizes are in bytes; the fields are those of port_config.h and board.h."""

    name: str
    real: bool
    """False: a geometry for the explorer; no such board exists."""
    flash_bytes: int
    """of the chip, loader included"""
    loader_bytes: int
    ram_bytes: int
    cpu_hz: int

    slot_base: int
    page_bytes: int
    slot_pages: int
    record_pages: int
    write_bytes: int
    mark_bytes: int
    block_bytes: int
    chunk_bytes: int
    frame_bytes: int
    stall_ms: int
    swap_page_ms: int

    erase_page_ns: int
    program_chunk_ns: int
    program_unit_ns: int
    read_byte_ns: int
    crc_byte_ns: int
    sha_block_ns: int
    byte_ns: int
    rx_ring_bytes: int
    rx_in_erase: int = 1
    rx_in_program: int = 1

    window_bytes: int = 0
    entry_window_ms: int = 1000
    stay_ms: int = 15000
    trials: int = 3
    erase_stalls: int = 0
    erase_ahead: int = 1
    meanwhile: int = 0
    """1: the CPU runs on while flash is busy, makes the digest meanwhile and takes the next frame"""
    single_slot: int = 1
    record_cells: int = 0
    """what the simulated record lies in: enum board_cells of board.h"""
    baud: int = 115200
    """of the line, at 10 bits a byte"""

    @property
    def send_byte_ns(self) -> int:
        """Time of one byte on the line."""
        return round(10e9 / self.baud)

    @property
    def pages(self) -> int:
        """Primary slot, secondary with its spare page, two record units."""
        return 2 * self.slot_pages + 1 + 2 * self.record_pages

    @property
    def single_pages(self) -> int:
        """What a single-slot image may cover, both slots and the spare page; 0: the board has no such mode."""
        return 2 * self.slot_pages + 1 if self.single_slot else 0

    @property
    def slot_bytes(self) -> int:
        """Of the primary slot; the image's trailer takes 32 of them."""
        return self.slot_pages * self.page_bytes

    @property
    def record_bytes(self) -> int:
        """What one record unit needs: body, seal, two steps a page, the most trials."""
        return MARKS_OFFSET + self.mark_bytes * (1 + 2 * self.slot_pages + TRIALS_MAX)

    def at_baud(self, baud: int) -> Profile:
        """The same board at another line rate. As a port would, it bounds what may be unreported (window_bytes)
        where its receiver cannot hold what comes in its longest stall, or flash and CPU are slower than the line."""
        byte_ns = 10e9 / baud
        chunk_ns = self.program_chunk_ns + self.chunk_bytes // self.write_bytes * self.program_unit_ns
        flash_ns = self.erase_page_ns + self.page_bytes // self.chunk_bytes * chunk_ns
        digest_ns = self.page_bytes // 64 * self.sha_block_ns
        cpu_ns = self.page_bytes * (self.byte_ns + self.crc_byte_ns)
        stall_ns = self.erase_page_ns + chunk_ns + self.sha_block_ns
        page_ns = max(flash_ns, cpu_ns + digest_ns) if self.meanwhile else flash_ns + cpu_ns
        keeps_up = stall_ns <= self.rx_ring_bytes * byte_ns * 3 / 4 and page_ns <= self.page_bytes * byte_ns
        window = self.window_bytes if keeps_up or self.erase_stalls else self.rx_ring_bytes * 7 // 8
        return replace(self, baud=baud, window_bytes=window)


def _cycles(cycles: float, hz: int) -> int:
    return round(cycles * 1e9 / hz)


_AVR_HZ = 16_000_000
_AVR_SPM_NS = 4_500_000

ATMEGA328P = Profile(
    name="atmega328p",
    real=True,
    # Data sheet DS40002061, "Boot Size Configuration" and "No. of Words in a Page and No. of Pages in the Flash":
    # 256 pages of 128 B. The loader takes 89, 32 of them the boot section (firmware/ports/atmega328p/link.ld).
    flash_bytes=32768,
    loader_bytes=11392,
    ram_bytes=2048,
    cpu_hz=_AVR_HZ,
    slot_base=0,
    page_bytes=128,
    slot_pages=81,
    record_pages=2,
    write_bytes=2,
    mark_bytes=1,  # a page write ANDs into the page: a mark is one byte in a page of ones
    block_bytes=8,
    chunk_bytes=128,
    frame_bytes=194,
    stall_ms=30,
    swap_page_ms=24,
    # The same, "SPM Programming Time": erase and write 3.7 to 4.5 ms each, whatever the page holds.
    erase_page_ns=_AVR_SPM_NS,
    program_chunk_ns=_AVR_SPM_NS,
    program_unit_ns=_cycles(65, _AVR_HZ),  # filling the page buffer, a word at a time
    read_byte_ns=_cycles(20, _AVR_HZ),
    # What tools/emulated_cycles shows.
    crc_byte_ns=_cycles(83, _AVR_HZ),
    sha_block_ns=_cycles(39_200, _AVR_HZ),
    byte_ns=_cycles(150, _AVR_HZ),  # interrupt, ring, COBS
    rx_ring_bytes=256,
    meanwhile=1,  # from the boot section: the digest, and the next frame
)

ATMEGA328P_LMS = replace(
    ATMEGA328P,
    name="atmega328p-lms",
    # firmware/ports/atmega328p/build-lms.toml: the loader from 0x4E00 on, the key page right below.
    loader_bytes=12800,
    slot_pages=75,
)

ATMEGA328P_LARGE = replace(
    ATMEGA328P,
    name="atmega328p-large",
    # firmware/ports/atmega328p/build-large.toml: single slot is what it adds; the loader from 0x5180 on.
    loader_bytes=11904,
    slot_pages=79,
)

ATMEGA1284P = Profile(
    name="atmega1284p",
    real=True,
    # Data sheet DS40002071, same sections: 512 pages of 256 B, SPM 3.7 to 4.5 ms. The loader
    # takes 64, 32 of them the boot section (firmware/ports/atmega1284p/link.ld); one more stays unused.
    flash_bytes=131072,
    loader_bytes=16384,
    ram_bytes=16384,
    cpu_hz=_AVR_HZ,
    slot_base=0,
    page_bytes=256,
    slot_pages=221,
    record_pages=2,
    write_bytes=2,
    mark_bytes=1,
    block_bytes=8,
    chunk_bytes=256,
    frame_bytes=1056,
    stall_ms=60,
    swap_page_ms=30,
    erase_page_ns=_AVR_SPM_NS,
    program_chunk_ns=_AVR_SPM_NS,
    program_unit_ns=_cycles(65, _AVR_HZ),
    read_byte_ns=_cycles(20, _AVR_HZ),  # ELPM
    crc_byte_ns=_cycles(83, _AVR_HZ),
    sha_block_ns=_cycles(39_200, _AVR_HZ),
    byte_ns=_cycles(150, _AVR_HZ),
    rx_ring_bytes=4096,
    meanwhile=1,
)

NRF51822 = Profile(
    name="nrf51822",
    real=True,
    # Product specification v3.3, "Non-volatile memory controller" and "Flash memory" tables: 256 pages of 1 KB;
    # page erase 22.3 ms, word write 46.3 us, the CPU halted in both. The UART has no DMA and a FIFO of 6 bytes: an
    # erase loses what comes, a word write (half a byte at 115200 baud) does not.
    flash_bytes=262144,
    loader_bytes=8192,
    ram_bytes=16384,
    cpu_hz=16_000_000,
    slot_base=0x2000,
    page_bytes=1024,
    slot_pages=121,
    record_pages=2,
    write_bytes=4,
    mark_bytes=4,
    block_bytes=16,
    chunk_bytes=256,
    frame_bytes=1056,
    stall_ms=200,
    swap_page_ms=80,
    erase_page_ns=22_300_000,
    program_chunk_ns=2_000,
    program_unit_ns=46_300,
    read_byte_ns=_cycles(3, 16_000_000),
    crc_byte_ns=_cycles(22, 16_000_000),
    sha_block_ns=_cycles(12_000, 16_000_000),
    byte_ns=_cycles(40, 16_000_000),
    rx_ring_bytes=2048,
    rx_in_erase=0,
    erase_stalls=1,
    erase_ahead=8,
)

NRF51822_LMS = replace(
    NRF51822,
    name="nrf51822-lms",
    # firmware/ports/nrf51/build-lms.toml: what verifies lies in the uppermost two pages.
    loader_bytes=10240,
    slot_pages=120,
)

NRF52832 = Profile(
    name="nrf52832",
    real=True,
    # Product specification v1.4, "NVMC: Electrical specification": 128 pages of 4 KB; page erase up to 89.7 ms, word
    # write 67.5 us (the longest for any clock source), the CPU halted in both. A buffer of the UARTE's DMA ends at 255
    # bytes (RXD.MAXCNT), a quarter of what comes in an erase: so credits, and the UART that the nRF51 has, too.
    flash_bytes=524288,
    loader_bytes=8192,
    ram_bytes=65536,
    cpu_hz=64_000_000,
    slot_base=0x2000,
    page_bytes=4096,
    slot_pages=61,
    record_pages=1,
    write_bytes=4,
    mark_bytes=4,
    block_bytes=8,  # 11 to a radio packet of 100 bytes; of 16 only 5 fit
    chunk_bytes=256,
    frame_bytes=1056,
    stall_ms=400,
    swap_page_ms=340,
    erase_page_ns=89_700_000,
    program_chunk_ns=1_000,
    program_unit_ns=67_500,
    read_byte_ns=_cycles(3, 64_000_000),
    crc_byte_ns=_cycles(14, 64_000_000),
    sha_block_ns=_cycles(5_000, 64_000_000),
    byte_ns=_cycles(30, 64_000_000),
    rx_ring_bytes=2048,
    rx_in_erase=0,
    erase_stalls=1,
    erase_ahead=4,
)

NRF52840 = replace(
    NRF52832,
    name="nrf52840",
    # Product specification v1.1, the same table: 256 pages of 4 KB; page erase 87.5 ms, word write 42.5 us. The UARTE's
    # buffers take 64 KB (RXD.MAXCNT has 16 bits), so it receives by DMA while the CPU is halted.
    flash_bytes=1048576,
    ram_bytes=262144,
    slot_pages=63,  # of 125 that would fit: places count no more than 65,535 blocks of the single slot
    stall_ms=110,
    swap_page_ms=280,
    erase_page_ns=87_500_000,
    program_unit_ns=42_500,
    rx_ring_bytes=4096,
    rx_in_erase=1,
    erase_stalls=0,
    erase_ahead=1,
)

STM32F103 = Profile(
    name="stm32f103",
    real=True,
    # Data sheet DS5319 (medium density), "Flash memory characteristics": 128 pages of 1 KB; page erase 20 to 40 ms,
    # half-word 40 to 70 us (52.5 typical). The USART receives by DMA while the CPU waits for the flash.
    flash_bytes=131072,
    loader_bytes=8192,
    ram_bytes=20480,
    cpu_hz=72_000_000,
    slot_base=0x0800_2000,
    page_bytes=1024,
    slot_pages=58,
    record_pages=1,
    write_bytes=2,
    mark_bytes=2,
    block_bytes=16,
    chunk_bytes=256,
    frame_bytes=1056,
    stall_ms=60,
    swap_page_ms=150,
    erase_page_ns=40_000_000,
    program_chunk_ns=1_000,
    program_unit_ns=52_500,
    read_byte_ns=_cycles(4, 72_000_000),
    crc_byte_ns=_cycles(16, 72_000_000),
    sha_block_ns=_cycles(6_000, 72_000_000),
    byte_ns=_cycles(35, 72_000_000),
    rx_ring_bytes=2048,
)


def _tiny(name: str, *, slot_pages: int, page_bytes: int, record_pages: int, unit: int) -> Profile:
    """A geometry small enough to be explored whole; `unit` is what marks and data are programmed in."""
    return Profile(
        name=name,
        real=False,
        flash_bytes=(2 * slot_pages + 1 + 2 * record_pages) * page_bytes,
        loader_bytes=0,
        ram_bytes=4096,
        cpu_hz=16_000_000,
        slot_base=0,
        page_bytes=page_bytes,
        slot_pages=slot_pages,
        record_pages=record_pages,
        write_bytes=unit,
        mark_bytes=unit,
        block_bytes=min(16, page_bytes // 8),
        chunk_bytes=min(page_bytes, 64),
        frame_bytes=208,
        stall_ms=5,
        swap_page_ms=10,
        erase_page_ns=1_000_000,
        program_chunk_ns=100_000,
        program_unit_ns=1_000,
        read_byte_ns=100,
        crc_byte_ns=100,
        sha_block_ns=10_000,
        byte_ns=100,
        rx_ring_bytes=512,
        trials=2,
    )


PROFILES: dict[str, Profile] = {
    made.name: made
    for made in (
        ATMEGA328P,
        ATMEGA328P_LMS,
        ATMEGA328P_LARGE,
        ATMEGA1284P,
        NRF51822,
        NRF51822_LMS,
        NRF52832,
        NRF52840,
        STM32F103,
        _tiny("tiny1", slot_pages=1, page_bytes=128, record_pages=1, unit=1),
        _tiny("tiny2", slot_pages=2, page_bytes=128, record_pages=1, unit=2),
        _tiny("tiny3", slot_pages=3, page_bytes=64, record_pages=3, unit=4),
    )
}


def profile(name: str) -> Profile:
    """The profile of that name. Raises TargetError, which lists the names known."""
    try:
        return PROFILES[name]
    except KeyError:
        raise TargetError(
            "unknown-board",
            f"no simulated board is called {name!r}",
            remedy=f"Name one of: {', '.join(known.name for known in PROFILES.values() if known.real)}.",
        ) from None
