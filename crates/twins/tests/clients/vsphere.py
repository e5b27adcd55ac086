"""What pyvmomi makes of the vSphere twin: `vsphere.py ADDRESS USER PASSWORD`.

Two things: an ordinary script (container view, property collector, plain property access), and a check
of every object's raw XML against pyvmomi's own table of types: order of fields, required fields, words
of enumerations, numbers, and types of references. The twin's table of names, order and types is derived
from pyvmomi's (`schema.py`): of those, the check finds slips in writing and proves nothing else. Prints one
line per fault found, and `ok` at the end.
"""

import ssl
import sys
import urllib.request
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from urllib.parse import urlsplit

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import VmomiSupport as support
from pyVmomi import vim, vmodl

XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
FAULTS = []

# Required by the schema, and not simulated: what they refer to, or hold, nobody asks of this twin.
NOT_SIMULATED = {
    "environmentBrowser",
    "browser",
    "datastoreBrowser",
    "configuration",
    "summaryEx",
}


def fault(where, what):
    FAULTS.append(f"{where}: {what}")


def local(name):
    return name.rsplit("}", 1)[-1]


def named_type(name, namespace="urn:vim25"):
    if name.startswith("xsd:"):
        return support.GetWsdlType("http://www.w3.org/2001/XMLSchema", name[4:])
    return support.GetWsdlType(namespace, name)


def item_of(kind):
    return kind.Item if issubclass(kind, list) and hasattr(kind, "Item") else None


def check(element, declared, where):
    """Checks an element that holds one value of a type."""
    kind = declared
    said = element.get(XSI)
    if said == "ManagedObjectReference":
        return check_reference(element, declared, where)
    if said == "ArrayOfManagedObjectReference":
        for child in element:
            check_reference(child, item_of(declared) or declared, f"{where}[]")
        return None
    if said:
        try:
            kind = named_type(said)
        except KeyError:
            return fault(where, f"unknown type {said}")
        if issubclass(declared, support.DataObject) and not issubclass(kind, declared):
            return fault(where, f"{said} is no {declared.__name__}")
    item = item_of(kind)
    text = element.text or ""
    if issubclass(kind, support.ManagedObject) or element.get("type"):
        check_reference(element, kind, where)
    elif item is not None:
        for child in element:
            check(child, item, f"{where}[]")
    elif issubclass(kind, support.DataObject):
        check_fields(element, kind, where)
    elif issubclass(kind, support.Enum):
        if text not in kind.values:
            fault(where, f"`{text}` is no word of {kind.__name__}")
    elif issubclass(kind, bool):
        if text not in ("true", "false"):
            fault(where, f"`{text}` is no truth value")
    elif issubclass(kind, int):
        bits = {"byte": 8, "short": 16, "int": 32, "long": 64}.get(support.GetWsdlName(kind), 64)
        if not text.lstrip("-").isdigit() or not -(1 << bits - 1) <= int(text) < 1 << bits - 1:
            fault(where, f"`{text}` is no number of {bits} bits")
    elif issubclass(kind, datetime):
        try:
            datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            fault(where, f"`{text}` is no time")
    elif len(element):
        fault(where, f"{kind.__name__} holds elements")


def check_reference(element, declared, where):
    try:
        kind = named_type(element.get("type") or "")
    except KeyError:
        return fault(where, f"reference to an unknown type `{element.get('type')}`")
    if issubclass(declared, support.ManagedObject) and not issubclass(kind, declared):
        fault(where, f"reference to {element.get('type')}, not {declared.__name__}")
    if not element.text:
        fault(where, "reference to nothing")


def check_fields(element, kind, where):
    fields = {field.name: (at, field) for at, field in enumerate(kind._GetPropertyList())}
    last, seen = -1, set()
    for child in element:
        name = local(child.tag)
        if name not in fields:
            fault(where, f"{kind.__name__} has no field {name}")
            continue
        at, field = fields[name]
        if at < last:
            fault(where, f"{name} comes too late in {kind.__name__}")
        last = max(at, last)
        item = item_of(field.type)
        if item is None and name in seen:
            fault(where, f"{name} comes twice")
        seen.add(name)
        check(child, item or field.type, f"{where}.{name}")
    for name, (_, field) in fields.items():
        if not field.flags & support.F_OPTIONAL and name not in seen:
            fault(where, f"{kind.__name__} lacks {name}")


class Raw:
    """Plain SOAP."""

    def __init__(self, address, user, password):
        self.url, self.cookie = f"{address}/sdk", None
        self.context = ssl._create_unverified_context()
        answer = self.call(
            "<Login xmlns='urn:vim25'><_this type='SessionManager'>SessionManager</_this>"
            f"<userName>{user}</userName><password>{password}</password></Login>"
        )
        assert answer is not None

    def call(self, body):
        envelope = (
            "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'>"
            f"<Body>{body}</Body></Envelope>"
        )
        request = urllib.request.Request(self.url, envelope.encode())
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        context = self.context if self.url.startswith("https") else None
        with urllib.request.urlopen(request, context=context) as answer:
            cookie = answer.headers.get("Set-Cookie")
            if cookie:
                self.cookie = cookie.split(";")[0]
            return ElementTree.fromstring(answer.read())

    def view(self):
        answer = self.call(
            "<CreateContainerView xmlns='urn:vim25'><_this type='ViewManager'>ViewManager</_this>"
            "<container type='Folder'>group-d1</container><recursive>true</recursive>"
            "</CreateContainerView>"
        )
        return next(it for it in answer.iter() if local(it.tag) == "returnval").text

    def everything(self, view):
        """All properties of all entities, and of the root and the managers."""
        specs = [
            "<propSet><type>ManagedEntity</type><all>true</all></propSet><objectSet>"
            f"<obj type='ContainerView'>{view}</obj><skip>true</skip>"
            "<selectSet xsi:type='TraversalSpec' "
            "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
            "<type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet>"
        ]
        for kind in (
            "SessionManager", "AuthorizationManager", "ExtensionManager", "LicenseManager",
            "TaskManager", "CustomFieldsManager",
        ):
            specs.append(
                f"<propSet><type>{kind}</type><all>true</all></propSet>"
                f"<objectSet><obj type='{kind}'>{kind}</obj></objectSet>"
            )
        body = "".join(f"<specSet>{it}</specSet>" for it in specs)
        collector = "<_this type='PropertyCollector'>propertyCollector</_this>"
        answer = self.call(
            f"<RetrievePropertiesEx xmlns='urn:vim25'>{collector}{body}"
            "<options><maxObjects>500</maxObjects></options></RetrievePropertiesEx>"
        )
        while True:
            yield from (it for it in answer.iter() if local(it.tag) == "objects")
            token = next((it.text for it in answer.iter() if local(it.tag) == "token"), None)
            if token is None:
                return
            answer = self.call(
                f"<ContinueRetrievePropertiesEx xmlns='urn:vim25'>{collector}"
                f"<token>{token}</token></ContinueRetrievePropertiesEx>"
            )


def check_everything(address, user, password):
    raw, count = Raw(address, user, password), 0
    for content in raw.everything(raw.view()):
        count += 1
        parts = {local(it.tag): it for it in content}
        reference = parts["obj"]
        kind = named_type(reference.get("type"))
        fields = {field.name: field for field in kind._GetPropertyList()}
        seen = set()
        for values in (it for it in content if local(it.tag) == "propSet"):
            name, value = values[0].text, values[1]
            seen.add(name)
            where = f"{reference.text}.{name}"
            if not value.get(XSI):
                fault(where, "has no type")
            elif name not in fields:
                fault(where, "is no property")
            else:
                check(value, fields[name].type, where)
        for name, field in fields.items():
            # Methods that a manager has instead of properties are not asked of it here.
            if not field.flags & support.F_OPTIONAL and name not in seen:
                if issubclass(kind, vim.ManagedEntity) and name not in NOT_SIMULATED:
                    fault(reference.text, f"lacks {name}")
    return count


def script(address, user, password):
    """What people write."""
    parts = urlsplit(address)
    service = SmartConnect(
        protocol=parts.scheme,
        host=parts.hostname,
        port=parts.port,
        user=user,
        pwd=password,
        disableSslCertValidation=True,
    )
    content = service.RetrieveContent()
    view = content.viewManager.CreateContainerView(
        content.rootFolder, [vim.VirtualMachine], True
    )
    paths = ["name", "config.hardware.device", "summary", "guest", "runtime", "parent"]
    collector, spec = vmodl.query.PropertyCollector, vmodl.query.PropertyCollector.FilterSpec()
    walk = collector.TraversalSpec(type=vim.ContainerView, path="view", skip=False, name="view")
    spec.objectSet = [collector.ObjectSpec(obj=view, skip=True, selectSet=[walk])]
    spec.propSet = [collector.PropertySpec(type=vim.VirtualMachine, pathSet=paths)]
    options = collector.RetrieveOptions(maxObjects=100)
    result = content.propertyCollector.RetrievePropertiesEx([spec], options)
    machines = {}
    while result:
        for it in result.objects:
            machines[it.obj._moId] = {value.name: value.val for value in it.propSet}
        if not result.token:
            break
        result = content.propertyCollector.ContinueRetrievePropertiesEx(result.token)
    members = view.view
    assert len(members) == len(machines), (len(members), len(machines))
    for machine in members[:5]:
        told = machines[machine._moId]
        assert machine.name == told["name"]
        assert machine.runtime.powerState == told["summary"].runtime.powerState
        assert len(machine.config.hardware.device) == len(told["config.hardware.device"])
        assert machine.guest.toolsStatus == told["guest"].toolsStatus
        owner = machine.parent or machine.parentVApp
        assert machine in (owner.childEntity if machine.parent else owner.vm)
    view.DestroyView()
    hosts = content.viewManager.CreateContainerView(content.rootFolder, [vim.HostSystem], True)
    for host in hosts.view:
        assert host.summary.hardware.memorySize == host.hardware.memorySize
        assert host.parent.resourcePool.owner == host.parent
    if members:
        found = content.searchIndex.FindByUuid(None, members[0].config.instanceUuid, True, True)
        assert found == members[0]
    Disconnect(service)
    return len(machines)


def main():
    address, user, password = sys.argv[1:4]
    try:
        SmartConnectFails = vim.fault.InvalidLogin
        script(address, user, "wrong")
        fault("login", "a wrong password was taken")
    except SmartConnectFails:
        pass
    machines = script(address, user, password)
    objects = check_everything(address, user, password)
    for it in sorted(set(FAULTS)):
        print(it)
    if FAULTS:
        sys.exit(1)
    print(f"ok: {machines} machines, {objects} objects")


if __name__ == "__main__":
    main()
