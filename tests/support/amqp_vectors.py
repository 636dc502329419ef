"""AMQP 1.0 values with their bytes: the examples of the standard, and by hand one for every format code.

`VALUES` holds what is encoded in exactly this way; `OTHER_FORMATS` what may only be read so.
"""

from harness.protocol.amqp import types as t

VALUES: dict[str, tuple[t.Value, str]] = {
    "null": (None, "40"),
    "true": (True, "41"),
    "false": (False, "42"),
    "ubyte": (t.UByte(255), "50 ff"),
    "ushort": (t.UShort(65_535), "60 ffff"),
    "uint0": (t.UInt(0), "43"),
    "smalluint": (t.UInt(255), "52 ff"),
    "uint": (t.UInt(256), "70 00000100"),
    "ulong0": (t.ULong(0), "44"),
    "smallulong": (t.ULong(1), "53 01"),
    "ulong": (t.ULong(2**64 - 1), "80 ffffffffffffffff"),
    "byte": (t.Byte(-1), "51 ff"),
    "short": (t.Short(-2), "61 fffe"),
    "smallint": (t.Int(-128), "54 80"),
    "int": (t.Int(128), "71 00000080"),
    "smalllong": (127, "55 7f"),
    "long": (-129, "81 ffffffffffffff7f"),
    "float": (t.Float(1.5), "72 3fc00000"),
    "double": (-2.0, "82 c000000000000000"),
    "decimal32": (t.Decimal32(b"1234"), "74 31323334"),
    "decimal64": (t.Decimal64(b"12345678"), "84 3132333435363738"),
    "decimal128": (t.Decimal128(bytes(16)), "94" + "00" * 16),
    "char": (t.Char("\U0002a6d4"), "73 0002a6d4"),
    "timestamp, 26 July 2011 (1.6.17)": (t.Timestamp(1_311_704_463_521), "83 0000013167adb8a1"),
    "uuid": (t.Uuid(bytes(range(16))), "98 000102030405060708090a0b0c0d0e0f"),
    "vbin8": (b"\x00\xff", "a0 02 00ff"),
    "vbin32": (bytes(256), "b0 00000100" + "00" * 256),
    "str8-utf8 (figure 1.2)": (
        "Hello Glorious Messaging World",
        "a1 1e 48656c6c6f20476c6f72696f7573204d6573736167696e6720576f726c64",
    ),
    "str32-utf8": ("x" * 256, "b1 00000100" + "78" * 256),
    "sym8": (t.Symbol("amqp:accepted:list"), "a3 12 616d71703a61636365707465643a6c697374"),
    "sym32": (t.Symbol("y" * 256), "b3 00000100" + "79" * 256),
    "list0": ([], "45"),
    "list8": ([None, True], "c0 03 02 40 41"),
    "list32": ([b"x" * 254], "d0 00000104 00000001 a0fe" + "78" * 254),
    "map8": ({t.Symbol("a"): 1, "b": None}, "c1 0a 04 a30161 5501 a10162 40"),
    "map8, empty": ({}, "c1 01 00"),
    "array8 of symbols": (t.Array(t.Symbol, (t.Symbol("PLAIN"),)), "e0 0b 01 b3 00000005 504c41494e"),
    "array8 of nothing": (t.Array(type(None), (None, None)), "e0 02 02 40"),
    "array8 of booleans": (t.Array(bool, (True, False)), "e0 04 02 56 01 00"),
    "array32 of uints": (t.Array(t.UInt, (t.UInt(1),) * 64), "f0 00000105 00000040 70" + "00000001" * 64),
    "array of lists": (t.Array(list, ([True], [])), "e0 13 02 d0 00000005 00000001 41 00000004 00000000"),
    "array of described uints": (t.Array(t.UInt, (t.UInt(7),), t.Symbol("u")), "e0 0a 01 00 a30175 70 00000007"),
    "described value (figure 1.3)": (
        t.Described("URL", "http://example.org/hello-world"),
        "00 a1 03 55524c a1 1e 687474703a2f2f6578616d706c652e6f72672f68656c6c6f2d776f726c64",
    ),
}

OTHER_FORMATS: dict[str, tuple[t.Value, str]] = {
    "boolean true": (True, "56 01"),
    "boolean false": (False, "56 00"),
    "uint that would be small": (t.UInt(1), "70 00000001"),
    "ulong that would be small": (t.ULong(0x24), "80 0000000000000024"),
    "int that would be small": (t.Int(1), "71 00000001"),
    "long that would be small": (1, "81 0000000000000001"),
    "vbin32 that would be small": (b"a", "b0 00000001 61"),
    "str32 that would be small": ("a", "b1 00000001 61"),
    "sym32 that would be small": (t.Symbol("a"), "b3 00000001 61"),
    "list32 that would be empty": ([], "d0 00000004 00000000"),
    "list8 that would be empty": ([], "c0 01 00"),
    "map32 that would be small": ({"a": None}, "d1 00000008 00000002 a10161 40"),
    "array of small uints": (t.Array(t.UInt, (t.UInt(1), t.UInt(2))), "e0 04 02 52 01 02"),
    "array of strings (figure 1.5)": (t.Array(str, ("ab", "c")), "e0 07 02 a1 02 6162 01 63"),
    "array of true": (t.Array(bool, (True,) * 16), "e0 02 10 41"),
    "array of empty lists": (t.Array(list, ([], [])), "e0 02 02 45"),
    "array of short lists": (t.Array(list, ([True], [])), "e0 07 02 c0 02 01 41 01 00"),
    "array of arrays": (t.Array(t.Array, (t.Array(bool, (False,)),)), "e0 05 01 e0 02 01 42"),
    "array of maps": (t.Array(dict, ({},)), "f0 0000000d 00000001 d1 00000004 00000000"),
    "the book (figure 1.9)": (
        t.Described(
            t.Symbol("example:book:list"),
            ["AMQP for & by Dummies", t.Array(str, ("Rob J. Godfrey", "Rafael H. Schloming")), None],
        ),
        (
            "00 a3 11 6578616d706c653a626f6f6b3a6c697374 c0 40 03"
            "a1 15 414d515020666f7220262062792044756d6d696573"
            "e0 25 02 a1 0e 526f62204a2e20476f6466726579 13 52616661656c20482e205363686c6f6d696e67"
            "40"
        ),
    ),
}
