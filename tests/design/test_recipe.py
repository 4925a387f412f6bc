"""A recipe is merged from layers; what no layer says is refused or has the default that old records were trained by."""

import json

import pytest

from study.base.errors import StudyError
from study.design.recipe import Recipe

STUDY = {
    "image_size": 32, "epochs": 3, "batch_size": 16, "learning_rate": 0.001, "betas": [0.9, 0.999], "eps": 1e-8,
    "weight_decay": 0, "augmentation": "none", "precision": "fp32",
}  # fmt: skip


def test_the_models_keys_win_over_the_datasets_and_those_over_the_studys():
    recipe = Recipe.of(STUDY, ("digits", {"epochs": 4, "image_size": 64}), ("cnn", {"epochs": 5}))
    assert (recipe.epochs, recipe.image_size, recipe.batch_size) == (5, 64, 16)


def test_a_recipe_comes_back_from_the_json_of_its_record():
    recipe = Recipe.merge(("train", STUDY | {"optimizer": "sgd", "clip_norm": 1}))
    assert Recipe.merge(("record", json.loads(json.dumps(recipe.as_dict())))) == recipe


@pytest.mark.parametrize(("key", "value"), [("depth", 3), ("epochs", True), ("budget", "minutes")])
def test_a_wrong_key_or_value_is_named_with_its_layer(key, value):
    with pytest.raises(StudyError, match=rf"^params\.yaml: models\.cnn\.recipe\.{key} is "):
        Recipe.of(STUDY, ("digits", {}), ("cnn", {key: value}))
