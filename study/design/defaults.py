"""What keys of params.yaml mean that are left out. It decides results, so it stands where every stage depends on it.

The options of datasets have theirs in study/settings/sources.py, on which download alone depends.
"""

COMPARE = ("cnn", "vit")  # study.compare: the families of H2 and H3
RARE = "stop"  # split.rare
