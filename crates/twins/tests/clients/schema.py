"""Derives the table of types of the vSphere twin from pyvmomi's: `schema.py TABLE`.

Prints TABLE (`src/live/vsphere/schema.txt`) with each row as the installed pyvmomi has the type. Which
types there are, and the remarks at the head, stay as they are: to add a type, add its name on a line of
its own. What is taken are facts of the public interface: names, order and types of properties, and words of
enumerations.
"""

import sys

from pyVmomi import VmomiSupport as support
from pyVmomi import vmodl

# Types whose name on the wire is not the one by which pyvmomi knows them.
NAMES = {
    support.ManagedMethod: "MethodName",
    support.PropertyPath: "PropertyPath",
    type: "TypeName",
    support.Link: "Link",
}

WRAPPED_FAULT = "LocalizedMethodFault"


def kind_of(kind, holder):
    """How the table writes the type of a holder's property."""
    if issubclass(kind, list) and hasattr(kind, "Item"):
        return kind_of(kind.Item, holder) + "[]"
    # pyvmomi takes faults out of what they are wrapped in on the wire.
    if issubclass(kind, vmodl.MethodFault) and holder != WRAPPED_FAULT:
        return WRAPPED_FAULT
    if issubclass(kind, support.ManagedObject):
        return "ref"
    return NAMES.get(kind) or support.GetWsdlName(kind)


def base_of(kind, name):
    base = support.GetWsdlName(kind.__mro__[1])
    is_root = name in (WRAPPED_FAULT, "MethodFault") or base in ("DynamicData", "ManagedObject")
    return "-" if is_root else base


def row(name):
    kind = support.GetWsdlType("urn:vim25", name)
    if issubclass(kind, support.Enum):
        return " ".join([name, "=", *(it for it in kind.values if it != "unknown_")])
    star = "*" if issubclass(kind, support.ManagedObject) else ""
    # `msg` is pyvmomi's own, not the wire's.
    fields = (it for it in kind._GetPropertyList(False) if (name, it.name) != ("MethodFault", "msg"))
    fields = (f"{it.name}:{kind_of(it.type, name)}" for it in fields)
    return " ".join([name + star, base_of(kind, name), *fields])


def main():
    with open(sys.argv[1], encoding="utf-8") as table:
        lines = table.read().splitlines()
    remarks = [it for it in lines if it.startswith("#")]
    names = {it.split(" ")[0].rstrip("*") for it in lines if it and not it.startswith("#")}
    print("\n".join([*remarks, *(row(it) for it in sorted(names))]))


if __name__ == "__main__":
    main()
