"""The messages of the format pprof that are used here, made by protobuf from the table of their fields.

The numbers are those of the public schema, perftools.profiles.Profile: https://github.com/google/pprof/tree/main/proto.
Fields that are not listed are left out.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "perftools.profiles"
_NUMBER, _ID, _TEXT = "int64", "uint64", "string"
# By message: each field's name, number, type (another message's name, or a plain one), and whether it may come often.
_MESSAGES: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    "Profile": (
        ("sample_type", 1, "ValueType", True),
        ("sample", 2, "Sample", True),
        ("location", 4, "Location", True),
        ("function", 5, "Function", True),
        ("string_table", 6, _TEXT, True),
        ("time_nanos", 9, _NUMBER, False),
        ("period_type", 11, "ValueType", False),
        ("period", 12, _NUMBER, False),
        ("default_sample_type", 14, _NUMBER, False),
    ),
    "ValueType": (("type", 1, _NUMBER, False), ("unit", 2, _NUMBER, False)),
    "Sample": (("location_id", 1, _ID, True), ("value", 2, _NUMBER, True)),
    "Location": (("id", 1, _ID, False), ("address", 3, _ID, False), ("line", 4, "Line", True)),
    "Line": (("function_id", 1, _ID, False), ("line", 2, _NUMBER, False)),
    "Function": (
        ("id", 1, _ID, False),
        ("name", 2, _NUMBER, False),
        ("system_name", 3, _NUMBER, False),
        ("filename", 4, _NUMBER, False),
        ("start_line", 5, _NUMBER, False),
    ),
}


def _message(name: str) -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    plain = {_NUMBER: field.TYPE_INT64, _ID: field.TYPE_UINT64, _TEXT: field.TYPE_STRING}
    file = descriptor_pb2.FileDescriptorProto(name="pprof.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for label, number, kind, is_often in fields:
            form = field.LABEL_REPEATED if is_often else field.LABEL_OPTIONAL
            added = described.field.add(name=label, number=number, label=form, type=plain.get(kind, field.TYPE_MESSAGE))
            if kind not in plain:
                added.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


PROFILE = _message("Profile")
