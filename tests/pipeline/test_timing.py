"""The time left, from the rates of trainings that ended here."""

import dataclasses

import numpy as np
import pytest
from recorded_study import CNN, GLYPHS, one, record

from study.design import cells
from study.design.cells import Cell
from study.pipeline import cell_states, timing
from study.runtime import records
from study.settings.params import Params
from tools import status as command


def test_time_left_by_the_rate_of_the_model(by_hand):
    assert one().seconds is None
    for fraction, rate in ((1.0, 90.0), (0.5, 100.0), (0.1, 500.0)):
        record(Cell("digits", "cnn_scratch", fraction, 0), rate=rate)
    assert (one().seconds, one().device) == (200 * 10 / 100.0, "CPU")
    assert one(GLYPHS).seconds is None
    text = " ".join(" ".join(command.lines(cell_states.read())).split())
    assert "time left: not known for 4 cells of cnn_glyphs: no finished training" in text
    assert "time left: 3 min for the training of 4 cells, one after another, by rates measured on CPU" in text


def test_rates_of_the_commonest_device_and_of_the_same_size_count(by_hand):
    record(Cell("digits", "cnn_scratch", 1.0, 0), "H200", 1000.0)
    record(Cell("digits", "cnn_glyphs", 1.0, 0), "H200", 2000.0)
    record(Cell("digits", "cnn_glyphs", 0.5, 0), "CPU", 10.0)
    record(Cell("digits", "cnn_glyphs", 0.1, 0), "H200", 9.0, image_size=224)
    rates, recipe = timing.Timing(Params.load()), Params.load().recipe("digits", "cnn_glyphs")
    assert rates.rate(GLYPHS, recipe) == timing.Rate(2000.0, "H200")
    assert rates.rate(Cell("digits", "vit_scratch", 0.2, 0), recipe) is None
    for fraction in (1.0, 0.1):
        records.path(Cell("digits", "cnn_glyphs", fraction, 0)).unlink()
    record(Cell("digits", "cnn_scratch", 0.5, 0), "H200", 1000.0)
    assert timing.Timing(Params.load()).rate(GLYPHS, recipe) == timing.Rate(10.0, "CPU")  # all that there is


def test_damaged_records_are_passed_over(by_hand):
    record(GLYPHS)
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"cell": "x"}')):
        (cells.DATA / "records" / f"{name}.json").write_text(content)
    assert one(Cell("digits", "cnn_glyphs", 1.0, 0)).seconds == 1000 * 10 / 100.0


def images(params, budget):
    recipe = dataclasses.replace(params.recipe(CNN.dataset, CNN.model), budget=budget)
    return timing.Timing(params).images(CNN, recipe)


def test_images_of_a_dataset_that_was_never_trained_on(by_hand):
    cells.raw("digits").mkdir(parents=True)
    np.save(cells.raw("digits") / "train_labels.npy", np.zeros(1000, np.int64))
    assert images(Params.load(), "epochs") == pytest.approx(1000 * 0.9 * 0.2)
    assert images(Params.load(), "steps") == pytest.approx(1000 * 0.9)
