"""What keys of params.yaml mean that are left out. It decides results, so it stands where every stage depends on it."""

COMPARE = ("cnn", "vit")  # study.compare: the families of H2 and H3
RARE = "stop"  # split.rare
# Options of a dataset's source.
FIT = "crop"
UNREADABLE = "stop"
IMAGE_COLUMN = "image"
LABEL_COLUMN = "label"
