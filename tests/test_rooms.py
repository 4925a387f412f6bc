"""The house: no circle of imports, no floor crossed upwards, stages and tools above the library."""

import ast
import graphlib
import statistics
import sys
from collections import Counter

import pytest

# From the ground up; rooms of one floor do not import each other.
FLOORS = (
    ("base",),
    ("design",),
    ("settings",),
    ("results",),
    ("runtime",),
    ("data",),
    ("models",),
    ("engine", "statistics"),
    ("report", "pipeline"),
    ("fanout", "away"),
)
OTHERS = ("study/models/lean_timm.py", "study/data/connection.py", "study/data/torchvision_sets.py")  # import packages by name


@pytest.fixture(scope="module")
def modules(root):
    """Every module of the project, with the modules that it imports anywhere in its text."""
    paths = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in ("stages", "tools", "study")
        for path in (root / folder).rglob("*.py")
    }
    return {name: imports(path) & paths.keys() - {name} for name, path in paths.items()}


def imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def floor(module):
    """The floor of a module of the library, and that of stages and tools above it."""
    parts = module.split(".")
    if parts[0] != "study":
        return len(FLOORS) + (parts[0] == "tools")
    return next(number for number, rooms in enumerate(FLOORS) if parts[1] in rooms) if len(parts) > 1 else 0


def test_there_is_no_circle(modules):
    tuple(graphlib.TopologicalSorter(modules).static_order())


def test_no_floor_is_crossed_upwards(modules):
    def crosses(name, other):
        beside = floor(other) == floor(name) and name.startswith("study.") and name.split(".")[1] != other.split(".")[1]
        return beside or floor(other) > floor(name)

    pairs = [(name, other) for name, others in modules.items() for other in others if other != "study"]
    assert [f"{name} imports {other}" for name, other in pairs if crosses(name, other)] == []


def test_every_import_of_the_project_is_one_that_dvc_yaml_is_held_to(root):
    """study/runtime/code.py follows absolute import statements; the linter refuses relative ones."""
    for folder in ("stages", "tools", "study"):
        for path in (root / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level], path
            called = {ast.unparse(node.func).split(".")[-1] for node in ast.walk(tree) if isinstance(node, ast.Call)}
            by_name = called & {"import_module", "__import__", "exec_module", "run_module", "run_path"}
            assert not by_name or path.relative_to(root).as_posix() in OTHERS, path


def test_stages_do_not_import_each_other(modules):
    for name, others in modules.items():
        if name.startswith("stages."):
            assert not [other for other in others if other.startswith("stages")], name


def test_commands_import_the_library_before_any_package(root):
    """study.base says in one sentence that memory is too little for a package; it has to be there before."""
    for path in [*(root / "stages").glob("*.py"), *(root / "tools").glob("*.py")]:
        lines = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in lines]
        rooms = [name.partition(".")[0] for name in names if name.partition(".")[0] not in sys.stdlib_module_names]
        assert rooms[:1] in ([], ["study"]), path


def test_stages_are_those_of_the_pipeline(root):
    names = {path.stem for path in (root / "stages").glob("*.py")} - {
        "__init__",
        "study",
    }  # study.py only says how a stage is run
    assert names == {"download", "weights", "split", "train", "evaluate", "aggregate"}


def test_tests_mirror_the_rooms(root):
    mirrored = {room for floor in FLOORS for room in floor} | {"stages", "tools", "benchmarks"}
    assert [room for room in mirrored if not any((root / "tests" / room).glob("test_*.py"))] == []
    rooms = mirrored | {"fuzz", "promises"}
    of_the_whole = {"test_rooms.py", "test_committed.py", "test_readme.py", "test_pipeline.py"}
    places = {path.relative_to(root / "tests") for path in (root / "tests").rglob("test_*.py")}
    assert [str(place) for place in places if str(place) not in of_the_whole and place.parts[0] not in rooms] == []
    assert len({place.name for place in places}) == len(places), "pytest imports test files by their name alone"


def test_no_two_things_of_the_library_have_one_name(root):
    files = [path for path in (root / "study").rglob("*.py") if path.name != "__init__.py"]
    assert twice(path.stem for path in files) == set()
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    classes = twice(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert classes == {"Part"}  # of a dataset, and of a hypothesis: both are called so by everybody


def test_a_name_that_is_imported_means_one_thing(root):
    """`rounded` from two files, one for readers and one for numbers, is read twice. (Modules are called with their name.)"""
    known, taken = {}, {}
    for folder in ("study", "stages", "tools"):
        for path in (root / folder).rglob("*.py"):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    known.setdefault(node.name, set()).add(module)
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("study."):
                    for alias in node.names:
                        taken.setdefault(alias.name, set()).add(node.module)
    several = {name for name, modules in taken.items() if len(modules & known.get(name, set())) > 1}
    assert several == {"Part"}  # see above


def twice(names):
    return {name for name, count in Counter(names).items() if count > 1}


def test_files_are_short(root):
    lengths = {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("stages", "tools", "study", "tests", "trials", "benchmarks")
        for path in (root / folder).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert {name: lines for name, lines in lengths.items() if lines > 250} == {}
    commands_and_library = [lines for name, lines in lengths.items() if name.startswith(("stages", "tools", "study"))]
    assert statistics.median(commands_and_library) < 100
