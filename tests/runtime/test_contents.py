"""What a look at a folder sees: every file that DVC sees, and nothing that editors and drafts put beside it."""

from study.runtime import edits


def test_files_that_dvc_does_not_see_are_no_edits(tmp_path):
    file = tmp_path / "cell" / "record.json"
    file.parent.mkdir()
    file.write_text("{}")
    before = edits.contents([tmp_path])
    (tmp_path / ".other.draft").mkdir()
    for name in ("cell/.record.json.swp", "cell/record.json~", ".other.draft/record.json"):
        (tmp_path / name).write_text("x")
    assert edits.contents([tmp_path]) == before
    file.write_text("[]")
    assert edits.contents([tmp_path]) != before
