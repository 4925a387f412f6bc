"""Seeds are the same on every machine and for ever, and those of neighbours have nothing in common."""

from study.design.seeds import derive


def test_a_seed_never_changes():
    assert derive("order", 0, 0) == 3733218112


def test_purpose_and_numbers_count_and_so_does_where_one_ends():
    near = [
        derive("order", 1, 12),
        derive("order", 11, 2),
        derive("order", 1, 1, 2),
        derive("order", 1, 13),
        derive("init", 1, 12),
    ]
    assert len(set(near)) == len(near)


def test_seeds_spread_over_their_whole_range():
    seeds = [derive("order", 0, epoch) for epoch in range(2000)]
    assert all(0 <= seed < 2**32 for seed in seeds)
    counts = [sum(seed // 2**28 == sixteenth for seed in seeds) for sixteenth in range(16)]
    assert max(counts) < 170 and min(counts) > 85  # 125 each, give or take four standard deviations
