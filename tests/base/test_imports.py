"""What a large package makes is left alone by the collector of circles, which then goes on as before."""

import gc

import pytest

from study.base.imports import lasting


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_imported_is_not_looked_at_again(enabled):
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ImportError), lasting():
            assert not gc.isenabled()
            package = [[number] for number in range(1000)]
            raise ImportError
        assert gc.isenabled() is enabled
        assert not {id(each) for each in package} & {id(each) for each in gc.get_objects()}
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()
