"""Boards as Python programs see them: connect, ask, push. The command line talks to boards through this alone.

    import asyncio
    import otaflash

    async def main() -> None:
        async with otaflash.connect("sim:atmega328p?loss=5%&seed=7") as board:
            before = await board.info()
            result = await board.push("firmware.hex", version="1.1.0", on_event=print)
            print(f"{before.version} -> {result.running_version} in {result.seconds:.1f} s")

    asyncio.run(main())

A program that waits uses the twin:

    import otaflash

    with otaflash.connect_sync("sim:atmega328p") as board:
        print(board.info().version)

Whatever goes wrong is an OtaflashError with a stable `reason`, whose page `otaflash explain REASON` prints. All names
are in the package `otaflash` itself, which imports them when they are used first.
"""
