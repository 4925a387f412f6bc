"""params.yaml: the committed one is valid, and every kind of wrong value is one sentence that names it."""

import copy

import pytest

from study.base import yaml12
from study.base.errors import StudyError
from study.settings.params import Params


@pytest.fixture
def sections(root):
    return yaml12.load((root / "params.yaml").read_text())


def test_committed_parameters_are_valid(root):
    Params.load(root / "params.yaml").check_all()


def test_recipe_is_the_studys_then_the_datasets_then_the_models(sections):
    sections["datasets"]["digits"]["recipe"] = {"epochs": 3, "image_size": 32}
    sections["models"]["cnn_scratch"]["recipe"] = {"epochs": 5}
    recipe = Params(sections).recipe("digits", "cnn_scratch")
    assert (recipe.epochs, recipe.image_size, recipe.batch_size) == (5, 32, 64)


WRONG = [
    ("fraction", 1, "fraction is 1; .*write 1.0"),
    ("fraction", 0, "fraction is 0; it must be a decimal above 0"),
    ("fraction", 1.5, "fraction is 1.5; it must be a decimal above 0 and up to 1.0"),
    ("fraction", "half", "fraction is 'half'"),
    ("fraction", 0.00005, "fraction is 5e-05; it must be 0.0001 or more, since names of cells have no exponents"),
    ("fraction", float("nan"), "fraction is nan"),
    ("study.name", "My study", "study.name is 'My study'"),
    ("study.datasets", ["imagenet"], "study.datasets names 'imagenet', which is not declared .* cifar10"),
    ("study.models", ["resnet18"], "study.models names 'resnet18', which is not declared"),
    ("study.models", [], "study.models is \\[\\]"),
    ("study.seeds", [0, 0], "study.seeds is \\[0, 0\\]; it must be a list of different"),
    ("study.seeds", [-1], "study.seeds is \\[-1\\]"),
    ("study.seeds", [2**32], "study.seeds is \\[4294967296\\]"),
    ("study.seeds", [True], "study.seeds is \\[True\\]"),
    ("study.colour", "red", "study.colour is not a key here"),
    ("split.val_fraction", 1, "split.val_fraction is 1; it must be a number above 0 and below 1"),
    ("train.learning_rate", "fast", "train.learning_rate is 'fast'; it must be a number above 0"),
    ("train.learning_rate", 0, "train.learning_rate is 0"),
    ("train.lerning_rate", 0.1, "train.lerning_rate is not a recipe key; there are .*learning_rate"),
    ("train.epochs", 2.5, "train.epochs is 2.5; it must be a whole number"),
    ("train.epochs", True, "train.epochs is True"),
    ("train.batch_size", 1, "train.batch_size is 1; it must be a whole number from 2"),
    ("models.cnn_scratch.arch.num_classes", 7, "models.cnn_scratch.arch.num_classes is given by the study itself"),
    ("train.betas", [0.9], "train.betas is \\[0.9\\]"),
    ("train.betas", [0.9, 1.0], "train.betas"),
    ("train.weight_decay", -0.1, "train.weight_decay is -0.1"),
    ("train.augmentation", "mixup", "train.augmentation is 'mixup'; it must be none or flip_crop"),
    ("train.precision", "fp16", "train.precision is 'fp16'; it must be bf16 or fp32"),
    ("datasets.cifar10.recipe", None, "datasets.cifar10.recipe is None"),
    ("datasets.cifar10.source", "here", "datasets.cifar10.source is 'here'"),
    ("datasets.cifar10.source.format", "zip", "datasets.cifar10.source.format is 'zip'; it must be one of cifar10"),
    ("datasets.cifar10.source.url", "ftp://x", "datasets.cifar10.source.url is 'ftp://x'"),
    ("datasets.digits.source.url", "http://x", "datasets.digits.source.url is not a key of format digits"),
    ("datasets.cifar10.sorce", {}, "datasets.cifar10.sorce is not a key"),
    ("models.resnet50_im1k.family", "<b>", "models.resnet50_im1k.family is '<b>'; it must be text of up to 60 letters"),
    ("models.resnet50_im1k.family", 5, "models.resnet50_im1k.family is 5; it must be text"),
    ("models.resnet50_im1k.label", "a|b", "models.resnet50_im1k.label is 'a|b'; it must be text of up to 60 letters"),
    ("models.resnet50_im1k.label", "$x$", "models.resnet50_im1k.label is"),
    ("models.resnet50_im1k.label", "", "models.resnet50_im1k.label is ''"),
    ("models.resnet50_im1k.label", "x" * 61, "models.resnet50_im1k.label is 'x"),
    ("models.resnet50_im1k.scratch", ["x"], "models.resnet50_im1k.scratch is \\['x'\\]; it must be the key of a model"),
    (
        "models.resnet50_im1k.weights",
        {"cell": "a-b", "sha256": None},
        "models.resnet50_im1k.weights.cell: cell 'a-b' is not of",
    ),
    ("models.resnet50_im1k.weights", {"cell": 5, "sha256": None}, "weights.cell is 5; it must be the name of a cell"),
    ("study.compare", ["cnn"], "study.compare is \\['cnn'\\]; it must be a list of two different families"),
    ("study.compare", ["vit", "vit"], "study.compare is"),
    ("study.compare", "cnn", "study.compare is 'cnn'"),
    ("study.compare", ["cnn", "mlp"], "study.compare names 'mlp', which is the family of no model; there are cnn, vit"),
    ("study.name", "published", "study.name is 'published'; .* neither published nor measured"),
    ("study.name", "measured", "study.name is 'measured'"),
    ("study.datasets", [["cifar10"]], "study.datasets is"),
    ("study.models", {"a": 1}, "study.models is {'a': 1}; it must be a list"),
    ("models.resnet50_im1k.arch", 50, "models.resnet50_im1k.arch is 50"),
    ("models.resnet50_im1k.weights.sha256", "abc", "models.resnet50_im1k.weights.sha256 is 'abc'"),
    ("models.resnet50_im1k.weights.source", None, "models.resnet50_im1k.weights.source is None"),
    ("models.resnet50_im1k.scratch", "vit_s16_scratch", "models.resnet50_im1k.scratch is 'vit_s16_scratch'; .* same arch"),
    ("models.resnet50_im1k.scratch", "nobody", "models.resnet50_im1k.scratch names 'nobody'"),
    ("models.resnet50_im1k.recipe", {"epoch": 1}, "models.resnet50_im1k.recipe.epoch is not a recipe key"),
    ("modles", {}, "modles is not a section"),
    ("datasets", None, "datasets is None; it must be a mapping"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), WRONG, ids=lambda item: str(item)[:40])
def test_wrong_value_is_one_sentence(sections, key, value, sentence):
    changed = copy.deepcopy(sections)
    *path, last = key.split(".")
    place = changed
    for part in path:
        place = place[part]
    place[last] = value
    with pytest.raises(StudyError, match=sentence) as error:
        Params(changed).check_all()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["fraction", "study", "split", "train", "datasets", "models"])
def test_missing_section_is_one_sentence(sections, key):
    del sections[key]
    with pytest.raises(StudyError, match=key):
        Params(sections).check_all()


def test_missing_recipe_key_is_named(sections):
    del sections["train"]["epochs"]
    with pytest.raises(StudyError, match=r"train\.epochs is missing"):
        Params(sections).recipe("cifar10", "resnet50_scratch")


def test_a_stage_is_not_stopped_by_what_it_does_not_use(sections):
    sections["study"] = None
    assert Params(sections).recipe("cifar10", "resnet50_scratch").epochs == 20


@pytest.mark.parametrize("source", [{"cell": "digits-cnn_scratch-1.0-0"}, {"source": "hf-hub:timm/resnet50.a1_in1k"}])
def test_sha256_of_weights_may_be_left_out(sections, source):
    sections["models"]["resnet50_im1k"]["weights"] = source
    params = Params(sections)
    params.check_all()
    assert params.model("resnet50_im1k").weights.sha256 is None


def test_label_family_and_compare_are_read(sections):
    sections["models"]["resnet50_im1k"] |= {"label": "ResNet-50 (ImageNet-1k)", "family": "Faltungsnetz"}
    sections["study"] |= {"compare": ["vit", "Faltungsnetz"]}
    params = Params(sections)
    params.check_all()
    assert params.model("resnet50_im1k").label == "ResNet-50 (ImageNet-1k)"
    del sections["models"]["resnet50_scratch"]["label"]
    assert params.model("resnet50_scratch").label is None
    assert params.study().compare == ("vit", "Faltungsnetz")
    del sections["study"]["compare"]
    assert params.study().compare == ("cnn", "vit")


def test_two_models_of_a_study_do_not_share_a_label(sections):
    sections["study"]["models"] = ["resnet50_scratch", "resnet50_im1k"]
    for name in sections["study"]["models"]:
        sections["models"][name]["label"] = "ResNet"
    Params(sections).check_all()  # "ResNet, scratch" and "ResNet, pre-trained"
    sections["models"]["other"] = dict(sections["models"]["resnet50_scratch"])
    sections["study"]["models"].append("other")
    with pytest.raises(StudyError, match="models.other.label is 'ResNet', as that of resnet50_scratch"):
        Params(sections).check_all()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("train: {epochs: !!int abc}", "not readable as YAML: invalid literal"),
        ("train: {epochs: !!bool 7}", "not readable as YAML"),
        ("train: {epochs: 2020-13-45}", "not readable as YAML: month must be in 1..12"),
        ("train: {epochs: 2020-10-05}", "train.epochs is a date, which no key takes"),
        ("train: {epochs: !!binary aGk=}", "train.epochs is binary data"),
        ("train: {epochs: !!set {a}}", "train.epochs is no plain value"),
        (f"train: {{epochs: {'9' * 400}}}", "train.epochs is a whole number of 400 digits"),
        (f"train: {{epochs: 0x{'f' * 9000}}}", "train.epochs is a whole number of thousands of digits"),
        (f"train: {{epochs: {'9' * 5000}}}", "not readable as YAML"),
        (f"study: {{name: {'x' * 5000}}}", "study.name is text of 5000 characters, which no key takes; shorten it"),
        (f"models: {{? {'x' * 900} : {{}}}}", "models has a key of 900 characters; shorten it"),
        ("models: {5: {}}", "models has the key 5; keys are names"),
        ("? [a]\n: b", "key"),
        ("train: &a [*a]", "train.0 refers to itself"),
        ("a: 1\na: 2", "not readable as YAML: .*duplicate key"),
        ("[" * 100_000, "more than 100 deep"),
        ("- " * 5_000, "more than 100 deep"),
        ("l0: &l0 [x, x]\n" + "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 60)), "more than 50000 values"),
    ],
    ids=lambda text: text[:25],
)
def test_what_is_no_plain_data_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(StudyError, match=sentence) as error:
        Params.load(tmp_path / "params.yaml")
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", ""])
def test_unreadable_file_is_one_sentence(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(StudyError, match=r"params\.yaml"):
        Params.load(tmp_path / "params.yaml")


def test_absent_file_is_one_sentence(tmp_path):
    with pytest.raises(StudyError, match="run from the project's root"):
        Params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize("written", ["0.00001", "1e-5", "1e-05", "1.0e-05", "1E-5"])
def test_small_numbers_are_read_as_dvc_writes_them(root, tmp_path, written):
    """DVC writes 0.00001 as 1e-05, which YAML 1.1 takes for text."""
    text = (root / "params.yaml").read_text().replace("learning_rate: 0.001", f"learning_rate: {written}")
    (tmp_path / "params.yaml").write_text(text)
    assert Params.load(tmp_path / "params.yaml").recipe("cifar10", "resnet50_scratch").learning_rate == 0.00001
