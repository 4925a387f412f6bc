"""Pickles as Python 2 wrote them, and one that runs code when it is loaded."""


def array_pickle(array, code=b"u1", order=b"|"):
    """A pickle of ``{"data": array}`` as Python 2 and an old numpy wrote it (protocol 2, byte strings)."""

    def text(value):
        return b"U" + bytes([len(value)]) + value  # SHORT_BINSTRING

    raw = array.tobytes()
    shape = b"".join(b"J" + side.to_bytes(4, "little") for side in array.shape)
    return b"".join(
        [
            b"\x80\x02}",
            text(b"data"),
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R",
            b"(K\x01(" + shape + b"t",
            b"cnumpy\ndtype\n"
            + text(code)
            + b"K\x00K\x01\x87R(K\x03"
            + text(order)
            + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89T" + len(raw).to_bytes(4, "little") + raw + b"tbs.",
        ]
    )


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle ran')",))
