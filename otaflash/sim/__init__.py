"""The simulated world: boards that run the real bootloader, their links and faults, under one clock. Knows no CLI."""
