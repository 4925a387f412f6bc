"""Tables of hypotheses and their parts: what each part could have shown, a label of its own, and few rows."""

import pytest
from grids import MODELS
from small_reports import analysed, data

from study.report.analysis import Analysis
from study.report.frame import frame
from study.report.part_names import called, sampled
from study.report.tables import claims
from study.report.tables.every import every_table


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Three architectures of either family, each from scratch and pre-trained."""
    models = {}
    for number in range(3):
        for family in ("cnn", "vit"):
            scratch = f"{family}{number}_scratch"
            models[scratch] = MODELS[f"{family}_scratch"] | {"label": None}
            models[f"{family}{number}_glyphs"] = MODELS[f"{family}_glyphs"] | {"scratch": scratch, "label": None}
    return analysed(tmp_path_factory.mktemp("twelve"), models=models)


def test_parts_have_what_could_have_come_out_and_been_told(analysis: Analysis) -> None:
    finding = analysis.conclusions.finding("H1")
    table = claims.parts(analysis, finding)
    for row, part in zip(data(table), finding.parts, strict=True):
        assert part.estimate is not None and part.attainable is not None
        assert float(row["effect"]) == part.estimate.value and row["verdict"] == part.verdict
        assert [float(row["attainable_low"]), float(row["attainable_high"])] == list(part.attainable)
        assert float(row["tellable"]) == part.estimate.tellable
    assert {"Could have come out", "Smallest that could be told"} <= set(table.header)
    assert "| easy, 1.0 → 0.1: CNN from scratch loses more than pre-trained | +" in table.markdown()


def test_every_part_has_a_label_of_its_own(analysis: Analysis, twelve: Analysis) -> None:
    for study in (analysis, twelve):
        for finding in study.conclusions.findings:
            names = [called(study, finding.key, part) for part in finding.parts]
            assert len(set(names)) == len(names), finding.key
            keys = [part.where.key + part.where.kind for part in finding.parts]
            assert len(set(keys)) == len(keys), finding.key
    with pytest.raises(KeyError):  # and no hypothesis takes the words of another
        called(analysis, "H4", analysis.conclusions.finding("C7").parts[0])


def test_the_rows_of_hypotheses_count_their_parts(analysis: Analysis) -> None:
    table = claims.hypotheses(analysis)
    assert table.header == ("Claim", "Verdict", "For", "Against", "Too small to tell", "Cannot be told")
    for row, finding in zip(table.rows, table.records, strict=True):
        assert row[1] == f"**{finding.verdict}** in these trainings"
        for cell, word in zip(row[2:], ("supported", "refuted", "too small to tell", "cannot be told"), strict=True):
            count = len(finding.with_verdict(word))
            assert (cell == "–") == (count == 0) and (not count or cell.split(":")[0] == str(count))


def test_tables_stay_readable_with_twelve_models(twelve: Analysis) -> None:
    tables = every_table(twelve, frame(twelve))
    c4 = tables["parts_c4"]
    assert len(c4.records) > 100 and len(c4.rows) <= 16
    assert f"16 of {len(c4.records)} parts" in c4.markdown()
    effects = [part.estimate.value for part in c4.records]
    shown = [part.estimate.value for part in c4.shown or ()]
    assert min(shown) == min(effects) and max(shown) == max(effects)
    assert sum(len(table.markdown()) for name, table in tables.items() if name.startswith("parts")) < 30_000
    few = c4.records[:5]
    assert sampled(few) == few
