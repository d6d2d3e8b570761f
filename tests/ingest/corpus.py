"""Events that are refused, with the code that says why, and odd ones that are taken. Nesting counts the event as 1."""

from typing import NamedTuple


class Case(NamedTuple):
    name: str
    body: bytes
    code: str = ""
    refused_by_postgresql: bool = False


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


REFUSED = [
    Case("a number", b"42", "not_an_object"),
    Case("a string", b'"text"', "not_an_object"),
    Case("null", b"null", "not_an_object"),
    Case("an array as event", b"[[1]]", "not_an_object"),
    Case("NUL in a value", b'{"a":"x\\u0000y"}', "nul_character", True),
    Case("NUL in a name", b'{"x\\u0000y":1}', "nul_character", True),
    Case("NUL after an escaped backslash", b'{"a":"\\\\\\u0000"}', "nul_character", True),
    Case("NUL deep inside", b'{"a":[{"b":["\\u0000"]}]}', "nul_character", True),
    Case("a high surrogate alone", b'{"a":"\\ud800"}', "lone_surrogate", True),
    Case("a low surrogate alone", b'{"a":"\\uDC00"}', "lone_surrogate", True),
    Case("surrogates in the wrong order", b'{"a":"\\udc00\\ud800"}', "lone_surrogate", True),
    Case("two high surrogates and a low one", b'{"a":"\\ud83d\\ud83d\\ude00"}', "lone_surrogate", True),
    Case("a lone surrogate in a name", b'{"\\ud800":1}', "lone_surrogate", True),
    Case("a surrogate after an escaped backslash", b'{"a":"\\\\\\ud800"}', "lone_surrogate", True),
    Case("NaN", b'{"a":NaN}', "number_not_finite", True),
    Case("Infinity", b'{"a":[Infinity]}', "number_not_finite", True),
    Case("-Infinity", b'{"a":{"b":-Infinity}}', "number_not_finite", True),
    Case("larger than a double", b'{"a":1e400}', "number_out_of_range"),
    Case("larger than numeric", b'{"a":1e131072}', "number_out_of_range", True),
    Case("far larger than numeric", b'{"a":-1E+999999999}', "number_out_of_range", True),
    Case("an exponent that overflows an integer", b'{"a":1e99999999999999999999}', "number_out_of_range", True),
    Case("an integer larger than a double", b'{"a":' + b"9" * 400 + b"}", "number_out_of_range"),
    Case("smaller than a double", b'{"a":1e-400}', "number_out_of_range"),
    Case("a denormal", b'{"a":5e-324}', "number_out_of_range"),
    Case("small by its zeros alone", b'{"a":0.' + b"0" * 320 + b"1}", "number_out_of_range"),
    Case("small by zeros and exponent", b'{"a":0.' + b"0" * 215 + b"1e-99}", "number_out_of_range"),
    Case("zero with a far exponent", b'{"a":0e99999}', "number_out_of_range"),
    Case("zero with a far negative exponent", b'{"a":0.0e-99999}', "number_out_of_range", True),
    Case("an integer of too many digits", b'{"a":' + b"1" * 1001 + b"}", "number_too_long"),
    Case("a fraction of too many digits", b'{"a":0.' + b"1" * 1000 + b"}", "number_too_long"),
    Case("too many digits around the point", b'{"a":' + b"1" * 300 + b"." + b"1" * 701 + b"}", "number_too_long"),
    Case("too many digits in the exponent", b'{"a":1e' + b"0" * 1000 + b"}", "number_too_long"),
    Case("more digits than Python reads", b'{"a":' + b"1" * 5000 + b"}", "number_too_long"),
    Case("65 levels", nested(65), "too_deep"),
    Case("objects on 65 levels", b'{"a":' * 64 + b"{}" + b"}" * 64, "too_deep"),
    Case("more levels than orjson reads", nested(1100), "too_deep"),
    Case("more levels than PostgreSQL reads", nested(50_000), "too_deep", True),
    Case("a name of 1025 bytes", b'{"' + b"n" * 1025 + b'" : 1}', "member_name_too_long"),
    Case("a long name deep inside", b'{"a":[{"b":{"' + b"n" * 1025 + b'":1}}]}', "member_name_too_long"),
    Case("a long name with an escaped quote", b'{"' + b'n\\"' * 400 + b'":1}', "member_name_too_long"),
    Case("one byte too large", b'{"a":"' + b"x" * (1_048_576 - 7) + b'"}', "event_too_large"),
    Case("a key of 256 characters", b'{"id":"' + b"k" * 256 + b'"}', "key_too_long"),
]
MALFORMED = [
    Case("an unclosed object", b'{"a":1', "malformed_json"),
    Case("two objects", b'{"a":1}{"b":2}', "malformed_json"),
    Case("a comment", b'{"a":1} // no', "malformed_json"),
    Case("single quotes", b"{'a':1}", "malformed_json"),
    Case("a trailing comma", b'{"a":1,}', "malformed_json"),
    Case("a leading zero", b'{"a":01}', "malformed_json"),
    Case("a tab in a string", b'{"a":"\t"}', "malformed_json"),
    Case("a form feed between", b'{"a":\x0c1}', "malformed_json"),
    Case("Latin-1", b'{"a":"\xe9"}', "invalid_utf8"),
    Case("a surrogate in UTF-8", b'{"a":"\xed\xa0\x80"}', "invalid_utf8"),
    Case("an overlong NUL", b'{"a":"\xc0\x80"}', "invalid_utf8"),
]

# Malformed as a line, although between commas it would be two good elements.
ARRAY_ELEMENTS_AS_LINE = Case("two objects with a comma", b'{"a":1},{"b":2}', "malformed_json")

ACCEPTED = [
    Case("empty", b"{}"),
    Case("an empty name", b'{"":""}'),
    Case("duplicate names", b'{"a":1,"a":2}'),
    Case("a surrogate pair", b'{"a":"\\ud83d\\ude00"}'),
    Case("two surrogate pairs", b'{"a":"\\ud83d\\ude00\\uD83D\\uDE01"}'),
    Case("the text of a NUL escape", b'{"a":"\\\\u0000"}'),
    Case("the text of a surrogate escape", b'{"a":"\\\\ud800"}'),
    Case("all short escapes", b'{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t"}'),
    Case("control characters as escapes", b'{"a":"\\u0001\\u001f\\u007f\\u0085\\u2028"}'),
    Case("noncharacters", b'{"a":"\\uffff\\ufffe\xef\xbf\xbf"}'),
    Case("raw DEL and emoji", '{"a":"\x7f😀","é":"ü"}'.encode()),
    Case("white space everywhere", b'{ \t"a"\r\n:\n[ 1 , 2 ]\t}'),
    Case("negative zero", b'{"a":-0,"b":-0.0,"c":0e0,"d":0E-308}'),
    Case("the largest double", b'{"a":1.7976931348623157e308}'),
    Case("a small double", b'{"a":1e-308,"b":-2.2250738585072014E-308}'),
    Case("a far exponent that its digits undo", b'{"a":0.' + b"0" * 400 + b'1e+400,"b":1' + b"0" * 300 + b"e-300}"),
    Case("an exponent with leading zeros", b'{"a":1e0000000000000000000000005}'),
    Case("300 digits", b'{"a":' + b"9" * 300 + b"}"),
    Case("1000 digits", b'{"a":0.' + b"7" * 999 + b"}"),
    Case("trailing zeros", b'{"a":1.1000,"b":10.00e-5}'),
    Case("hexadecimal that looks like exponents", b'{"a":"1e999","b":"00e4000","c":"sha256:1e400, 5e-999"}'),
    Case("the words in strings", b'{"NaN":"Infinity","-Infinity":"NaN"}'),
    Case("64 levels", nested(64)),
    Case("brackets in a string", b'{"a":"' + b"[{" * 100 + b'"}'),
    Case("many shallow brackets", b'{"a":[' + b"[],{}," * 100 + b"0]}"),
    Case("a name of 1024 bytes", b'{"' + b"n" * 1024 + b'":1}'),
    Case("a long string", b'{"a":"' + b"x" * 5000 + b'"}'),
    Case("a long string that looks like names", b'{"a":"' + b'\\":' * 2000 + b'"}'),
    Case("just small enough", b'{"a":"' + b"x" * (1_048_576 - 8) + b'"}'),
    Case("a key of 255 characters", b'{"id":"' + "é".encode() * 255 + b'"}'),
    Case("a PostgreSQL end of copy", b'{"a":"\\\\."}'),
]
