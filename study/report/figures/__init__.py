"""Figures. What a user set for matplotlib must not change or break them: no backend of a notebook, no matplotlibrc."""

import os

os.environ["MPLBACKEND"] = "agg"  # read when matplotlib is imported first; a notebook's value may name what is not installed
