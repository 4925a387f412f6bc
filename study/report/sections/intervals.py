"""The note on intervals, which the page gives once; and the note on verdicts."""

from study.report.analysis import Analysis


def intervals(analysis: Analysis) -> str:
    """What the intervals of this report are for."""
    if not analysis.measured_here:
        return (
            "Intervals are 95 % bounds: they take the errors of all cells as independent, on 10,000 test images each. Models "
            "err on the same images, so differences are usually known better. Errors were published to three decimals; where "
            "differences were published, to four, those are used."
        )
    seeds = len(analysis.grid.seeds)
    if analysis.evidence.over_trainings:
        how = (
            f"Numbers are means over {seeds} seeds. A seed has a split of the train images, an initialisation and an order of "
            "the data of its own. Intervals are 95 %, over trainings and test images at once (crossed analysis of variance, "
            "Student's t), with half an imaginary image at either end of the possible range."
        )
    else:
        shared = "Numbers are means over the two trainings. " if seeds == 2 else ""
        how = (
            f"{shared}Intervals are 95 %, over resampled test images, which all models share, with half an imaginary image "
            "at either end of the possible range. They hold for these trained models."
        )
    return (
        f"{how} In the figures of calibration and of the hardest classes, intervals are those of a share of test images "
        "(Wilson). Each part has its own 95 %, not corrected for the number of parts."
    )


WORDS = (
    "A part is supported where its interval lies above 0, refuted where it lies below, and too small to tell where it "
    "holds 0. “Could have come out” are the effects if the model named first had made no error, or had fallen to guessing, "
    "at the smallest fraction and on the hardest dataset that it has in the part, with all other errors as they are, its own "
    "elsewhere too. A part cannot be told where all of them lie on one side of 0. “Smallest that could be told” is the effect "
    "that would have been told with a probability of 80 %; for C4, the larger of those of its two comparisons."
)
