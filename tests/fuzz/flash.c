/* flash: any contents of the whole flash, cells that read either way, and power that fails again while it is looked at. */
#include "scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A boot with its reading of the weak cells and its cut. */
static void one_boot(struct bench *bench, struct input *in)
{
    uint8_t how = take_u8(in);
    uint32_t operation = take_u8(in) % 64U;

    board_reseed(bench->board, how);
    bench->weak = (enum board_weak)((how >> 2) % 5U);
    bench->read_error = false;
    board_power_on(bench->board, bench->weak);
    board_plan_cut(bench->board, operation, (enum board_cut)(how & 3U));
    bench_pass(bench, (how & 0x80U) != 0U ? 1000000U : 1000U);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input in = {bytes, count};
    struct bench bench;
    uint32_t boots;

    bench_open(&bench, &in);
    scene_slots(&bench, &in);
    scene_records(&bench, &in);
    scene_bytes(&bench, &in);
    scene_weak(&bench, &in);
    for (boots = take_below(&in, 4); boots > 0U; boots--)
        one_boot(&bench, &in);
    bench_power_on(&bench, (take_u8(&in) & 1U) != 0U ? BOARD_WEAK_NEW : BOARD_WEAK_OLD);
    bench_go_on(&bench);
    check_alive(&bench);
    check_next_push(&bench);
    bench_close(&bench);
    return 0;
}
