"""Hypotheses and claims by hand, on numbers whose answers are known."""

import pytest
from known_errors import TABLE, values

from study.statistics.hypotheses import Finding


def test_h1_by_hand(found: dict[str, Finding]) -> None:
    assert values(found["H1"]) == {
        "easy/cnn_scratch+cnn_glyphs/1.0+0.1": 0.20,
        "easy/vit_scratch+vit_glyphs/1.0+0.1": 0.32,
        "hard/cnn_scratch+cnn_glyphs/1.0+0.1": -0.05,
        "hard/vit_scratch+vit_glyphs/1.0+0.1": 0.05,
    }
    assert found["H1"].verdict == "mixed"
    assert found["H1"].worth == "in these trainings"


def test_h2_and_h3_by_hand(found: dict[str, Finding]) -> None:
    assert values(found["H2"]) == {
        "a/easy/vit_scratch+cnn_scratch/0.5": 0.17,
        "a/easy/vit_scratch+cnn_scratch/0.1": 0.15,
        "a/hard/vit_scratch+cnn_scratch/0.5": 0.22,
        "a/hard/vit_scratch+cnn_scratch/0.1": 0.15,
        "b/easy/vit_scratch+cnn_scratch/1.0+0.1": 0.05,
        "b/hard/vit_scratch+cnn_scratch/1.0+0.1": -0.05,
    }
    assert values(found["H3"]) == {
        "easy+hard/vit_scratch+cnn_scratch/1.0": 0.10,
        "easy+hard/vit_glyphs+cnn_glyphs/1.0": 0.05,
    }
    assert [part.where.kind for part in found["H3"].parts] == ["scratch", "pre-trained"]


def test_the_claims_by_hand(found: dict[str, Finding]) -> None:
    c1 = values(found["C1"])
    assert len(c1) == 2 * 2 * 2
    assert c1["easy/cnn_scratch+cnn_glyphs/0.5+0.1"] == 0.14
    assert c1["hard/cnn_scratch+cnn_glyphs/0.5+0.1"] == -0.08
    assert values(found["C2"]) == {
        "easy+hard/cnn_scratch+cnn_glyphs/1.0": 0.05,
        "easy+hard/vit_scratch+vit_glyphs/1.0": 0.10,
    }
    assert values(found["C3"]) == {
        "easy/cnn_scratch+vit_glyphs/1.0+0.1": 0.02,
        "hard/cnn_scratch+vit_glyphs/1.0+0.1": -0.05,
    }
    assert found["C5"].parts == () and found["C5"].verdict == "not tested"
    assert set(values(found["C6"]).values()) == {
        round(TABLE[dataset, f"{family}_scratch"][place] - TABLE[dataset, f"{family}_glyphs"][place], 9)
        for dataset in ("easy", "hard")
        for family in ("cnn", "vit")
        for place in range(3)
    }
    c7 = values(found["C7"])
    assert len(c7) == 2 * 3
    assert c7["easy/vit_glyphs+cnn_glyphs/0.1"] == 0.17
    assert values(found["C8"]) == {
        "less/easy/vit_scratch+cnn_scratch/1.0+0.1": 0.05,
        "less/hard/vit_scratch+cnn_scratch/1.0+0.1": -0.05,
        "less/easy/vit_glyphs+cnn_glyphs/1.0+0.1": -0.07,
        "less/hard/vit_glyphs+cnn_glyphs/1.0+0.1": -0.15,
        "harder/easy+hard/vit_scratch+cnn_scratch/1.0": 0.10,
        "harder/easy+hard/vit_glyphs+cnn_glyphs/1.0": 0.05,
    }


def test_c4_sets_a_reduced_loss_against_a_difference_of_losses_of_either_sign(found: dict[str, Finding]) -> None:
    parts = {part.where.key: part for part in found["C4"].parts}
    assert len(parts) == (2 + 1) * 2 * 2
    part = parts["less/easy/cnn_scratch+cnn_glyphs/1.0+0.1/vit_glyphs+cnn_glyphs"]
    assert part.estimate is not None
    # The CNN's loss is 0.30 from scratch and 0.10 pre-trained; pre-trained, the ViT's loss is 0.07 smaller.
    assert part.estimate.value == pytest.approx(0.20 - 0.07)
    # At no error, and at guessing, of the CNN from scratch on a tenth; the rival stays as it is.
    assert part.attainable == pytest.approx((0.20 - 0.50 - 0.07, 0.20 + 0.40 - 0.07))
    hard = parts["harder/easy+hard/vit_scratch+vit_glyphs/1.0/vit_scratch+cnn_scratch"]
    assert hard.estimate is not None and hard.estimate.value == pytest.approx(0.10 - 0.10)
    assert hard.verdict == "too small to tell"


def test_every_part_has_a_key_of_its_own(found: dict[str, Finding]) -> None:
    for finding in found.values():
        assert len({part.where.key for part in finding.parts}) == len(finding.parts)


def test_the_attainable_range_of_c4_knows_that_the_arm_that_falls_may_be_in_the_rival_too(found: dict[str, Finding]) -> None:
    """Losses on a tenth of the easy dataset: CNN 0.30 from scratch, 0.10 pre-trained; ViT from scratch 0.35."""
    parts = {part.where.key: part for part in found["C4"].parts}
    part = parts["less/easy/cnn_scratch+cnn_glyphs/1.0+0.1/vit_scratch+cnn_scratch"]
    # effect + rival is ViT's loss - pre-trained CNN's, whatever the CNN from scratch does; effect - rival falls twice as fast.
    assert part.estimate is not None and part.estimate.value == pytest.approx(min(0.20 - 0.05, 0.20 + 0.05))
    assert part.attainable == pytest.approx((0.15 - 2 * 0.50, 0.25))
