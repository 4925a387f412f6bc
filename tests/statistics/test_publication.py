"""The published numbers: differences where they were published, and signs within the bound of independent errors."""

import math
from pathlib import Path

import pytest

from study.base.errors import StudyError
from study.settings.params import Params
from study.statistics.conclusions import Conclusions
from study.statistics.contrasts import Arm, Contrast, degradation, gain, minus, penalty
from study.statistics.differences import COLUMNS, Difference, read_differences, resolved
from study.statistics.published import Published

PROJECT = Path(__file__).parents[2]
C10, C100 = "cifar10", "cifar100"


@pytest.fixture(scope="module")
def published() -> Conclusions:
    numbers = Published.read(PROJECT / "data" / "reference" / "published.csv")
    grid = numbers.grid(Params.load(PROJECT / "params.yaml"))
    differences = read_differences(PROJECT / "data" / "reference" / "published_differences.csv")
    return Conclusions.of_published(grid, numbers.errors, {C10: 10, C100: 100}, differences)


def points(conclusions: Conclusions, contrast: Contrast) -> float:
    estimate = conclusions.evidence.estimate(contrast)
    assert estimate is not None
    return 100 * estimate.value


@pytest.mark.parametrize(
    ("model", "deltas"),
    [("resnet50", [6.50, 10.62, 20.61, 27.46]), ("vit_s16", [25.43, 30.08, 38.05, 45.19])],
)
def test_published_differences_are_used_as_they_are(published: Conclusions, model: str, deltas: list[float]) -> None:
    for fraction, delta in zip((1.0, 0.5, 0.2, 0.1), deltas, strict=True):
        assert points(published, gain(C10, f"{model}_scratch", f"{model}_im1k", fraction)) == pytest.approx(delta)
        errors = published.evidence
        assert delta == pytest.approx(
            100 * (errors.error(Arm(C10, f"{model}_scratch", fraction)) - errors.error(Arm(C10, f"{model}_im1k", fraction))),
            abs=0.1,
        )


def test_sums_are_made_of_published_differences_as_far_as_they_go(published: Conclusions) -> None:
    h1, _ = (part.estimate for part in published.finding("H1").parts if part.estimate)
    assert h1.value == pytest.approx(0.2746 - 0.0650)
    h3 = [part.estimate.value for part in published.finding("H3").parts if part.estimate]
    assert h3 == pytest.approx([0.2615 - 0.2188, 0.1613 - 0.1225])
    assert points(published, penalty((C10, C100), "resnet50_im1k", 1.0)) == pytest.approx(12.25)
    assert points(published, gain(C100, "resnet50_scratch", "resnet50_im1k", 1.0)) == pytest.approx(16.2)


def test_a_sign_within_the_bound_is_too_small_to_tell(published: Conclusions) -> None:
    h2 = published.finding("H2")
    assert h2.verdict == "supported in 3 of 4"
    (small,) = h2.with_verdict("too small to tell")
    assert small.where.step == "b" and small.estimate is not None
    errors = (0.545, 0.320, 0.341, 0.104)
    half = 1.959964 * math.sqrt(sum(error * (1 - error) for error in errors) / 10_000)
    assert small.estimate.value == pytest.approx(-0.012)
    assert (small.estimate.low, small.estimate.high) == pytest.approx((-0.012 - half, -0.012 + half))
    assert (round(100 * small.estimate.low, 1), round(100 * small.estimate.high, 1)) == (-2.9, 0.5)


def test_the_verdicts_on_the_published_numbers(published: Conclusions) -> None:
    assert {finding.key: finding.verdict for finding in published.findings} == {
        "H1": "supported",
        "H2": "supported in 3 of 4",
        "H3": "supported",
        "C1": "supported",
        "C2": "supported",
        "C3": "supported",
        "C4": "supported",
        "C5": "not tested",
        "C6": "supported",
        "C7": "supported",
        "C8": "supported in 2 of 4",
    }
    assert published.finding("H1").worth == "in the published runs"
    c4 = published.finding("C4")
    asked = [part.question for part in c4.parts if part.question and not part.missing]
    assert {round(points(published, each.effect), 1) for each in asked} == {21.0, 19.8, 9.6, 10.0}
    assert {round(abs(points(published, each.rival)), 1) for each in asked if each.rival} == {1.2, 0.1, 4.3, 3.9}


def test_scales_on_the_published_numbers(published: Conclusions) -> None:
    """H1 stands on all of them; H3 is positive in points and accuracy kept, negative in the other two."""
    for reading in published.readings:
        values = {key: estimate.value for key, estimate in reading.estimates.items() if estimate}
        if reading.key == "H1":
            assert min(values.values()) > 0 and not reading.leaning
        if reading.key == "H3":
            assert values["points"] > 0 and values["accuracy_kept"] > 0
            assert reading.leaning == ("log_error", "log_odds")
            assert "log_error" in reading.against
        if reading.key == "H2" and reading.part.where.step == "b":  # points hold 0; the logarithms lie below, this above
            assert reading.signs == {"points": 0, "log_error": -1, "log_odds": -1, "accuracy_kept": 1}
            assert reading.against == ("accuracy_kept",)
            assert reading in published.disagreeing
    scratch = next(reading for reading in published.readings if reading.key == "H3")
    found = scratch.estimates["log_error"]
    assert found is not None and found.value == pytest.approx(math.log(0.582 / 0.320) - math.log(0.323 / 0.104))
    odds = scratch.estimates["log_odds"]
    assert odds is not None
    assert odds.value == pytest.approx(
        math.log(0.582 / (0.99 - 0.582) / (0.320 / 0.58)) - math.log(0.323 / (0.99 - 0.323) / (0.104 / 0.796))
    )


def test_a_contrast_without_published_differences_is_made_of_errors(published: Conclusions) -> None:
    effect = minus(degradation(C10, "vit_s16_im1k", 0.1), degradation(C10, "resnet50_im1k", 0.1))
    assert points(published, effect) == pytest.approx(100 * (0.093 - 0.066 - 0.067 + 0.039))
    assert published.evidence.estimate(degradation(C100, "vit_s16_im1k", 0.1)) is None


def test_the_published_file_names_its_source_and_refuses_nonsense(tmp_path: Path) -> None:
    published = Published.read(PROJECT / "data" / "reference" / "published.csv")
    assert len(published.errors) == 20 and all(published.sources)
    path = tmp_path / "published.csv"
    for line, number in (
        ("cifar10,vit,1,0.3,x", 2),
        ("cifar10,vit,1.0,3,x", 2),
        ("cifar10,vit,1.0,0.0,x", 2),  # no place on scales of logarithms
        ("cifar10,vit,1.0,0.3,x\n\ncifar10,vit,1.0,0.2,x", 4),
        ("imagenet,vit,1.0,0.3,x", 2),
        ("cifar10,vit,1.0,0.3", 2),
        ("cifar10,vit,1.0,0.3,x,y", 2),
    ):
        path.write_text(f"dataset,model,fraction,top1_error,source\n{line}\n")
        with pytest.raises(StudyError, match=rf"published\.csv, line {number}: "):
            Published.read(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cifar10,a,1,cifar10,b,1.0,0.1,s", "fraction is 1"),
        ("cifar10,a,1.0,cifar10,b,1.0,much,s", "line 2"),
        ("cifar10,a,1.0,cifar10,a,1.0,0.1,s", "between -1 and 1"),
        ("cifar10,a,1.0,cifar10,b,1.0,6.5,s", "between -1 and 1"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "differences.csv"
    path.write_text(",".join(COLUMNS) + "\n" + line + "\n")
    with pytest.raises(StudyError, match=message):
        read_differences(path)


@pytest.mark.parametrize("content", [b"", b"\xff", b'dataset,"model', b"dataset,model\x00\n"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.csv"
    path.write_bytes(content)
    for read in (read_differences, Published.read):
        with pytest.raises(StudyError, match=r"damaged\.csv (must have the columns|is damaged)"):
            read(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="missing"):
        read_differences(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StudyError, match="columns"):
        read_differences(tmp_path / "other.csv")


def test_a_contrast_against_the_direction_of_a_published_difference_takes_it_with_the_other_sign() -> None:
    one, two, three = (Arm("cifar10", name, 1.0) for name in ("one", "two", "three"))
    published = (Difference(one, two, 0.03),)
    assert resolved({two: 1, one: -1}, published) == (-0.03, {})
    assert resolved({two: 2, one: -1, three: -1}, published) == (-0.03, {two: 1, three: -1})
